"""Digests and counts of many scans lie together, so that a build reads a few objects, not all.

This is a cache over the features, named by its bytes, and decides nothing: what is missing,
damaged or of another format is read from the features and kept anew.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa

from core.intake.features import SCHEMA as FEATURES
from core.intake.kept import find_kept, keep, newest_documents
from core.intake.scan import ObjectScan
from core.model.names import Digest
from core.storage.ports import ObjectStore

COLUMNS: Final = (
    "conversation_id",
    "labels",
    "content_hash",
    "record_id",
    "text_digest",
    "prompt_digest",
    "signature",
    "line",
    "turns",
    "tokens",
    "shingles",
    "shape",
    "language",
    "pii_status",
)
"""All that a build asks of a record's features but its messages."""

_BLOCK: Final = "release-desk/columns/1"
_INDEX: Final = "release-desk/columns-index/1"
_SUFFIX: Final = ".arrow"
_NEWEST: Final = 3
# About 20 MB: large enough that a bucket is asked seldom, small enough to be held beside the rest.
_ROWS: Final = 1 << 15
_SMALL: Final = 8
_SCHEMA: Final = pa.schema([FEATURES.field(name) for name in COLUMNS]).with_metadata(
    {"schema": _BLOCK}
)


class Block(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The columns of some features, one after another; of each how many records it has."""

    sha256: Digest
    features: list[Digest]
    records: list[int]


class _Index(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    schema: str
    blocks: list[Block]


@dataclass(slots=True)
class Stretch:
    """Records of `scans` that lie together, from `row` on, and in the build from `start` on."""

    start: int
    row: int
    count: int
    scans: list[int] = field(default_factory=list)


class KeptColumns:
    """The columns that earlier builds under the same scan settings left, block by block."""

    def __init__(self, store: ObjectStore, settings: Digest, prefix: str) -> None:
        self._store = store
        self._home = f"{prefix}features/{settings}/columns/"
        indices = list(newest_documents(store, f"{self._home}index/", _Index, _INDEX, _NEWEST))
        self._named = frozenset(block.sha256 for index in indices[:1] for block in index.blocks)
        self._blocks = {
            block.sha256: block
            for index in reversed(indices)
            for block in index.blocks
            if len(block.features) == len(block.records)
        }
        self._waiting: list[tuple[Sequence[ObjectScan], pa.Table]] = []
        self._in_use: dict[Digest, Block] = {}

    def read(
        self, scans: Sequence[ObjectScan], starts: Sequence[int]
    ) -> Iterator[tuple[Stretch, pa.Table]]:
        """Yield stretches of records and their columns; what is not yielded is not kept.

        Args:
            scans: of which records are asked for.
            starts: the place of the first record of each in the build.
        """
        plan = self._plan(scans, starts)
        leaving = self._leaving(plan)
        for digest, stretches in plan.items():
            table = self._load(self._blocks[digest])
            if table is None:
                continue
            if digest not in leaving:
                self._in_use[digest] = self._blocks[digest]
            for stretch in stretches:
                rows = table.slice(stretch.row, stretch.count)
                if digest in leaving:
                    # A copy, so that the rest of the block is not held while this waits.
                    held = rows.take(np.arange(len(rows)))
                    self.add([scans[number] for number in stretch.scans], held)
                yield stretch, rows

    def add(self, scans: Sequence[ObjectScan], table: pa.Table) -> None:
        """Keep the columns of the records of these scans, one scan after another."""
        self._waiting.append((scans, table))
        if sum(len(waiting) for _, waiting in self._waiting) >= _ROWS:
            self._flush()

    def finish(self) -> None:
        """Name everything that was of use for the next build, unless the last one did so."""
        self._flush()
        if self._named == self._in_use.keys():
            return
        blocks = [self._in_use[digest] for digest in sorted(self._in_use)]
        document = _Index(schema=_INDEX, blocks=blocks)
        keep(self._store, f"{self._home}index/", msgspec.json.encode(document), ".json")

    def _plan(
        self, scans: Sequence[ObjectScan], starts: Sequence[int]
    ) -> Mapping[Digest, list[Stretch]]:
        """Return by block what to read from it, as few and as long stretches as can be."""
        places: dict[tuple[Digest, int], tuple[Digest, int]] = {}
        for block in self._blocks.values():
            row = 0
            for features, count in zip(block.features, block.records, strict=True):
                places[features, count] = block.sha256, row
                row += count
        plan: dict[Digest, list[Stretch]] = {}
        for number, (scan, start) in enumerate(zip(scans, starts, strict=True)):
            place = places.get((scan.features_sha256, scan.records))
            if place is None or not scan.records:
                continue
            digest, row = place
            add_to_stretches(plan.setdefault(digest, []), number, start, row, scan.records)
        return plan

    def _leaving(self, plan: Mapping[Digest, list[Stretch]]) -> set[Digest]:
        """Return the blocks to be written anew with others: little used, or many small ones."""
        used = {digest: sum(s.count for s in stretches) for digest, stretches in plan.items()}
        leaving = {d for d, count in used.items() if 2 * count < sum(self._blocks[d].records)}
        small = {digest for digest, count in used.items() if count < _ROWS // 4}
        return leaving | small if len(small) > _SMALL else leaving

    def _load(self, block: Block) -> pa.Table | None:
        body = find_kept(self._store, self._home, block.sha256, _SUFFIX)
        if body is None:
            return None
        try:
            table = pa.ipc.open_file(pa.py_buffer(body)).read_all()
            table.validate(full=True)
        except pa.ArrowException:
            return None
        known = table.schema.equals(_SCHEMA, check_metadata=True)
        return table if known and len(table) == sum(block.records) else None

    def _flush(self) -> None:
        if not self._waiting:
            return
        table = pa.concat_tables(table.cast(_SCHEMA) for _, table in self._waiting)
        file = io.BytesIO()
        with pa.ipc.new_file(file, _SCHEMA) as writer:
            writer.write_table(table.combine_chunks())
        digest = keep(self._store, self._home, file.getvalue(), _SUFFIX)
        scans = [scan for scans, _ in self._waiting for scan in scans]
        self._in_use[digest] = Block(
            sha256=digest,
            features=[scan.features_sha256 for scan in scans],
            records=[scan.records for scan in scans],
        )
        self._waiting.clear()


def add_to_stretches(
    stretches: list[Stretch], number: int, start: int, row: int, count: int
) -> None:
    """Lengthen the last stretch by the records of a scan, or begin another."""
    last = stretches[-1] if stretches else None
    if last is None or (last.start + last.count, last.row + last.count) != (start, row):
        last = Stretch(start=start, row=row, count=0)
        stretches.append(last)
    last.count += count
    last.scans.append(number)
