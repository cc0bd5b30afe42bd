"""Text is a table when a header names its columns and the rows agree, or quotes say so alone.

A first row that holds values is a row like any other; its columns are numbered.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from typing import Final

from core.intake.fields import KNOWN_FIELDS, field_name

# A name of a column, not a piece of a sentence: it does not end in a full stop.
_HEADER_CELL = re.compile(r"[\w .\-/()#%&+]{0,80}(?<![.])")
_NUMBER = re.compile(r"\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*")
# What stands in a cell and never in a header: a bare number, a sentence, a mark that ends one.
_VALUE = re.compile(r"^\s*[-+]?\d[\d.,]*\s*$|\S+\s+\S+\s+\S+\s+\S+|[?!.,;:。？！]\s*$")
_LONGEST_NAME: Final = 60
_SAMPLE: Final = 50
_MATRIX_COLUMNS: Final = 8
_MATRIX_SHARE: Final = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """How to cut the cells. `numeric` says that most columns are numbers: no dialogue.

    `headless` says that the first line is a row, and that the header was made up.
    """

    delimiter: str
    header: tuple[str, ...]
    numeric: bool
    headless: bool = False


def guess_table(text: str, *, whole: bool) -> Table | None:
    """Return how `text` is a table, or None. A last row that may be cut is not judged."""
    for delimiter in (",", "\t", ";"):
        rows = _sample(text, delimiter, whole=whole)
        if not rows:
            continue
        headless = _is_headless(rows)
        if _is_headless_table(text, delimiter, rows) if headless else _is_table(rows):
            return Table(
                delimiter=delimiter,
                header=numbered_columns(len(rows[0])) if headless else tuple(rows[0]),
                numeric=_is_matrix(rows),
                headless=headless,
            )
    return None


def numbered_columns(count: int) -> tuple[str, ...]:
    """Return the names of columns that nobody named: `column_1` and so on."""
    return tuple(f"column_{number}" for number in range(1, count + 1))


def _is_headless(rows: list[list[str]]) -> bool:
    """Whether the first row holds values: none is a name we know, and one cannot be a name."""
    first = rows[0]
    if any(field_name(cell) in KNOWN_FIELDS for cell in first):
        return False
    under = [row for row in rows[1:] if len(row) == len(first)]
    again = any(
        name.strip() and any(row[place] == name for row in under)
        for place, name in enumerate(first)
    )
    return again or any(_VALUE.search(cell) or len(cell) > _LONGEST_NAME for cell in first)


def _is_headless_table(text: str, delimiter: str, rows: list[list[str]]) -> bool:
    """Prose has commas too: without a header, rows must agree throughout and show their cuts."""
    width = len(rows[0])
    if width < 2 or len(rows) < 2 or any(len(row) != width for row in rows):
        return False
    marked = text.lstrip("\ufeff")[:1] == '"' or delimiter == "\t"
    named = all(_HEADER_CELL.fullmatch(cell.strip()) for cell in rows[0])
    return marked or named or _is_matrix(rows)


def _sample(text: str, delimiter: str, *, whole: bool) -> list[list[str]]:
    rows: list[list[str]] = []
    # Lines end where the reader will end them: at line feeds alone.
    reader = csv.reader((line + "\n" for line in text.split("\n")), delimiter=delimiter)
    try:
        for row in reader:
            if row:
                rows.append(row)
            if len(rows) > _SAMPLE:
                return rows
    except csv.Error:
        return []
    return rows if whole else rows[:-1]


def _is_table(rows: list[list[str]]) -> bool:
    header = rows[0]
    if not all(_HEADER_CELL.fullmatch(cell.strip()) for cell in header):
        return False
    known = sum(1 for cell in header if field_name(cell) in KNOWN_FIELDS)
    if known >= min(2, len(header)):
        return True
    if len(header) < 2 or len(rows) < 2:
        return False
    alike = sum(1 for row in rows[1:] if len(row) == len(header))
    return alike >= 0.9 * len(rows[1:])


def _is_matrix(rows: list[list[str]]) -> bool:
    columns = list(zip(*(row for row in rows[1:] if len(row) == len(rows[0])), strict=True))
    if len(columns) < _MATRIX_COLUMNS:
        return False
    numeric = sum(1 for column in columns if all(_NUMBER.fullmatch(cell) for cell in column))
    return numeric >= _MATRIX_SHARE * len(columns)
