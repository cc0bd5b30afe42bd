"""A table gives one row per record, cells under their column's name, or says why it cannot.

Records may span lines inside quotes. What does not fit the header is refused, never shifted.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator
from typing import Final

from core.intake.containers.blocks import BYTE_ORDER_MARK
from core.intake.containers.lines import split_lines
from core.intake.containers.row import RAW_BYTES, Refusal, Row
from core.intake.tabular import Table

# The record bound below is the real one; csv's own would refuse long cells at 128 KiB.
csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
_REPLACED: Final = "surrogateescape"


class _RecordTooLong(Exception):
    """A record, or one line of it, is longer than the limit."""


class _RecordLines:
    """Lines for the csv reader, counted since the record began."""

    def __init__(self, lines: Iterator[bytes | None], limit: int) -> None:
        self._lines = lines
        self._limit = limit
        self.length = 0

    def __iter__(self) -> _RecordLines:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        if line is None:
            raise _RecordTooLong
        self.length += len(line) + 1
        if self.length > self._limit:
            raise _RecordTooLong
        return line.decode("utf-8", errors=_REPLACED) + "\n"


def read_table(blocks: Iterable[bytes], *, table: Table, limit: int) -> Iterator[Row | Refusal]:
    """Yield one item per record under the header, if any, numbered from 1; blank lines are none."""
    if len(set(table.header)) != len(table.header):
        yield Refusal(line=0, code="csv.duplicate_column")
        return
    lines = _RecordLines(_without_mark(split_lines(blocks, limit=limit)), limit)
    reader = csv.reader(lines, delimiter=table.delimiter, strict=True)
    number = 0 if table.headless else -1
    while True:
        lines.length = 0
        try:
            cells = next(reader)
        except StopIteration:
            return
        except _RecordTooLong:
            number += 1
            yield Refusal(line=max(number, 1), code="line.too_long")
            continue
        except csv.Error:
            number += 1
            yield Refusal(line=max(number, 1), code="csv.bad_quotes")
            continue
        if not any(cell.strip() for cell in cells) and len(cells) < 2:
            continue
        number += 1
        if number > 0:
            yield _row(cells, table.header, number)


def _row(cells: list[str], header: tuple[str, ...], number: int) -> Row | Refusal:
    if len(cells) != len(header):
        return Refusal(line=number, code="csv.cells", raw=_beginning(cells))
    if any(_was_not_utf8(cell) for cell in cells):
        return Refusal(line=number, code="line.not_utf8", raw=_beginning(cells))
    return Row(line=number, value=dict(zip(header, cells, strict=True)))


def _beginning(cells: list[str]) -> bytes:
    return " | ".join(cells)[:RAW_BYTES].encode("utf-8", errors=_REPLACED)


def _was_not_utf8(cell: str) -> bool:
    if cell.isascii():
        return False
    try:
        cell.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def _without_mark(lines: Iterator[bytes | None]) -> Iterator[bytes | None]:
    first = next(lines, b"")
    yield first.removeprefix(BYTE_ORDER_MARK) if first is not None else None
    yield from lines
