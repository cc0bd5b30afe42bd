"""Agreement is a diagnostic beside its raw counts; where it has no value, it says why in words.

No coefficient gates anything: experts who follow different schools disagree without error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.model.review import Rating

Level = Literal["nominal", "ordinal"]
Matrix = NDArray[np.float64]
_LEAST_SCALE = 5
_NOTHING = "no record was rated by two people"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coefficient:
    """A value, or None and the reason there is none."""

    value: float | None
    why: str = ""


def raw_agreement(pairs: Sequence[tuple[int, int]], *, within: int = 0) -> Coefficient:
    """Return the share of pairs that differ by at most `within`."""
    if not pairs:
        return Coefficient(value=None, why=_NOTHING)
    close = sum(1 for one, other in pairs if abs(one - other) <= within)
    return Coefficient(value=close / len(pairs))


def table_of(pairs: Sequence[tuple[int, int]], categories: Sequence[int]) -> Matrix:
    """Return the square table of counts: rows the first rater, columns the second."""
    place = {category: index for index, category in enumerate(categories)}
    table = np.zeros((len(categories), len(categories)))
    for one, other in pairs:
        table[place[one], place[other]] += 1
    return table


def quadratic_weights(categories: int) -> Matrix:
    """Return the weights 1 - (i - j)² / (q - 1)²: full credit on the diagonal."""
    index = np.arange(categories)
    weights: Matrix = 1 - ((index[:, None] - index[None, :]) / max(categories - 1, 1)) ** 2
    return weights


def weighted_kappa(table: Matrix, weights: Matrix | None = None) -> Coefficient:
    """Return Cohen's kappa of a table, weighted when `weights` are given."""
    total = float(table.sum())
    if total == 0:
        return Coefficient(value=None, why=_NOTHING)
    shares = table / total
    credit = np.eye(len(table)) if weights is None else weights
    observed = float((credit * shares).sum())
    expected = float((credit * np.outer(shares.sum(axis=1), shares.sum(axis=0))).sum())
    if np.isclose(expected, 1.0):
        return Coefficient(value=None, why=_unanimous(int(total)))
    return Coefficient(value=(observed - expected) / (1 - expected))


def gwet_coefficient(table: Matrix, weights: Matrix | None = None) -> Coefficient:
    """Return Gwet's AC1 of a table, or AC2 when `weights` are given."""
    total = float(table.sum())
    if total == 0:
        return Coefficient(value=None, why=_NOTHING)
    size = len(table)
    shares = table / total
    credit = np.eye(size) if weights is None else weights
    observed = float((credit * shares).sum())
    mean = (shares.sum(axis=0) + shares.sum(axis=1)) / 2
    expected = float(credit.sum() * (mean * (1 - mean)).sum() / (size * (size - 1)))
    return Coefficient(value=(observed - expected) / (1 - expected))


def positive_agreement(both: int, one_only: int, other_only: int) -> Coefficient:
    """Return 2a / (2a + b + c): of all "yes" answers, the share that was joined."""
    if both + one_only + other_only == 0:
        return Coefficient(value=None, why="nobody said yes, so there is nothing to agree on")
    return Coefficient(value=2 * both / (2 * both + one_only + other_only))


def positive_agreement_of(table: Matrix) -> Coefficient:
    """Return the positive agreement of a table of two answers, no before yes."""
    return positive_agreement(int(table[1, 1]), int(table[1, 0]), int(table[0, 1]))


def krippendorff_alpha(units: Sequence[Sequence[int]], level: Level) -> Coefficient:
    """Return Krippendorff's alpha. Each unit lists the answers it got, in any order and number.

    Units with fewer than two answers cannot be paired and are left out, as the method says.
    """
    paired = [unit for unit in units if len(unit) >= 2]
    if not paired:
        return Coefficient(value=None, why=_NOTHING)
    categories = sorted({answer for unit in paired for answer in unit})
    if len(categories) == 1:
        return Coefficient(value=None, why=_unanimous(len(paired)))
    return alpha_of(coincidences_of(paired, categories), level)


