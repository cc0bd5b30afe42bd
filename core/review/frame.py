"""Reviewers are shown the exact bytes that would ship, read back from shards that re-hash."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import msgspec

from core.canonical import sha256_hex
from core.model.candidate import Candidate
from core.model.dataset import Message, Role, Shard
from core.model.errors import ReviewError
from core.model.names import Digest
from core.storage.ports import ObjectStore

EDITED = "edit_by_decision"
"""The step that a row's provenance names when an edit was laid into it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameRow:
    """Where one shipped record lies. `line` is 1-based; `edited`: people's words stand in it."""

    record_id: str
    cluster_id: str
    family: str
    shard: str
    line: int
    edited: bool = False

    @property
    def drawable(self) -> tuple[str, str, str]:
        """Record id, cluster id and family, as `draw_sample` takes them."""
        return self.record_id, self.cluster_id, self.family


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRecord:
    """One shipped record. `sha256` is that of `raw`, the line without its newline."""

    record_id: str
    family: str
    shard: str
    line: int
    raw: bytes
    sha256: Digest
    messages: tuple[Message, ...]
    metadata: Mapping[str, object]


class _Provenance(msgspec.Struct):
    processing_steps: tuple[str, ...] = ()


class _Identity(msgspec.Struct):
    record_id: str
    cluster_id: str
    source_family: str
    provenance: _Provenance = msgspec.field(default_factory=_Provenance)


class _Row(msgspec.Struct):
    metadata: _Identity


class _Turn(msgspec.Struct):
    role: Role
    content: str


class _WholeRow(msgspec.Struct):
    messages: list[_Turn]
    metadata: dict[str, object]


_ROW = msgspec.json.Decoder(_Row)
_WHOLE = msgspec.json.Decoder(_WholeRow)


def read_frame(store: ObjectStore, candidate: Candidate) -> Iterator[FrameRow]:
    """Yield every shipped record of the candidate.

    Raises:
        ReviewError: `review.shard_changed` at the end of a shard whose bytes, size or record
            count are not the candidate's, `review.row_broken` at a row that is none. What was
            yielded before must not be used then.
    """
    for shard in candidate.shards:
        for number, line in _lines(store, shard):
            yield _frame_row(line, shard, number)


def find_record(store: ObjectStore, candidate: Candidate, record_id: str) -> FoundRecord:
    """Return one shipped record, from a shard that was re-hashed to its end.

    Raises:
        ReviewError: `review.no_such_record`, or as `read_frame` does.
    """
    return find_records(store, candidate, (record_id,))[record_id]


def find_records(
    store: ObjectStore,
    candidate: Candidate,
    record_ids: Collection[str],
    *,
    families: Collection[str] = (),
) -> Mapping[str, FoundRecord]:
    """Return several records by id in one pass; `families` narrows the shards that are read."""
    wanted = frozenset(record_ids)
    found: dict[str, FoundRecord] = {}
    for shard in candidate.shards:
        if len(found) == len(wanted):
            break
        if families and shard.family not in families:
            continue
        here: dict[str, FoundRecord] = {}
        for number, line in _lines(store, shard):
            row = _frame_row(line, shard, number)
            if row.record_id in wanted:
                here[row.record_id] = _found(line, row)
        # Only now is the shard known to be the candidate's.
        found |= here
    absent = wanted - found.keys()
    if absent:
        raise ReviewError(
            "review.no_such_record", "The candidate ships no such record.", place=min(absent)
        )
    return found


def read_records(
    store: ObjectStore, candidate: Candidate, record_ids: Collection[str]
) -> Iterator[FoundRecord]:
    """Yield several records one by one, however many they are.

    Raises:
        ReviewError: as `read_frame` does; what was yielded before must not be used then.
    """
    if not record_ids:
        return
    for shard in candidate.shards:
        for number, line in _lines(store, shard):
            row = _frame_row(line, shard, number)
            if row.record_id in record_ids:
                yield _found(line, row)


def _lines(store: ObjectStore, shard: Shard) -> Iterator[tuple[int, bytes]]:
    digest, size, number, rest = hashlib.sha256(), 0, 0, b""
    for block in store.stream(shard.key):
        digest.update(block)
        size += len(block)
        *whole, rest = (rest + block).split(b"\n")
        for line in whole:
            number += 1
            yield number, line
    same = digest.hexdigest() == shard.sha256 and size == shard.size
    if rest or not same or number != shard.records:
        raise ReviewError(
            "review.shard_changed",
            "A shard is not the one the candidate names; nothing may be reviewed from it.",
            place=shard.key,
        )


def _frame_row(line: bytes, shard: Shard, number: int) -> FrameRow:
    try:
        metadata = _ROW.decode(line).metadata
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise _row_broken(shard, number) from None
    if metadata.source_family != shard.family or not metadata.record_id:
        raise _row_broken(shard, number)
    return FrameRow(
        record_id=metadata.record_id,
        cluster_id=metadata.cluster_id,
        family=metadata.source_family,
        shard=shard.key,
        line=number,
        edited=EDITED in metadata.provenance.processing_steps,
    )


def _found(line: bytes, row: FrameRow) -> FoundRecord:
    try:
        whole = _WHOLE.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise ReviewError(
            "review.row_broken", "A shipped row cannot be read.", place=f"{row.shard}:{row.line}"
        ) from None
    return FoundRecord(
        record_id=row.record_id,
        family=row.family,
        shard=row.shard,
        line=row.line,
        raw=line,
        sha256=sha256_hex(line),
        messages=tuple(Message(role=turn.role, content=turn.content) for turn in whole.messages),
        metadata=whole.metadata,
    )


def _row_broken(shard: Shard, number: int) -> ReviewError:
    return ReviewError(
        "review.row_broken", "A shipped row cannot be read.", place=f"{shard.key}:{number}"
    )
