"""Digests of one width stand end to end, without an object for each; an empty one is all zeros."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

_BLOCK = 1 << 12


class PackedDigests:
    """A growing column of digests. The first that is not empty sets the width."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._width = 0
        self._none = b""
        self._empty = 0

    def extend(self, digests: Iterable[bytes]) -> None:
        """Take digests, in order.

        Raises:
            ValueError: one has another width than those before it.
        """
        for digest in digests:
            if not digest:
                self._add_empty()
                continue
            if not self._width:
                self._width = len(digest)
                self._none = bytes(self._width)
                self._held = bytearray(self._width * self._empty)
            if len(digest) != self._width:
                raise ValueError("digests of one column have one width")
            self._held += digest

    def __len__(self) -> int:
        return len(self._held) // self._width if self._width else self._empty

    def __getitem__(self, place: int) -> bytes:
        if not 0 <= place < len(self):
            raise IndexError(place)
        digest = bytes(self._held[place * self._width : (place + 1) * self._width])
        return b"" if digest == self._none else digest

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self._held), max(1, self._width) * _BLOCK):
            block = bytes(self._held[start : start + self._width * _BLOCK])
            for place in range(0, len(block), self._width):
                digest = block[place : place + self._width]
                yield b"" if digest == self._none else digest
        if not self._width:
            yield from [b""] * self._empty

    def _add_empty(self) -> None:
        if self._width:
            self._held += self._none
        else:
            self._empty += 1
