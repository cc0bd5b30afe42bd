"""What intake refused, by code and by object: counts that add up, and where to look."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.intake.codes import CODES, title_of
from core.intake.rejected import RejectedCount
from core.model.errors import DeskError
from core.model.signoff import Person
from core.workbench import Workbench
from core.workbench.refusals import Refusals
from core.workbench.reviews import READERS
from pages.frame import show
from pages.frame.export import csv_table
from pages.frame.links import page_link

ALL = "all"
SHOWN = 500


def section(bench: Workbench, person: Person, version: str) -> None:
    """Draw what the newest candidate of `version` refused."""
    st.header("What was refused")
    candidate = bench.candidates.current(version) if version else None
    if candidate is None:
        show.prose("Rows are counted when a candidate is built; there is none of this version.")
        page_link("gates", "Go to the gates")
        return
    show.prose(
        "Of {rows} rows read, {records} became records, {rejected} were refused and {lanes} were "
        "laid aside as assets.",
        rows=f"{candidate.rows:,}",
        records=f"{sum(source.records for source in candidate.sources):,}",
        rejected=f"{sum(candidate.rejections.values()):,}",
        lanes=f"{sum(sum(source.lanes.values()) for source in candidate.sources):,}",
    )
    if not candidate.rejections:
        return
    st.dataframe(
        [
            {
                "code": code,
                "means": title_of(code),
                "rows": count,
                "objects": sum(code in source.rejected for source in candidate.sources),
                "what to do": CODES[code][1] if code in CODES else "",
            }
            for code, count in sorted(candidate.rejections.items(), key=lambda item: -item[1])
        ],
        hide_index=True,
    )
    code = st.selectbox(
        "Refused as",
        [ALL, *sorted(candidate.rejections)],
        format_func=lambda name: "Any reason" if name == ALL else f"{title_of(name)} ({name})",
    )
    refusals = Refusals(bench.desk, bench.candidates)
    digest = candidate.digest
    counts = [one for one in refusals.counts(digest) if code in (ALL, one.code)]
    titles = {rule.name: rule.title for rule in bench.desk.policy.families}
    rows = [
        {
            "object": one.key,
            "code": one.code,
            "rows refused": one.count,
            "rows in all": one.rows,
            "family": titles.get(one.family, one.family),
        }
        for one in counts
    ]
    st.dataframe(rows[:SHOWN], hide_index=True)
    st.download_button(
        "Refusals as CSV", csv_table(rows), "refused.csv", "text/csv", on_click="ignore"
    )
    try:
        _places(refusals, person, digest, counts)
        _shapes(refusals, digest)
    except DeskError as error:
        show.refusal(error)


def _places(
    refusals: Refusals, person: Person, digest: str, counts: Sequence[RejectedCount]
) -> None:
    """Draw where in one object rows were refused, and one of them for those allowed."""
    keys = list(dict.fromkeys(one.key for one in counts))
    key = st.selectbox("Look into", keys, index=None, placeholder="Choose an object")
    if key is None:
        return
    codes = [one.code for one in counts if one.key == key]
    found = [row for row in refusals.rows(digest, key=key) if row.code in codes]
    st.dataframe(
        [
            {"line": row.line or "whole object", "code": row.code, "means": title_of(row.code)}
            for row in found
        ],
        hide_index=True,
    )
    lines = [row.line for row in found if row.line]
    if not lines:
        show.quiet("The object was refused as a whole; there is no single row to show.")
        return
    if not person.holds(*READERS):
        show.quiet("Reviewers and release owners may look at a refused row.")
        return
    line = st.selectbox("Show the row at line", lines, index=None, placeholder="Choose a line")
    if line is not None:
        with st.spinner("Reading it again…"):
            text = refusals.excerpt(digest, key, line, person)
        show.quiet("Its beginning, what has the form of an identifier replaced:")
        show.exact(text or "Nothing of it can be shown.")


def _shapes(refusals: Refusals, digest: str) -> None:
    """Draw the shapes that a mapping in the policy could name."""
    shapes = refusals.unknown_shapes(digest)
    if not shapes:
        return
    show.prose(
        "Rows of these shapes are not known; `[[intake.mappings]]` in the policy can name their "
        "fields, without code."
    )
    st.dataframe(
        [
            {
                "object": shape.key,
                "fields": ", ".join(shape.fields),
                "rows": shape.rows,
                "first line": shape.line,
            }
            for shape in shapes
        ],
        hide_index=True,
    )
