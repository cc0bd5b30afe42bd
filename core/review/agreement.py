"""Agreement is a diagnostic beside its raw counts; where it has no value, it says why in words.

No coefficient gates anything: experts who follow different schools disagree without error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Level = Literal["nominal", "ordinal"]
Matrix = NDArray[np.float64]
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
    coincidences = _coincidences(paired, categories)
    totals = coincidences.sum(axis=0)
    number = float(totals.sum())
    distance = _distances(totals, level)
    observed = float((coincidences * distance).sum())
    expected = float((np.outer(totals, totals) * distance).sum()) / (number - 1)
    return Coefficient(value=1 - observed / expected)


def _coincidences(units: Sequence[Sequence[int]], categories: Sequence[int]) -> Matrix:
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
