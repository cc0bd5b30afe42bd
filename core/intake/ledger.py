"""Every record of a build in one order: family by family, key by key, line by line.

Only digests and counts are held here, column by column. Texts stay in the features, which are
fetched and laid open on the local disk once, for the sources whose texts somebody asks for.
"""

from __future__ import annotations

import os
import re
import tempfile
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from core.intake.columns import COLUMNS, KeptColumns, Stretch, add_to_stretches
from core.intake.fetched import FetchedFeatures
from core.intake.kernel import Signatures
from core.intake.measure import decode_messages
from core.intake.packed_digests import PackedDigests, chunk_content
from core.intake.scan import ObjectScan, read_features
from core.intake.text import compared_text
from core.intake.words import Words
from core.model.errors import IntakeError

_NO_LABELS: Mapping[str, str] = MappingProxyType({})
_HASH = "sha256:"
_WIDTH = 16
_TOGETHER = 1 << 14
_IS_ID = re.compile("[0-9a-f]{32}")
_HASH_WIDTH = 32
_COUNTS = ("line", "turns", "tokens", "shingles")
_WORDS = ("shape", "language", "pii_status")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One object of the build with its family."""

    scan: ObjectScan
    family: str
    licence_tag: str


class Ledger:
    """The records of all sources, which must come in the order in which copies yield.

    Every column holds one entry per record. `source` indexes the build's sources;
    `prompt_digest` is empty for a record without a prompt. Features are asked for where the
    columns are not kept, and for texts.

    Raises:
        IntakeError: `intake.rows_do_not_add_up` when features hold not what their scan says.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        features: FetchedFeatures,
        kept: KeptColumns,
        permutations: int,
    ) -> None:
        self.sources = tuple(sources)
        self.features = features
        # What each scan counted, so that no column is ever held twice.
        counts = np.array([source.scan.records for source in self.sources], np.int64)
        count = int(counts.sum())
        self.starts: Sequence[int] = (np.cumsum(counts) - counts).tolist()
        self.source = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
        self.signatures: Signatures = np.empty((count, permutations), np.uint32)
        self.line, self.turns, self.tokens, self.shingles = (
            np.empty(count, np.int64) for _ in _COUNTS
        )
        self.shape, self.language, self.pii_status = (Words(count) for _ in _WORDS)
        self.conversation_id: list[str | None] = [None] * count
        self.labels: list[Mapping[str, str]] = [_NO_LABELS] * count
        self.text_digest = PackedDigests(count, _WIDTH)
        self.prompt_digest = PackedDigests(count, _WIDTH)
        self.content_hashes = PackedDigests(count, _HASH_WIDTH)
        self.ids = PackedDigests(count, _WIDTH)
        self._fill_all(kept)
        self._texts = _OpenTexts(self)

    def __len__(self) -> int:
        return len(self.source)

    def close(self) -> None:
        """Let go of the texts; digests and counts stay."""
        self._texts.close()

    def let_signatures_go(self) -> None:
        """Hold no signatures any more, most of a ledger, nor what was held to read columns."""
        self.signatures = np.empty((0, self.signatures.shape[1]), np.uint32)
        pa.default_memory_pool().release_unused()

    def family(self, record: int) -> str:
        """Return the family of the record with this index."""
        source: Source = self.sources[int(self.source[record])]
        return source.family

    def record_id(self, record: int) -> str:
        """Return the id of the record with this index, 32 hex digits."""
        return self.ids[record].hex()

    def record_ids(self) -> Iterator[str]:
        """Yield the id of every record, in order."""
        return (digest.hex() for digest in self.ids)

    def content_hash(self, record: int) -> str:
        """Return the contract's hash of the record with this index."""
        return _HASH + self.content_hashes[record].hex()

    def messages(self, records: Sequence[int]) -> Iterator[bytes]:
        """Yield the messages of the records with these indices, as JSON, in that order."""
        self._texts.open(np.unique(self.source[records]).tolist())
        for record in records:
            source = int(self.source[record])
            yield self._texts.get(source, record - self.starts[source])

    def texts(self, records: Sequence[int]) -> list[str]:
        """Return the compared text of the records with these indices."""
        return [compared_text(decode_messages(body)) for body in self.messages(records)]

    def holding(self, ids: Collection[str]) -> list[int]:
        """Return the sources that hold a record of one of these ids, ascending."""
        found = self.ids.find([bytes.fromhex(name) for name in ids if is_id(name)])
        sources: list[int] = np.unique(self.source[found]).tolist()
        return sources

    def replace(self, number: int, path: Path) -> None:
        """Let the features at `path`, of as many records, stand for those of a source."""
        self.features.replace(number, path)
        self._fill(self.starts[number], self.rows(number, path, list(COLUMNS)))

    def _fill_all(self, kept: KeptColumns) -> None:
        scans = [source.scan for source in self.sources]
        missing = {number for number, scan in enumerate(scans) if scan.records}
        for stretch, table in kept.read(scans, self.starts):
            self._fill(stretch.start, table)
            missing.difference_update(stretch.scans)
        for numbers, table in self._tables(sorted(missing)):
            kept.add([scans[number] for number in numbers], table)
            stretches: list[Stretch] = []
            row = 0
            for number in numbers:
                count = scans[number].records
                add_to_stretches(stretches, number, self.starts[number], row, count)
                row += count
            for stretch in stretches:
                self._fill(stretch.start, table.slice(stretch.row, stretch.count))
        kept.finish()

    def _tables(self, numbers: Sequence[int]) -> Iterator[tuple[list[int], pa.Table]]:
        """Yield the columns of these sources, those of some together.

        What an object costs beside its records is paid once for many small ones.
        """
        held: dict[int, pa.Table] = {}
        count = 0
        for number, path in zip(numbers, self.features.paths(numbers), strict=True):
            held[number] = self.rows(number, path, list(COLUMNS))
            count += len(held[number])
            if count >= _TOGETHER or number == numbers[-1]:
                yield list(held), pa.concat_tables(held.values()).combine_chunks()
                held, count = {}, 0

    def rows(self, number: int, path: Path, columns: list[str]) -> pa.Table:
        """Return columns of the rows that are records; most objects hold nothing else."""
        scan = self.sources[number].scan
        if scan.rows == scan.records:
            table = read_features(path, columns)
        else:
            table = read_features(path, ["kind", *columns])
            table = table.filter(pc.equal(table["kind"], "record")).select(columns)
        if len(table) != scan.records:
            raise IntakeError(
                "intake.rows_do_not_add_up",
                "Cached scan results hold another number of records than they say.",
                place=scan.source.key,
            )
        return table

    def _fill(self, start: int, table: pa.Table) -> None:
        stop = start + len(table)
        for name in _COUNTS:
            getattr(self, name)[start:stop] = table[name].to_numpy()
        for name in _WORDS:
            getattr(self, name).fill(start, table[name])
        if table["conversation_id"].null_count < len(table):
            self.conversation_id[start:stop] = table["conversation_id"].to_pylist()
        if not pc.all(pc.equal(table["labels"], "{}")).as_py():
            self.labels[start:stop] = map(_labels, table["labels"].to_pylist())
        self.text_digest.fill(start, table["text_digest"])
        self.prompt_digest.fill(start, table["prompt_digest"])
        self.content_hashes.fill_hex(start, table["content_hash"], len(_HASH))
        self.ids.fill_hex(start, table["record_id"])
        for chunk in table["signature"].chunks:
            packed = np.frombuffer(chunk_content(chunk), np.uint32)
            self.signatures[start : start + len(chunk)] = packed.reshape(len(chunk), -1)
            start += len(chunk)


