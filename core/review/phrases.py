"""Numbers of a review as people read them, and as a report keeps them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.policy.types import ClaimRule
from core.review.items import ItemBound
from core.review.sensitivity import Sensitivity, corrected_upper

_FEW = 10
_SAYS_NOTHING = 0.5
"""With fewer readings than that, a corrected bound of a half and more is no measure of anything."""


def percent(share: float) -> str:
    """Return a share as people write it: 4.95 %, 95 %."""
    return f"{100 * share:.2f}".rstrip("0").rstrip(".") + " %"


def many(count: int, noun: str) -> str:
    """Return a count with its noun: 1 flag, 2 flags."""
    return f"{count} {noun}" + ("" if count == 1 else "s")


def corrected(upper: float | None, sensitivity: Sensitivity | None) -> float | None:
    """Return the bound with what readers miss allowed for, or None where it is not measured."""
    if upper is None or sensitivity is None or sensitivity.estimate is None:
        return None
    return corrected_upper(upper, sensitivity.estimate)


def sensitivity_words(upper: float, sensitivity: Sensitivity | None) -> list[str]:
    """Return what the known-bad records say about the bound, or why they say nothing yet."""
    if sensitivity is None or not sensitivity.planted:
        return []
    share = sensitivity.estimate
    if share is None:
        return ["No known-bad record has been answered yet, so what readers miss is not measured."]
    answers = many(sensitivity.shown, "reading")
    found = f"Readers stopped known-bad records in {sensitivity.found} of {answers}"
    corrected_bound = corrected_upper(upper, share)
    if sensitivity.shown < _FEW and corrected_bound >= _SAYS_NOTHING:
        return [f"{found}: too few to say what they miss."]
    sure = f"at least {percent(sensitivity.low)} with {percent(sensitivity.confidence)} confidence"
    allowed = f"with what they miss allowed for, at most {percent(corrected_bound)}"
    return [f"{found} ({percent(share)}; {sure}): {allowed}."]


def carried_words(records: int) -> str:
    """Return that readings were taken over, or nothing where none were."""
    if not records:
        return ""
    were = "was" if records == 1 else "were"
    return (
        f" {many(records, 'record')} of these {were} read for an earlier candidate, in which text "
        "and rubric were the same."
    )


def sensitivity_points(claim: ClaimRule, sensitivity: Sensitivity | None) -> tuple[str, ...]:
    """Return what the policy still asks of the known-bad records, as open points."""
    if not claim.least_sensitivity or sensitivity is None:
        return ()
    if sensitivity.met < sensitivity.planted:
        return (f"known_bad_waiting {sensitivity.planted - sensitivity.met}",)
    if (sensitivity.estimate or 0.0) < claim.least_sensitivity:
        return (f"sensitivity {sensitivity.found} of {sensitivity.shown}",)
    return ()


def known_bad_numbers(sensitivity: Sensitivity | None) -> Mapping[str, object]:
    """Return the measure as a report keeps it."""
    if sensitivity is None:
        return {}
    return {
        "planted": sensitivity.planted,
        "met": sensitivity.met,
        "readings": sensitivity.shown,
        "found": sensitivity.found,
        "share": sensitivity.estimate,
        "lower_bound": sensitivity.low,
        "confidence": sensitivity.confidence,
        "by_reviewer": {
            reviewer: {"found": found, "readings": shown}
            for reviewer, (found, shown) in sensitivity.by_reviewer.items()
        },
    }


def item_numbers(item: ItemBound) -> Mapping[str, object]:
    """Return one question's bound as a report keeps it."""
    return {
        "low": item.low,
        "read": item.read,
        "upper": item.upper,
        "limit": item.limit,
        "fails_at": item.fails_at,
    }


def is_breached(numbers: Mapping[str, object]) -> bool:
    """Return whether the numbers of a question say that its limit is not proven."""
    upper, limit = numbers["upper"], numbers["limit"]
    return isinstance(upper, float) and isinstance(limit, float) and upper > limit


def mark(score: float) -> str:
    """Return a score as people write it: 2, 6.9."""
    return f"{score:.1f}".removesuffix(".0")


def breach_words(breached: Sequence[ItemBound]) -> str:
    """Return why questions of their own stop a claim whose records pass."""
    named = "; ".join(
        f"{item.item}: {item.low} of {item.read} scored {mark(item.fails_at)} or less, so up to "
        f"{percent(item.upper)} "
        f"may be, and {percent(item.limit or 0.0)} is allowed"
        for item in breached
    )
    return f"A question fails by itself. {named}."
