"""One finding after another, its words in front of you, each settled by a key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from core.gates.codes import title_of
from core.model.dataset import Message
from core.model.errors import DeskError
from core.model.gate import Finding
from core.model.personal import entity_of
from pages.frame import show
from pages.frame.passage import draw_passage

Found = tuple[str, Finding]
Decide = Callable[[Sequence[Found], str, str], None]
AT = "triage:at"
REASON = "triage:reason"
SETTLED_BY_KEY = {
    "redact": ("Put a placeholder", "p", "Names or points at a real person."),
    "false_positive": ("False alarm", "f", "Read in its context: it names no real person."),
    "exclude": ("Leave the record out", "x", "Should not ship."),
}
"""Decision, its button, its key, and the reason kept when nothing else is said."""


def readable(rows: Sequence[Found], decided: Callable[[Found], str]) -> list[Found]:
    """Return what can be read word by word and is not settled, what blocks first."""
    waiting = [
        item
        for item in rows
        if entity_of(item[1].code) is not None and item[1].start >= 0 and not decided(item)
    ]
    return sorted(waiting, key=lambda item: not item[1].blocking)


def draw_triage(
    waiting: Sequence[Found],
    read: Callable[[str], Sequence[Message]],
    offered: Callable[[Sequence[Found]], Sequence[str]],
    decide: Decide,
) -> None:
    """Draw the finding that is next, in its context, with a button and a key per decision."""
    place = int(st.session_state.get(AT, 0)) % len(waiting)
    item = waiting[place]
    finding = item[1]
    show.prose(
        "**{title}**, {left} left to read{blocks}",
        title=title_of(finding.code),
        left=f"{len(waiting):,}",
        blocks="" if finding.blocking else " (noted, does not block)",
    )
    try:
        draw_passage(tuple(read(finding.record_id)), finding)
    except DeskError as error:
        show.refusal(error)
        return
    st.text_input("Reason kept with the decision (a fitting one is kept if empty)", key=REASON)
    actions = [action for action in SETTLED_BY_KEY if action in offered([item])]
    with st.container(horizontal=True):
        for action in actions:
            label, key, _ = SETTLED_BY_KEY[action]
            st.button(
                label,
                shortcut=key,
                key=f"triage:{action}",
                on_click=partial(_settle, item, action, decide),
            )
        st.button("Next", shortcut="j", key="triage:next", on_click=_step, args=(place + 1,))


def _settle(item: Found, action: str, decide: Decide) -> None:
    reason = str(st.session_state.get(REASON, "")).strip() or SETTLED_BY_KEY[action][2]
    decide([item], action, reason)


def _step(place: int) -> None:
    st.session_state[AT] = place
