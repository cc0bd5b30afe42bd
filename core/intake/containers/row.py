"""A row is one value a container held, with the place it stood at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`line` is 1-based: a line of JSONL, the index of a row in an array, table or document."""

    line: int
    value: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A place that gave no row. `line` is 0 when it stands for the whole object."""

    line: int
    code: str