def alpha_of(coincidences: Matrix, level: Level) -> Coefficient:
    """Return Krippendorff's alpha of a table of coincidences."""
    totals = coincidences.sum(axis=0)
    if np.count_nonzero(totals) < 2:
        return Coefficient(value=None, why=_unanimous(int(totals.sum()) // 2))
    number = float(totals.sum())
    distance = _distances(totals, level)
    observed = float((coincidences * distance).sum())
    expected = float((np.outer(totals, totals) * distance).sum()) / (number - 1)
    return Coefficient(value=1 - observed / expected)


def coincidences_of(units: Sequence[Sequence[int]], categories: Sequence[int]) -> Matrix:
    """Return the coincidences of units with two answers or more, as the method counts them."""
    place = {category: index for index, category in enumerate(categories)}
    table = np.zeros((len(categories), len(categories)))
    for unit in units:
        counts = np.zeros(len(categories))
        for answer in unit:
            counts[place[answer]] += 1
        table += (np.outer(counts, counts) - np.diag(counts)) / (len(unit) - 1)
    return table


def _distances(totals: Matrix, level: Level) -> Matrix:
    size = len(totals)
    if level == "nominal":
        return np.ones((size, size)) - np.eye(size)
    # Ordinal: the squared number of answers that lie between two categories, ends half counted.
    middle = np.cumsum(totals) - totals / 2
    distance: Matrix = (middle[:, None] - middle[None, :]) ** 2
    return distance


def _unanimous(records: int) -> str:
    return (
        f"all raters gave the same answer on all {records}; chance-corrected agreement is undefined"
    )


def summarise(ratings: Sequence[Rating]) -> Mapping[str, object]:
    """Return every statistic over the records that at least two people rated, per item.

    Two-rater coefficients take the first two by reviewer id; alpha takes everybody. A missing
    value is None with its reason beside it.
    """
    doubled = _doubled(ratings)
    items = sorted({item for group in doubled for rating in group for item in rating.scores})
    return {
        "double_rated": len(doubled),
        "items": {item: _item_summary(item, doubled) for item in items},
        "flags": _flag_summary(flag_pairs(ratings)),
    }


def answers_of(ratings: Sequence[Rating]) -> Mapping[str, list[list[int]]]:
    """Return, per question, the numbers each record rated twice got, by reviewer id."""
    doubled = _doubled(ratings)
    items = sorted({item for group in doubled for rating in group for item in rating.scores})
    return {item: _units(item, doubled) for item in items}


def flag_pairs(ratings: Sequence[Rating]) -> list[tuple[int, int]]:
    """Return, of each record rated twice, whether its first two readers raised a flag (0, 1)."""
    return [(int(bool(group[0].flags)), int(bool(group[1].flags))) for group in _doubled(ratings)]


def _doubled(ratings: Sequence[Rating]) -> list[list[Rating]]:
    by_record: dict[str, list[Rating]] = {}
    for rating in sorted(ratings, key=lambda rating: rating.reviewer):
        by_record.setdefault(rating.record_id, []).append(rating)
    return [group for group in by_record.values() if len(group) > 1]


def _units(item: str, groups: Sequence[Sequence[Rating]]) -> list[list[int]]:
    return [
        [int(rating.scores[item]) for rating in group if rating.scores.get(item, "").isdecimal()]
        for group in groups
    ]


def _item_summary(item: str, groups: Sequence[Sequence[Rating]]) -> Mapping[str, object]:
    units = _units(item, groups)
    pairs = [(unit[0], unit[1]) for unit in units if len(unit) > 1]
    top = max(_LEAST_SCALE, *(answer for unit in units for answer in unit), 0)
    table = table_of(pairs, range(1, top + 1))
    weights = quadratic_weights(top)
    found = {
        "raw": raw_agreement(pairs),
        "within_one": raw_agreement(pairs, within=1),
        "kappa_quadratic": weighted_kappa(table, weights),
        "alpha_ordinal": krippendorff_alpha(units, "ordinal"),
        "ac2_quadratic": gwet_coefficient(table, weights),
    }
    reasons = {name: one.why for name, one in found.items() if one.value is None}
    values = {name: one.value for name, one in found.items()}
    return {"pairs": len(pairs), **values, "undefined": reasons}


def _flag_summary(pairs: Sequence[tuple[int, int]]) -> Mapping[str, object]:
    both, one, other = (pairs.count(case) for case in ((1, 1), (1, 0), (0, 1)))
    found = positive_agreement(both, one, other)
    ac1 = gwet_coefficient(table_of(pairs, (0, 1)))
    return {
        "pairs": len(pairs),
        "both": both,
        "one_only": one + other,
        "positive_agreement": found.value,
        "ac1": ac1.value,
        "undefined": {"positive_agreement": found.why} if found.value is None else {},
    }
