"""A shard that lies in a file is read and decoded many lines at a time, and proven at the end."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from core.gates.corpus import parse_turns
from core.gates.row import RowLine
from core.model.dataset import Shard
from core.model.errors import GateError

Compared = tuple[list[tuple[str, str]], Mapping[str, object]]
"""The (role, content) pairs of a row, and of its metadata at least its id, source and group."""

# Bytes read at a time: what is made of them should lie in a core's own cache.
_BLOCK = 1 << 18
_ROWS = msgspec.json.Decoder(RowLine, strict=True)
_ENCODER = msgspec.json.Encoder()


def read_proven(path: Path, shard: Shard) -> Iterator[tuple[int, bytes]]:
    """Yield whole lines of a shard from a file, many at a time, and prove the bytes at the end.

    Each block comes with the 1-based number of its first line. Whoever stops before the end has
    seen lines of which nothing was proven.

    Raises:
        GateError: as `parse_shard` and `fetch_shard` do.
    """
    hasher = hashlib.sha256()
    number = 1
    ended = True
    with path.open("rb", buffering=_BLOCK) as lines:
        while block := lines.read(_BLOCK):
            block += lines.readline()
            hasher.update(block)
            ended = block.endswith(b"\n")
            yield number, block
            number += block.count(b"\n")
    if not ended or number - 1 != shard.records:
        raise GateError(
            "gate.shard_records",
            "The shard does not hold as many lines as the candidate says; build it again.",
            place=shard.key,
        )
    if hasher.hexdigest() != shard.sha256:
        raise GateError(
            "gate.shard_digest",
            "The shard in the bucket is not the one the candidate names; build it again.",
            place=shard.key,
        )


def parse_block(block: bytes, shard: Shard, first: int) -> list[Compared]:
    """Return what `parse_turns` gives of each line, the metadata only as far as `Compared` says.

    Lines that are just what our encoder writes are decoded together, at a few times the speed:
    what encodes to the same bytes as were read is Unicode and hides no key twice.

    Raises:
        GateError: as `parse_turns` does.
    """
    try:
        rows = _ROWS.decode_lines(block)
        if _ENCODER.encode_lines(rows) == block:
            return [_compared(row) for row in rows]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    lines = block.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return [parse_turns(line, shard, number) for number, line in enumerate(lines, first)]


def _compared(row: RowLine) -> Compared:
    said = row.metadata
    return [(message.role, message.content) for message in row.messages], {
        "record_id": said.record_id,
        "source_key": said.source_key,
        "source_line": said.source_line,
        "group_id": said.group_id,
    }
