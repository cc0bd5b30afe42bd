"""The plan as owner and clinician negotiate it: what a claim costs, and what it would miss."""

from __future__ import annotations

import streamlit as st

from core.model.candidate import Candidate
from core.model.errors import DeskError
from core.review.phrases import percent
from core.review.planner import Outlook, outlook
from core.workbench import Workbench
from pages.frame import show
from pages.frame.charts import lines

_LIMITS = (0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.1, 0.15, 0.2, 0.3)
_CONFIDENCES = (0.8, 0.9, 0.95, 0.99)


def planner(bench: Workbench, candidate: Candidate) -> None:
    """Draw the sliders of a plan and what follows from them. Nothing here is stored."""
    claims = {claim.id: claim for claim in bench.desk.policy.claims}
    left, middle, right = st.columns(3)
    with left:
        chosen = st.selectbox("Claim", list(claims), format_func=lambda name: claims[name].title)
    claim = claims[chosen or next(iter(claims))]
    frame = sum(sum(candidate.families.get(name, {}).values()) for name in claim.families)
    each, measured = bench.reviews.minutes_each(candidate.digest, claim.id)
    with middle:
        limit = st.select_slider(
            "At most so many would fail",
            sorted({*_LIMITS, claim.limit}),
            value=claim.limit,
            format_func=percent,
            key=f"limit:{claim.id}",
        )
    with right:
        confidence = st.select_slider(
            "With this confidence",
            sorted({*_CONFIDENCES, claim.confidence}),
            value=claim.confidence,
            format_func=percent,
            key=f"confidence:{claim.id}",
        )
    with left:
        minutes = st.slider("Minutes a record", 1.0, 20.0, min(max(each, 1.0), 20.0), 0.5)
    with middle:
        share = st.slider("Readers stop this share of bad records", 0.5, 1.0, 0.9, 0.05)
    try:
        found = outlook(
            limit,
            confidence,
            frame=frame or None,
            minutes_each=minutes,
            overlap=claim.overlap,
            sensitivity=share,
        )
    except DeskError as error:
        show.refusal(error)
        return
    _words(found)
    show.quiet(
        "{n} minutes a record are {how}. N counts {frame} shipped records of the claim; frozen, it "
        "counts one per near-duplicate cluster. What will be frozen is the policy's plan: {plan}.",
        n=f"{each:.1f}",
        how="measured here" if measured else "assumed, until five records have been read",
        frame=f"{frame:,}",
        plan=f"{claim.first} then {claim.second}" if claim.second else f"{claim.first}",
    )
    lines(
        {
            "the plan passes": [(100 * rate, 100 * chance) for rate, chance in found.passes],
            "the first stage shows nothing": [
                (100 * rate, 100 * chance) for rate, chance in found.misses
            ],
        },
        across="truly bad, % of records",
        up="chance, %",
        key="planner",
        alt="Chance that the plan passes, and that the first stage shows no bad record, by the "
        "share of records that are truly bad.",
    )
    st.dataframe(
        [
            {
                "truly bad": percent(rate),
                "the plan passes": percent(round(chance, 3)),
                "the first stage shows nothing": percent(round(dict(found.misses)[rate], 3)),
            }
            for rate, chance in found.passes
        ],
        hide_index=True,
    )


def _words(found: Outlook) -> None:
    columns = st.columns(4)
    columns[0].metric("Read first", found.first)
    columns[1].metric("After exactly one defect", found.second or "no more")
    columns[2].metric("Hours", f"{found.hours:.1f}")
    columns[3].metric("Hours at most", f"{found.hours_at_most:.1f}")
    rate = min(0.01, found.limit / 5)
    often = next((chance for at, chance in found.misses if at >= rate), 1.0)
    imperfect = (
        f"{found.single_imperfect:,}" if found.single_imperfect is not None else "more than all"
    )
    show.prose(
        "A clean first stage shows that at most **{bound}** would fail. A {rate} problem would be "
        "missed {often} times in 100 at that stage. Read once, without a second chance, "
        "{single} records would do; with readers who stop {share} of what is bad, {imperfect}.",
        bound=percent(found.bound_if_clean),
        rate=percent(rate),
        often=round(100 * often),
        single=found.single,
        share=percent(found.sensitivity),
        imperfect=imperfect,
    )
