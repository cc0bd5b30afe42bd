"""What intake refused, by code and by object: counts that add up, and where to look."""

from __future__ import annotations

import streamlit as st

from core.intake.codes import CODES, title_of
from core.model.signoff import Person
from core.workbench import Workbench
from pages.frame import show
from pages.frame.export import csv_table
from pages.frame.links import page_link

ALL = "all"


def section(bench: Workbench, person: Person, version: str) -> None:
    """Draw what the newest candidate of `version` refused."""
    st.subheader("What was refused")
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
    rows = [
        {
            "object": source.key,
            "family": source.family,
            "code": reason,
            "rows refused": count,
            "rows in all": source.rows,
            "container": source.container,
        }
        for source in candidate.sources
        for reason, count in source.rejected.items()
        if code in (ALL, reason)
    ]
    st.dataframe(rows, hide_index=True)
    st.download_button(
        "Refusals as CSV", csv_table(rows), "refused.csv", "text/csv", on_click="ignore"
    )
