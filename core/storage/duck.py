"""DuckDB is fed parsed rows only: it can reach no file, no network and no setting.

A snapshot is written aside and swapped in whole, so that every reader sees one finished file.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection as Connection

LOCKED: Mapping[str, str] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
    "lock_configuration": "true",
}


def open_memory(*, memory_limit: str = "1GB", threads: int = 2) -> Connection:
    """Return a locked database in memory. Use one `cursor()` per thread; close it when done."""
    return duckdb.connect(":memory:", config=_config(memory_limit, threads))


def write_snapshot(
    path: Path,
    build: Callable[[Connection], None],
    *,
    memory_limit: str = "1GB",
    threads: int = 2,
) -> None:
    """Let `build` fill a new database and put it at `path` in one step.

    Whatever `build` raises leaves `path` as it was. Readers of the former file keep it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        connection = duckdb.connect(str(aside), config=_config(memory_limit, threads))
        try:
            build(connection)
            connection.execute("CHECKPOINT")
        finally:
            connection.close()
        _flush(aside)
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)
        aside.with_name(aside.name + ".wal").unlink(missing_ok=True)


def open_snapshot(path: Path, *, memory_limit: str = "1GB", threads: int = 2) -> Connection:
    """Return a locked, read-only connection to the snapshot at `path`.

    Raises:
        FileNotFoundError: there is no snapshot yet.
    """
    if not path.is_file():
        raise FileNotFoundError(path.name)
    return duckdb.connect(str(path), read_only=True, config=_config(memory_limit, threads))


def _config(memory_limit: str, threads: int) -> dict[str, str | bool | int | float | list[str]]:
    return {**LOCKED, "memory_limit": memory_limit, "threads": str(threads)}


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