class _OpenTexts:
    """The messages of sources, uncompressed in one nameless local file; safe among threads."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - `close` ends it
        self._bounds: dict[int, npt.NDArray[np.int64]] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        self._file.close()

    def get(self, source: int, row: int) -> bytes:
        """Return the messages of the record number `row` of a source that is open."""
        bounds = self._bounds[source]
        start, stop = int(bounds[row]), int(bounds[row + 1])
        return os.pread(self._file.fileno(), stop - start, start)

    def open(self, sources: Sequence[int]) -> None:
        """Lay the messages of these sources open, unless they are."""
        with self._lock:
            closed = [number for number in sources if number not in self._bounds]
            paths = self._ledger.features.paths(closed)
            for number, path in zip(closed, paths, strict=True):
                self._bounds[number] = self._append(number, path)

    def _append(self, number: int, path: Path) -> npt.NDArray[np.int64]:
        column = self._ledger.rows(number, path, ["messages"])["messages"]
        lengths = pc.binary_length(column).to_numpy()
        start = self._file.seek(0, os.SEEK_END)
        for chunk in column.chunks:
            self._file.write(chunk_content(chunk))
        self._file.flush()
        return start + np.concatenate([[0], np.cumsum(lengths)])


def is_id(text: str) -> bool:
    """Whether this can be the id of a record."""
    return _IS_ID.fullmatch(text) is not None


def _labels(text: str) -> Mapping[str, str]:
    return _NO_LABELS if text == "{}" else msgspec.json.decode(text, type=dict[str, str])
