"""A distribution is kept as numbers anybody can redraw: quantiles, a mean, counts between edges.

The edges are fixed for good, so that two releases can be laid over one another.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial.distance import jensenshannon
from scipy.stats import ks_2samp, wasserstein_distance

MEASURES = (
    "turns",
    "tokens",
    "characters",
    "words",
    "characters_per_word",
    "assistant_user_ratio",
)
QUANTILES = (0, 5, 25, 50, 75, 95, 100)

# PSI and Jensen-Shannon distance swing widely on small samples that did not change at all
# (PSI 0.07 at 200 rows), so below this many rows in either they are not shown.
LEAST_FOR_PSI = 2_000
_PLACES = 6


def _powers(low: int, high: int, steps: int) -> tuple[float, ...]:
    return tuple(round(2 ** (n / steps), _PLACES) for n in range(low * steps, high * steps + 1))


# Quarter octaves for sizes, half octaves for the ratio, half units for word length, and every
# number of turns up to 12 by itself.
EDGES: Mapping[str, tuple[float, ...]] = {
    "turns": (*range(1, 13), 16, 20, 24, 32, 48, 64, 96, 128, 256, 512),
    "tokens": _powers(0, 16, 4),
    "characters": _powers(2, 20, 4),
    "words": _powers(0, 16, 4),
    "characters_per_word": tuple(half / 2 for half in range(2, 31)),
    "assistant_user_ratio": _powers(-6, 6, 2),
}


class Cell:
    """The measured values of one family and split, one column per measure."""

    def __init__(self) -> None:
        self.records = 0
        self.columns = {name: array("d") for name in MEASURES}

    def add(self, values: Mapping[str, float | None]) -> None:
        """Add one record's values; a measure it does not have is None."""
        self.records += 1
        for name, value in values.items():
            if value is not None:
                self.columns[name].append(value)

    def take(self, other: Cell) -> None:
        """Add all of another cell's values."""
        self.records += other.records
        for name, column in other.columns.items():
            self.columns[name].extend(column)

    def document(self) -> dict[str, Any]:
        """Return the cell as plain JSON data."""
        return {"records": self.records} | {
            name: describe(column, EDGES[name]) for name, column in self.columns.items()
        }


def describe(values: Sequence[float], edges: Sequence[float]) -> dict[str, Any]:
    """Return how `values` are spread, as plain JSON data.

    `histogram` has one count more than there are edges: the first counts values below the
    first edge, the last those at or above the last. `percentiles` are the 101 values at 0 to
    100 per cent; each is a value that occurred.
    """
    if len(values) == 0:
        return {"n": 0}
    found = np.asarray(values, dtype=np.float64)
    percentiles = np.quantile(found, np.linspace(0, 1, 101), method="inverted_cdf")
    places = np.searchsorted(np.asarray(edges), found, side="right")
    return {
        "n": len(found),
        "mean": _rounded(found.mean()),
        "sd": _rounded(found.std()),
        "quantiles": {str(share): _rounded(percentiles[share]) for share in QUANTILES},
        "percentiles": [_rounded(value) for value in percentiles],
        "histogram": np.bincount(places, minlength=len(edges) + 1).tolist(),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How far one distribution lies from another of the same measure.

    `wasserstein_share` is the Wasserstein distance over the earlier mean, `ks` the
    Kolmogorov-Smirnov statistic; the two `…_noise` say how large each gets by chance alone
    between samples of these sizes. `psi` and `js` are None where there are too few rows.
    """

    wasserstein_share: float
    wasserstein_noise: float
    ks: float
    ks_noise: float
    psi: float | None
    js: float | None


def compare(now: Mapping[str, Any], before: Mapping[str, Any]) -> Drift:
    """Return the drift between two distributions as `describe` gives them, neither empty."""
    here, there = now["percentiles"], before["percentiles"]
    size = abs(before["mean"]) or 1.0
    spread = max(now["sd"], before["sd"])
    reach = (1 / now["n"] + 1 / before["n"]) ** 0.5
    enough = min(now["n"], before["n"]) >= LEAST_FOR_PSI
    shares = (_shares(now["histogram"]), _shares(before["histogram"])) if enough else None
    return Drift(
        wasserstein_share=_rounded(wasserstein_distance(here, there) / size),
        # Twice the standard error of a difference of means, in the unit of the statistic.
        wasserstein_noise=_rounded(2 * spread / size * reach),
        ks=_rounded(ks_2samp(here, there, method="asymp").statistic),
        # The distance that two samples of one population pass once in a hundred times.
        ks_noise=_rounded(1.63 * reach),
        psi=None if shares is None else _psi(*shares),
        js=None if shares is None else _rounded(jensenshannon(*shares, base=2)),
    )


def _shares(counts: Sequence[int]) -> Any:
    # Half a count in every bin: an empty bin on one side would make PSI infinite.
    padded = np.asarray(counts, dtype=np.float64) + 0.5
    return padded / padded.sum()


def _psi(now: Any, before: Any) -> float:
    return _rounded(((now - before) * np.log(now / before)).sum())


def _rounded(value: Any) -> float:
    return round(float(value), _PLACES)
