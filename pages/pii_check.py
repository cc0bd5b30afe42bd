"""People read a sample of each family for anybody named, before they see what a machine found."""

from __future__ import annotations

from collections import Counter
from functools import partial
from time import monotonic

import streamlit as st

from core.gates.codes import title_of
from core.model.errors import DeskError
from core.model.pii import PiiState, PiiVerdict
from core.review.frame import FoundRecord
from core.review.pii_question import KINDS, METHOD, QUESTION, READERS
from core.review.pii_state import pii_sentence
from pages.frame import guard, show
from pages.frame.links import page_link
from pages.frame.passage import draw_passage
from pages.frame.version_picker import pick_version

HERE = "pii:here"
"""Which record this session shows, (candidate, family) to record id, and since when."""
DONE = "pii:done"
"""Which record was answered last, (family, record id): what the machine found in it is shown."""
WORDS = {
    "not_frozen": "not frozen",
    "stale": "drawn under another rule",
    "reading": "being read",
    "escaped": "somebody can be identified",
    "unproven": "not proven",
    "done": "done",
}

bench, person = guard.require()
st.title("PII check")
show.outcome()
version = pick_version(bench, person)
candidate = bench.candidates.current(version) if version else None
if candidate is None:
    show.prose("There is nothing to read yet: no candidate has been built for this version.")
    page_link("gates", "Go to the gates")
    st.stop()
digest = candidate.digest
titles = {family.name: family.title for family in bench.desk.policy.families}
stages = {stage.number: stage.name for stage in bench.desk.policy.stages}
stage_of = {family.name: stages[family.stage] for family in bench.desk.policy.families}
states = bench.pii.states(digest)
if not states:
    st.info(
        "This policy asks for no PII check, so none is needed to publish, and nothing is said "
        "about what the machine missed. The packaged Release 0 policy asks for 299 records of "
        "every family (at most 1 % at 95 % confidence)."
    )
    st.stop()


def draw_states() -> None:
    """Draw where every family stands, in numbers and in one sentence each."""
    st.header("Where it stands")
    st.table(
        [
            {
                "family": show.escape(titles[family]),
                "stands": WORDS[state.state],
                "read": f"{state.read:,} of {state.planned:,}",
                "of records": f"{state.frame:,}",
                "missed": str(len(state.escapes)),
                "at most": "" if state.upper is None else f"{100 * state.upper:.3g} %",
                "asked": f"{100 * state.limit:.3g} % at {100 * state.confidence:.3g} %",
            }
            for family, state in states.items()
        ],
        border="horizontal",
        hide_index=True,
        alt="The PII check of every family: how many were read, and what that shows",
    )
    for family, state in states.items():
        show.quiet("{sentence}", sentence=pii_sentence(state, titles[family]))
    show.quiet("{method}.", method=METHOD)


def draw_escapes() -> None:
    """Draw the records that identify somebody, and the act that leaves them out."""
    escapes = [(family, record) for family, s in states.items() for record in s.escapes]
    if not escapes:
        return
    st.error(
        "**Somebody can be identified.** Nothing can be published, and no waiver covers it, until "
        "these records are left out and a new candidate is built."
    )
    for family, record in escapes:
        show.quiet("{family}: record {record}", family=titles[family], record=record[:12])
    if not person.holds("release_owner", "review_lead"):
        show.quiet("The review lead or the release owner leaves them out.")
        return
    act = partial(bench.pii.exclude_escapes, digest, person)
    told = "They stay out of the next candidate. Build again on the gates page."
    st.button("Leave these records out", type="primary", on_click=show.doing(act, done=told))


def draw_freezing() -> None:
    """Draw how the sample gets frozen: with the others, or here if it was not asked for then."""
    if bench.reviews.seed(version) is None:
        st.info("The review lead freezes this sample together with the others, on Adjudication.")
        page_link("adjudication", "Go to adjudication")
    elif person.holds("review_lead"):
        show.prose("The seed of this version is fixed, and this sample follows from it.")
        act = partial(bench.pii.freeze, digest, person)
        told = "The sample is frozen; reading may begin."
        st.button("Freeze the sample", type="primary", on_click=show.doing(act, done=told))
    else:
        show.prose("The review lead has to freeze this sample before it can be read.")


def choose_family() -> str:
    """Return the family to read: the one asked for, else the first with something left."""
    left = [family for family, state in states.items() if state.state == "reading"]
    chosen = st.segmented_control(
        "Family",
        list(states),
        format_func=lambda name: titles[name],
        default=(left or list(states))[0],
        required=True,
        key="pii:family",
    )
    return str(chosen or next(iter(states)))


