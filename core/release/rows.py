"""Every row of a release is parsed strictly; a line that is anything else is a fault by place."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from core.model.errors import ReleaseError

LINE_LIMIT = 64 * 1024 * 1024
FAULTS_KEPT = 20


class RowMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One turn of a row."""

    role: Literal["system", "user", "assistant"]
    content: str


class RowProvenance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a row comes from and what was done to it."""

    original_s3_key: str
    processing_pipeline: str
    processing_steps: list[str]
    processed_at: str
    dedup_status: Literal["unique", "kept_first", "near_duplicate_kept"]


class RowMetadata(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The metadata every row carries, with the same types always."""

    record_id: str
    source_family: str
    source_key: str
    source_sha256: str
    source_line: int
    content_hash: str
    license_tag: str
    pii_status: Literal["none_detected", "scrubbed"]
    split: Literal["train", "val", "test"]
    stage: int
    phase: str
    turns: int
    tokens: int
    language: str
    group_id: str
    cluster_id: str
    provenance: RowProvenance


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of a shard."""

    messages: list[RowMessage]
    metadata: RowMetadata


_DECODER = msgspec.json.Decoder(Row, strict=True)


def parse_row(line: bytes, *, place: str) -> Row:
    """Return the row of one line; raise `ReleaseError` naming only the place."""
    try:
        row = _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _bad_row("The row is not in the release's schema.", place) from None
    if not row.messages or len(row.messages) != row.metadata.turns:
        raise _bad_row("The row's turns are not what it says.", place)
    return row


def _bad_row(sentence: str, place: str) -> ReleaseError:
    return ReleaseError("release.bad_row", sentence, place=place)


@dataclass(slots=True, kw_only=True)
class ShardReading:
    """What reading one shard to its end showed. `faults` name places, never text."""

    key: str
    sha256: str = ""
    size: int = 0
    records: int = 0
    families: Counter[str] = field(default_factory=Counter)
    splits: Counter[str] = field(default_factory=Counter)
    pii: Counter[str] = field(default_factory=Counter)
    licences: Counter[str] = field(default_factory=Counter)
    groups: set[bytes] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    def add(self, line: bytes) -> Row | None:
        """Count one line (without its newline); return its row, or None when it has none."""
        self.records += 1
        try:
            row = parse_row(line, place=f"{self.key}:{self.records}")
        except ReleaseError as error:
            if len(self.faults) < FAULTS_KEPT:
                self.faults.append(f"{error.code} {error.place}")
            return None
        metadata = row.metadata
        self.families[metadata.source_family] += 1
        self.splits[metadata.split] += 1
        self.pii[metadata.pii_status] += 1
        self.licences[metadata.license_tag] += 1
        self.groups.add(metadata.group_id.encode())
        return row


def read_shard(blocks: Iterable[bytes], *, key: str) -> ShardReading:
    """Read a shard block by block: its digest, size, lines and what its rows say."""
    reading = ShardReading(key=key)
    hasher = hashlib.sha256()
    for line in split_lines(_hashed(blocks, hasher, reading), key=key):
        reading.add(line)
    reading.sha256 = hasher.hexdigest()
    return reading


def _hashed(
    blocks: Iterable[bytes], hasher: hashlib._Hash, reading: ShardReading
) -> Iterator[bytes]:
    for block in blocks:
        hasher.update(block)
        reading.size += len(block)
        yield block


def split_lines(blocks: Iterable[bytes], *, key: str) -> Iterator[bytes]:
    """Yield lines without their newline; a last line without one counts too."""
    rest: list[bytes] = []
    held = 0
    for block in blocks:
        parts = block.split(b"\n")
        if len(parts) == 1:
            rest.append(block)
            held += len(block)
            if held > LINE_LIMIT:
                raise ReleaseError("release.line_too_long", "A line has no end.", place=key)
            continue
        yield b"".join((*rest, parts[0]))
        yield from parts[1:-1]
        rest, held = [parts[-1]], len(parts[-1])
    last = b"".join(rest)
    if last:
        yield last
