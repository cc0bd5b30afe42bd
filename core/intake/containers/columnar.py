"""Parquet and Arrow give their rows in small batches; what they hold is checked before it is used.

They keep their directory at the end, so they are read from a file and never from a stream.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from core.intake.containers.blocks import ObjectTooLarge
from core.intake.containers.row import Refusal, Row
from core.intake.fields import KNOWN_FIELDS, field_name

_BATCH: Final = 64
_MATRIX_COLUMNS: Final = 8
_MATRIX_SHARE: Final = 0.8
_BROKEN: Final = (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError)


class BadTable(Exception):
    """A columnar file that is damaged, cut short, encrypted, or of an unknown making."""


def read_columnar(path: Path, *, kind: str, limit: int, total: int) -> Iterator[Row | Refusal]:
    """Yield the rows of a `parquet`, `arrow` or `arrow_stream` file, numbered from 1.

    Args:
        path: a local file.
        kind: how it is packed.
        limit: the most bytes one row may hold.
        total: the most bytes all rows may hold together.

    Raises:
        BadTable: it cannot be opened, or breaks on the way.
        ObjectTooLarge: it holds more than `total` bytes.
    """
    line = length = 0
    batches = _batches(path, kind)
    why = _why_not_rows(next(batches))
    if why:
        yield Refusal(line=0, code=why)
        return
    for batch in batches:
        # Sixteen bytes a row at the least, so that rows of nothing come to an end as well.
        length += batch.nbytes + 16 * batch.num_rows
        if length > total:
            raise ObjectTooLarge
        yield from _rows(batch, line, limit)
        line += batch.num_rows


def _batches(path: Path, kind: str) -> Iterator[Any]:
    """Yield the schema, then record batches of at most 64 rows."""
    try:
        if kind == "parquet":
            yield from _parquet(path)
        else:
            yield from _arrow(path, kind)
    except _BROKEN:
        raise BadTable from None


def _parquet(path: Path) -> Iterator[Any]:
    with pq.ParquetFile(
        path, buffer_size=1 << 16, pre_buffer=False, page_checksum_verification=True
    ) as file:
        yield file.schema_arrow
        for group in range(file.metadata.num_row_groups):
            yield from file.iter_batches(_BATCH, row_groups=[group], use_threads=False)


def _arrow(path: Path, kind: str) -> Iterator[Any]:
    with pa.memory_map(str(path)) as file:
        opened = pa.ipc.open_stream(file) if kind == "arrow_stream" else pa.ipc.open_file(file)
        with opened as reader:
            yield reader.schema
            whole = (
                iter(reader)
                if kind == "arrow_stream"
                else (reader.get_batch(n) for n in range(reader.num_record_batches))
            )
            for batch in whole:
                # Offsets come from the file as they are: unchecked they would lead anywhere.
                batch.validate(full=True)
                for start in range(0, batch.num_rows, _BATCH):
                    yield batch.slice(start, _BATCH)


def _rows(batch: Any, line: int, limit: int) -> Iterator[Row | Refusal]:
    small = batch.nbytes <= limit
    values = None
    if small:
        with suppress(ValueError, OverflowError, pa.ArrowException):
            values = batch.to_pylist()
    for number in range(batch.num_rows):
        place = line + number + 1
        one = batch.slice(number, 1)
        if not small and one.nbytes > limit:
            yield Refusal(line=place, code="line.too_long")
            continue
        try:
            value = one.to_pylist()[0] if values is None else values[number]
        except UnicodeDecodeError:
            yield Refusal(line=place, code="line.not_utf8")
            continue
        except (ValueError, OverflowError, pa.ArrowException):
            # A date beyond the calendar, or another number that Python cannot hold.
            yield Refusal(line=place, code="line.number")
            continue
        yield Row(line=place, value=_plain(value))


def _plain(value: object) -> object:
    """Return a value as JSON would hold it; bytes become text where they are text."""
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        with suppress(UnicodeDecodeError):
            return value.decode("utf-8")
        return None
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _why_not_rows(schema: Any) -> str:
    try:
        names = list(schema.names)
    except UnicodeDecodeError:
        raise BadTable from None
    if len(set(names)) != len(names):
        return "csv.duplicate_column"
    return "object.feature_matrix" if _is_matrix(schema) else ""


def _is_matrix(schema: Any) -> bool:
    """Whether the columns are numbers for a model and none is a field of a dialogue."""
    if not schema.names or any(field_name(name) in KNOWN_FIELDS for name in schema.names):
        return False
    numeric = sum(1 for field in schema if _is_number(field.type))
    if numeric == len(schema.names):
        return True
    return len(schema.names) >= _MATRIX_COLUMNS and numeric >= _MATRIX_SHARE * len(schema.names)


def _is_number(kind: Any) -> bool:
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return _is_number(kind.value_type)
    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)
    )
