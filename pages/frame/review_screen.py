"""Both review pages are this one screen: where a claim stands, then the record to read, or the
sheet to sign."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.model.errors import DeskError
from core.model.review import ReviewState
from core.model.signoff import DeskRole, Person
from core.policy.types import ClaimRule
from core.workbench import Workbench
from core.workbench.reviews import READERS
from pages.frame import show
from pages.frame.bias_parts import PARTS, draw_part, pick_part
from pages.frame.care_parts import draw_everybody, draw_own_reading
from pages.frame.links import page_link
from pages.frame.review_form import Seat, review_form
from pages.frame.sign_sheet import sign_sheet
from pages.frame.sitting_parts import draw_sitting
from pages.frame.version_picker import pick_version
from pages.frame.warm_up import draw_practice, wants_practice

# A form that is saving stays as readable as before; elsewhere a page that works fades.
_STYLE = (
    '<style>[data-testid="stElementContainer"]:has([data-testid="stBidiComponentIsolated"]) '
    "{ opacity: 1 !important; } "
    # What is read begins as high as it can: a laptop shows 700 lines of pixels.
    ".st-key-statement { padding-block: 0.6rem 0.5rem; gap: 0.35rem; } "
    '[class*="st-key-sitting"] > div:last-child:has([data-testid="stCaptionContainer"]) '
    "{ flex: 1 1 17rem; }</style>"
)
_COEFFICIENTS = {
    "raw": "same answer",
    "within_one": "within one point",
    "kappa_quadratic": "weighted kappa",
    "alpha_ordinal": "Krippendorff's alpha",
    "ac2_quadratic": "Gwet's AC2",
}


def review_page(bench: Workbench, person: Person, role: DeskRole, *, title: str) -> None:
    """Draw the claims of `role` over the newest candidate of the chosen version."""
    st.html(_STYLE)
    head, left, right = st.columns([5, 3, 7], vertical_alignment="bottom")
    with head:
        st.title(title)
    # Words that come and go have a place of their own: the form below must not be moved.
    with st.container():
        show.outcome()
    claims = [claim for claim in bench.desk.policy.claims if claim.role == role]
    with left:
        version = pick_version(bench, person, labelled=False)
    candidate = bench.candidates.current(version) if version else None
    if candidate is None:
        st.info("There is nothing to read yet: no candidate has been built for this version.")
        page_link("gates", "Go to gates")
        return
    with right:
        claim = _pick_claim(claims)
    try:
        _claim(bench, person, candidate.digest, claim, right)
    except DeskError as error:
        show.refusal(error)


def _pick_claim(claims: list[ClaimRule]) -> ClaimRule:
    if len(claims) == 1:
        return claims[0]
    titles = {claim.id: claim.title for claim in claims}
    chosen = st.segmented_control(
        "Claim",
        list(titles),
        format_func=lambda name: titles[name],
        default=claims[0].id,
        required=True,
        key="claim",
        label_visibility="collapsed",
    )
    return next(claim for claim in claims if claim.id == (chosen or claims[0].id))


def _claim(
    bench: Workbench, person: Person, digest: str, claim: ClaimRule, beside: DeltaGenerator
) -> None:
    """Draw where a claim stands and what to do for it; `beside` the heading, which part of it."""
    state = bench.reviews.state(digest, claim.id)
    _statement(state, claim)
    if state.state == "not_frozen":
        st.info(
            "The sample is not frozen yet. The review lead freezes it on the Adjudication page, "
            "before anybody has read a record, so that nobody can choose what is read."
        )
        page_link("adjudication", "Go to adjudication")
        return
    with st.container():
        _obstacle(state)
    part = PARTS[0]
    if bench.bias.covers(claim.id):
        with beside:
            part = pick_part(claim.id)
    if part == PARTS[0]:
        if bench.bias.covers(claim.id):
            show.quiet(
                "Do not infer who somebody is from a name: where the text does not say, it does "
                "not say. Equal quality of care is judged on the matched pairs."
            )
        _work(bench, person, digest, claim, state)
    else:
        draw_part(part, bench, person, digest, claim.id)
    if person.holds(claim.role):
        draw_own_reading(bench, person)
    draw_everybody(bench, person)
    with st.expander("Agreement between readers"):
        _agreement(state.agreement)


def _work(
    bench: Workbench, person: Person, digest: str, claim: ClaimRule, state: ReviewState
) -> None:
    """Draw the sheet to sign, the record to read, or both, as the person's role has it."""
    required = [rule.id for rule in bench.desk.policy.signoffs if rule.claim == claim.id]
    if not person.holds(claim.role):
        for requirement in required:
            sign_sheet(bench, person, digest, requirement)
        _look(bench, person, digest, claim)
        return
    queue = bench.reviews.queue(digest, claim.id, person)
    sitting = bench.reviews.sitting_under_way(digest, claim.id, person)
    seat = Seat(
        bench=bench,
        person=person,
        digest=digest,
        claim=claim.id,
        rubric=bench.reviews.rubric(claim.id),
        sitting=sitting.records if sitting is not None else (),
    )
    if wants_practice(seat):
        draw_practice(seat)
        return
    draw_sitting(seat, queue, sitting)
    if state.state == "failed" or queue.current is None:
        if queue.current is None:
            show.prose("**Nothing is left for you to read** of {scope}.", scope=state.scope)
        for requirement in required:
            sign_sheet(bench, person, digest, requirement)
        if not st.toggle("Look at the records", key=f"look:{claim.id}"):
            return
    review_form(seat, queue)


