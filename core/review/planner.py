"""What a plan costs and what it would miss, shown before anybody agrees to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.model.errors import ReviewError
from core.review.bounds import (
    clopper_pearson_upper,
    finite_pass_probability,
    finite_risk,
    hypergeometric_upper,
    miss_probability,
    pass_probability,
    plan_size,
)
from core.review.sensitivity import corrected_size

# An estimate, not a measure: a full rubric on a dialogue of ten to twelve turns.
MINUTES_A_RECORD = 7.0
_TRUE_RATES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.1, 0.15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """One plan as its negotiators see it. Rates are shares, `hours` are one reader's.

    `first` and `second` are the double plan; `single` the smallest plain plan for the same
    claim, and `single_imperfect` that one for readers who stop `sensitivity` of what is bad.
    `passes` pairs a true rate with the chance that the double plan passes, `misses` with the
    chance that stage one shows nothing at all.
    """

    limit: float
    confidence: float
    frame: int | None
    first: int
    second: int
    single: int
    single_imperfect: int | None
    sensitivity: float
    hours: float
    hours_at_most: float
    bound_if_clean: float
    passes: tuple[tuple[float, float], ...]
    misses: tuple[tuple[float, float], ...]


def outlook(
    limit: float,
    confidence: float,
    *,
    frame: int | None,
    minutes_each: float = MINUTES_A_RECORD,
    overlap: int = 0,
    sensitivity: float = 1.0,
    rates: Sequence[float] = _TRUE_RATES,
) -> Outlook:
    """Return what the double plan for a claim needs, costs and misses.

    Raises:
        ReviewError: `review.no_plan` when no sample of this frame proves the limit, or the
            numbers are no claim.
    """
    fair = 0 < limit < 1 and 0.5 <= confidence < 1 and 0 < sensitivity <= 1 and minutes_each > 0
    if not fair:
        raise ReviewError("review.no_plan", "A claim has a limit and a confidence below 1.")
    first, second = double_plan(limit, confidence, frame)
    single = plan_size(limit, confidence, frame=frame)
    imperfect = corrected_size(limit, confidence, sensitivity)
    # The claim's own limit is on the curve, and twice it.
    chances = sorted(rate for rate in {*rates, limit, 2 * limit} if rate < 1)
    return Outlook(
        limit=limit,
        confidence=confidence,
        frame=frame,
        first=first,
        second=second,
        single=single,
        single_imperfect=imperfect if frame is None or imperfect <= frame else None,
        sensitivity=sensitivity,
        hours=(first + min(overlap, first)) * minutes_each / 60,
        hours_at_most=(max(first, second) + min(overlap, max(first, second))) * minutes_each / 60,
        bound_if_clean=_bound(first, frame, confidence),
        passes=tuple((rate, _passes(first, second, frame, rate)) for rate in chances),
        misses=tuple((rate, miss_probability(rate, first, frame)) for rate in chances),
    )


def double_plan(limit: float, confidence: float, frame: int | None) -> tuple[int, int]:
    """Return stage one and two of the smallest double plan within the claim's risk.

    It passes on 0 defects in the first, or on exactly 1 when reading on to the second shows no
    more. Stage one is a tenth larger than the plain plan, which leaves risk for the second
    look (reference D3: 63 then 113 at 5 %, 319 then 580 at 1 %). Second 0: the frame is so
    small that stage one reads all of it, or nearly.
    """
    risk = 1 - confidence
    single = plan_size(limit, confidence, frame=frame)
    first = single + max(1, round(single / 15))
    if frame is not None and first >= frame:
        return single, 0
    low, high = first + 1, frame if frame is not None else 40 * first
    if _risk(first, high, frame, limit) > risk:
        return single, 0
    while low < high:
        middle = (low + high) // 2
        if _risk(first, middle, frame, limit) <= risk:
            high = middle
        else:
            low = middle + 1
    return first, low


def _risk(first: int, second: int, frame: int | None, limit: float) -> float:
    if frame is None:
        return pass_probability(first, second, limit)
    return finite_risk(first, second, frame, limit)


def _passes(first: int, second: int, frame: int | None, rate: float) -> float:
    if frame is None:
        return pass_probability(first, second, rate)
    return finite_pass_probability(first, second, frame, round(rate * frame))


def _bound(read: int, frame: int | None, confidence: float) -> float:
    if frame is None:
        return clopper_pearson_upper(0, read, confidence)
    return hypergeometric_upper(0, read, frame, confidence)
