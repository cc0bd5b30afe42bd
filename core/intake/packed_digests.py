"""Digests of one width stand end to end, without an object for each; an empty one is all zeros."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

_BLOCK = 1 << 12


class PackedDigests:
    """A column of `count` digests of `width` bytes, filled a stretch at a time."""

    def __init__(self, count: int, width: int) -> None:
        self.packed: npt.NDArray[np.uint8] = np.zeros((count, width), np.uint8)
        self._none = bytes(width)

    def fill(self, start: int, digests: pa.ChunkedArray) -> None:
        """Put binary digests from place `start` on; an empty or absent one leaves zeros.

        Raises:
            ValueError: one has another width.
        """
        lengths = pc.fill_null(pc.binary_length(digests), 0).to_numpy()
        whole = lengths == self.packed.shape[1]
        if not np.all(whole | (lengths == 0)):
            raise ValueError("digests of one column have one width")
        rows = self.packed[start : start + len(lengths)]
        if whole.all():
            rows[:] = self._rows(packed_content(digests))
        else:
            rows[whole] = self._rows(packed_content(digests))

    def fill_hex(self, start: int, texts: pa.ChunkedArray, skip: int = 0) -> None:
        """Put digests written in hex after `skip` characters, as `fill`.

        Raises:
            ValueError: one is no digest of that width.
        """
        width = skip + 2 * self.packed.shape[1]
        if texts.null_count or not pc.all(pc.equal(pc.binary_length(texts), width)).as_py():
            if len(texts):
                raise ValueError("digests of one column have one width")
            return
        letters = np.frombuffer(packed_content(texts), np.uint8).reshape(-1, width)[:, skip:]
        rows = self._rows(bytes.fromhex(letters.tobytes().decode("ascii", "replace")))
        self.packed[start : start + len(texts)] = rows

    def _rows(self, content: bytes) -> npt.NDArray[np.uint8]:
        return np.frombuffer(content, np.uint8).reshape(-1, self.packed.shape[1])

    def find(self, digests: Collection[bytes]) -> npt.NDArray[np.int64]:
        """Return the places, ascending, at which one of these digests stands."""
        if not digests:
            return np.empty(0, np.int64)
        column = self.packed.view(f"S{self.packed.shape[1]}").ravel()
        return np.flatnonzero(np.isin(column, np.array(list(digests), column.dtype)))

    def __len__(self) -> int:
        return len(self.packed)

    def __getitem__(self, place: int) -> bytes:
        digest = self.packed[place].tobytes()
        return b"" if digest == self._none else digest

    def __iter__(self) -> Iterator[bytes]:
        width, none = self.packed.shape[1], self._none
        for start in range(0, len(self.packed), _BLOCK):
            block = self.packed[start : start + _BLOCK].tobytes()
            for place in range(0, len(block), width):
                digest = block[place : place + width]
                yield b"" if digest == none else digest


def first_alike(
    packed: npt.NDArray[np.uint8],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return where each distinct digest of 16 bytes stands first, ascending, and which each is.

    The second of the two indexes the first.
    """
    high, low = packed.view("<u8").T
    order = np.lexsort((low, high))
    new = np.ones(len(order), np.bool_)
    new[1:] = (high[order[1:]] != high[order[:-1]]) | (low[order[1:]] != low[order[:-1]])
    # The sort keeps the order of equal digests, so that the first of a run stood first.
    heads = order[new]
    ranks = np.empty(len(heads), np.int64)
    ranks[np.argsort(heads)] = np.arange(len(heads))
    places = np.empty(len(order), np.int64)
    places[order] = ranks[np.cumsum(new) - 1]
    return np.sort(heads), places


def packed_content(column: pa.ChunkedArray) -> bytes:
    """Return the values of a binary or string column, end to end."""
    return b"".join(map(chunk_content, column.chunks))


def chunk_content(chunk: pa.Array) -> memoryview:
    """Return the values of one chunk of a binary or string column, end to end, without a copy."""
    _, offsets, content = chunk.buffers()
    if content is None:
        return memoryview(b"")
    ends = np.frombuffer(offsets, np.int32)
    return memoryview(content)[ends[chunk.offset] : ends[chunk.offset + len(chunk)]]
