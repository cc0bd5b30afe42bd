"""Readers who differ show their blind votes, talk and vote again; edits wait for the next one."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.model.signoff import Person
from core.review.acts import REASONS
from core.review.norming import NormingRoom
from core.workbench import Workbench
from pages.frame import show


def norming(bench: Workbench, person: Person, digest: str) -> None:
    """Draw the rooms of every claim, and for the lead a way to open one."""
    show.quiet(
        "Blind votes stay what they are; what is said here stands beside them. Another clinical "
        "school is kept as dissent and outvoted by nobody."
    )
    shown = False
    for claim in bench.desk.policy.claims:
        rooms = bench.reviews.rooms(digest, claim.id)
        if rooms:
            shown = True
            before, after = bench.reviews.alphas(digest, claim.id)
            show.prose(
                "**{title}**: alpha {before} blind, {after} after the talk.",
                title=claim.title,
                before=_words(before.value),
                after=_words(after.value),
            )
        for room in rooms:
            _room(bench, person, digest, claim.id, room)
        if person.holds("review_lead"):
            shown |= _open(bench, person, digest, claim.id, {room.record_id for room in rooms})
    if not shown:
        show.prose("Nobody differs on a record that two people have read.")


def _open(bench: Workbench, person: Person, digest: str, claim: str, known: set[str]) -> bool:
    differing = sorted(
        {
            point.record_id
            for point in bench.reviews.open_differences(digest)
            if point.claim == claim
        }
        - known
    )
    for record in differing:
        reveal = partial(bench.reviews.reveal, digest, claim, record, person)
        st.button(
            f"Show the blind votes on {record[:12]} ({show.escape(claim)})",
            key=f"reveal:{claim}:{record}",
            on_click=show.doing(reveal, done="The votes on it are open to those who read it."),
        )
    return bool(differing)


def _words(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.2f}"


def _room(bench: Workbench, person: Person, digest: str, claim: str, room: NormingRoom) -> None:
    with st.container(border=True):
        show.prose("Record **{record}**", record=room.record_id[:12])
        apart = {item: votes for item, votes in room.before.items() if len(set(votes.values())) > 1}
        rows = [
            {
                "question": item,
                **{f"{who}, blind": vote for who, vote in votes.items()},
                **{f"{who}, now": vote for who, vote in room.after.get(item, {}).items()},
            }
            for item, votes in apart.items()
        ]
        st.dataframe(rows, hide_index=True)
        for who, reason in room.reasons.items():
            show.quiet("{who}: {reason}", who=who, reason=REASONS[reason])
            if who in room.notes:
                show.exact(room.notes[who])
        mine = {item: votes[person.id] for item, votes in apart.items() if person.id in votes}
        if mine:
            _vote(bench, person, digest, claim, room.record_id, mine)


def _vote(
    bench: Workbench,
    person: Person,
    digest: str,
    claim: str,
    record: str,
    mine: dict[str, str],
) -> None:
    name = f"{claim}:{record}"
    steps = [str(step) for step in bench.reviews.rubric(claim).scale]

    def act() -> None:
        held = st.session_state
        scores = {item: str(held[f"again:{name}:{item}"]) for item in mine}
        show.attempt(
            lambda: bench.reviews.revote(
                digest, claim, record, person, scores, str(held[f"because:{name}"]),
                str(held.get(f"said:{name}", "")),
            ),
            done="Your second vote stands beside the first.",
        )  # fmt: skip

    with st.form(f"norming:{name}", border=False):
        with st.container(horizontal=True):
            for item, was in mine.items():
                choices = [*steps, "na", "cannot_judge"]
                st.selectbox(
                    item, choices, index=choices.index(was), key=f"again:{name}:{item}", width=120
                )
        st.selectbox(
            "Why we differed",
            list(REASONS),
            format_func=lambda reason: REASONS[reason],
            key=f"because:{name}",
        )
        st.text_input("In a sentence (kept)", key=f"said:{name}")
        st.form_submit_button("Vote again", on_click=act)


def edits(bench: Workbench, person: Person, digest: str) -> None:
    """Draw the edits proposed, and a form for those whose reading asked for one."""
    show.quiet(
        "An edit never changes this candidate: the record counts as a defect of it. The proposal "
        "is kept for whoever prepares the next one."
    )
    for claim in bench.desk.policy.claims:
        for stored in bench.reviews.proposals(digest, claim.id):
            act = stored.act
            with st.container(border=True):
                show.prose(
                    "Turn {turn} of **{record}**, proposed by {by}: {why}",
                    turn=act.turn + 1,
                    record=act.record_id[:12],
                    by=act.by,
                    why=act.why,
                )
                show.exact(act.note)
        asked = sorted(
            {
                one.rating.record_id
                for one in bench.reviews.ratings(digest, claim.id)
                if one.rating.verdict == "accept_with_edit"
            }
        )
        if asked and person.holds("review_lead", claim.role):
            _propose(bench, person, digest, claim.id, asked)


def _propose(bench: Workbench, person: Person, digest: str, claim: str, records: list[str]) -> None:
    record = st.selectbox(
        f"Accepted with an edit ({claim})",
        records,
        format_func=lambda name: name[:12],
        key=f"edit:{claim}",
    )
    messages = bench.reviews.record(digest, record, person).messages
    turns = [number for number, turn in enumerate(messages) if turn.role == "assistant"]
    turn = st.selectbox(
        "Helper's turn", turns, format_func=lambda number: str(number + 1), key=f"turn:{record}"
    )
    show.exact(messages[turn].content)

    def act() -> None:
        held = st.session_state
        show.attempt(
            lambda: bench.reviews.propose_edit(
                digest, claim, record, turn, str(held[f"words:{record}:{turn}"]),
                str(held[f"why:{record}:{turn}"]), person,
            ),
            done="The proposal is kept.",
        )  # fmt: skip

    with st.form(f"edit:{claim}:{record}:{turn}", border=False):
        st.text_area("What it should say", key=f"words:{record}:{turn}")
        st.text_input("Why", key=f"why:{record}:{turn}")
        st.form_submit_button("Propose", on_click=act)
