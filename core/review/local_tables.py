"""Small tables of one workspace: a file of the desk's own, one writer at a time, whole acts only.

What lies in them is nobody's decision: losing a table loses no rating.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Literal

from core.storage.private_files import ensure_private_file

_BUSY_SECONDS = 10.0
# SQLite has one writer; waiting here is fair and cheap, waiting on its busy timer is neither.
_LOCKS: dict[Path, threading.RLock] = {}

Durability = Literal["FULL", "NORMAL"]


class LocalTables:
    """The tables of one file. Safe between threads and processes.

    `durable` FULL: what is written is on the disk when the act ends; NORMAL: a power cut may take
    the last acts, and never half of one. A link, or another user's file, is refused by
    `workspace.not_ours`.
    """

    def __init__(self, path: Path, tables: str, *, durable: Durability) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Notes may speak of people: the file is the desk's alone from its first byte.
        ensure_private_file(path)
        self._path, self._durable = path, durable
        self._lock = _LOCKS.setdefault(path.resolve(), threading.RLock())
        with self.reading() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(tables)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Open a connection for one act."""
        with self._lock, closing(self._connect()) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Open a connection for one act that happens wholly or not at all."""
        with self.reading() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None)
        connection.execute(f"PRAGMA synchronous = {self._durable}")
        return connection
