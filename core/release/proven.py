"""A shard is proven whole before a line of it can be asked for, and then any line may be."""

from __future__ import annotations

import hashlib
import mmap
import tempfile
from array import array
from collections.abc import Callable, Iterator

from core.model.errors import Missing, ReleaseError, TooLarge
from core.model.release import ReleaseFile
from core.release.objects import steadily
from core.storage.ports import ObjectStore

IN_MEMORY = 32 << 20
"""Bytes above which a proven shard waits in a nameless temporary file and not in memory."""


class ProvenShard:
    """The lines of one shard, by number from 0. The bytes are those the manifest names."""

    def __init__(self, body: bytes | mmap.mmap) -> None:
        self._body = body
        self._starts = array("Q", _line_starts(body))

    def __len__(self) -> int:
        return len(self._starts) - 1

    def line(self, number: int) -> bytes:
        """Return line `number` without its newline."""
        start, end = self._starts[number], self._starts[number + 1]
        return bytes(self._body[start:end]).removesuffix(b"\n")


def prove_shard(
    store: ObjectStore, file: ReleaseFile, *, sleep: Callable[[float], None]
) -> ProvenShard:
    """Read a shard to its end and return it once its size, digest and rows are as listed.

    Raises:
        ReleaseError: `release.altered`, and nothing of the shard can be used.
    """
    shard = ProvenShard(steadily(lambda: _read(store, file), sleep=sleep))
    if len(shard) != file.records:
        raise altered(file)
    return shard


def altered(file: ReleaseFile) -> ReleaseError:
    """Return the error for an object that is not what the manifest lists."""
    return ReleaseError(
        "release.altered",
        "An object of the release is not what its manifest lists.",
        place=file.key,
    )


def _read(store: ObjectStore, file: ReleaseFile) -> bytes | mmap.mmap:
    hasher, held = hashlib.sha256(), 0
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as kept:
        try:
            for block in store.stream(file.key):
                hasher.update(block)
                held += len(block)
                if held > file.size:
                    raise altered(file)
                kept.write(block)
        except (Missing, TooLarge):
            raise altered(file) from None
        if held != file.size or hasher.hexdigest() != file.sha256:
            raise altered(file)
        kept.seek(0)
        if held <= IN_MEMORY:
            return kept.read()
        kept.flush()
        # The map keeps the bytes after the nameless file is closed.
        return mmap.mmap(kept.fileno(), 0, access=mmap.ACCESS_READ)


def _line_starts(body: bytes | mmap.mmap) -> Iterator[int]:
    """Yield where each line starts, and at last where the body ends."""
    start, size = 0, len(body)
    while start < size:
        yield start
        found = body.find(b"\n", start)
        start = size if found < 0 else found + 1
    yield size
