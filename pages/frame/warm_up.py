"""Practice before the reading: invented dialogues, openly so, and how others would answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.workbench.reviews import WarmUp, WarmUpAnswer
from core.workbench.reviews.practice import WHY
from pages.frame import show
from pages.frame.review_form import Seat
from pages.frame.review_form.practice import practice_form
from pages.frame.review_form.shown import shown_verdict

_OTHER = {"na": "N/A", "cannot_judge": "can't judge"}


def wants_practice(seat: Seat) -> bool:
    """Whether this reader is at their practice now."""
    return bool(st.session_state.get(_key(seat, "on")))


def offer_practice(seat: Seat) -> None:
    """Draw the way to the practice; in words before the first counted record of the day."""
    left = seat.bench.reviews.warm_ups(seat.claim, seat.person)
    if not left:
        return
    st.button(
        f"Warm up ({len(left)})",
        key=_key(seat, "begin"),
        type="tertiary",
        help=WHY,
        on_click=lambda: st.session_state.update({_key(seat, "on"): True}),
    )


def fresh_today(seat: Seat) -> bool:
    """Whether practice is to be offered in words: nothing is answered or practised today."""
    reviews, key = seat.bench.reviews, _key(seat, "begun")
    today = seat.bench.desk.now()[:10]
    if st.session_state.get(key) == today:
        return False
    last = reviews.last_answers(seat.digest, seat.claim, seat.person)[:1]
    if any(one.at[:10] == today for one in last):
        # Whoever has begun today has: nobody is asked twice.
        st.session_state[key] = today
        return False
    return bool(reviews.warm_ups(seat.claim, seat.person))


def draw_practice(seat: Seat) -> None:
    """Draw one practice dialogue with its questions, or the model answer to the last one."""
    show.prose("**{why}**", why=WHY)
    held: tuple[WarmUp, Mapping[str, Any], WarmUpAnswer] | None
    held = st.session_state.get(_key(seat, "compared"))
    left = seat.bench.reviews.warm_ups(seat.claim, seat.person)
    if held is not None:
        _compared(seat, *held, left=len(left))
        return
    _to_the_records(seat)
    if left:
        practice_form(seat, left[0], lambda given: compare(seat, left[0], given))
    else:
        show.prose("You have done all the practice there is for today.")


def _to_the_records(seat: Seat, *, next_up: bool = False) -> None:
    st.button(
        "To the records",
        key=_key(seat, "leave"),
        type="primary" if next_up else "secondary",
        # While there is a form, the J key is its own.
        shortcut="J" if next_up else None,
        on_click=lambda: _leave(seat),
    )


def _go_on(seat: Seat, left: int) -> None:
    with st.container(horizontal=True):
        if left:
            st.button(
                f"Next dialogue ({left} left)",
                key=_key(seat, "more"),
                type="primary",
                shortcut="J",
                on_click=lambda: st.session_state.pop(_key(seat, "compared"), None),
            )
        _to_the_records(seat, next_up=not left)


def compare(seat: Seat, warm_up: WarmUp, given: Mapping[str, Any]) -> None:
    """Put the model answer beside a finished one."""
    found = seat.bench.reviews.answer_warm_up(seat.claim, warm_up.id, seat.person, given)
    st.session_state[_key(seat, "compared")] = (warm_up, given, found)


def _leave(seat: Seat) -> None:
    for name in ("on", "compared"):
        st.session_state.pop(_key(seat, name), None)


def _compared(
    seat: Seat, warm_up: WarmUp, given: Mapping[str, Any], found: WarmUpAnswer, *, left: int
) -> None:
    """Draw one's own answer beside the model's; what is two points or more apart is named."""
    text, beside = st.columns(2, gap="medium")
    with text:
        show.dialogue(warm_up.messages)
    with beside:
        differs = len(found.differs)
        if differs:
            show.prose(
                "**{count} of your answers {differ} from the model answer.**",
                count=differs,
                differ="differ" if differs > 1 else "differs",
            )
        else:
            show.prose("**You answered as those who wrote it would.**")
        # In sight wherever the window was scrolled to while answering.
        _go_on(seat, left)
        show.prose("Their reason: {why}", why=found.why)
        _flags(seat, given, found)
        st.dataframe(_rows(seat, given, found), hide_index=True)
        show.quiet(
            "≠ marks what differs, by two points or more. A model answer is one reading by "
            "those who wrote the dialogue; nobody is told how yours compares."
        )


def _flags(seat: Seat, given: Mapping[str, Any], found: WarmUpAnswer) -> None:
    """Draw both sides' flags as words: a table would cut their names off."""
    fails = {fail.id: f"{fail.id} {fail.name}" for fail in seat.rubric.hard_fails}
    mine = [fails[flag["id"]] for flag in given["flags"]]
    theirs = [fails.get(flag, flag) for flag in found.flags]
    show.prose(
        "Your flags: {mine}. Theirs: {theirs}. {mark}",
        mark="≠" * ("flags" in found.differs),
        mine=", ".join(mine) or "none",
        theirs=", ".join(theirs) or "none",
    )


def _rows(seat: Seat, given: Mapping[str, Any], found: WarmUpAnswer) -> list[dict[str, str]]:
    names = {item.id: f"{item.id} {item.name}" for item in seat.rubric.items}
    rows = [
        (name, names.get(name, name), _words(given["scores"].get(name, "")), _words(model))
        for name, model in found.scores.items()
    ]
    verdicts = (shown_verdict(given["verdict"]), shown_verdict(found.verdict))
    rows.append(("verdict", "Verdict", *verdicts))
    return [
        {
            "": "≠" if name in found.differs else "",
            "question": title,
            "you": own,
            "model answer": model,
        }
        for name, title, own, model in rows
    ]


def _words(answer: str) -> str:
    return _OTHER.get(answer, answer)


def _key(seat: Seat, *parts: str) -> str:
    return ":".join(("practice", seat.claim, seat.person.id, *parts))
