"""Which records the name tier reads: all of them, or per family and split the lowest hashes."""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from scipy import stats

from core.gates.gate import stated_id
from core.model.dataset import ShippedRecord

BATCH = 64
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A record waiting for the name tier."""

    record: ShippedRecord

    @property
    def stratum(self) -> tuple[str, str]:
        """Family and split."""
        return self.record.shard.family, self.record.shard.split

    @property
    def texts(self) -> tuple[str, ...]:
        """The messages' texts, by turn."""
        return tuple(message.content for message in self.record.messages)


class NameSample:
    """Keeps `size` records per family and split (0: hands on every record, in batches).

    Attributes:
        offered, read: how many records per (family, split) came by, and were read.
    """

    def __init__(self, size: int) -> None:
        self.offered: Counter[tuple[str, str]] = Counter()
        self.read: Counter[tuple[str, str]] = Counter()
        self._size = size
        self._waiting: list[Held] = []
        self._lowest: defaultdict[tuple[str, str], list[tuple[int, int, Held]]] = defaultdict(list)

    @property
    def method(self) -> str:
        """How the records were chosen, in words for the evidence."""
        if self._size == 0:
            return "every record"
        return f"{self._size} records per family and split, lowest SHA-256 of the record id"

    def offer(self, record: ShippedRecord) -> Iterable[Held]:
        """Take a record in; return the records to read now."""
        held = Held(record=record)
        self.offered[held.stratum] += 1
        if self._size == 0:
            self._waiting.append(held)
            return self._hand_on() if len(self._waiting) >= BATCH else ()
        rank = int.from_bytes(hashlib.sha256(stated_id(record).encode()).digest()[:8], "big")
        lowest = self._lowest[held.stratum]
        entry = (-rank, -self.offered[held.stratum], held)
        if len(lowest) < self._size:
            heapq.heappush(lowest, entry)
        else:
            heapq.heappushpop(lowest, entry)
        return ()

    def rest(self) -> Iterable[Held]:
        """Return what is still to be read, in a fixed order."""
        for stratum in sorted(self._lowest):
            self._waiting.extend(held for *_, held in sorted(self._lowest[stratum], reverse=True))
        self._lowest.clear()
        return self._hand_on()

    def _hand_on(self) -> list[Held]:
        batch, self._waiting = self._waiting, []
        self.read.update(held.stratum for held in batch)
        return batch


def upper_bound(found: int, read: int, total: int) -> float | None:
    """Return the exact one-sided 95 % upper bound of the share of records with a finding.

    Clopper-Pearson; the share itself when everything was read; None when nothing was.
    """
    if read == 0:
        return None
    if read >= total or found >= read:
        return round(found / read, 6)
    return round(float(stats.beta.ppf(CONFIDENCE, found + 1, read - found)), 6)
