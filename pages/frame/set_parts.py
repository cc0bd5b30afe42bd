"""The set as a whole: who is named, by whom, with which problems; what nobody names is the most
important bar."""

from __future__ import annotations

import streamlit as st

from core.model.errors import DeskError
from core.model.signoff import Person
from core.review.set_view import UNKNOWN, SetView
from core.workbench import Workbench
from pages.frame import charts, show

_ABSENT = "unknown: no such word"


def draw_set(bench: Workbench, person: Person, digest: str, claim: str) -> None:
    """Draw the set view and the gaps, with a place to write one down."""
    try:
        with st.spinner("Reading the set…"):
            view = bench.bias.set_view(digest, claim, person)
    except DeskError as error:
        show.refusal(error)
        return
    if view.records < view.frame:
        show.prose(
            "Counted over **{records} of {frame} records**, by rank of the frozen seed.",
            records=f"{view.records:,}",
            frame=f"{view.frame:,}",
        )
    else:
        show.prose(
            "Counted over **all {records} records** of the scope.", records=f"{view.records:,}"
        )
    show.quiet(
        "Counted are words that name a group, from the desk's own list ({digest}). Nobody's "
        "identity is inferred, least of all from a name: where no word stands, the answer is "
        "unknown.",
        digest=view.lexicon[:8],
    )
    _dimensions(view)
    _problems(view)
    _resources(view)
    with st.expander("Every count"):
        st.dataframe(
            [
                {
                    "dimension": _said(one.dimension),
                    "group named": show.group(one.value) or "any",
                    "named by": one.role,
                    "with the problem": _said(one.problem) or "any",
                    "records": one.records,
                }
                for one in view.appearances
            ],
            hide_index=True,
        )
    draw_gaps(bench, person, digest, claim, view)


def _dimensions(view: SetView) -> None:
    st.header("Who is named")
    counts = {
        (one.dimension, one.value, one.role, one.problem): one.records for one in view.appearances
    }
    client = {name: counts.get((name, "", "client", ""), 0) for name in view.unknown}
    rows = [
        (name, client[name], view.records - unknown - client[name], unknown)
        for name, unknown in view.unknown.items()
    ]
    charts.bars(
        [_said(row[0]) for row in rows],
        {
            "by the client": [row[1] for row in rows],
            "by the helper alone": [row[2] for row in rows],
            _ABSENT: [row[3] for row in rows],
        },
        key="set:dimensions",
        unit="records",
        absent=_ABSENT,
        alt="; ".join(
            f"{_said(row[0])}: named by the client in {row[1]}, by the helper alone in {row[2]}, "
            f"unknown in {row[3]} records"
            for row in rows
        ),
    )


def _problems(view: SetView) -> None:
    st.header("With which problems")
    show.quiet("Records in which the client names both; a record may stand in several cells.")
    counts = {
        (_said(one.dimension), _said(one.problem)): one.records
        for one in view.appearances
        if one.problem and not one.value and one.role == "client"
    }
    lines = [*(_said(name) for name in view.unknown), UNKNOWN]
    names = [_said(name) for name in view.problems if name != UNKNOWN] + [UNKNOWN]
    charts.heat_map(
        counts,
        names,
        lines=lines,
        down="names",
        across="problem the client names",
        key="set:problems",
        alt="; ".join(
            f"{down} with {across}: {count}" for (down, across), count in sorted(counts.items())
        )
        or "No record names a group and a problem.",
    )


def _resources(view: SetView) -> None:
    st.header("Which help is named, by country")
    rows = [{"country": _said(name), "records": count} for name, count in view.resources.items()]
    st.dataframe(rows, hide_index=True)
    show.quiet(
        "From lines and services the helper names; unknown: none of those on the list. Whether a "
        "number is right and works is for people to check."
    )


def draw_gaps(bench: Workbench, person: Person, digest: str, claim: str, view: SetView) -> None:
    """Draw what the set is known to lack, and let a reviewer of this claim add to it."""
    st.header("Known gaps")
    gaps = bench.bias.gaps(digest, claim)
    for gap in gaps:
        show.prose("- {gap}", gap=gap)
    if not gaps:
        show.quiet("None is written down so far.")
    silent = view.silent()
    if silent:
        show.prose(
            "In the records counted, no word of these dimensions stands at all: **{names}**.",
            names=", ".join(_said(name) for name in silent),
        )
    if not person.holds(bench.desk.policy.claim(claim).role):
        return
    key = f"gap:{digest[:12]}:{claim}"

    def add() -> None:
        words = str(st.session_state.get(key, ""))
        if show.attempt(
            lambda: bench.bias.record_gap(digest, claim, words, person),
            done="Written down: it is signed with the review and ships as a known exclusion.",
        ):
            st.session_state[key] = ""

    with st.form(f"form:{key}", border=False):
        st.text_input(
            "What is missing from this set? It ships with the release's notes.",
            key=key,
            max_chars=500,
            placeholder="Nobody older than 65 speaks; disability appears only as a problem.",
        )
        st.form_submit_button("Write it down", on_click=add)


def _said(name: str) -> str:
    return name.replace("_", " ")
