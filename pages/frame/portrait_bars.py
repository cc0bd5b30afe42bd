"""A bar of a picture leads to its records, whether it was clicked or picked from the lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.model.dataset import SPLITS
from core.model.errors import DeskError
from core.model.gate import GateReport
from core.model.signoff import Person
from core.workbench import Workbench
from core.workbench.record_table import Choice, Found, RecordTable, bar_at
from core.workbench.reviews import READERS
from pages.frame import show
from pages.frame.portrait_words import MEASURES, language, speakers


@dataclass(frozen=True, slots=True, kw_only=True)
class Portrait:
    """What is drawn: the report of a candidate's distribution gate, and its families' titles."""

    bench: Workbench
    person: Person
    report: GateReport
    names: Mapping[str, str]

    @property
    def measures(self) -> Mapping[str, Any]:
        """What the gate measured."""
        return self.report.measures


def draw_bar(at: Portrait, clicked: tuple[str, str, str, float] | None) -> None:
    """Draw the records of one bar: the one clicked, or the one picked from the lists."""
    if clicked is not None and clicked != st.session_state.get("bar:clicked"):
        st.session_state["bar:clicked"] = clicked
        for name, value in zip(("family", "measure", "split", "low"), clicked, strict=True):
            st.session_state[f"bar:{name}"] = value
    st.markdown("**The records in a bar**")
    show.quiet("Click a bar above, or pick one here.")
    family_box, measure_box, split_box, bar_box = st.columns(4)
    with family_box:
        family = st.selectbox(
            "Family", list(at.names), format_func=lambda name: at.names[name], key="bar:family"
        )
    with measure_box:
        measure = st.selectbox(
            "Measure", list(MEASURES), format_func=lambda name: MEASURES[name], key="bar:measure"
        )
    told = at.measures["families"][family]
    splits = [name for name in SPLITS if name in told]
    if st.session_state.get("bar:split") not in splits:
        st.session_state.pop("bar:split", None)
    with split_box:
        split = st.selectbox("Split", splits, key="bar:split")
    edges = at.measures["edges"][measure]
    counts = told[split][measure].get("histogram", [])
    bars = {
        (-1.0 if number == 0 else float(edges[number - 1])): count
        for number, count in enumerate(counts)
        if count
    }
    if not bars:
        return
    if st.session_state.get("bar:low") not in bars:
        st.session_state.pop("bar:low", None)
    with bar_box:
        low = st.selectbox(
            "Bar",
            list(bars),
            format_func=lambda edge: f"{_bar_words(at, measure, edge)}: {bars[edge]:,} records",
            key="bar:low",
        )
    _draw_records(at, family, split, measure, low)


def _bar_words(at: Portrait, measure: str, edge: float) -> str:
    low, high = bar_at(measure, edge)
    if low is None or edge < 0:
        return f"below {at.measures['edges'][measure][0]:g}"
    return f"{low:,.4g} and more" if high is None else f"{low:,.4g} to under {high:,.4g}"


def _draw_records(at: Portrait, family: str, split: str, measure: str, edge: float) -> None:
    """Draw which records a bar holds, and the one that is ticked, for those who may read."""
    low, high = bar_at(measure, edge)
    choice = Choice(measure=measure, family=family, split=split, low=low, high=high)
    found = _find(at, choice)
    if found is None:
        return
    show.prose(
        "**{n} records** of {family}, {split}: {measure} {bar}. {cut}",
        n=f"{found.records:,}",
        family=at.names[family],
        split=split,
        measure=MEASURES[measure],
        bar=_bar_words(at, measure, edge),
        cut=f"The first {len(found.rows):,} are listed." if found.records > len(found.rows) else "",
    )
    event = st.dataframe(
        [
            {
                "record": row["record_id"],
                MEASURES[measure]: row["value"],
                "who speaks": speakers(row["roles"]),
                "language": language(row["language"]),
            }
            for row in found.rows
        ],
        hide_index=True,
        height=240,
        on_select="rerun",
        selection_mode="single-row",
        key=f"bar:{hash(choice)}",
        alt="Records in the bar; tick one to read it",
    )
    chosen = event.selection.rows
    if chosen and chosen[0] < len(found.rows):
        _draw_record(at, family, found.rows[chosen[0]]["record_id"])


def _find(at: Portrait, choice: Choice) -> Found | None:
    """Return the records of a bar; what takes more than a moment says how far it is."""
    table, digest = RecordTable(at.bench.candidates), at.report.candidate
    waiting = st.empty()

    def say(done: int, total: int, message: str) -> None:
        text = f"{message}, once for this candidate: {done:,} of {total:,}"
        waiting.progress(min(done / max(1, total), 1.0), text=show.escape(text))

    try:
        return table.records(digest, choice, progress=say)
    except DeskError as error:
        show.refusal(error)
        return None
    finally:
        waiting.empty()


def _draw_record(at: Portrait, family: str, record_id: str) -> None:
    """Draw one record for those who may read."""
    if not at.person.holds(*READERS):
        show.prose("Records are shown to reviewers, leads, owners and auditors.")
        return
    try:
        record = at.bench.reviews.record(at.report.candidate, record_id, at.person)
    except DeskError as error:
        show.refusal(error)
        return
    hard = {rule.number for rule in at.bench.desk.policy.stages if rule.name == "edge"}
    closed = at.bench.desk.policy.family(family).stage in hard
    with st.expander(
        "The record" + (" (edge and crisis: open it when you are ready)" if closed else ""),
        expanded=not closed,
    ):
        show.dialogue(record.messages)
