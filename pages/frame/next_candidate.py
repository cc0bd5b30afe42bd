"""What the review settled is taken into the next candidate by a named person, or left."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from core.model.errors import DeskError
from core.model.signoff import Person
from core.workbench import Workbench
from core.workbench.review_outcomes import SettledOutcome
from pages.frame import show
from pages.frame.links import page_link

_STATES = {
    "": ("Waits for a decision", "orange"),
    "exclude": ("Goes into the next build", "blue"),
    "edit": ("Goes into the next build", "blue"),
    "leave": ("Left as it is", "gray"),
}


def next_candidate(bench: Workbench, person: Person, version: str) -> None:
    """Draw every outcome with its state, and the two ways to decide about it."""
    found = bench.outcomes.offered(version)
    if not found:
        return
    st.header("What the next candidate takes up")
    decides = person.holds("release_owner", "review_lead")
    waiting = [item for item in found if not item.decided]
    show.quiet(
        "Nothing of this candidate changes. What is applied is in the next build: an edit only in "
        "the very text it was written for, and an edited record is read again."
    )
    if decides and len(waiting) > 1:
        st.button(
            f"Apply all {len(waiting)} that wait",
            key="outcomes:all",
            type="primary",
            on_click=partial(_act, bench, person, version, waiting, "apply"),
        )
    elif waiting and not decides:
        show.quiet("The release owner or the review lead decides.")
    for item in found:
        _outcome(bench, person, version, item, decides)
    if any(item.decided in ("exclude", "edit") and not item.applied for item in found):
        page_link("gates", "Build the next candidate")


def waiting_notice(bench: Workbench, version: str) -> None:
    """Say on another page that something waits, and where."""
    count = len(bench.outcomes.waiting(version))
    if count:
        waits = "1 outcome of the review waits" if count == 1 else f"{count} outcomes wait"
        st.warning(f"{waits} for a decision: leave a record out, or lay an edit into it.")
        page_link("adjudication", "Decide on Adjudication")


def _outcome(
    bench: Workbench, person: Person, version: str, item: SettledOutcome, decides: bool
) -> None:
    name = f"{item.record_id}:{item.turn}"
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            if item.outcome == "fix":
                show.prose("**Edit turn {turn}** of record {record}", turn=item.turn + 1,
                           record=item.record_id[:12])  # fmt: skip
            else:
                show.prose("**Leave out** record {record}", record=item.record_id[:12])
            words, colour = (
                ("In this candidate", "green") if item.applied else _STATES[item.decided]
            )
            if item.applied and item.decided == "leave":
                words, colour = _STATES["leave"]
            st.badge(words, color=colour)  # type: ignore[arg-type]
        show.quiet("{by} decided:", by=item.by)
        show.exact(item.reason)
        if item.outcome == "fix":
            _words(bench, person, item)
        if not decides:
            return
        with st.container(horizontal=True, vertical_alignment="bottom"):
            if item.decided not in ("exclude", "edit"):
                st.button(
                    "Apply to the next candidate",
                    key=f"apply:{name}",
                    on_click=partial(_act, bench, person, version, [item], "apply"),
                )
            if item.decided != "leave":
                with st.popover("Leave it as it is"):
                    st.text_area("Why it is left (kept)", key=f"left:{name}", height=80)
                    st.button(
                        "Leave it",
                        key=f"leave:{name}",
                        on_click=partial(_act, bench, person, version, [item], "leave"),
                    )


def _words(bench: Workbench, person: Person, item: SettledOutcome) -> None:
    """Draw what the turn says in the candidate it was read in, and what it would say."""
    try:
        found = bench.reviews.record(item.candidate, item.record_id, person)
    except DeskError as error:
        show.refusal(error)
        return
    before, after = st.columns(2)
    with before:
        show.quiet("It says")
        show.exact(found.messages[item.turn].content)
    with after:
        show.quiet("It would say")
        show.exact(item.words)


def _act(
    bench: Workbench,
    person: Person,
    version: str,
    items: Sequence[SettledOutcome],
    action: str,
) -> None:
    reason = ""
    if action == "leave":
        held = st.session_state
        reason = str(held.get(f"left:{items[0].record_id}:{items[0].turn}", ""))
    show.attempt(
        lambda: bench.outcomes.decide(version, items, action, person, reason),
        done="Decided. It takes effect in the next build." if action == "apply" else "Left.",
    )
