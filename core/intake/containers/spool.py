"""Bytes that must be read twice, or from the end, lie in a file of bounded size meanwhile."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast


@contextmanager
def spooled(blocks: Iterable[bytes]) -> Iterator[BinaryIO]:
    """Give a file that holds all of `blocks`, gone when the context ends.

    Whoever makes the blocks bounds them: `core.intake.containers.blocks.Blocks` raises
    `ObjectTooLarge` past the policy's limit.
    """
    with tempfile.NamedTemporaryFile(prefix="release-desk-") as file:
        for block in blocks:
            file.write(block)
        file.flush()
        file.seek(0)
        yield cast("BinaryIO", file)


def path_of(file: BinaryIO) -> Path:
    """Return where a spooled file lies."""
    return Path(file.name)
