"""Records are compared once for every gate that asks: copies by digest, the rest by shingles.

Gates that share a comparison are shown the same records in the same order, by the rules of a
run; whichever is shown a record first adds it. The texts lie in files of their own until the
pairs have been found.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from core.gates.sketched import Digests, Sketched, Sketcher
from core.intake.kernel import Indices, Signatures
from core.intake.near import Pairs, find_pairs
from core.model.dataset import SPLITS, ShippedRecord
from core.model.errors import GateError
from core.policy.types import NearDuplicateRule

Key = Literal["digest", "prompt", "source", "group", "record_id"]
_OTHER: Final = len(SPLITS)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands; `origin` and `origin_line` are the source it names."""

    record_id: str
    family: str
    split: str
    shard: str
    line: int
    origin: str
    origin_line: int


class Comparison:
    """All records of one run. Evidence made from it does not depend on how they arrived."""

    def __init__(self, rule: NearDuplicateRule, *, scratch: Path | None = None) -> None:
        """`scratch` is a folder for texts while they are compared; the system's when None."""
        self.rule = rule
        self._scratch = scratch
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._sketcher: Sketcher | None = None
        self._parts: list[Sketched] = []
        self._taken = 0
        self._broken = False
        self._table: _Table | None = None
        self._found: Pairs | None = None

    @property
    def records(self) -> int:
        """How many records were added."""
        return self._taken

    @property
    def folder(self) -> Path:
        """Where the texts of parts are to be put; gone when the comparison is."""
        if self._folder is None:
            if self._scratch is not None:
                self._scratch.mkdir(parents=True, exist_ok=True)
            self._folder = tempfile.TemporaryDirectory(
                prefix="release-desk-", dir=self._scratch, ignore_cleanup_errors=True
            )
        return Path(self._folder.name)

    def add(self, number: int, record: ShippedRecord) -> None:
        """Add the record that is shown as the run's `number`-th, unless another gate did."""
        if self._is_next(number, 1):
            self._broken = True
            if self._sketcher is None:
                self._sketcher = Sketcher(self.rule, self.folder / f"{self._taken}.texts")
            turns = [(message.role, message.content) for message in record.messages]
            self._sketcher.add(record.shard, record.line, turns, record.metadata)
            self._taken += 1
            self._broken = False

    def take(self, number: int, part: Sketched) -> None:
        """Add records that were sketched elsewhere, the run's `number`-th first."""
        if self._is_next(number, len(part)):
            self._broken = True
            self._close_sketcher()
            self._parts.append(part)
            self._taken += len(part)
            self._broken = False

    def _is_next(self, number: int, count: int) -> bool:
        """Whether these records are new; raises `GateError` when the count went wrong before."""
        if self._broken or not (number == self._taken or number + count <= self._taken):
            raise _lost_count()
        return number == self._taken

    def _close_sketcher(self) -> None:
        if self._sketcher is not None:
            self._parts.append(self._sketcher.finish())
            self._sketcher = None

    @property
    def table(self) -> _Table:
        """All records in columns; nothing can be added any more."""
        if self._table is None:
            if self._broken:
                raise _lost_count()
            # Not a record can be added after this: a later one would be missing from the table.
            self._broken = True
            self._close_sketcher()
            self._table = _Table(self._parts)
        return self._table

    def place(self, index: int) -> Place:
        """Return where the record with this index stands."""
        return self.table.place(index)

    def families(self) -> tuple[list[str], Indices]:
        """Return the names of the families, and for each record which of them it is of."""
        return self.table.families()

    def groups(self, key: Key) -> Groups:
        """Return the records that share a key; those without one are in no group."""
        return self.table.groups(key)

    def near_pairs(self) -> tuple[Groups, Pairs]:
        """Return the distinct texts, as the records each stands at, and their similar pairs.

        The pairs index the distinct texts: a text that stands in two splits has to be judged
        by all the places it stands at, not by the first.
        """
        texts = self.groups("digest")
        if self._found is None:
            heads = texts.heads()
            reader = _Reader(self._parts, heads)
            counts = np.concatenate([np.empty(0, np.int64), *(part.counts for part in self._parts)])
            # The parts are let go one by one: signatures are most of what a run holds.
            signatures = _gather(self._parts, heads, self.rule.permutations)
            self._found = find_pairs(
                self.table.keys["digest"][heads], signatures, counts[heads], reader.texts, self.rule
            )
            if self._folder is not None:
                self._folder.cleanup()
        return texts, self._found


def _lost_count() -> GateError:
    return GateError("gate.comparison_broken", "The comparison lost count of the records.")


