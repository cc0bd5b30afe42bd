"""A line is bounded: one that is too long is skipped to its end without being held."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from core.intake.containers.row import RAW_BYTES, Refusal, Row
from core.intake.strict_json import BadJson, decode_strict


def split_lines(blocks: Iterable[bytes], *, limit: int) -> Iterator[bytes | None]:
    """Yield each line without its line feed, or None for one longer than `limit` bytes.

    At most `limit` bytes and one block are held. An empty last line is not yielded.
    """
    held = bytearray()
    skipping = False
    for block in blocks:
        start = 0
        while (end := block.find(b"\n", start)) >= 0:
            if skipping or len(held) + end - start > limit:
                yield None
            elif held:
                held += block[start:end]
                yield bytes(held)
            else:
                yield block[start:end]
            held.clear()
            skipping = False
            start = end + 1
        if not skipping:
            held += block[start:]
            if len(held) > limit:
                held.clear()
                skipping = True
    if skipping:
        yield None
    elif held:
        yield bytes(held)


def read_lines(blocks: Iterable[bytes], *, limit: int) -> Iterator[Row | Refusal]:
    """Yield what each line of a JSONL object gives; lines of white space alone are no rows."""
    for number, line in enumerate(split_lines(blocks, limit=limit), start=1):
        if line is None:
            yield Refusal(line=number, code="line.too_long")
        elif line.strip(b" \t\r"):
            yield decode_row(line, number)


def decode_row(data: bytes, line: int) -> Row | Refusal:
    """Return the row that `data` is, or why it is none."""
    try:
        return Row(line=line, value=decode_strict(data))
    except BadJson as error:
        return Refusal(line=line, code=error.code, raw=data[:RAW_BYTES])
