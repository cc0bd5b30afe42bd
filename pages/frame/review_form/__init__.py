"""The keyboard form: the browser keeps the answer, Python applies every event once.

Events come numbered and name their record. After a lost connection or a restarted server the
browser sends its last events again; applying one twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from core.model.errors import DeskError, NotAllowed
from core.model.review import Rubric
from core.model.signoff import Person
from core.review.assigning import NOT_NOW
from core.workbench import Workbench
from core.workbench.care import ContentCard
from core.workbench.reviews import ReviewQueue, ReviewScreen
from pages.frame.review_form.component import FORM
from pages.frame.review_form.shown import (
    shown_care,
    shown_questions,
    shown_rating,
    shown_turns,
)

_TO_READ = ("open", "draft")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """Who reads which claim over which candidate; the records of their sitting come first."""

    bench: Workbench
    person: Person
    digest: str
    claim: str
    rubric: Rubric
    sitting: tuple[str, ...] = ()


@dataclass(slots=True)
class _Memory:
    """What one session knows of one form. `at` is the record on the screen.

    `undoable` is the record whose submission U takes back; `reopened` counts how often it did,
    so that the form knows the same record from the same record opened again.
    """

    queue: ReviewQueue
    at: str = ""
    screen: ReviewScreen | None = None
    acked: int = 0
    saved_at: str = ""
    fault: str = ""
    submitted: bool = False
    undoable: str | None = None
    reopened: int = 0


def review_form(seat: Seat, queue: ReviewQueue) -> None:
    """Draw one record of `queue` with its rubric; apply what is answered as it arrives.

    The component keeps one key per claim and person, so that it stays mounted, and with it
    what is under way, when the next record comes. It draws in a fragment of its own: a saved
    keystroke does not draw the page again.
    """
    key, memory = _key(seat), _memory(seat, queue)
    memory.queue, memory.screen = queue, None

    def receive() -> None:
        _drain(seat, (st.session_state.get(key) or {}).get("outbox") or (), memory)

    @st.fragment
    def draw() -> None:
        _open(seat, memory)
        held = FORM(
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


def open_record(seat: Seat, queue: ReviewQueue, record: str, *, undoable: bool = False) -> None:
    """Have the form show this record next; U takes its answer back where that is `undoable`."""
    memory = _memory(seat, queue)
    memory.at, memory.screen = record, None
    if undoable:
        memory.undoable = record


def _key(seat: Seat) -> str:
    return f"review:{seat.claim}:{seat.person.id}"


def _memory(seat: Seat, queue: ReviewQueue) -> _Memory:
    held: _Memory = st.session_state.setdefault(f"_{_key(seat)}", _Memory(queue))
    return held


def _open(seat: Seat, memory: _Memory) -> None:
    """Settle which record is on the screen, and read it where it changed."""
    if memory.at not in {item.record_id for item in memory.queue.items}:
        begun = memory.queue.current or memory.queue.items[0].record_id
        memory.at = _taken(seat, [begun, *_to_read(memory.queue, begun, ())], begun)
    if memory.screen is None or memory.screen.record_id != memory.at:
        memory.screen = seat.bench.reviews.screen(seat.digest, seat.claim, memory.at, seat.person)
        memory.saved_at = memory.screen.draft_saved_at
    if memory.undoable is None:
        last = seat.bench.reviews.last_submitted(seat.digest, seat.claim, seat.person)
        memory.undoable = last[0] if last else ""


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
    record, kind = str(event["record_id"]), event["kind"]
    if kind in ("go", "look"):
        memory.at, memory.screen = record, None
    elif kind == "opened":
        _opened(seat, memory, record)
    elif kind == "not_now":
        where = (str(event["candidate"]), seat.claim, record, seat.person)
        seat.bench.reviews.not_now(*where, str(event["reason"]))
        _go_on(seat, memory, record, "later")
    elif kind == "undo":
        _undo(seat, memory, event)
    else:
        _answered(seat, memory, event)
    memory.fault = ""


def _answered(seat: Seat, memory: _Memory, event: Mapping[str, Any]) -> None:
    """Keep a draft, or store a rating for good and go on."""
    reviews, record = seat.bench.reviews, str(event["record_id"])
    where = (str(event["candidate"]), seat.claim, record, seat.person)
    order: Any = {name: event[name] for name in ("tab", "seq", "based_on")}
    payload = dict(event["payload"])
    seat.bench.care.spent(seat.digest, record, int(payload.get("seconds", 0)), seat.person)
    if event["kind"] == "draft":
        saved_at = reviews.save_draft(*where, payload, **order)
        if record == memory.at:
            memory.saved_at = saved_at
        return
    reviews.submit(*where, {**payload, "shown_sha256": event["shown_sha256"]}, **order)
    memory.undoable = record
    _go_on(seat, memory, record, "done")


def _go_on(seat: Seat, memory: _Memory, record: str, state: str) -> None:
    """Take the next record from the list as it is known; the page draws a fresh one after it.

    Drawing up a list is a third of what the reader would wait for. Only when all that is known
    has been taken meanwhile is it drawn up before the next record.
    """
    items = [
        replace(item, state=state) if item.record_id == record else item
        for item in memory.queue.items
    ]
    memory.queue = ReviewQueue(items=tuple(items), current=None)
    memory.at = _taken(seat, _to_read(memory.queue, record, seat.sitting), "")
    if not memory.at:
        memory.queue = seat.bench.reviews.queue(seat.digest, seat.claim, seat.person)
        memory.at = _taken(seat, _to_read(memory.queue, record, seat.sitting), record)
    memory.screen, memory.submitted = None, True


def _undo(seat: Seat, memory: _Memory, event: Mapping[str, Any]) -> None:
    record = str(event["record_id"])
    where = (str(event["candidate"]), seat.claim, record, seat.person)
    memory.undoable = ""
    seat.bench.reviews.undo(*where)
    memory.queue = seat.bench.reviews.queue(seat.digest, seat.claim, seat.person)
    memory.at, memory.screen = record, None
    memory.reopened, memory.submitted = memory.reopened + 1, True


def _opened(seat: Seat, memory: _Memory, record: str) -> None:
    if memory.screen is not None and record == memory.screen.record_id:
        level = _card(seat, memory.screen).intensity
        seat.bench.care.opened(seat.digest, record, level, seat.person)


def _card(seat: Seat, screen: ReviewScreen) -> ContentCard:
    begun = screen.rating is not None or screen.draft is not None
    begun = begun or seat.bench.care.has_opened(seat.digest, screen.record_id, seat.person)
    return seat.bench.care.card(screen.messages, screen.family, seat.person, begun=begun)


def _taken(seat: Seat, wanted: Sequence[str], otherwise: str) -> str:
    """Return the first of `wanted` that nobody took meanwhile, reserved; else `otherwise`.

    Between the queue and the screen another reader may have opened the same record: only the
    reservation decides, in one transaction.
    """
    reviews = seat.bench.reviews
    for record in wanted:
        try:
            if reviews.reserve(seat.digest, seat.claim, record, seat.person):
                return record
        except NotAllowed:
            break  # Whoever may not rate may still look.
    return otherwise


def _to_read(queue: ReviewQueue, record: str, sitting: Sequence[str]) -> list[str]:
    """Return what is still to read, in order: first what follows `record`, then from the top.

    While a sitting has records to read, it is those.
    """
    records = [item.record_id for item in queue.items]
    after = records.index(record) + 1 if record in records else 0
    waiting = [item.record_id for item in queue.items if item.state in _TO_READ]
    waiting = [name for name in waiting if name in sitting] or waiting
    later = [name for name in waiting if name in records[after:]]
    return [*later, *(name for name in waiting if name not in later)]


def _shown(seat: Seat, memory: _Memory) -> dict[str, Any]:
    screen = memory.screen
    assert screen is not None
    card = _card(seat, screen)
    if not card.folded and not card.withheld_until:
        # Shown at once, hence opened.
        _opened(seat, memory, screen.record_id)
    opened = seat.bench.care.has_opened(seat.digest, screen.record_id, seat.person)
    return {
        "practice": False,
        "candidate": seat.digest,
        "claim": seat.claim,
        "records": [{"id": item.record_id, "state": item.state} for item in memory.queue.items],
        "acked": memory.acked,
        "saved_at": memory.saved_at,
        "fault": memory.fault,
        "undoable": memory.undoable or "",
        "reopened": memory.reopened,
        "reasons": [{"id": reason, "label": words} for reason, words in NOT_NOW.items()],
        **shown_care(seat.bench, seat.person, screen, card, opened),
        "record_id": screen.record_id,
        "shown_sha256": screen.sha256,
        "messages": [] if card.withheld_until else shown_turns(screen.messages),
        **shown_questions(seat.rubric, screen.must_judge),
        "draft_version": screen.draft_version,
        "draft": dict(screen.draft) if screen.draft is not None else None,
        "rating": shown_rating(screen.rating),
        "rating_sha256": screen.rating_sha256,
    }
