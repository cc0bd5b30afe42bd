"""A coefficient over fifty records is a guess with a width; the width is shown beside it.

Percentile bootstrap over records, seeded, so that the same readings give the same interval. Few
records give an interval that is too narrow rather than too wide: it is a diagnostic.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from core.canonical import sha256_hex
from core.model.review import Rating
from core.review.agreement import (
    Coefficient,
    Matrix,
    alpha_of,
    answers_of,
    coincidences_of,
    flag_pairs,
    gwet_coefficient,
    positive_agreement_of,
    quadratic_weights,
    table_of,
    weighted_kappa,
)

TIMES = 1000
CONFIDENCE = 0.95
_FEWEST = 10
# An interval over the resamples that have a value would hide those that have none.
_MOST_UNDEFINED = 0.05
Stack = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Two-sided limits, or None for both and the reason."""

    low: float | None
    high: float | None
    why: str = ""


def bootstrap(
    tables: Stack, statistic: Callable[[Matrix], Coefficient], seed: str, *, times: int = TIMES
) -> Interval:
    """Return the percentile interval of a statistic of summed tables, records resampled.

    Args:
        tables: one table a record, shape (records, categories, categories).
        statistic: of the sum of tables.
        seed: any text; the same text gives the same interval.
        times: how many resamples.
    """
    records = len(tables)
    if records < _FEWEST:
        return Interval(low=None, high=None, why=f"fewer than {_FEWEST} records were rated twice")
    dice = np.random.default_rng(int(sha256_hex(seed.encode())[:16], 16))
    drawn = dice.multinomial(records, np.full(records, 1 / records), size=times)
    sums = np.tensordot(drawn, tables, axes=1)
    values = [found.value for found in map(statistic, sums) if found.value is not None]
    if len(values) < (1 - _MOST_UNDEFINED) * times:
        return Interval(low=None, high=None, why="too many resamples have no spread of answers")
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(values, [tail, 100 - tail])
    return Interval(low=float(low), high=float(high))


def item_intervals(ratings: Sequence[Rating], seed: str) -> Mapping[str, Mapping[str, Interval]]:
    """Return, per question, the intervals of kappa, alpha and AC2 over records rated twice."""
    found: dict[str, Mapping[str, Interval]] = {}
    for item, units in answers_of(ratings).items():
        pairs = [(unit[0], unit[1]) for unit in units if len(unit) > 1]
        top = max((answer for unit in units for answer in unit), default=5)
        categories = range(1, max(5, top) + 1)
        two = np.array([table_of([pair], categories) for pair in pairs])
        every = np.array([coincidences_of([unit], categories) for unit in units if len(unit) > 1])
        weights = quadratic_weights(len(categories))
        measures: Mapping[str, tuple[Stack, Callable[[Matrix], Coefficient]]] = {
            "kappa_quadratic": (two, partial(weighted_kappa, weights=weights)),
            "alpha_ordinal": (every, partial(alpha_of, level="ordinal")),
            "ac2_quadratic": (two, partial(gwet_coefficient, weights=weights)),
        }
        found[item] = {
            name: bootstrap(tables, statistic, f"{seed}:{item}:{name}")
            for name, (tables, statistic) in measures.items()
        }
    return found


def flag_interval(ratings: Sequence[Rating], seed: str) -> Interval:
    """Return the interval of positive agreement on flags over records rated twice."""
    tables = np.array([table_of([pair], (0, 1)) for pair in flag_pairs(ratings)])
    return bootstrap(tables, positive_agreement_of, f"{seed}:flags")


def norming_due(
    intervals: Mapping[str, Mapping[str, Interval]], items: Sequence[str], least: float = 0.4
) -> tuple[str, ...]:
    """Return the questions whose alpha may lie under `least`: a reason to meet, never a gate.

    Reference C4.6: a lower bound under 0.4 on the questions that matter most.
    """
    return tuple(
        item
        for item in items
        if (low := intervals.get(item, {}).get("alpha_ordinal", _NONE).low) is not None
        and low < least
    )


_NONE = Interval(low=None, high=None)
