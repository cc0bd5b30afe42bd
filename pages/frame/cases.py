"""A second person reads what was raised beside the exact text, and accepts, fixes or rejects."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from core.model.dataset import Message
from core.model.review import Rubric
from core.model.signoff import Person
from core.review.acts import StoredAct
from core.review.settlements import VERDICT, Settlement
from core.workbench import Workbench
from core.workbench.reviews import OpenCase
from pages.frame import show

_CHOICES = {"accept": "Accept", "fix": "Fix", "reject": "Reject"}
_MEANING = {
    "accept": "The record stands as it is. What was raised stays on record as dissent.",
    "fix": "It is a fail of this candidate, whose bytes stay. The next one gets your words.",
    "reject": "It is a fail of this candidate, and is to be left out of the next one.",
}
_DONE = {
    "accept": "Accepted. What was said against it stays on record.",
    "fix": "The edit is kept. The owner takes it into the next candidate below.",
    "reject": "Rejected. The owner leaves it out of the next candidate below.",
}
_BUTTONS = {
    "accept": "Accept the record",
    "fix": "Keep this edit",
    "reject": "Reject the record",
}
_SAID = {
    "accept": "Accepted",
    "fix": "Fixed",
    "reject": "Rejected",
    "confirm": "Confirmed",
    "dismiss": "Dismissed",
}
_NEW = "Write one"


def open_cases(bench: Workbench, person: Person, digest: str) -> None:
    """Draw how many records wait, and the one that is chosen."""
    st.header("To decide")
    found = bench.reviews.open_cases(digest)
    if not found:
        show.prose("No flag and no difference is open.")
        return
    stopping = sum(case.stops for case in found)
    show.prose(
        "**{count}** for a second person. {stopping} a claim from being signed.",
        count="1 record waits" if len(found) == 1 else f"{len(found)} records wait",
        stopping="None keeps"
        if not stopping
        else f"{stopping} of them keep"
        if stopping > 1
        else "One keeps",
    )
    chosen = found[0]
    if len(found) > 1:
        names = {_name(case): case for case in found}
        picked = st.selectbox(
            "Record", list(names), format_func=lambda name: _label(bench, names[name]), key="case"
        )
        chosen = names.get(picked, chosen)
    _case(bench, person, digest, chosen)


def _name(case: OpenCase) -> str:
    return f"{case.claim}:{case.record_id}"


def _label(bench: Workbench, case: OpenCase) -> str:
    raised = [f"{flag.flag_id} in turn {flag.turn + 1}" for flag in case.flags]
    raised += [f"readers differ on {_question(target)}" for target in case.differences]
    title = bench.desk.policy.claim(case.claim).title
    return f"{title}: {', '.join(raised) or 'against it'} ({case.record_id[:8]})"


def _question(target: str) -> str:
    return "the verdict" if target == VERDICT else target


def _case(bench: Workbench, person: Person, digest: str, case: OpenCase) -> None:
    claim = bench.desk.policy.claim(case.claim)
    found = bench.reviews.record(digest, case.record_id, person)
    stage = next(rule.stage for rule in bench.desk.policy.families if rule.name == found.family)
    hard = bench.desk.policy.stage(stage).name == "edge"
    with st.container(border=True):
        text, raised = st.columns([3, 2], gap="large")
        with text:
            show.prose(
                "**Record {record}** of {family}, as it would ship",
                record=case.record_id[:12],
                family=found.family,
            )
            if hard:
                with st.expander("The record (edge and crisis: open it when you are ready)"):
                    _turns(found.messages, case)
            else:
                _turns(found.messages, case)
        with raised:
            show.quiet("{title}", title=claim.title)
            _raised(bench.reviews.rubric(case.claim), case)
            if not person.holds("review_lead", claim.role):
                show.quiet(
                    "Waits for a review lead or a second {role}.", role=claim.role.replace("_", " ")
                )
            elif not case.open_to(person.id):
                show.prose("You raised this; a second person decides.")
            else:
                _decide(bench, person, digest, case, found.messages)


def _turns(messages: Sequence[Message], case: OpenCase) -> None:
    """Draw the exact text; a flagged turn says by which flag."""
    for number, message in enumerate(messages):
        flags = sorted({flag.flag_id for flag in case.flags if flag.turn == number})
        with st.container(border=True):
            show.quiet(
                "{number} · {role}{flags}",
                number=number + 1,
                role=show.SPEAKERS[message.role],
                flags=f" · ⚑ {', '.join(flags)} raised here" if flags else "",
            )
            show.exact(message.content)


def _raised(rubric: Rubric, case: OpenCase) -> None:
    fails = {fail.id: fail for fail in rubric.hard_fails}
    for flag in case.flags:
        fail = fails[flag.flag_id]
        show.prose("⚑ **{id} {title}**, turn {turn}", id=fail.id, title=fail.name,
                   turn=flag.turn + 1)  # fmt: skip
        show.quiet("{text}", text=fail.text)
        show.quiet("{by} wrote:", by=flag.by)
        show.exact(flag.note)
    apart = case.differences or (() if case.flags else (VERDICT,))
    if apart:
        show.prose(
            "**Readers differ**" if case.differences else "**A reader is against it**, unopposed"
        )
        readers = sorted({who for target in apart for who in case.answers[target]})
        st.dataframe(
            [
                {"": _question(target)}
                | {who: _word(case.answers[target].get(who, "")) for who in readers}
                for target in apart
            ],
            hide_index=True,
            alt="The readers' answers where they differ",
        )
    for who, note in sorted(case.notes.items()):
        show.quiet("{who} noted:", who=who)
        show.exact(note)


def _word(answer: str) -> str:
    return answer.replace("_", " ") or "none"


def _decide(
    bench: Workbench, person: Person, digest: str, case: OpenCase, messages: Sequence[Message]
) -> None:
    name = _name(case)
    # What nobody accepted cannot be accepted here: a second reader has to read it.
    offered = [one for one in _CHOICES if one != "accept" or case.stops]
    chosen = st.segmented_control(
        "What becomes of this record",
        offered,
        format_func=lambda one: _CHOICES[one],
        key=f"outcome:{name}",
        width="stretch",
    )
    if chosen is None:
        show.quiet("Choose one; each asks for a reason that is kept and ships with the release.")
        return
    show.quiet("{meaning}", meaning=_MEANING[chosen])
    edit = _edit_of(bench, digest, case, messages) if chosen == "fix" else None
    with st.form(f"decide:{name}:{chosen}", border=False):
        if edit is not None and edit[1] is None:
            st.text_area(
                f"What turn {edit[0] + 1} should say",
                messages[edit[0]].content,
                height=180,
                key=f"words:{name}:{edit[0]}",
            )
        st.text_area("Why", key=f"why:{name}", height=80, max_chars=4000)
        st.form_submit_button(
            _BUTTONS[chosen],
            type="primary",
            key=f"do:{name}:{chosen}",
            on_click=partial(_act, bench, person, digest, case, chosen, edit),
        )


def _edit_of(
    bench: Workbench, digest: str, case: OpenCase, messages: Sequence[Message]
) -> tuple[int, StoredAct | None]:
    """Return the turn to edit, and the proposal taken where one is; draw what chooses them."""
    name = _name(case)
    known = bench.reviews.proposals(digest, case.claim, case.record_id)
    proposals: dict[str, StoredAct] = {one.sha256: one for one in known}
    if proposals:
        taken = st.selectbox(
            "Edit",
            [*reversed(proposals), _NEW],
            format_func=lambda one: _proposal_label(proposals.get(one)),
            key=f"proposal:{name}",
        )
        if taken in proposals:
            act = proposals[taken].act
            show.quiet("Turn {turn} would say:", turn=act.turn + 1)
            show.exact(act.note)
            return act.turn, proposals[taken]
    turns = list(range(len(messages)))
    flagged = next((flag.turn for flag in case.flags), None)
    helper = next((n for n, turn in enumerate(messages) if turn.role == "assistant"), 0)
    turn = st.selectbox(
        "Turn",
        turns,
        index=turns.index(helper if flagged is None else flagged),
        format_func=lambda number: f"{number + 1} · {messages[number].role}",
        key=f"turn:{name}",
    )
    return int(turn or 0), None


def _proposal_label(stored: StoredAct | None) -> str:
    if stored is None:
        return _NEW
    return f"Turn {stored.act.turn + 1}, proposed by {stored.act.by}"


def _act(
    bench: Workbench,
    person: Person,
    digest: str,
    case: OpenCase,
    outcome: str,
    edit: tuple[int, StoredAct | None] | None,
) -> None:
    held, name = st.session_state, _name(case)
    turn, proposal = edit or (-1, None)
    show.attempt(
        lambda: bench.reviews.adjudicate(
            digest,
            case.claim,
            case.record_id,
            outcome,
            str(held.get(f"why:{name}", "")),
            person,
            turn=turn,
            words=str(held.get(f"words:{name}:{turn}", "")),
            edits=[] if proposal is None else [proposal.sha256],
        ),
        done=_DONE[outcome],
    )


def settled_cases(bench: Workbench, digest: str) -> None:
    """Draw what was decided, newest first; one entry a decision, however many points it settled."""
    found: dict[tuple[str, ...], list[Settlement]] = {}
    for claim in bench.desk.policy.claims:
        for stored in bench.reviews.settlements(digest, claim.id):
            one = stored.settlement
            name = (one.at, one.record_id, one.decision, one.by, one.reason)
            found.setdefault(name, []).append(one)
    if not found:
        return
    with st.expander(f"Decided: {len(found)}"):
        for _, settlements in sorted(found.items(), reverse=True):
            one = settlements[0]
            with st.container(border=True):
                show.prose(
                    "**{decision}** record {record}: {targets}",
                    decision=_SAID[one.decision],
                    record=one.record_id[:12],
                    targets=", ".join(_target(settlement) for settlement in settlements),
                )
                show.exact(one.reason)
                show.quiet("{by}, {at}", by=one.by, at=show.when(one.at))


def _target(settlement: Settlement) -> str:
    if settlement.kind == "flag":
        flag, _, rest = settlement.target.partition("@")
        turn, _, by = rest.partition(":")
        return f"{flag} in turn {int(turn) + 1} by {by}" if turn.isdecimal() else flag
    return _question(settlement.target)
