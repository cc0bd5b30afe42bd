"""A split is decided for a whole group by the group's digest, so that nothing akin is parted."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterable, Mapping
from functools import cache
from itertools import accumulate

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from core.model.dataset import SPLITS, Split

_RESOLUTION = 10**9
_SPAN = 2**64


class Groups:
    """`count` things and what joins them; the label of a group is its smallest member."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._low: list[npt.NDArray[np.int64]] = []
        self._high: list[npt.NDArray[np.int64]] = []

    def join(self, one: int, other: int) -> None:
        """Make one group of the groups of `one` and `other`."""
        self._low.append(np.array([one], np.int64))
        self._high.append(np.array([other], np.int64))

    def join_alike(self, keys: Iterable[Hashable | None]) -> None:
        """Join the things whose keys are equal; a thing whose key is None joins nothing."""
        first: dict[Hashable, int] = {}
        firsts = [
            thing if key is None else first.setdefault(key, thing) for thing, key in enumerate(keys)
        ]
        low = np.array(firsts, np.int64)
        high = np.flatnonzero(low != np.arange(len(low)))
        self._low.append(low[high])
        self._high.append(high.astype(np.int64))

    def labels(self) -> npt.NDArray[np.int64]:
        """Return the label of every thing's group."""
        if not self._count:
            return np.empty(0, np.int64)
        low, high = (np.concatenate([np.empty(0, np.int64), *s]) for s in (self._low, self._high))
        graph = coo_matrix((np.ones(len(low), np.int8), (low, high)), shape=(self._count,) * 2)
        _, parts = connected_components(graph, directed=False)
        # The first place at which a part is met is its smallest member.
        _, smallest = np.unique(parts, return_index=True)
        return np.asarray(smallest[parts], np.int64)


def split_of(group_digest: str, splits: Mapping[Split, float]) -> Split:
    """Return the split of a group from the first 64 bits of its digest.

    Args:
        group_digest: hex, evenly distributed (16 digits or more).
        splits: the share of each split; shares sum to 1.
    """
    position = int(group_digest[:16], 16)
    for split, end in _ends(tuple(splits.items())):
        if position < end:
            return split
    # Shares that round to less than 1 leave a sliver, which goes to the last split in use.
    return [split for split in SPLITS if splits.get(split, 0.0) > 0][-1]


@cache
def _ends(splits: tuple[tuple[Split, float], ...]) -> tuple[tuple[Split, int], ...]:
    """Return where each split's stretch of the 64-bit numbers ends, exclusive."""
    shares = dict(splits)
    edges = accumulate(round(shares.get(split, 0.0) * _RESOLUTION) for split in SPLITS)
    return tuple(
        (split, -(-edge * _SPAN // _RESOLUTION)) for split, edge in zip(SPLITS, edges, strict=True)
    )


def group_digest(kind: str, members: Iterable[bytes]) -> str:
    """Return the 64-hex digest that names a group of `kind`: that of its smallest member."""
    return name_group(kind.encode(), min(members))


def name_group(kind: bytes, smallest: bytes) -> str:
    """Return the same of a group whose smallest member is known."""
    return hashlib.sha256(kind + b":" + smallest).hexdigest()
