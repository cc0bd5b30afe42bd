"""A record somebody has open is offered to nobody else, and what is put off goes to others.

Who has what open is known to this desk alone and forgotten after a while: it is convenience, and
never decides what counts.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from core.model.errors import ReviewError
from core.review.drafts import FILE_NAME
from core.review.local_tables import LocalTables

HOLD = timedelta(minutes=30)
NOT_NOW: Mapping[str, str] = {
    "too_close": "Too close to home",
    "need_break": "I need a break",
    "outside_competence": "Outside my competence",
    "unclear": "I do not understand the record",
}
_LIGHT_A_HEAVY = 3
_TABLES = """
CREATE TABLE IF NOT EXISTS holds (
    candidate TEXT NOT NULL, claim TEXT NOT NULL, record_id TEXT NOT NULL, reviewer TEXT NOT NULL,
    until TEXT NOT NULL,
    PRIMARY KEY (candidate, claim, record_id, reviewer)
) STRICT;
CREATE TABLE IF NOT EXISTS put_off (
    candidate TEXT NOT NULL, claim TEXT NOT NULL, record_id TEXT NOT NULL, reviewer TEXT NOT NULL,
    reason TEXT NOT NULL, at TEXT NOT NULL,
    PRIMARY KEY (candidate, claim, record_id, reviewer)
) STRICT;
CREATE TABLE IF NOT EXISTS practised (
    reviewer TEXT NOT NULL, warm_up TEXT NOT NULL, day TEXT NOT NULL,
    PRIMARY KEY (reviewer, warm_up, day)
) STRICT;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One record a reader could be given: `needs` people have to read it and `readers` have.

    `shared` is False for what every reader may have open at once, such as a known-bad record.
    """

    record_id: str
    needs: int
    readers: frozenset[str]
    shared: bool = True

    def taken_by(self, holders: Collection[str], reviewer: str) -> bool:
        """Whether others than `reviewer` have read it, or have it open, as often as it needs."""
        return self.shared and len((self.readers | set(holders)) - {reviewer}) >= self.needs


def interleave(records: Sequence[str], heavy: Collection[str]) -> list[str]:
    """Return `records` with the heavy ones apart: three light ones before each, while they last.

    The order among the heavy and among the light ones stays; where too few are light they are
    spread as evenly as they go.
    """
    hard = [record for record in records if record in heavy]
    light = [record for record in records if record not in heavy]
    if not hard or not light:
        return list(records)
    gap = min(_LIGHT_A_HEAVY, max(1, len(light) // len(hard)))
    mixed: list[str] = []
    waiting = iter(hard)
    for number, record in enumerate(light, 1):
        mixed.append(record)
        if number % gap == 0:
            mixed += list(_first(waiting))
    return [*mixed, *waiting]


def sitting_size(minutes: int, minutes_each: float) -> int:
    """Return how many records fit into `minutes`: whole ones, and one at the least.

    Raises:
        ReviewError: `review.minutes` for a time nobody has.
    """
    if not 1 <= minutes <= 8 * 60:
        raise ReviewError("review.minutes", "A sitting lasts between a minute and eight hours.")
    return max(1, int(minutes / minutes_each))


class Assignments:
    """Who has which record open, in one workspace. Safe between threads and processes."""

    def __init__(self, workspace: Path) -> None:
        # A lost reservation costs nothing; an answer is never kept here.
        self._tables = LocalTables(workspace / FILE_NAME, _TABLES, durable="NORMAL")

    def take(
        self,
        place: tuple[str, str],
        reviewer: str,
        wanted: Iterable[Wanted],
        *,
        count: int,
        now: datetime,
    ) -> tuple[str, ...]:
        """Reserve the first `count` records that nobody else needs, and return them.

        One transaction decides, so that two readers are never given the last place of a record.
        What somebody answers stays theirs until the hold runs out: by then everybody's list has
        their reading.
        """
        taken: list[str] = []
        with self._tables.writing() as connection:
            held = _held(connection, place, now)
            for want in wanted:
                if len(taken) == count:
                    break
                if want.taken_by(held.get(want.record_id, ()), reviewer):
                    continue
                _hold(connection, place, want.record_id, reviewer, now)
                taken.append(want.record_id)
        return tuple(taken)

    def touch(self, place: tuple[str, str], want: Wanted, reviewer: str, now: datetime) -> bool:
        """Reserve or extend one record; False when others have every reading it needs open."""
        return bool(self.take(place, reviewer, (want,), count=1, now=now))

    def release(self, place: tuple[str, str], record_id: str, reviewer: str) -> None:
        """Forget that somebody has a record open."""
        with self._tables.writing() as connection:
            _drop(connection, place, record_id, reviewer)

    def put_off(
        self, place: tuple[str, str], record_id: str, reviewer: str, reason: str, now: datetime
    ) -> None:
        """Return a record to the others; this reader is not offered it again.

        Raises:
            ReviewError: `review.not_now` for a reason that is none of `NOT_NOW`.
        """
        if reason not in NOT_NOW:
            raise ReviewError("review.not_now", "Say why not now, with one of the reasons given.")
        with self._tables.writing() as connection:
            _drop(connection, place, record_id, reviewer)
            connection.execute(
                "INSERT OR REPLACE INTO put_off VALUES (?, ?, ?, ?, ?, ?)",
                (*place, record_id, reviewer, reason, now.isoformat()),
            )

    def resume(self, place: tuple[str, str], record_id: str, reviewer: str) -> None:
        """Forget that a reader had put a record off."""
        with self._tables.writing() as connection:
            connection.execute(
                "DELETE FROM put_off WHERE candidate = ? AND claim = ? AND record_id = ?"
                " AND reviewer = ?",
                (*place, record_id, reviewer),
            )

    def later(self, place: tuple[str, str], reviewer: str) -> frozenset[str]:
        """Return what this reader has put off."""
        with self._tables.reading() as connection:
            rows = connection.execute(
                "SELECT record_id FROM put_off WHERE candidate = ? AND claim = ? AND reviewer = ?",
                (*place, reviewer),
            ).fetchall()
        return frozenset(str(row[0]) for row in rows)

    def held(self, place: tuple[str, str], now: datetime) -> Mapping[str, frozenset[str]]:
        """Return who has which record open now."""
        with self._tables.reading() as connection:
            return {name: frozenset(who) for name, who in _held(connection, place, now).items()}

    def practised(self, reviewer: str, day: str) -> frozenset[str]:
        """Return which warm-ups a reader did on `day`."""
        with self._tables.reading() as connection:
            rows = connection.execute(
                "SELECT warm_up FROM practised WHERE reviewer = ? AND day = ?", (reviewer, day)
            ).fetchall()
        return frozenset(str(row[0]) for row in rows)

    def practise(self, reviewer: str, warm_up: str, day: str) -> None:
        """Keep that a warm-up was done; how, is kept nowhere."""
        with self._tables.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO practised VALUES (?, ?, ?)", (reviewer, warm_up, day)
            )


def _held(
    connection: sqlite3.Connection, place: tuple[str, str], now: datetime
) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    rows = connection.execute(
        "SELECT record_id, reviewer, until FROM holds WHERE candidate = ? AND claim = ?", place
    )
    for record_id, reviewer, until in rows:
        if datetime.fromisoformat(until) > now:
            found.setdefault(record_id, set()).add(reviewer)
    return found


def _hold(
    connection: sqlite3.Connection,
    place: tuple[str, str],
    record_id: str,
    reviewer: str,
    now: datetime,
) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO holds VALUES (?, ?, ?, ?, ?)",
        (*place, record_id, reviewer, (now + HOLD).isoformat()),
    )


def _drop(
    connection: sqlite3.Connection, place: tuple[str, str], record_id: str, reviewer: str
) -> None:
    connection.execute(
        "DELETE FROM holds WHERE candidate = ? AND claim = ? AND record_id = ? AND reviewer = ?",
        (*place, record_id, reviewer),
    )


def _first(waiting: Iterator[str]) -> Iterator[str]:
    for record in waiting:
        yield record
        return
