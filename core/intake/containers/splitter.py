"""A JSON list is cut into its elements without being parsed, so that one bad element costs one.

Brackets and quotes are followed, nothing else: the strict decoder judges each element. An
element longer than the limit is skipped to its end in bounded memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

# One match runs over everything up to the next sign that matters: closed strings whole, and a
# lone quote only when its string goes on in the next block. Possessive, so never quadratic.
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_NEXT_BRACKET = re.compile(rb'(?:[^"\[\]{}]++|%s)*+(["\[\]{}])?' % _STRING, re.DOTALL)
_NEXT_SIGN = re.compile(rb'(?:[^"\[\]{},]++|%s)*+(["\[\]{},])?' % _STRING, re.DOTALL)
_INSIDE = re.compile(rb'[^"\\]*+(["\\])?')
_STEP: Final = {b"[": 1, b"{": 1, b"]": -1, b"}": -1}
_STOPS: Final = frozenset({b",", b"]", b"}"})
_STOPS_AND_OPEN: Final = _STOPS | {b"[", b"{"}


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

    With `stop_at_open` a list or object that opens directly ends the piece as well (delimiter
    `[` or `{`).
    """
    kept = _Collector(limit)
    stops = _STOPS_AND_OPEN if stop_at_open else _STOPS
    depth = 0
    inside = False
    while cursor.more():
        outside = _NEXT_BRACKET if depth else _NEXT_SIGN
        start, sign = _run(cursor, _INSIDE if inside else outside)
        ends = not inside and depth == 0 and sign in stops
        kept.add(cursor.block[start : cursor.at - ends])
        if ends:
            return Piece(kept.data(), sign)
        if inside:
            inside = _still_inside(cursor, sign, kept)
        else:
            inside = sign == b'"'
            depth += _STEP.get(sign, 0)
    return Piece(kept.data(), b"")


def _run(cursor: Cursor, pattern: re.Pattern[bytes]) -> tuple[int, bytes]:
    """Move past the next sign of `pattern`; return where the run began, and the sign or b""."""
    start = cursor.at
    found = pattern.match(cursor.block, start)
    assert found is not None, "every pattern here matches the empty run"
    cursor.at = found.end()
    return start, found.group(1) or b""


def _still_inside(cursor: Cursor, sign: bytes, kept: _Collector) -> bool:
    if sign == b'"':
        return False
    if sign and cursor.more():
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
        start, sign = _run(cursor, _INSIDE if inside else _NEXT_BRACKET)
        kept.add(cursor.block[start : cursor.at])
        if inside:
            inside = _still_inside(cursor, sign, kept)
            continue
        inside = sign == b'"'
        depth += _STEP.get(sign, 0)
        if sign in _STEP and depth <= 0:
            return Piece(kept.data(), sign)
    return Piece(kept.data(), b"")
