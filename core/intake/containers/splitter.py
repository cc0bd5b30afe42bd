"""A JSON list is cut into its elements without being parsed, so that one bad element costs one.

Brackets and quotes are followed, nothing else: the strict decoder judges each element. An
element longer than the limit is skipped to its end in bounded memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_OUTSIDE = re.compile(rb'["\[\]{},]')
_INSIDE = re.compile(rb'["\\]')
_OPEN = b"[{"
_QUOTE = ord('"')


class Cursor:
    """A place in a stream of blocks, read forward only."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self.block = b""
        self.at = 0

    def more(self) -> bool:
        """Move to the next block once this one is used up; False at the end."""
        while self.at >= len(self.block):
            block = next(self._blocks, None)
            if block is None:
                return False
            self.block, self.at = block, 0
        return True

    def skip_space(self) -> int:
        """Skip white space; return the next byte without taking it, or -1 at the end."""
        while self.more():
            rest = self.block[self.at :]
            stripped = rest.lstrip(b" \t\r\n")
            self.at += len(rest) - len(stripped)
            if stripped:
                return stripped[0]
        return -1


class Piece:
    """Bytes up to a delimiter: `data` is None when too long, `end` is b"" at the stream's end."""

    __slots__ = ("data", "end")

    def __init__(self, data: bytes | None, end: bytes) -> None:
        self.data = data
        self.end = end


class _Collector:
    """Keeps what is cut until it is longer than the limit, then keeps nothing."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: bytearray | None = bytearray()

    def add(self, data: bytes) -> None:
        if self._held is not None:
            self._held += data
            if len(self._held) > self._limit:
                self._held = None

    def data(self) -> bytes | None:
        return None if self._held is None else bytes(self._held)


def take_piece(cursor: Cursor, *, limit: int, stop_at_open: bool = False) -> Piece:
    """Take bytes up to a comma or a closing bracket outside every bracket; the delimiter too.

    With `stop_at_open` a list that opens directly ends the piece as well (delimiter `[`).
    """
    kept = _Collector(limit)
    depth = 0
    inside = False
    while cursor.more():
        block = cursor.block
        found = (_INSIDE if inside else _OUTSIDE).search(block, cursor.at)
        if found is None:
            kept.add(block[cursor.at :])
            cursor.at = len(block)
            continue
        start, cursor.at = cursor.at, found.end()
        sign = found.group()
        if inside:
            kept.add(block[start : cursor.at])
            inside = _still_inside(cursor, sign, kept)
            continue
        if depth == 0 and (sign in (b",", b"]", b"}") or (stop_at_open and sign == b"[")):
            kept.add(block[start : found.start()])
            return Piece(kept.data(), sign)
        kept.add(block[start : cursor.at])
        inside = sign[0] == _QUOTE
        if not inside and sign != b",":
            depth += 1 if sign in _OPEN else -1
    return Piece(kept.data(), b"")


def _still_inside(cursor: Cursor, sign: bytes, kept: _Collector) -> bool:
    if sign[0] == _QUOTE:
        return False
    if cursor.more():
        # The byte after a backslash never ends the string.
        kept.add(cursor.block[cursor.at : cursor.at + 1])
        cursor.at += 1
    return True


def take_value(cursor: Cursor, *, limit: int) -> Piece:
    """Take one bracketed value at the cursor; `end` is its last byte, b"" when cut short."""
    kept = _Collector(limit)
    depth = 0
    inside = False
    while cursor.more():
        block = cursor.block
        found = (_INSIDE if inside else _OUTSIDE).search(block, cursor.at)
        start = cursor.at
        cursor.at = len(block) if found is None else found.end()
        kept.add(block[start : cursor.at])
        if found is None:
            continue
        sign = found.group()
        if inside:
            inside = _still_inside(cursor, sign, kept)
            continue
        inside = sign[0] == _QUOTE
        if not inside and sign != b",":
            depth += 1 if sign in _OPEN else -1
            if depth <= 0:
                return Piece(kept.data(), sign)
    return Piece(kept.data(), b"")