def draw_machine(family: str) -> None:
    """Draw what the machine finds in the record that this person answered last."""
    answered = st.session_state.get(DONE)
    if answered is None or answered[:2] != (digest, family):
        return
    record_id = answered[2]
    found = bench.pii.machine(digest, family, record_id, person)
    record = bench.pii.record(digest, family, record_id, person)
    title = "What the machine finds in the record you just answered"
    with st.expander(title if found else f"{title}: nothing", expanded=bool(found)):
        for code, count in sorted(Counter(title_of(item.code) for item in found).items()):
            show.quiet("{code}: {count}", code=code, count=count)
        for item in found[:10]:
            draw_passage(record.messages, item)
        if answered[3] == "nobody":
            show.prose("If this changes your answer, say so; the first answer stays on record.")
            with st.form("pii:again"):
                _where(record, "again")
                st.form_submit_button(
                    "Somebody could be identified after all",
                    on_click=answer,
                    args=(family, record, "somebody", "again"),
                )


def answer(family: str, record: FoundRecord, verdict: PiiVerdict, form: str) -> None:
    """Store one answer, and remember it for what the machine has to say."""
    turn = int(st.session_state.get(f"pii:{form}:turn", 0)) if verdict == "somebody" else -1
    kind = str(st.session_state.get(f"pii:{form}:kind", "")) if verdict == "somebody" else ""
    since = st.session_state.get(HERE, {}).get("since", monotonic())

    def act() -> None:
        bench.pii.answer(
            digest,
            family,
            record.record_id,
            person,
            verdict,
            shown_sha256=record.sha256,
            turn=turn,
            kind=kind,
            seconds=max(0, round(monotonic() - since)),
        )

    if show.attempt(act, done="Your answer is stored."):
        st.session_state[DONE] = (digest, family, record.record_id, verdict)
        st.session_state.pop(HERE, None)


def current_record(family: str) -> str | None:
    """Return the record this session reads; it stays while somebody else answers others."""
    held = st.session_state.get(HERE, {})
    mine = {
        item.answer.record_id
        for item in bench.pii.answers(digest, family)
        if item.answer.reviewer == person.id
    }
    where = (digest, family, person.id)
    if held.get("where") == where and held["record"] not in mine:
        return str(held["record"])
    record = bench.pii.next_record(digest, family, person)
    if record is not None:
        st.session_state[HERE] = {"where": where, "record": record, "since": monotonic()}
    return record


def _where(record: FoundRecord, form: str) -> None:
    left, right = st.columns(2)
    with left:
        st.selectbox(
            "In which turn",
            range(len(record.messages)),
            format_func=lambda n: f"{n + 1} · {record.messages[n].role}",
            key=f"pii:{form}:turn",
        )
    with right:
        st.selectbox(
            "By what", list(KINDS), format_func=lambda kind: KINDS[kind], key=f"pii:{form}:kind"
        )


def draw_record(family: str, state: PiiState) -> None:
    """Draw one record and the question about it."""
    record_id = current_record(family)
    if record_id is None:
        show.prose("**Nothing is left to read** of {family}.", family=titles[family])
        return
    record = bench.pii.record(digest, family, record_id, person)
    st.header(QUESTION)
    show.quiet(
        "{read} of {planned} read. Machines miss what has no form; what they found is shown after "
        "your answer. Names of public figures and authors of methods do not count.",
        read=f"{state.read:,}",
        planned=f"{state.planned:,}",
    )
    hard = stage_of[family] == "edge"
    with st.expander(
        "The record, as it would ship"
        + (" (edge and crisis: open it when you are ready)" if hard else ""),
        expanded=not hard,
    ):
        show.dialogue(record.messages)
    st.button(
        "Nobody could be identified",
        type="primary",
        shortcut="n",
        on_click=answer,
        args=(family, record, "nobody", "first"),
    )
    with st.form("pii:first", border=True):
        _where(record, "first")
        st.form_submit_button(
            "Somebody could be identified",
            on_click=answer,
            args=(family, record, "somebody", "first"),
        )


draw_escapes()
if any(state.state == "not_frozen" for state in states.values()):
    draw_freezing()
elif person.holds(*READERS) and person.id not in bench.pii.readers(digest):
    show.prose("You built this candidate, so others read it.")
elif person.holds(*READERS):
    family_name = choose_family()
    try:
        draw_machine(family_name)
        draw_record(family_name, states[family_name])
    except DeskError as error:
        show.refusal(error)
else:
    show.prose(
        "Machines miss what has no form. So people read a sample of every family, fixed before "
        "the first record was shown, and answer one question."
    )
    show.quiet("Clinicians, bias reviewers and the review lead read; here you see how far it is.")
draw_states()
