"""Every record of a build in one order: family by family, key by key, line by line.

Only digests and counts are held here, column by column. Texts stay in the features, on the local
disk, and are laid open there once, for the sources whose texts somebody asks for.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from core.intake.kernel import Signatures
from core.intake.measure import decode_messages
from core.intake.packed_digests import PackedDigests, chunk_content, packed_content
from core.intake.scan import ObjectScan, read_features
from core.intake.text import compared_text
from core.intake.words import Words
from core.model.errors import IntakeError

_NO_LABELS: Mapping[str, str] = MappingProxyType({})
_HASH = "sha256:"
_WIDTH = 16
_TOGETHER = 1 << 14
_HASH_WIDTH = 32
_COUNTS = ("line", "turns", "tokens", "shingles")
_WORDS = ("shape", "language", "pii_status")
_COLUMNS = [
    "conversation_id",
    "labels",
    "content_hash",
    "record_id",
    "text_digest",
    "prompt_digest",
    "signature",
    *_COUNTS,
    *_WORDS,
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One object of the build with its family and where its features lie on this machine."""

    scan: ObjectScan
    family: str
    licence_tag: str
    features: Path


class Ledger:
    """The records of all sources. `sources` must come in the order in which copies yield.

    Every column holds one entry per record. `source` indexes the build's sources;
    `prompt_digest` is empty for a record without a prompt.

    Raises:
        IntakeError: `intake.rows_do_not_add_up` when features hold not what their scan says.
    """

    def __init__(self, sources: Sequence[Source], permutations: int) -> None:
        self.sources = tuple(sources)
        # What each scan counted, so that no column is ever held twice.
        count = sum(source.scan.records for source in self.sources)
        self.source: npt.NDArray[np.int32] = np.empty(count, np.int32)
        self.signatures: Signatures = np.empty((count, permutations), np.uint32)
        self.line, self.turns, self.tokens, self.shingles = (
            np.empty(count, np.int64) for _ in _COUNTS
        )
        self.shape, self.language, self.pii_status = (Words(count) for _ in _WORDS)
        self.conversation_id: list[str | None] = []
        self.labels: list[Mapping[str, str]] = []
        self.text_digest = PackedDigests(count, _WIDTH)
        self.prompt_digest = PackedDigests(count, _WIDTH)
        self.content_hashes = PackedDigests(count, _HASH_WIDTH)
        self.ids = PackedDigests(count, _WIDTH)
        start = 0
        for numbers, table in self._tables():
            self.source[start : start + len(table)] = numbers
            self._fill(start, table)
            start += len(table)
        self._starts = np.searchsorted(self.source, np.arange(len(self.sources))).tolist()
        self._texts = _OpenTexts(self.sources)

    def __len__(self) -> int:
        return len(self.source)

    def close(self) -> None:
        """Let go of the texts; digests and counts stay."""
        self._texts.close()

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
        for record in records:
            source = int(self.source[record])
            yield self._texts.get(source, record - self._starts[source])

    def texts(self, records: Sequence[int]) -> list[str]:
        """Return the compared text of the records with these indices."""
        return [compared_text(decode_messages(body)) for body in self.messages(records)]

    def _tables(self) -> Iterator[tuple[npt.NDArray[np.int32], pa.Table]]:
        """Yield the columns of some sources together, and the source of each of their records.

        What an object costs beside its records is paid once for many small ones.
        """
        held: list[pa.Table] = []
        numbers: list[int] = []
        count = 0
        for number, source in enumerate(self.sources):
            table = _records(source, _COLUMNS)
            if len(table) != source.scan.records:
                raise IntakeError(
                    "intake.rows_do_not_add_up",
                    "Cached scan results hold another number of records than they say.",
                    place=source.scan.source.key,
                )
            held.append(table)
            numbers.append(number)
            count += len(table)
            if count >= _TOGETHER or number == len(self.sources) - 1:
                counts = [len(one) for one in held]
                yield (
                    np.repeat(np.array(numbers, np.int32), counts),
                    pa.concat_tables(held).combine_chunks(),
                )
                held, numbers, count = [], [], 0

    def _fill(self, start: int, table: pa.Table) -> None:
        stop = start + len(table)
        for name in _COUNTS:
            getattr(self, name)[start:stop] = table[name].to_numpy()
        for name in _WORDS:
            getattr(self, name).fill(start, table[name])
        self.conversation_id += table["conversation_id"].to_pylist()
        self.labels += map(_labels, table["labels"].to_pylist())
        packed = np.frombuffer(packed_content(table["signature"]), np.uint32)
        self.signatures[start:stop] = packed.reshape(-1, self.signatures.shape[1])
        self.text_digest.fill(start, table["text_digest"])
        self.prompt_digest.fill(start, table["prompt_digest"])
        self.content_hashes.fill_hex(start, table["content_hash"], len(_HASH))
        self.ids.fill_hex(start, table["record_id"])


class _OpenTexts:
    """The messages of sources, uncompressed in one nameless local file; safe among threads."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - `close` ends it
        self._bounds: dict[int, npt.NDArray[np.int64]] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        self._file.close()

    def get(self, source: int, row: int) -> bytes:
        """Return the messages of the source's record number `row`."""
        bounds = self._bounds.get(source)
        if bounds is None:
            bounds = self._open(source)
        start, stop = int(bounds[row]), int(bounds[row + 1])
        return os.pread(self._file.fileno(), stop - start, start)

    def _open(self, source: int) -> npt.NDArray[np.int64]:
        with self._lock:
            if source not in self._bounds:
                column = _records(self._sources[source], ["messages"])["messages"]
                lengths = pc.binary_length(column).to_numpy()
                start = self._file.seek(0, os.SEEK_END)
                for chunk in column.chunks:
                    self._file.write(chunk_content(chunk))
                self._file.flush()
                self._bounds[source] = start + np.concatenate([[0], np.cumsum(lengths)])
            return self._bounds[source]


def _records(source: Source, columns: list[str]) -> pa.Table:
    """Return columns of the rows that are records; most objects hold nothing else."""
    if source.scan.rows == source.scan.records:
        return read_features(source.features, columns)
    table = read_features(source.features, ["kind", *columns])
    return table.filter(pc.equal(table["kind"], "record")).select(columns)


def _labels(text: str) -> Mapping[str, str]:
    return _NO_LABELS if text == "{}" else msgspec.json.decode(text, type=dict[str, str])
