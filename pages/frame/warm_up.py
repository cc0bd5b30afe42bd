"""Practice before the reading: invented dialogues, openly so, and how others would answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.model.review import RubricItem
from core.workbench.reviews import WarmUp, WarmUpAnswer
from core.workbench.reviews.practice import WHY
from pages.frame import show
from pages.frame.review_form import Seat
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
    held: tuple[WarmUp, dict[str, Any], WarmUpAnswer] | None
    held = st.session_state.get(_key(seat, "compared"))
    left = seat.bench.reviews.warm_ups(seat.claim, seat.person)
    with st.container(horizontal=True):
        if held is not None and left:
            st.button(
                f"Next dialogue ({len(left)} left)",
                key=_key(seat, "more"),
                on_click=lambda: st.session_state.pop(_key(seat, "compared"), None),
            )
        st.button("To the records", key=_key(seat, "leave"), on_click=lambda: _leave(seat))
    if held is not None:
        _compared(seat, *held)
    elif left:
        _asked(seat, left[0])
    else:
        show.prose("You have done all the practice there is for today.")


def _leave(seat: Seat) -> None:
    for name in ("on", "compared"):
        st.session_state.pop(_key(seat, name), None)


def _asked(seat: Seat, warm_up: WarmUp) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        _text(seat, warm_up)
    answers: dict[str, Any] = {}
    with right, st.form(_key(seat, warm_up.id), border=False):
        show.prose("**{question}**", question=seat.rubric.question)
        for item in _questions(seat):
            answers[item.id] = _question(seat, warm_up, item)
        flags = st.multiselect(
            "Hard fails you would flag",
            [fail.id for fail in seat.rubric.hard_fails],
            format_func={fail.id: fail.name for fail in seat.rubric.hard_fails}.__getitem__,
            key=_key(seat, warm_up.id, "flags"),
        )
        verdict = st.radio(
            "Verdict",
            seat.rubric.verdicts,
            index=None,
            format_func=shown_verdict,
            key=_key(seat, warm_up.id, "verdict"),
        )
        sent = st.form_submit_button("Compare with the model answer", type="primary")
    if sent:
        scores = {name: value for name, value in answers.items() if value is not None}
        if verdict is None or len(scores) < len(answers):
            st.warning("Answer every question and choose a verdict; then you can compare.")
            return
        given = {"scores": scores, "verdict": verdict, "flags": [{"id": flag} for flag in flags]}
        found = seat.bench.reviews.answer_warm_up(seat.claim, warm_up.id, seat.person, given)
        st.session_state[_key(seat, "compared")] = (warm_up, given, found)
        st.rerun()


def _text(seat: Seat, warm_up: WarmUp) -> None:
    """Draw the dialogue, behind its card where it is hard to read, as any record would be."""
    card = seat.bench.care.card(warm_up.messages, warm_up.family, seat.person, begun=True)
    if card.folded:
        themes = ", ".join(theme.title for theme in card.themes)
        show.quiet(
            "This dialogue is invented, and hard to read. It speaks of: {themes}.",
            themes=themes or "a crisis",
        )
        if not st.toggle("Show the dialogue", key=_key(seat, warm_up.id, "shown")):
            return
    show.dialogue(warm_up.messages)


def _question(seat: Seat, warm_up: WarmUp, item: RubricItem) -> str | None:
    options = [str(step) for step in seat.rubric.scale] + list(_OTHER)
    anchors = [f"**{value}** {show.escape(text)}" for value, text in sorted(item.anchors.items())]
    return st.segmented_control(
        show.escape(f"{item.id} {item.name}"),
        options,
        format_func=_words,
        help="\n\n".join([show.escape(item.definition), *anchors]),
        key=_key(seat, warm_up.id, item.id),
    )


def _questions(seat: Seat) -> list[RubricItem]:
    return [item for item in seat.rubric.items if item.unit == "record" and not item.needs]


def _compared(seat: Seat, warm_up: WarmUp, given: Mapping[str, Any], found: WarmUpAnswer) -> None:
    """Draw one's own answer beside the model's; what is two points or more apart is named."""
    names = {item.id: f"{item.id} {item.name}" for item in seat.rubric.items}
    fails = {fail.id: fail.name for fail in seat.rubric.hard_fails}
    left, right = st.columns(2, gap="medium")
    with left:
        show.dialogue(warm_up.messages)
    with right:
        differs = len(found.differs)
        if differs:
            show.prose(
                "**{count} of your answers {differ} from the model answer.**",
                count=differs,
                differ="differ" if differs > 1 else "differs",
            )
        else:
            show.prose("**You answered as those who wrote it would.**")
        show.prose("Their reason: {why}", why=found.why)
        rows = [
            (name, names.get(name, name), _words(given["scores"].get(name, "")), _words(model))
            for name, model in found.scores.items()
        ]
        mine = [fails[flag["id"]] for flag in given["flags"]]
        theirs = [fails.get(flag, flag) for flag in found.flags]
        verdicts = (shown_verdict(given["verdict"]), shown_verdict(found.verdict))
        rows.append(("flags", "Flags", ", ".join(mine) or "none", ", ".join(theirs) or "none"))
        rows.append(("verdict", "Verdict", *verdicts))
        st.dataframe(
            [
                {
                    "": "≠" if name in found.differs else "",
                    "question": title,
                    "you": own,
                    "model answer": model,
                }
                for name, title, own, model in rows
            ],
            hide_index=True,
        )
        show.quiet(
            "≠ marks what differs, by two points or more. A model answer is one reading by "
            "those who wrote the dialogue; nobody is told how yours compares."
        )


def _words(answer: str) -> str:
    return _OTHER.get(answer, answer)


def _key(seat: Seat, *parts: str) -> str:
    return ":".join(("practice", seat.claim, seat.person.id, *parts))
