"""The review lead fixes what is read before it is shown; second persons settle what was found."""

from __future__ import annotations

import streamlit as st

from core.model.candidate import Candidate
from core.model.errors import DeskError
from core.model.review import SamplePlan
from core.model.signoff import Person
from core.policy.types import ClaimRule
from core.workbench import Workbench
from core.workbench.reviews import READERS
from pages.frame import guard, show
from pages.frame.cases import open_cases, settled_cases
from pages.frame.extra_records import more_records
from pages.frame.lead_board import lead_board, reports
from pages.frame.links import page_link
from pages.frame.next_candidate import next_candidate
from pages.frame.norming_room import edits, norming
from pages.frame.planner import planner
from pages.frame.review_screen import percent
from pages.frame.version_picker import pick_version


def gates_in_the_way(bench: Workbench, candidate: Candidate) -> list[str]:
    """Return the required gates that have not passed for this candidate."""
    reports = bench.candidates.reports(candidate.digest)
    return [
        gate
        for gate in bench.desk.policy.required_gates
        if (held := reports.get(gate)) is None or held.report.verdict != "pass"
    ]


def claim_row(
    bench: Workbench, candidate: Candidate, claim: ClaimRule, plan: SamplePlan | None
) -> dict[str, object]:
    """Return one claim as a row of the table: as asked, or as frozen."""
    shipped = sum(sum(candidate.families.get(name, {}).values()) for name in claim.families)
    first = plan.first if plan else min(claim.first, shipped)
    second = plan.second if plan else min(claim.second, shipped)
    carried = bench.reviews.state(candidate.digest, claim.id).carried if plan else 0
    return {
        "claim": claim.title,
        "fails at most": f"{percent(claim.limit)}, {percent(claim.confidence)} sure",
        "N": plan.frame if plan else shipped,
        "read": f"{first}, then {second}" if second else str(first),
        "by two": plan.overlap if plan else min(claim.overlap, second or first),
        "sample": plan.attempt if plan else 1,
        "carried": carried,
        "known-bad": claim.known_bad,
    }


def freeze(bench: Workbench, person: Person, candidate: Candidate) -> None:
    """Draw the one act that fixes every sample, or why it cannot be done yet."""
    if not person.holds("review_lead"):
        st.info("The samples are not frozen yet. A review lead does that here.")
        return
    with st.spinner("Asking what the gates said…"):
        missing = gates_in_the_way(bench, candidate)
    if missing:
        show.prose(
            "Not yet: {gates} must pass first. A candidate that fails is not worth reading.",
            gates=", ".join(missing),
        )
        page_link("gates", "Go to gates")
    fixed = bench.reviews.seed(candidate.version) is not None

    def act() -> None:
        nonce = str(st.session_state.get("nonce", ""))
        show.attempt(
            lambda: bench.reviews.freeze(candidate.digest, nonce, person),
            done="The samples are frozen. Reading can begin.",
        )

    with st.form("freeze", border=True):
        if fixed:
            show.prose(
                "Records that an earlier candidate of this version had keep the sample they were "
                "drawn in. Freezing adds a sample of what is new."
            )
        st.text_input(
            "A few words nobody could have foreseen",
            key="nonce",
            help="Mixed with the candidate's digest, they decide which records are drawn. "
            "Nobody can have built the candidate to suit them. A record is drawn once; where "
            "nothing is new they are not used.",
            autocomplete="off",
        )
        st.form_submit_button(
            "Freeze the samples", type="primary", disabled=bool(missing), on_click=act
        )


def parts_words(plan: SamplePlan) -> str:
    """Return what of a sample stands from an earlier release, and what is new to read."""
    return "; ".join(
        f"{part.ships:,} records unchanged since {part.since}, in a sample of {part.first}"
        + (f" ({part.skipped} left unread)" if part.skipped else "")
        if part.since
        else f"{part.ships:,} new, {part.first} of them to read"
        for part in plan.parts
    )


def draw_plan(bench: Workbench, candidate: Candidate, plans: dict[str, SamplePlan]) -> None:
    """Draw every claim; before the freeze what is asked, afterwards what is fixed."""
    st.dataframe(
        [
            claim_row(bench, candidate, claim, plans.get(claim.id))
            for claim in bench.desk.policy.claims
        ],
        hide_index=True,
    )
    if not plans:
        show.quiet("N counts records for now; frozen, it counts one per near-duplicate cluster.")
        return
    for claim in bench.desk.policy.claims:
        if plans[claim.id].parts:
            show.prose("{claim}: {parts}.", claim=claim.title, parts=parts_words(plans[claim.id]))
    seed = bench.reviews.seed(candidate.version) or ""
    show.quiet("Seed {seed}, fixed before the first record was shown.", seed=show.short(seed))


bench, person = guard.require()
st.title("Adjudication")
show.outcome()
with st.columns([1, 3])[0]:
    version = pick_version(bench, person)
candidate = bench.candidates.current(version) if version else None
if candidate is None:
    st.info("There is nothing to draw a sample from yet: no candidate has been built.")
    page_link("gates", "Go to gates")
    st.stop()
try:
    plans = dict(bench.reviews.plans(candidate.digest))
    frozen = len(plans) == len(bench.desk.policy.claims)
    if frozen:
        st.header("Where it stands")
        lead_board(bench, candidate.digest)
    if frozen and person.holds(*READERS):
        open_cases(bench, person, candidate.digest)
        settled_cases(bench, candidate.digest)
    elif frozen:
        waiting = len(bench.reviews.open_flags(candidate.digest))
        show.prose("Flags to settle: {count}.", count=waiting or "none")
    if person.holds(*READERS):
        next_candidate(bench, person, candidate.version)
    st.header("What gets read")
    draw_plan(bench, candidate, plans)
    if not frozen:
        freeze(bench, person, candidate)
    if st.toggle("Plan a claim: what it costs, and what it would miss", key="planner open"):
        planner(bench, candidate)
    if frozen and person.holds(*READERS):
        with st.expander("Norming: show blind votes, talk, vote again"):
            norming(bench, person, candidate.digest)
        with st.expander("Edits proposed for a next candidate"):
            edits(bench, person, candidate.digest)
        if person.holds("review_lead"):
            with st.expander("Have more records read, outside every bound"):
                more_records(bench, person, candidate.digest)
        st.header("Review report")
        reports(bench, candidate.digest)
except DeskError as error:
    show.refusal(error)
