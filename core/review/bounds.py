"""How much a sample proves, computed exactly: no approximation ever stands behind a signature.

Rates are shares between 0 and 1. `frame` is N, the number of records a claim speaks of; where
it is None the frame is treated as endless. What was worked out once is remembered: a review asks
for the same few numbers at every answer, and scipy takes milliseconds for each.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

from core.model.errors import ReviewError

# A published plan such as 319 then 580 at 1 % has a risk of 5.0 % to one decimal.
RISK_TOLERANCE = 1e-3
# Above a twentieth of the frame the finite-population bound is worth its name.
_LARGE_FRAME = 20


def _laws() -> Any:
    """Return scipy's distributions, loaded at the first question: that takes seconds."""
    from scipy import stats

    return stats


@lru_cache(maxsize=4096)
def clopper_pearson_upper(defects: int, read: int, confidence: float) -> float:
    """Return the exact one-sided upper bound on the rate after `defects` in `read`."""
    _check_counts(defects, read)
    if defects == read:
        return 1.0
    return float(_laws().beta.ppf(confidence, defects + 1, read - defects))


@lru_cache(maxsize=4096)
def hypergeometric_upper(defects: int, read: int, frame: int, confidence: float) -> float:
    """Return D/N for the largest number D of bad records that the sample does not rule out.

    D is the largest with P(at most `defects` among `read`) > 1 - `confidence`.
    """
    _check_counts(defects, read)
    if read > frame:
        raise ReviewError("review.counts", "More records were read than the frame holds.")
    low, high = defects, frame - (read - defects)
    while low < high:
        middle = (low + high + 1) // 2
        if float(_laws().hypergeom.cdf(defects, frame, middle, read)) > 1 - confidence:
            low = middle
        else:
            high = middle - 1
    return low / frame


def quoted_upper(defects: int, read: int, frame: int, confidence: float, limit: float) -> float:
    """Return the bound to print: Clopper–Pearson while the frame is large.

    It holds for every frame and is the more cautious of the two; for a small frame, or where
    only the finite frame proves `limit`, the hypergeometric bound is the exact one.
    """
    cautious = clopper_pearson_upper(defects, read, confidence)
    exact = hypergeometric_upper(defects, read, frame, confidence)
    only_exact_proves = exact <= limit < cautious
    return exact if read * _LARGE_FRAME > frame or only_exact_proves else cautious


def quoted_part_upper(
    defects: int, read: int, frame: int, ships: int, confidence: float, limit: float
) -> float:
    """Return the bound to print of the `ships` units that are left of a `frame` that was read.

    At most as many of them are bad as of the whole frame, so the bound on that number holds for
    them whichever left, and whoever chose.
    """
    if ships == frame:
        return quoted_upper(defects, read, frame, confidence, limit)
    bad = round(hypergeometric_upper(defects, read, frame, confidence) * frame)
    cautious = min(1.0, clopper_pearson_upper(defects, read, confidence) * frame / ships)
    only_exact_proves = bad < least_bad(limit, ships) and cautious > limit
    exact = min(1.0, bad / ships)
    return exact if read * _LARGE_FRAME > frame or only_exact_proves else cautious


@lru_cache(maxsize=4096)
def miss_probability(rate: float, read: int, frame: int | None = None) -> float:
    """Return the chance that none of `read` records shows a problem of this `rate`.

    In a finite frame the problem has ceil(rate × N) records.
    """
    if frame is None:
        return float((1 - rate) ** read)
    return float(
        _laws().hypergeom.pmf(0, frame, math.ceil(_exactly(rate) * frame), min(read, frame))
    )


def worst_miss_probability(rate: float, parts: Sequence[tuple[int, int, int]]) -> float:
    """Return the chance that no sample shows a problem of this `rate`, wherever it lies worst.

    `parts` are (records read, units drawn from, units that ship) of each stratum. The problem
    has ceil(rate × N) units; each lies where it is found least, which is the worst for all of
    them since one more is the likelier found the more there are in a part.
    """
    if len(parts) == 1 and parts[0][1] == parts[0][2]:
        return miss_probability(rate, *parts[0][:2])
    bad, chance = [0] * len(parts), 1.0
    for _ in range(math.ceil(_exactly(rate) * sum(ships for _, _, ships in parts))):
        missed = [
            (frame - held - min(read, frame)) / (frame - held) if held < ships else -1.0
            for held, (read, frame, ships) in zip(bad, parts, strict=True)
        ]
        worst = max(range(len(parts)), key=missed.__getitem__)
        chance *= max(0.0, missed[worst])
        bad[worst] += 1
    return chance