def _statement(state: ReviewState, claim: ClaimRule) -> None:
    """Draw what can be said now, beside the claim and how far the reading is."""
    with st.container(border=True, key="statement"):
        show.prose("**{sentence}**", sentence=state.sentence)
        claimed = "The claim: at most {limit} of {scope} would fail, with {confidence} confidence"
        parts = [
            claimed.format(
                limit=percent(claim.limit),
                scope=state.scope,
                confidence=percent(claim.confidence),
            )
        ]
        if state.double_rated:
            parts.append(f"{state.double_rated} read by two people")
        if state.open_flags:
            parts.append(f"{state.open_flags} unsettled flag" + "s" * (state.open_flags != 1))
        if state.planned:
            st.progress(min(state.read / state.planned, 1.0))
        show.quiet("{parts}", parts=" · ".join(parts))


def percent(share: float) -> str:
    """Return a share as people write it."""
    return f"{100 * share:.4g} %"


def _agreement(agreement: Mapping[str, object]) -> None:
    items = agreement.get("items")
    if not isinstance(items, Mapping) or not items:
        show.prose(
            "Undefined so far: agreement needs records that two people have read. It is a "
            "diagnostic. Experts differ on this material, so it never decides alone."
        )
        return
    rows, reasons = [], set()
    for name, found in items.items():
        row: dict[str, object] = {"question": name, "pairs": found["pairs"]}
        for measure, title in _COEFFICIENTS.items():
            value = found[measure]
            row[title] = "undefined" if value is None else f"{value:.2f}"
        reasons |= set(found["undefined"].values())
        rows.append(row)
    st.dataframe(rows, hide_index=True)
    for reason in sorted(reasons):
        show.quiet("Undefined means: {reason}.", reason=reason)
    show.quiet("A diagnostic: experts differ on this material, so it never decides alone.")


def _obstacle(state: ReviewState) -> None:
    if state.state == "paused":
        st.warning(
            "**Paused.** Somebody raised a hard-fail flag, and a second person has not settled "
            "it yet. What is read meanwhile is kept; nothing can be signed."
        )
        page_link("adjudication", "Go to adjudication")
    elif state.state == "failed":
        st.error(
            "**This review cannot pass as it is.** The statement says why. The records in "
            "question have to be left out, and a new candidate built."
        )
        page_link("adjudication", "See what was found")
    elif state.state == "stale":
        st.error("Some ratings belong to another rubric or sample; they cannot count.")
    elif any(point.startswith("difference ") for point in state.open_points):
        st.info("Readers differ on some records; a second look settles it on Adjudication.")
        page_link("adjudication", "Go to adjudication")


def _look(bench: Workbench, person: Person, digest: str, claim: ClaimRule) -> None:
    """Let those who may read, but do not rate here, see the sample as text."""
    title = claim.role.replace("_", " ")
    if not person.holds(*READERS):
        show.quiet("Records are read by {role}s; here you see how far they are.", role=title)
        return
    if not st.toggle("Look at the records of the sample", key=f"browse:{claim.id}"):
        return
    queue = bench.reviews.queue(digest, claim.id, person)
    names = {item.record_id: f"Record {n}" for n, item in enumerate(queue.items, 1)}
    chosen = st.selectbox("Record", list(names), format_func=lambda name: names[name])
    if chosen:
        show.dialogue(bench.reviews.screen(digest, claim.id, chosen, person).messages)