class Groups:
    """Groups of records, by index; each group's members ascend, groups go by their key."""

    def __init__(self, members: Indices, bounds: Indices) -> None:
        self.members = members
        self.bounds = bounds

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def __getitem__(self, group: int) -> list[int]:
        found: list[int] = self.members[self.bounds[group] : self.bounds[group + 1]].tolist()
        return found

    def heads(self) -> Indices:
        """Return the first member of every group."""
        return self.members[self.bounds[:-1]]

    def shared(self) -> Iterator[list[int]]:
        """Yield the groups of more than one member."""
        for group in np.flatnonzero(np.diff(self.bounds) > 1).tolist():
            yield self[group]

    def parted(self, side: Indices) -> Iterator[list[int]]:
        """Yield the groups whose members stand on more than one side."""
        if len(self):
            sides = side[self.members]
            least = np.minimum.reduceat(sides, self.bounds[:-1])
            most = np.maximum.reduceat(sides, self.bounds[:-1])
            for group in np.flatnonzero(least != most).tolist():
                yield self[group]


class _Table:
    """The columns of all parts end to end, without signatures and texts."""

    def __init__(self, parts: Sequence[Sketched]) -> None:
        self._shards = [shard for part in parts for shard in part.shards]
        self._origins = [origin for part in parts for origin in part.origins]
        self._shard = _offset(parts, "shard", [len(part.shards) for part in parts])
        self._origin = _offset(parts, "origin", [len(part.origins) for part in parts])
        self._line = _end_to_end(parts, "line", np.int64)
        self._origin_line = _end_to_end(parts, "origin_line", np.int64)
        self.keys: dict[str, Digests] = {
            name: _end_to_end(parts, name, "S32" if name == "record_id" else "S16")
            for name in ("digest", "prompt", "source", "group", "record_id")
        }
        self._families = [shard.family for shard in self._shards]
        known = {split: place for place, split in enumerate(SPLITS)}
        sides = [known.get(shard.split, _OTHER) for shard in self._shards]
        self.split: Indices = np.array(sides, np.int64)[self._shard]

    def place(self, index: int) -> Place:
        shard = self._shards[self._shard[index]]
        return Place(
            record_id=bytes(self.keys["record_id"][index]).decode(),
            family=shard.family,
            split=shard.split,
            shard=shard.key,
            line=int(self._line[index]),
            origin=self._origins[self._origin[index]],
            origin_line=int(self._origin_line[index]),
        )

    def families(self) -> tuple[list[str], Indices]:
        names = sorted(set(self._families))
        places = {name: place for place, name in enumerate(names)}
        of = np.array([places[name] for name in self._families], np.int64)
        return names, of[self._shard]

    def groups(self, key: Key) -> Groups:
        values = self.keys[key]
        stated = np.arange(len(values)) if key == "digest" else np.flatnonzero(values != b"")
        order = stated[np.argsort(values[stated], kind="stable")]
        ranked = values[order]
        fresh = np.concatenate([[True], ranked[1:] != ranked[:-1]])[: len(ranked)]
        return Groups(order, np.append(np.flatnonzero(fresh), len(ranked)))


class _Reader:
    """Reads the texts of some records from the files of their parts; any thread may."""

    def __init__(self, parts: Sequence[Sketched], heads: Indices) -> None:
        ends = np.cumsum([len(part) for part in parts])
        self._files = [part.texts for part in parts]
        self._part = np.searchsorted(ends, heads, side="right")
        self._start = _end_to_end(parts, "start", np.int64)[heads]
        self._length = _end_to_end(parts, "length", np.int64)[heads]

    def texts(self, some: Sequence[int]) -> list[bytes]:
        places = np.asarray(some, np.int64)
        found = [b""] * len(places)
        # By file and place in it, so that each file is read once and forward.
        order = np.lexsort((self._start[places], self._part[places]))
        last, file = -1, None
        try:
            for at in order.tolist():
                place = places[at]
                if self._part[place] != last:
                    last = int(self._part[place])
                    if file is not None:
                        file.close()
                    file = self._files[last].open("rb")
                assert file is not None
                file.seek(int(self._start[place]))
                found[at] = file.read(int(self._length[place]))
        finally:
            if file is not None:
                file.close()
        return found


def _gather(parts: list[Sketched], heads: Indices, permutations: int) -> Signatures:
    """Return the signatures of some records, and take each part from `parts` when it is read."""
    out = np.empty((len(heads), permutations), np.uint32)
    start = 0
    while parts:
        part = parts.pop(0)
        mine = np.flatnonzero((heads >= start) & (heads < start + len(part)))
        out[mine] = part.signatures[heads[mine] - start]
        start += len(part)
    return out


def _end_to_end(parts: Sequence[Sketched], name: str, kind: Any) -> Any:
    return np.concatenate([np.empty(0, kind), *(getattr(part, name) for part in parts)])


def _offset(parts: Sequence[Sketched], name: str, sizes: Sequence[int]) -> Indices:
    """Return a column of places in a list of each part as places in all lists end to end."""
    starts = np.cumsum([0, *sizes])
    columns = [getattr(part, name) + start for part, start in zip(parts, starts, strict=False)]
    return np.concatenate([np.empty(0, np.int64), *columns])
