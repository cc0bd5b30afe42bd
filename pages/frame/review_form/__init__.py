"""The keyboard form: the browser keeps the answer, Python applies every event once.

Events come numbered and name their record. After a lost connection or a restarted server the
browser sends its last events again; applying one twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from core.model.errors import DeskError
from core.model.review import Rating, Rubric
from core.model.signoff import Person
from core.workbench import Workbench
from core.workbench.reviews import ReviewQueue, ReviewScreen

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
    """Who reads which claim over which candidate."""

    bench: Workbench
    person: Person
    digest: str
    claim: str
    rubric: Rubric


@dataclass(slots=True)
class _Memory:
    """What one session knows of one form. `at` is the record on the screen."""

    queue: ReviewQueue
    at: str = ""
    screen: ReviewScreen | None = None
    acked: int = 0
    saved_at: str = ""
    fault: str = ""
    submitted: bool = False


def review_form(seat: Seat, queue: ReviewQueue) -> None:
    """Draw one record of `queue` with its rubric; apply what is answered as it arrives.

    The component keeps one key per claim and person, so that it stays mounted, and with it
    what is under way, when the next record comes. It draws in a fragment of its own: a saved
    keystroke does not draw the page again.
    """
    key = f"review:{seat.claim}:{seat.person.id}"
    memory: _Memory = st.session_state.setdefault(f"_{key}", _Memory(queue))
    memory.queue, memory.screen = queue, None

    def receive() -> None:
        _drain(seat, (st.session_state.get(key) or {}).get("outbox") or (), memory)

    @st.fragment
    def draw() -> None:
        _open(seat, memory)
        held = _FORM(
            key=key, data=_shown(seat, memory), default={"outbox": []}, on_outbox_change=receive
        )
        # A new session (the server was restarted) hears of waiting events without a change.
        waiting = _drain(seat, held.get("outbox") or (), memory)
        if waiting or memory.submitted:
            memory.submitted = False
            # Only now that the form is drawn: one that is not would be taken off the page, and
            # with it the keys pressed meanwhile.
            st.rerun()

    draw()


def _open(seat: Seat, memory: _Memory) -> None:
    """Settle which record is on the screen, and read it where it changed."""
    if memory.at not in {item.record_id for item in memory.queue.items}:
        memory.at = memory.queue.current or memory.queue.items[0].record_id
    if memory.screen is None or memory.screen.record_id != memory.at:
        memory.screen = seat.bench.reviews.screen(seat.digest, seat.claim, memory.at, seat.person)
        memory.saved_at = memory.screen.draft_saved_at


def _drain(seat: Seat, events: Sequence[Mapping[str, Any]], memory: _Memory) -> int:
    """Apply the events not applied yet, in order; return how many there were."""
    waiting = [event for event in events if event["seq"] > memory.acked]
    for event in waiting:
        memory.acked = event["seq"]
        try:
            _apply(seat, event, memory)
        except DeskError as error:
            memory.fault = f"Not saved: {error.sentence} ({error.code})"
    return len(waiting)


def _apply(seat: Seat, event: Mapping[str, Any], memory: _Memory) -> None:
    reviews, record = seat.bench.reviews, str(event["record_id"])
    where = (str(event["candidate"]), seat.claim, record, seat.person)
    if event["kind"] == "go":
        memory.at, memory.screen, memory.fault = record, None, ""
        return
    order: Any = {name: event[name] for name in ("tab", "seq", "based_on")}
    payload = dict(event["payload"])
    if event["kind"] == "draft":
        saved_at = reviews.save_draft(*where, payload, **order)
        if record == memory.at:
            memory.saved_at = saved_at
    else:
        answers = {**payload, "shown_sha256": event["shown_sha256"]}
        reviews.submit(*where, answers, **order)
        memory.queue = reviews.queue(seat.digest, seat.claim, seat.person)
        memory.at, memory.screen, memory.submitted = _next(memory.queue, record), None, True
    memory.fault = ""


def _next(queue: ReviewQueue, record: str) -> str:
    """Return the next record in order that is still to read, from the top if none follows."""
    records = [item.record_id for item in queue.items]
    after = records.index(record) + 1 if record in records else 0
    waiting = [item.record_id for item in queue.items if item.state != "done"]
    later = [name for name in waiting if name in records[after:]]
    return next(iter(later or waiting), record)


def _shown(seat: Seat, memory: _Memory) -> dict[str, Any]:
    screen = memory.screen
    assert screen is not None
    return {
        "candidate": seat.digest,
        "claim": seat.claim,
        "records": [{"id": item.record_id, "state": item.state} for item in memory.queue.items],
        "acked": memory.acked,
        "saved_at": memory.saved_at,
        "fault": memory.fault,
        "folded": screen.family == "edge_cases",
        "warning": _WARNING,
        "record_id": screen.record_id,
        "shown_sha256": screen.sha256,
        "messages": [
            {"role": turn.role, "label": _LABELS[turn.role], "content": turn.content}
            for turn in screen.messages
        ],
        **_questions(seat.rubric, screen.must_judge),
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
