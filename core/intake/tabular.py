"""Text is a table only when a header names its columns and the rows under it agree."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from typing import Final

from core.intake.fields import KNOWN_FIELDS, field_name

# A name of a column, not a piece of a sentence: it does not end in a full stop.
_HEADER_CELL = re.compile(r"[\w .\-/()#%&+]{0,80}(?<![.])")
_NUMBER = re.compile(r"\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*")
_SAMPLE: Final = 50
_MATRIX_COLUMNS: Final = 8
_MATRIX_SHARE: Final = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """How to cut the cells. `numeric` says that most columns are numbers: no dialogue."""

    delimiter: str
    header: tuple[str, ...]
    numeric: bool


def guess_table(text: str, *, whole: bool) -> Table | None:
    """Return how `text` is a table, or None. A last row that may be cut is not judged."""
    for delimiter in (",", "\t", ";"):
        rows = _sample(text, delimiter, whole=whole)
        if rows and _is_table(rows):
            header = tuple(rows[0])
            return Table(delimiter=delimiter, header=header, numeric=_is_matrix(rows))
    return None


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
