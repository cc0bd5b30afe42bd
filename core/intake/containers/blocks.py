"""Bytes come in blocks of any size; a reader may look ahead, and holds no more than it must."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class ObjectTooLarge(Exception):
    """The object is longer than the policy lets a reader follow."""


class Blocks:
    """An iterator over blocks that can be peeked into and knows how much it has let through."""

    def __init__(self, blocks: Iterator[bytes], *, limit: int) -> None:
        self._blocks = blocks
        self._limit = limit
        self._stop: int | None = None
        self._held = b""
        self._taken = 0
        self._ended = False
        self.cut = False

    def stop_after(self, count: int) -> None:
        """Let only `count` bytes through in all; `cut` says afterwards that there was more."""
        self._stop = count

    def peek(self, count: int) -> tuple[bytes, bool]:
        """Return at least `count` bytes if there are, and whether they are all there is."""
        parts = [self._held]
        length = len(self._held)
        while length < count and not self._ended:
            block = next(self._blocks, None)
            if block is None:
                self._ended = True
            else:
                parts.append(block)
                length += len(block)
        self._held = b"".join(parts)
        return self._held, self._ended

    def skip(self, count: int) -> None:
        """Drop `count` bytes that have been peeked at."""
        self._held = self._held[count:]
        self._taken += count

    def __iter__(self) -> Iterator[bytes]:
        """Yield the rest. Raises `ObjectTooLarge` once all up to the limit is out."""
        held, self._held = self._held, b""
        for block in chain((held,), self._blocks):
            if self._stop is not None and len(block) > self._stop - self._taken:
                self.cut = True
                yield block[: max(self._stop - self._taken, 0)]
                return
            allowed = self._limit - self._taken
            self._taken += len(block)
            if len(block) > allowed:
                yield block[:allowed]
                raise ObjectTooLarge
            if block:
                yield block
