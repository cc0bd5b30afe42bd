"""The keyboard form: the browser keeps the answer, Python applies every event once.

Events come numbered and name their record. After a lost connection or a restarted server the
browser sends its last events again; applying one twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from core.model.errors import DeskError
from core.model.review import Rating, Rubric
from core.model.signoff import Person
from core.workbench import Workbench
from core.workbench.reviews import ReviewScreen

_FOLDER = Path(__file__).parent
_LABELS = {"user": "Client", "assistant": "Helper", "system": "System prompt"}
_VERDICTS = {
    "accept": "Accept",
    "accept_with_edit": "Accept with an edit",
    "reject": "Reject",
    "second_opinion": "Second opinion",
}
_WARNING = (
    "This record is of the edge and crisis family. It may speak of suicide, self-harm, abuse "
    "or violence."
)

_FORM = st.components.v2.component(
    "release_desk_review_form",
    html=(_FOLDER / "form.html").read_text(encoding="utf-8"),
    css=(_FOLDER / "form.css").read_text(encoding="utf-8"),
    js=(_FOLDER / "form.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """Who reads what: `place` is the words above the record, `went_on` is told of a submit."""

    bench: Workbench
    person: Person
    digest: str
    claim: str
    place: str
    folded: bool
    went_on: Callable[[str], None]


def review_form(seat: Seat, screen: ReviewScreen, rubric: Rubric) -> None:
    """Draw one record with its rubric; save drafts and submit ratings as events arrive.

    The component keeps one key per claim and person, so that it stays mounted, and with it
    what is under way, when the next record comes. It draws in a fragment of its own: a saved
    keystroke does not draw the page again.
    """
    key = f"review:{seat.claim}:{seat.person.id}"
    memory = st.session_state.setdefault(f"_{key}", {"acked": 0, "moved": False})
    if memory.get("shown") != (screen.record_id, screen.rating_sha256):
        memory.update(shown=(screen.record_id, screen.rating_sha256), saved_at="", fault="")

    @st.fragment
    def draw() -> None:
        def receive() -> None:
            _drain(seat, (st.session_state.get(key) or {}).get("outbox") or (), memory)

        if memory["moved"]:
            memory["moved"] = False
            st.rerun()
        held = _FORM(
            key=key,
            data={
                **_shown(seat, screen, rubric),
                "acked": memory["acked"],
                "saved_at": memory["saved_at"] or screen.draft_saved_at,
                "fault": memory["fault"],
            },
            default={"outbox": []},
            on_outbox_change=receive,
        )
        # A new session (the server was restarted) hears of waiting events without a change.
        if _drain(seat, held.get("outbox") or (), memory):
            st.rerun()

    draw()


def _drain(seat: Seat, events: Sequence[Mapping[str, Any]], memory: dict[str, Any]) -> int:
    """Apply the events not applied yet, in order; return how many there were."""
    waiting = [event for event in events if event["seq"] > memory["acked"]]
    for event in waiting:
        memory["acked"] = event["seq"]
        _apply(seat, event, memory)
    return len(waiting)


def _apply(seat: Seat, event: Mapping[str, Any], memory: dict[str, Any]) -> None:
    reviews, record = seat.bench.reviews, str(event["record_id"])
    order: Any = {name: event[name] for name in ("tab", "seq", "based_on")}
    payload = dict(event["payload"])
    try:
        if event["kind"] == "draft":
            saved_at = reviews.save_draft(
                seat.digest, seat.claim, record, seat.person, payload, **order
            )
            if record == memory["shown"][0]:
                memory["saved_at"] = saved_at
        else:
            answers = {**payload, "shown_sha256": event["shown_sha256"]}
            reviews.submit(seat.digest, seat.claim, record, seat.person, answers, **order)
            memory["moved"] = True
            seat.went_on(record)
        memory["fault"] = ""
    except DeskError as error:
        memory["fault"] = f"Not saved: {error.sentence} ({error.code})"


def _shown(seat: Seat, screen: ReviewScreen, rubric: Rubric) -> dict[str, Any]:
    return {
        "claim": seat.claim,
        "place": seat.place,
        "folded": seat.folded,
        "warning": _WARNING,
        "record_id": screen.record_id,
        "shown_sha256": screen.sha256,
        "messages": [
            {"role": turn.role, "label": _LABELS[turn.role], "content": turn.content}
            for turn in screen.messages
        ],
        **_questions(rubric, screen.must_judge),
        "draft_version": screen.draft_version,
        "draft": dict(screen.draft) if screen.draft is not None else None,
        "rating": _given(screen.rating) if screen.rating is not None else None,
        "rating_sha256": screen.rating_sha256,
    }


def _questions(rubric: Rubric, must_judge: Sequence[str]) -> dict[str, Any]:
    return {
        "question": rubric.question,
        "scale": [str(value) for value in rubric.scale],
        "items": [
            {
                "id": item.id,
                "name": item.name,
                "definition": item.definition,
                "anchors": {str(value): text for value, text in sorted(item.anchors.items())},
                "optional": bool(item.needs),
                "must": item.id in must_judge,
            }
            for item in rubric.items
            if item.unit == "record"
        ],
        "hard_fails": [
            {"id": fail.id, "name": fail.name, "text": fail.text} for fail in rubric.hard_fails
        ],
        "verdicts": [
            {"id": verdict, "label": _VERDICTS.get(verdict, verdict)} for verdict in rubric.verdicts
        ],
    }


def _given(rating: Rating) -> dict[str, Any]:
    return {
        "scores": dict(rating.scores),
        "verdict": rating.verdict,
        "note": rating.note,
        "flags": [{"id": flag.id, "turn": flag.turn, "note": flag.note} for flag in rating.flags],
    }
