"""Where each record that ships is written, so that one changed source changes few shards.

A family's part of a split is a cell. A large cell is cut into parts by the digests of its
sources' keys, and each part is ordered by record. So a changed object touches the parts it is in
and no other, and neighbours in a shard still come from many sources.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from core.intake.ledger import Ledger
from core.intake.place import Placement
from core.intake.words import Words, words_of
from core.model.dataset import SPLITS, Split

# What a row takes at most, as a rule: five bytes a token, and what it says about itself.
_TOKEN_BYTES = 5
_ROW_BYTES = 1000
_MOST_BITS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Records of one family and split, in the order of their ids, that are written together."""

    family: str
    split: Split
    records: npt.NDArray[np.int64]


def divide(
    ledger: Ledger, placement: Placement, families: Sequence[str], limit: int
) -> Iterator[Part]:
    """Yield the parts of everything that ships, by family, split and part.

    Args:
        ledger: the records.
        placement: which of them ship, and in which split.
        families: their order.
        limit: how many bytes a shard may hold. A part is meant to hold half of that.
    """
    order = {name: place for place, name in enumerate(families)}
    family = np.array([order[source.family] for source in ledger.sources], np.int64)[ledger.source]
    split = np.array([SPLITS.index(name) for name in placement.split], np.int64)
    ships = np.array([reason is None for reason in placement.reason], np.bool_)
    drawn = np.array([_number(source.scan.source.key) for source in ledger.sources], np.uint64)
    high, low = ledger.ids.packed.view(">u8").T
    size = _ROW_BYTES + _TOKEN_BYTES * ledger.tokens
    for place, name in enumerate(families):
        for side, words in enumerate(SPLITS):
            cell = np.flatnonzero(ships & (family == place) & (split == side))
            if not len(cell):
                continue
            bits = _bits(int(size[cell].sum()), limit)
            part = drawn[ledger.source[cell]] >> np.uint64(64 - bits) if bits else 0 * cell
            ranked = np.lexsort((low[cell], high[cell], part))
            ends = np.flatnonzero(np.diff(part[ranked])) + 1
            for records in np.split(cell[ranked], ends):
                yield Part(family=name, split=words, records=records)


def _bits(size: int, limit: int) -> int:
    """Return of how many bits the number of a part is, so that a part is half a shard."""
    return next((b for b in range(_MOST_BITS) if size <= (limit << b) // 2), _MOST_BITS)


def _number(key: str) -> int:
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8])


class Columns:
    """All that decides the bytes of rows, column by column, so that many are digested at once."""

    def __init__(
        self, ledger: Ledger, placement: Placement, steps: Mapping[str, Sequence[str]]
    ) -> None:
        self._ledger = ledger
        self._numbers: list[npt.NDArray[Any]] = [
            ledger.ids.packed,
            ledger.content_hashes.packed,
            ledger.line,
            ledger.turns,
            ledger.tokens,
            _packed(placement.group),
            _packed(placement.cluster),
        ]
        decided = [""] * len(ledger)
        if steps:
            decided = [" ".join(steps.get(name, ())) for name in ledger.record_ids()]
        words = (
            ledger.shape,
            ledger.language,
            ledger.pii_status,
            words_of(placement.dedup_status),
            words_of(decided),
        )
        self._words = [_ranked(column) for column in words]

    def digest(self, records: npt.NDArray[np.int64], about: Sequence[object]) -> str:
        """Return the digest of all that decides the rows of `records`, in this order.

        The digests of a record name its text, so equal digests of columns are equal rows.

        Args:
            records: indices in the ledger.
            about: what is the same for all of them, as plain JSON data.
        """
        sources, source = np.unique(self._ledger.source[records], return_inverse=True)
        named: list[object] = [len(records), *about]
        for number in sources.tolist():
            held = self._ledger.sources[number]
            one, scan = held.scan.source, held.scan
            named.append([one.key, scan.sha256, scan.container, held.licence_tag, one.listed_at])
        columns = [source.astype(np.int32), *(column[records] for column in self._numbers)]
        for known, ranks in self._words:
            met, codes = np.unique(ranks[records], return_inverse=True)
            named.append([known[rank] for rank in met.tolist()])
            columns.append(codes.astype(np.int32))
        hasher = hashlib.sha256(msgspec.json.encode(named))
        for column in columns:
            hasher.update(np.ascontiguousarray(column).data)
        return hasher.hexdigest()


def _packed(names: Sequence[str]) -> npt.NDArray[np.uint8]:
    return np.frombuffer(bytes.fromhex("".join(names)), np.uint8).reshape(len(names), -1)


def _ranked(words: Words) -> tuple[list[str], npt.NDArray[np.int64]]:
    """Return the words in order, and the place of each record's among them."""
    known = sorted(words.known)
    ranks = np.array([known.index(word) for word in words.known] or [0], np.int64)
    return known, ranks[words.codes]
