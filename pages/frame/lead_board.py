"""Where every claim stands, in one sentence each, and what keeps it from being signed."""

from __future__ import annotations

import streamlit as st

from core.canonical import document_bytes
from core.model.review import ReviewState
from core.policy.types import ClaimRule
from core.workbench import Workbench
from pages.frame import show
from pages.frame.links import page_link

_PAGES = {"clinician": "clinician_review", "bias_reviewer": "bias_review"}
_MARKS = {
    "not_frozen": ("Not frozen", "gray"),
    "reading": ("Reading", "blue"),
    "paused": ("Paused", "orange"),
    "stale": ("Stale", "orange"),
    "failed": ("Cannot pass", "red"),
    "ready": ("Ready to sign", "green"),
}


def lead_board(bench: Workbench, digest: str) -> None:
    """Draw one card a claim."""
    signed = {item.claim: item.signoff for item in bench.signing.requirements(digest) if item.claim}
    claims = bench.desk.policy.claims
    for start in range(0, len(claims), 3):
        for column, claim in zip(st.columns(3), claims[start : start + 3], strict=False):
            with column, st.container(border=True, height="stretch"):
                state = bench.reviews.state(digest, claim.id)
                given = signed.get(claim.id)
                _card(claim, state, given is not None and given.decision == "approve")


def _card(claim: ClaimRule, state: ReviewState, signed: bool) -> None:
    words, colour = _MARKS.get(state.state, (state.state, "gray"))
    show.prose("**{title}**", title=claim.title)
    st.badge("Signed" if signed else words, color="green" if signed else colour)  # type: ignore[arg-type]
    if state.planned:
        st.progress(min(state.read / state.planned, 1.0))
    show.prose("{sentence}", sentence=state.sentence)
    if signed:
        return
    reasons = _in_the_way(state)
    for reason in reasons:
        show.prose("✕ {reason}", reason=reason)
    if not reasons and state.state == "ready":
        show.prose("✓ Nothing is in the way: it waits for a signature.")
    page_link(_PAGES.get(claim.role, "clinician_review"))


def _in_the_way(state: ReviewState) -> list[str]:
    """Return what keeps a claim from being signed, most pressing first."""
    points = [point.partition(" ")[0] for point in state.open_points]
    counted = {name: points.count(name) for name in dict.fromkeys(points)}
    found = []
    if state.state == "not_frozen":
        found.append("The sample is not frozen.")
    for name, words in _POINTS.items():
        if counted.get(name):
            found.append(words.format(count=counted[name]))
    unread = state.planned - state.read
    if unread > 0:
        found.append(f"{unread} of {state.planned} records are unread.")
    for item, numbers in state.items.items():
        upper, limit = numbers["upper"], numbers["limit"]
        if isinstance(upper, float) and isinstance(limit, float) and upper > limit and not unread:
            found.append(f"{item}: too many low scores.")
    return found


_POINTS = {
    "flag": "Hard-fail flags to settle: {count}.",
    "difference": "Differences to settle: {count}.",
    "remove": "Records that must leave the data: {count}.",
    "fix": "Hard fails whose fix waits for the next candidate: {count}.",
    "edited_unread": "Records edited, or near one edited or rejected, still to be read: {count}.",
    "edited_rejected": "Of these, records that a reader is against: {count}.",
    "known_bad_waiting": "Known-bad records have not all been answered.",
    "sensitivity": "Readers stop too few of the known-bad records.",
    "review.stale": "Ratings of another rubric or sample: {count}.",
    "not_a_reviewer": "Ratings by somebody who may not review: {count}.",
}


def reports(bench: Workbench, digest: str) -> None:
    """Draw one claim's report, and offer it as a file."""
    claims = {claim.id: claim.title for claim in bench.desk.policy.claims}
    chosen = st.selectbox(
        "Report of", list(claims), format_func=lambda name: claims[name], key="report of"
    )
    if not chosen or not st.toggle("Show the report", key=f"report:{chosen}"):
        return
    page = bench.review_reports.markdown(digest, chosen)
    with st.container(border=True):
        show.exact(page)
    with st.container(horizontal=True):
        st.download_button(
            "Download as Markdown", page, file_name=f"review-{chosen}.md", mime="text/markdown",
            on_click="ignore",
        )  # fmt: skip
        st.download_button(
            "Download as JSON",
            document_bytes(bench.review_reports.report(digest, chosen)),
            file_name=f"review-{chosen}.json",
            mime="application/json",
            on_click="ignore",
        )
