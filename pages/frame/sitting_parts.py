"""A sitting fits the time somebody has, and what they answered last is one click away."""

from __future__ import annotations

import streamlit as st

from core.workbench.reviews import ReviewQueue, Sitting
from pages.frame import show
from pages.frame.review_form import Seat, open_record
from pages.frame.warm_up import fresh_today, offer_practice

_MINUTES = (10, 20, 40)
_WAITING = ("open", "draft")


def draw_sitting(seat: Seat, queue: ReviewQueue, sitting: Sitting | None) -> None:
    """Draw how far the sitting is, or the offer of one, beside one's own last answers."""
    left = _left(queue, sitting)
    with st.container(
        horizontal=True, vertical_alignment="center", gap="small", key=f"sitting:{seat.claim}"
    ):
        if sitting is not None and left:
            _under_way(seat, sitting, left)
        elif queue.current is not None:
            _offer(seat, queue)
        _last_answers(seat, queue)
        offer_practice(seat)
        # Beside the buttons, whichever words they are: the form below is not to jump.
        if sitting is not None:
            _say(sitting, left)
        elif queue.current is not None:
            pace = _pace(*seat.bench.reviews.minutes_each(seat.digest, seat.claim))
            first = " Warming up is practice, never counted."
            show.quiet("{words}", words=pace + first * fresh_today(seat))


def _left(queue: ReviewQueue, sitting: Sitting | None) -> int:
    records = set(sitting.records) if sitting is not None else set()
    return sum(1 for item in queue.items if item.record_id in records and item.state in _WAITING)


def _offer(seat: Seat, queue: ReviewQueue) -> None:
    def begin(minutes: int) -> None:
        taken = seat.bench.reviews.sitting(seat.digest, seat.claim, seat.person, minutes)
        if taken.records:
            open_record(seat, queue, taken.records[0])

    st.caption("I have", width="content")
    for minutes in _MINUTES:
        st.button(
            f"{minutes} minutes",
            key=f"sit:{seat.claim}:{minutes}",
            on_click=show.doing(lambda minutes=minutes: begin(minutes)),  # type: ignore[misc]
        )


def _under_way(seat: Seat, sitting: Sitting, left: int) -> None:
    count = len(sitting.records)
    show.prose("**{behind} of {count}** of this sitting", behind=count - left, count=count)
    st.button(
        "End this sitting",
        key=f"stand:{seat.claim}",
        type="tertiary",
        on_click=show.doing(
            lambda: seat.bench.reviews.end_sitting(seat.digest, seat.claim, seat.person),
            done="The sitting is over. What you did not read goes back to the others.",
        ),
    )


def _say(sitting: Sitting, left: int) -> None:
    count = len(sitting.records)
    if not count:
        show.quiet("Nothing is free just now: others have the remaining records open.")
    elif not left:
        show.quiet("This sitting is done: {count} of {count}. A good place to stop.", count=count)
    else:
        show.quiet(
            "{records} fit into your time and {are} reserved for you. {pace}",
            records=f"{count} records" if count > 1 else "1 record",
            are="are" if count > 1 else "is",
            pace=_pace(sitting.minutes_each, sitting.measured),
        )


def _pace(minutes_each: float, measured: bool) -> str:
    how = "measured here" if measured else "assumed until five are read"
    return f"About {minutes_each:.2g} minutes a record ({how})."


def _last_answers(seat: Seat, queue: ReviewQueue) -> None:
    """Draw the list only while it is open: nobody waits for what they do not look at."""
    key = f"last:{seat.claim}"
    with st.popover("My last answers", key=key, type="tertiary", on_change="rerun"):
        if not st.session_state.get(key):
            return
        mine = seat.bench.reviews.last_answers(seat.digest, seat.claim, seat.person)
        places = {item.record_id: place for place, item in enumerate(queue.items, 1)}
        shown = [one for one in mine if one.record_id in places]
        if not shown:
            show.quiet("You have not answered a record yet.")
            return
        show.quiet("An answer can be taken back for ten minutes, with U; later, replaced.")

        def look(record: str, undoable: bool) -> None:
            open_record(seat, queue, record, undoable=undoable)
            st.session_state[f"look:{seat.claim}"] = True
            st.session_state[key] = False

        for number, one in enumerate(shown):
            verdict = one.verdict.replace("_", " ")
            words = f"Record {places[one.record_id]} · {verdict} · {one.at[11:16]} UTC"
            st.button(
                show.escape(words + (" · can be undone" if one.undoable else "")),
                key=f"again:{seat.claim}:{number}",
                type="tertiary",
                on_click=look,
                args=(one.record_id, one.undoable),
            )
