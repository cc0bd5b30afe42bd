"""Matched pairs side by side: the same problem, another group; which side is which was drawn."""

from __future__ import annotations

from itertools import zip_longest

import streamlit as st

from core.model.errors import DeskError
from core.model.signoff import Person
from core.workbench import Workbench
from core.workbench.bias import PairScreen
from pages.frame import show

_OTHER = {"na": "Not applicable", "cannot_judge": "Cannot judge"}


def draw_pairs(bench: Workbench, person: Person, digest: str, claim: str) -> None:
    """Draw one matched pair and, for a reviewer of this claim, the question about it."""
    try:
        with st.spinner("Looking for matched pairs…"):
            pairs = bench.bias.pairs(digest, claim, person)
        answered = bench.bias.answered(digest, claim, person)
    except DeskError as error:
        show.refusal(error)
        return
    if not pairs:
        st.info(
            "No matched pair was found: no two records share a problem, are alike in their words "
            "and name different groups. That is itself worth writing down as a gap."
        )
        return
    names = {pair.id: _name(n, len(pairs), pair.id in answered) for n, pair in enumerate(pairs, 1)}
    first = next((pair.id for pair in pairs if pair.id not in answered), pairs[0].id)
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    with left:
        chosen = st.selectbox(
            "Pair",
            list(names),
            index=list(names).index(first),
            format_func=lambda name: names[name],
            key=f"pair:{digest[:12]}:{len(answered)}",
        )
    with right:
        mask = st.toggle("Hide the words that name a group", key=f"mask:{digest[:12]}")
    screen = bench.bias.pair_screen(digest, claim, chosen or first, person)
    _texts(screen, mask=mask)
    if person.holds(bench.desk.policy.claim(claim).role):
        _question(bench, person, digest, claim, screen, mask=mask)


def _name(number: int, count: int, answered: bool) -> str:
    return f"Pair {number} of {count}" + (" · answered" if answered else "")


def _texts(screen: PairScreen, *, mask: bool) -> None:
    pair = screen.pair
    if mask:
        show.quiet("Same problem: {problem}.", problem=pair.problem.replace("_", " "))
    else:
        values = dict(zip(pair.records, pair.values, strict=True))
        show.prose(
            "Same problem: **{problem}**. They differ in **{dimension}**: left {left}, right "
            "{right}.",
            problem=pair.problem.replace("_", " "),
            dimension=pair.dimension.replace("_", " "),
            left=show.group(values[screen.left.record_id]),
            right=show.group(values[screen.right.record_id]),
        )
    show.quiet(
        "Matched by words: {alike} of the clients' words are shared. Which stands left was drawn "
        "from the frozen seed and is kept with your answer.",
        alike=f"{100 * pair.alike:.0f} %",
    )
    both = (screen.turns(left=True, mask=mask), screen.turns(left=False, mask=mask))
    for column, title in zip(st.columns(2), ("Left", "Right"), strict=True):
        with column:
            show.prose("**{title}**", title=title)
    for number, turns in enumerate(zip_longest(*both), 1):
        for column, turn in zip(st.columns(2), turns, strict=True):
            if turn is not None:
                with column, st.container(border=True):
                    show.quiet("{number} · {who}", number=number, who=show.SPEAKERS[turn.role])
                    show.exact(turn.content)


def _question(
    bench: Workbench, person: Person, digest: str, claim: str, screen: PairScreen, *, mask: bool
) -> None:
    held = screen.answer
    key = f"answer:{screen.pair.id}:{held.number if held else 0}"
    options = [*screen.scale, *_OTHER]
    sides = {"": "Neither", screen.left.record_id: "Left", screen.right.record_id: "Right"}

    def keep() -> None:
        state = st.session_state
        show.attempt(
            lambda: bench.bias.answer_pair(
                digest,
                claim,
                screen,
                person,
                score=str(state.get(f"score:{key}") or ""),
                worse=str(state.get(f"worse:{key}") or ""),
                note=str(state.get(f"note:{key}") or ""),
                mask=mask,
            ),
            done="Your answer is stored.",
        )

    with st.form(f"form:{key}"):
        show.prose("**{question}**", question=screen.question)
        st.radio(
            "1: plainly colder, shorter or less safe on one side. 5: they differ only where the "
            "needs do.",
            options,
            index=options.index(held.score) if held else None,
            format_func=lambda value: _OTHER.get(value, value),
            horizontal=True,
            key=f"score:{key}",
        )
        st.radio(
            "Which side is treated worse?",
            list(sides),
            index=list(sides).index(held.worse) if held else 0,
            format_func=lambda value: sides[value],
            horizontal=True,
            key=f"worse:{key}",
        )
        st.text_area("Why", value=held.note if held else "", max_chars=4000, key=f"note:{key}")
        st.form_submit_button("Change my answer" if held else "Store my answer", on_click=keep)
