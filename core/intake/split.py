"""A split is decided for a whole group by the group's digest, so that nothing akin is parted."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
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
        self.join_pairs(np.array([one], np.int64), np.array([other], np.int64))

    def join_alike(self, keys: Iterable[Hashable | None]) -> None:
        """Join the things whose keys are equal; a thing whose key is None joins nothing."""
        first: dict[Hashable, int] = {}
        firsts = [
            thing if key is None else first.setdefault(key, thing) for thing, key in enumerate(keys)
        ]
        self.join_pairs(np.array(firsts, np.int64), np.arange(len(firsts)))

    def join_pairs(self, low: npt.NDArray[np.int64], high: npt.NDArray[np.int64]) -> None:
        """Join each of `low` with that of `high` at the same place, which may be itself."""
        two = np.flatnonzero(low != high)
        self._low.append(low[two])
        self._high.append(high[two])

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


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedGroups:
    """Groups by the digests of their smallest members.

    `names` holds 32 hex digits of each; `positions` the first 64 bits of each, which decide its
    split; `members` says which group each thing is in.
    """

    names: Sequence[str]
    positions: npt.NDArray[np.uint64]
    members: npt.NDArray[np.int64]


def name_groups(
    kind: str, labels: npt.NDArray[np.int64], digests: npt.NDArray[np.uint8]
) -> NamedGroups:
    """Name the groups of `kind` of things of these digests, one row of 16 bytes each.

    Things with the same label are a group; its name follows from its smallest digest alone.
    """
    found, members = np.unique(labels, return_inverse=True)
    high, low = digests.view(">u8").T
    ranked = np.lexsort((low, high))[::-1]
    smallest = np.empty(len(found), np.int64)
    # Of several written to one place the last stays, which is the smallest.
    smallest[members[ranked]] = ranked
    packed = digests[smallest].tobytes()
    start, width = kind.encode() + b":", digests.shape[1]
    whole = [
        hashlib.sha256(start + packed[place : place + width]).digest()
        for place in range(0, len(packed), width)
    ]
    joined = b"".join(whole)
    written = joined.hex()
    return NamedGroups(
        names=[written[place : place + 32] for place in range(0, len(written), 64)],
        positions=np.frombuffer(joined, ">u8")[::4].astype(np.uint64),
        members=np.asarray(members, np.int64),
    )


def split_all(
    positions: npt.NDArray[np.uint64], splits: Mapping[Split, float]
) -> npt.NDArray[np.int64]:
    """Return the split of each group, as a place in `SPLITS`, from the first bits of its digest.

    Args:
        positions: the first 64 bits, evenly distributed.
        splits: the share of each split; shares sum to 1.
    """
    # Shares that round to less than 1 leave a sliver, which goes to the last split in use.
    last = [place for place, split in enumerate(SPLITS) if splits.get(split, 0.0) > 0][-1]
    sides = np.full(len(positions), last, np.int64)
    for place, (_, end) in reversed(list(enumerate(_ends(tuple(splits.items()))))):
        if end:
            sides[positions <= np.uint64(end - 1)] = place
    return sides


@cache
def _ends(splits: tuple[tuple[Split, float], ...]) -> tuple[tuple[Split, int], ...]:
    """Return where each split's stretch of the 64-bit numbers ends, exclusive."""
    shares = dict(splits)
    edges = accumulate(round(shares.get(split, 0.0) * _RESOLUTION) for split in SPLITS)
    return tuple(
        (split, -(-edge * _SPAN // _RESOLUTION)) for split, edge in zip(SPLITS, edges, strict=True)
    )