def plan_size(limit: float, confidence: float, allowed: int = 0, frame: int | None = None) -> int:
    """Return the smallest single sample that proves `limit` when it shows `allowed` defects.

    Raises:
        ReviewError: when no sample of this frame can.
    """
    largest = frame if frame is not None else _enough(limit, confidence, allowed)
    low, high = allowed + 1, largest
    if high < low or _single_risk(high, limit, allowed, frame) > 1 - confidence:
        raise ReviewError("review.no_plan", "No sample of this frame can prove the limit.")
    while low < high:
        middle = (low + high) // 2
        if _single_risk(middle, limit, allowed, frame) <= 1 - confidence:
            high = middle
        else:
            low = middle + 1
    return low


def pass_probability(first: int, second: int, rate: float) -> float:
    """Return the chance that a plan passes an endless frame with this defect `rate`.

    The plan passes on 0 defects in `first`; on exactly 1 it is read to `second` and passes
    when no more are found (`second` 0: no second stage).
    """
    none = float(_laws().binom.pmf(0, first, rate))
    if second <= first:
        return none
    return none + float(_laws().binom.pmf(1, first, rate)) * float(
        _laws().binom.pmf(0, second - first, rate)
    )


def finite_pass_probability(first: int, second: int, frame: int, bad: int) -> float:
    """Return the chance that the plan passes a frame of `frame` records of which `bad` are bad."""
    none = float(_laws().hypergeom.pmf(0, frame, bad, first))
    if second <= first or bad == 0:
        return none
    if bad - 1 > frame - second:
        # So many bad records cannot all lie beyond stage two (and scipy would answer NaN).
        return none
    one = float(_laws().hypergeom.pmf(1, frame, bad, first))
    return none + one * float(_laws().hypergeom.pmf(0, frame - first, bad - 1, second - first))


def finite_risk(first: int, second: int, frame: int, limit: float) -> float:
    """Return the chance that the plan passes a frame that is only just worse than `limit`."""
    return finite_pass_probability(first, second, frame, least_bad(limit, frame))


def least_bad(limit: float, frame: int) -> int:
    """Return the smallest number of bad records that breaks the claim."""
    return math.floor(_exactly(limit) * frame) + 1


def stages_for(
    bad: int, frame: int, risk: float, least_first: int, least_second: int
) -> tuple[int, int]:
    """Return the stages, no smaller than the least ones, that find `bad` units of `frame`.

    They pass such a frame with a chance of at most `risk`. A `least_second` of 0 asks for one
    stage only. Since nothing that passes the larger plan would have failed the smaller, it may
    be asked of a sample whose smaller one has been read: the look at it costs nothing.

    Raises:
        ReviewError: `review.no_plan` when reading all of the frame does not find them.
    """
    if _finds(least_first, least_second, frame, bad, risk + RISK_TOLERANCE):
        return least_first, least_second
    if not _finds(frame, 0, frame, bad, risk):
        raise ReviewError("review.no_plan", "No sample of this frame can prove the limit.")
    single = _smallest(1, frame, lambda first: _finds(first, 0, frame, bad, risk))
    alone = max(single, least_first), 0
    first = max(single + max(1, round(single / 15)), least_first)
    second = max(least_second, first + 1)
    if not least_second or second > frame or not _finds(first, frame, frame, bad, risk):
        return alone
    return first, _smallest(second, frame, lambda last: _finds(first, last, frame, bad, risk))


def _finds(first: int, second: int, frame: int, bad: int, risk: float) -> bool:
    return finite_pass_probability(first, second, frame, bad) <= risk


def _smallest(low: int, high: int, enough: Callable[[int], bool]) -> int:
    """Return the least number from `low` to `high` that is enough; more always is."""
    while low < high:
        middle = (low + high) // 2
        if enough(middle):
            high = middle
        else:
            low = middle + 1
    return low


def _exactly(rate: float) -> Fraction:
    # 0.07 * 100 is 7.000000000000001 in binary; the policy's author wrote 7 %.
    return Fraction(str(rate))


def _single_risk(read: int, limit: float, allowed: int, frame: int | None) -> float:
    if frame is None:
        return float(_laws().binom.cdf(allowed, read, limit))
    return float(_laws().hypergeom.cdf(allowed, frame, least_bad(limit, frame), read))


def _enough(limit: float, confidence: float, allowed: int) -> int:
    size = allowed + 1
    while _single_risk(size, limit, allowed, None) > 1 - confidence:
        size *= 2
    return size


def _check_counts(defects: int, read: int) -> None:
    if not 0 <= defects <= read or read == 0:
        raise ReviewError("review.counts", "Defects lie between 0 and the records read, over 0.")
