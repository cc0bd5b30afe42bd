"""A split is decided for a whole group by the group's digest, so that nothing akin is parted."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping

from core.canonical import sha256_hex
from core.model.dataset import SPLITS, Split

_RESOLUTION = 10**9
_SPAN = 2**64


class Groups:
    """Union-find over `count` things; the label of a group is its smallest member."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))

    def find(self, thing: int) -> int:
        """Return the label of the group that `thing` is in."""
        root = thing
        while self._parent[root] != root:
            root = self._parent[root]
        while self._parent[thing] != root:
            self._parent[thing], thing = root, self._parent[thing]
        return root

    def join(self, one: int, other: int) -> None:
        """Make one group of the groups of `one` and `other`."""
        low, high = sorted((self.find(one), self.find(other)))
        self._parent[high] = low

    def join_alike(self, keys: Iterable[Hashable | None]) -> None:
        """Join the things whose keys are equal; a thing whose key is None joins nothing."""
        first: dict[Hashable, int] = {}
        for thing, key in enumerate(keys):
            if key is not None:
                self.join(first.setdefault(key, thing), thing)


def split_of(group_digest: str, splits: Mapping[Split, float]) -> Split:
    """Return the split of a group from the first 64 bits of its digest.

    Args:
        group_digest: hex, evenly distributed (16 digits or more).
        splits: the share of each split; shares sum to 1.
    """
    position = int(group_digest[:16], 16)
    edge = 0
    for split in SPLITS:
        edge += round(splits.get(split, 0.0) * _RESOLUTION)
        if position * _RESOLUTION < edge * _SPAN:
            return split
    # Shares that round to less than 1 leave a sliver, which goes to the last split in use.
    return [split for split in SPLITS if splits.get(split, 0.0) > 0][-1]


def group_digest(kind: str, members: Iterable[bytes]) -> str:
    """Return the 64-hex digest that names a group of `kind`: that of its smallest member."""
    return str(sha256_hex(kind.encode() + b":" + min(members)))
