"""DuckDB reaches nothing but the rows it was given; readers see whole snapshots only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pandas as pd
import pytest

from core.storage.duck import open_memory, open_snapshot, write_snapshot

if TYPE_CHECKING:
    from pathlib import Path

ESCAPES = [
    "SELECT * FROM read_csv('{path}')",
    "SELECT * FROM read_json('{path}')",
    "SELECT * FROM '{path}'",
    "SELECT * FROM read_text('{path}')",
    "COPY (SELECT 1) TO '{path}.out'",
    "EXPORT DATABASE '{path}.dir'",
    "ATTACH '{path}.db'",
    "SELECT * FROM glob('/etc/*')",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET enable_external_access = true",
    "SET memory_limit = '10GB'",
    "SET python_enable_replacements = true",
    "CREATE SECRET (TYPE s3, KEY_ID 'a', SECRET 'b')",
    "SELECT getenv('HOME')",
    "SELECT * FROM frame",
]


@pytest.mark.parametrize("escape", ESCAPES)
def test_d32_no_statement_leaves_the_database(tmp_path: Path, escape: str) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    frame = pd.DataFrame({"x": [1]})
    snapshot = tmp_path / "snapshot.duckdb"
    write_snapshot(snapshot, lambda connection: _fill(connection, 1))
    for connection in (open_memory(), open_snapshot(snapshot)):
        with connection, pytest.raises(duckdb.Error):
            connection.execute(escape.format(path=secret)).fetchall()
    assert len(frame) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"secret.csv", "snapshot.duckdb"}


def test_rows_handed_over_can_be_asked_about() -> None:
    with open_memory() as connection:
        connection.register("given", pd.DataFrame({"x": [1, 2, 3]}))
        assert connection.execute("SELECT sum(x) FROM given").fetchone() == (6,)


def test_a_snapshot_is_replaced_whole_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "snapshot.duckdb"
    write_snapshot(path, lambda connection: _fill(connection, 1))
    with open_snapshot(path) as before:
        write_snapshot(path, lambda connection: _fill(connection, 2))
        assert before.execute("SELECT count(*) FROM t").fetchone() == (1,)
    with open_snapshot(path) as after:
        assert after.execute("SELECT count(*) FROM t").fetchone() == (2,)
    assert [found.name for found in path.parent.iterdir()] == ["snapshot.duckdb"]


def test_a_build_that_breaks_leaves_the_former_snapshot(tmp_path: Path) -> None:
    path = tmp_path / "snapshot.duckdb"
    write_snapshot(path, lambda connection: _fill(connection, 3))

    def breaks(connection: duckdb.DuckDBPyConnection) -> None:
        _fill(connection, 9)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_snapshot(path, breaks)
    with open_snapshot(path) as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (3,)
    assert [found.name for found in tmp_path.iterdir()] == ["snapshot.duckdb"]


def test_a_snapshot_cannot_be_written_through_a_reader(tmp_path: Path) -> None:
    path = tmp_path / "snapshot.duckdb"
    write_snapshot(path, lambda connection: _fill(connection, 1))
    with open_snapshot(path) as connection, pytest.raises(duckdb.Error):
        connection.execute("INSERT INTO t VALUES (7)")


def test_a_snapshot_that_was_never_written_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_snapshot(tmp_path / "none.duckdb")


def _fill(connection: duckdb.DuckDBPyConnection, rows: int) -> None:
    connection.execute("CREATE TABLE t AS SELECT range AS x FROM range(?)", [rows])
