"""An act on a desk's own tables happens wholly or not at all, and nobody else reads the file."""

from __future__ import annotations

import stat
import threading

import pytest

from core.review.local_tables import LocalTables

TABLE = "CREATE TABLE IF NOT EXISTS notes (number INTEGER PRIMARY KEY) STRICT;"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "made" / "notes.sqlite"


def numbers(tables):
    with tables.reading() as connection:
        return [row[0] for row in connection.execute("SELECT number FROM notes ORDER BY number")]


def test_an_act_that_fails_leaves_nothing(path):
    tables = LocalTables(path, TABLE, durable="FULL")

    def fail():
        with tables.writing() as connection:
            connection.execute("INSERT INTO notes VALUES (1)")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert numbers(tables) == []


def test_what_is_written_is_there_for_whoever_opens_the_file_next(path):
    for number in (1, 2):
        with LocalTables(path, TABLE, durable="NORMAL").writing() as connection:
            connection.execute("INSERT INTO notes VALUES (?)", (number,))
    assert numbers(LocalTables(path, TABLE, durable="FULL")) == [1, 2]


def test_the_file_and_its_log_are_the_desks_alone(path):
    tables = LocalTables(path, TABLE, durable="FULL")
    with tables.writing() as connection:
        connection.execute("INSERT INTO notes VALUES (1)")
        modes = {stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()}
    assert modes == {0o600}


def test_many_writers_lose_nothing(path):
    tables = [LocalTables(path, TABLE, durable="NORMAL") for _ in range(2)]

    def write(start):
        for number in range(start, start + 20):
            with tables[start % 2].writing() as connection:
                connection.execute("INSERT INTO notes VALUES (?)", (number,))

    threads = [threading.Thread(target=write, args=(start,)) for start in (0, 101, 202, 303)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(numbers(tables[0])) == 80
