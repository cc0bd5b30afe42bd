"""A row is one value a container held, with the place it stood at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

# How much of what was refused is kept for the one reader who asks to see it.
RAW_BYTES: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`line` is 1-based: a line of JSONL, the index of a row in an array, table or document."""

    line: int
    value: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A place that gave no row. `line` is 0 when it stands for the whole object.

    `raw` is the beginning of what stood there. It never leaves the reader by itself.
    """

    line: int
    code: str
    raw: bytes = field(default=b"", repr=False, compare=False)
