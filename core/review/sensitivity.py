"""A bound speaks of what readers would see; what they miss is measured, and allowed for.

Each bad record is seen with probability s, so the rate that is seen is p × s, and a bound U on
it bounds p by U / s (reference: with s = 0.9 a plan for 1 % needs 332 records, not 299). A
second reader makes s larger than it is taken here, so the corrected bound errs to caution.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.model.names import ReviewerId
from core.review.bounds import clopper_pearson_upper
from core.review.known_bad import KnownBad
from core.review.ratings import StoredRating

_AGAINST = ("reject", "accept_with_edit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    """How many readings of known-bad records stopped them. Shares lie between 0 and 1.

    `low` is the exact one-sided lower bound on the share at `confidence`. `planted` are the
    records mixed in, `met` those that at least one reader has answered.
    """

    planted: int
    met: int
    shown: int
    found: int
    low: float
    confidence: float
    by_reviewer: Mapping[ReviewerId, tuple[int, int]] = field(default_factory=dict)

    @property
    def estimate(self) -> float | None:
        """The share found, or None before any was shown."""
        return self.found / self.shown if self.shown else None


def measure(
    known_bad: KnownBad | None,
    first_answers: Sequence[StoredRating],
    reviewers: frozenset[ReviewerId],
    confidence: float,
) -> Sensitivity | None:
    """Return what the known-bad records showed, or None where none are mixed in.

    Args:
        known_bad: the claim's set.
        first_answers: each reader's first answer to each: one who thinks again later has been
            told by then that nothing was paused.
        reviewers: whose readings count.
        confidence: of the lower bound.
    """
    if known_bad is None or not known_bad.records:
        return None
    counted = [
        stored
        for stored in first_answers
        if stored.rating.reviewer in reviewers and stored.rating.record_id in known_bad.ids
    ]
    by_reviewer: dict[ReviewerId, tuple[int, int]] = {}
    for stored in counted:
        found, shown = by_reviewer.get(stored.rating.reviewer, (0, 0))
        by_reviewer[stored.rating.reviewer] = (found + _stopped(stored), shown + 1)
    found, shown = sum(_stopped(stored) for stored in counted), len(counted)
    return Sensitivity(
        planted=len(known_bad.records),
        met=len({stored.rating.record_id for stored in counted}),
        shown=shown,
        found=found,
        low=lower_bound(found, shown, confidence),
        confidence=confidence,
        by_reviewer=dict(sorted(by_reviewer.items())),
    )


def lower_bound(found: int, shown: int, confidence: float) -> float:
    """Return the exact (Clopper-Pearson) one-sided lower bound on the share found; 0 for none."""
    if found == 0:
        return 0.0
    return 1 - clopper_pearson_upper(shown - found, shown, confidence)


def corrected_upper(upper: float, sensitivity: float) -> float:
    """Return the bound on all bad records, given one on those that readers of this share see."""
    return min(1.0, upper / sensitivity) if sensitivity > 0 else 1.0


def corrected_size(limit: float, confidence: float, sensitivity: float) -> int:
    """Return the smallest sample whose 0 defects prove `limit` with readers of this share."""
    return math.ceil(math.log(1 - confidence) / math.log1p(-limit * sensitivity))


def _stopped(stored: StoredRating) -> int:
    rating = stored.rating
    return int(bool(rating.flags) or rating.verdict in _AGAINST)
