"""Who decided that what lies under a prefix may be used: hundreds of sources, a few at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.workbench.deciding import DECISIONS, INHERIT, RIGHTS
from core.workbench.sources import DEPTH, UNDECIDED, SourceLine
from pages.frame import guard, rejections, show
from pages.frame.export import csv_table
from pages.frame.links import page_link
from pages.frame.version_picker import pick_version

ALL = "all"
STATES = (UNDECIDED, *DECISIONS)

bench, person = guard.require()
owner = person.holds("release_owner")
st.title("Sources")
show.outcome()
version = pick_version(bench, person)
if bench.data.snapshot() is None:
    show.prose("The bucket has not been listed yet.")
    page_link("coverage", "List it under Coverage")
    st.stop()
titles = {rule.name: rule.title for rule in bench.desk.policy.families}
_ROW, _SHOWN = 35, 20


def row_of(line: SourceLine) -> dict[str, object]:
    """Return a line of the register as the table and the export show it."""
    held = line.decision
    return {
        "prefix": line.prefix,
        "family": titles[line.family],
        "state": line.state,
        "licence": held.licence_tag if held else "",
        "rights": held.rights if held else "",
        "objects": line.objects,
        "bytes": line.bytes,
        # Most objects are not opened before a build: of those nothing is known, not even none.
        "records seen": line.records or None,
        "decided for": "the whole family"
        if line.decided_by == line.family
        else ("this prefix" if line.decided_by == line.prefix else line.decided_by),
        "decided inside": line.inside,
        "by": held.by if held else "",
        "at": held.at if held else "",
        "why": held.reason if held else "",
    }


def _height(rows: int) -> int:
    """Return pixels for a table of `rows` rows: all of them, up to twenty at once."""
    return _ROW * (min(rows, _SHOWN) + 1) + 2


def filtered(lines: Sequence[SourceLine]) -> list[SourceLine]:
    """Draw the filters and return what they leave."""
    left, middle, right, last = st.columns([2, 2, 3, 2])
    family = left.selectbox(
        "Family", [ALL, *titles], format_func=lambda name: titles.get(name, "All families")
    )
    state = middle.selectbox(
        "State",
        [ALL, *STATES],
        format_func=lambda name: "Any state" if name == ALL else name.capitalize(),
    )
    text = right.text_input("Prefix contains")
    with last:
        show.quiet(
            "{undecided} of {all} lines wait.",
            undecided=sum(line.decision is None for line in lines),
            all=len(lines),
        )
    return [
        line
        for line in lines
        if family in (ALL, line.family)
        and state in (ALL, line.state)
        and text.casefold() in line.prefix.casefold()
    ]


def counted(count: int) -> str:
    """Return how many lines, in words."""
    return f"{count:,} line" + "s" * (count != 1)


def decide_form(chosen: Sequence[SourceLine], shown: Sequence[SourceLine]) -> None:
    """Draw the one form that decides about every line chosen."""
    with st.form("decide", border=True, clear_on_submit=False):
        scope = st.radio(
            "Decide about",
            ["ticked", "shown"],
            format_func=lambda name: (
                f"{counted(len(chosen))} ticked in the table"
                if name == "ticked"
                else f"all {counted(len(shown))} shown"
            ),
            horizontal=True,
        )
        tags = list(bench.desk.policy.licence_tags)
        columns = st.columns(3)
        # Nothing is proposed: with two hundred lines at once, a default would decide.
        decision = columns[0].selectbox(
            "Decision",
            [*DECISIONS, INHERIT],
            index=None,
            format_func=lambda name: "take back" if name == INHERIT else name,
            help="Taking back lets the decision on the shorter prefix or the family hold again.",
        )
        rights = columns[1].selectbox(
            "Rights",
            RIGHTS,
            index=RIGHTS.index("unknown"),
            format_func=lambda name: name.replace("_", " "),
        )
        tag = columns[2].selectbox("Licence", tags, index=None)
        reason = st.text_input("Why")
        if st.form_submit_button("Record the decision", type="primary"):
            lines = chosen if scope == "ticked" else shown
            prefixes = [line.prefix for line in lines]
            show.attempt(
                lambda: bench.sources.decide(
                    prefixes, decision or "", rights, tag or "", reason, person
                ),
                done=f"Recorded for {counted(len(prefixes))}.",
            )
            st.rerun()


show.prose(
    "Denied by default. The longest prefix decided about wins, then the decision on the family. "
    "Every decision stays in the journal; a new one replaces it."
)
depth = st.segmented_control(
    "Folders deep", [2, 3, 4, 5, 6], default=DEPTH, help="How finely the bucket is cut into lines."
)
with st.spinner("Opening objects to see what they hold…"):
    register = bench.sources.lines(version, depth=depth or DEPTH)
visible = filtered(register)
rows = [row_of(line) for line in visible]
picked: list[SourceLine] = []
if rows:
    event: Any = st.dataframe(
        [
            {**row, "bytes": show.size(line.bytes), "at": show.when(str(row["at"]))}
            for row, line in zip(rows, visible, strict=True)
        ],
        hide_index=True,
        height=_height(len(rows)),
        # What a decision rests on stands first; who took it, and why, behind.
        column_order=(
            "prefix",
            "state",
            "objects",
            "bytes",
            "records seen",
            "family",
            "licence",
            "rights",
            "decided for",
            "decided inside",
            "by",
            "at",
            "why",
        ),
        column_config={
            "prefix": st.column_config.TextColumn(width=420),
            "records seen": st.column_config.NumberColumn(
                format="localized", help="In what was opened so far; empty where nothing was."
            ),
            "objects": st.column_config.NumberColumn(format="localized"),
        },
        on_select="rerun" if owner else "ignore",
        selection_mode="multi-row",
        # Rows ticked under one filter must not be other rows under the next.
        key=f"register:{hash(tuple((line.prefix, line.family) for line in visible))}",
    )
    if owner:
        ticked = event["selection"]["rows"]
        picked = [visible[number] for number in ticked if number < len(visible)]
    st.download_button(
        "These lines as CSV", csv_table(rows), "sources.csv", "text/csv", on_click="ignore"
    )
else:
    show.prose("No line is like that.")
if owner:
    st.header("Decide")
    decide_form(picked, visible)
elif any(line.decision is None for line in register):
    show.prose("What is undecided waits for a release owner.")

rejections.section(bench, person, version)
