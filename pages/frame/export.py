"""A table for a spreadsheet: no cell of it is a formula there, whatever somebody typed here."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\0")


def safe_cell(value: object) -> str:
    """Return `value` as text that a spreadsheet shows instead of computing."""
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def csv_table(rows: Sequence[Mapping[str, object]]) -> bytes:
    """Return `rows` as CSV in UTF-8 under the first row's names; nothing for no rows."""
    if not rows:
        return b""
    held = io.StringIO(newline="")
    writer = csv.writer(held)
    writer.writerow([safe_cell(name) for name in rows[0]])
    writer.writerows([[safe_cell(value) for value in row.values()] for row in rows])
    return held.getvalue().encode()
