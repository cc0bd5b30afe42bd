"""What hard reading has cost one person lately, kept on this machine for them and nobody else.

Exposure is no record of work. It stays out of the bucket and out of every rating, is forgotten
after 30 days, and is shown to the person themself; to others only as a sum over several people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from core.model.dataset import Message
from core.policy.types import CareRule
from core.review.answers import moment_of
from core.review.local_tables import LocalTables
from core.review.themes import intensity_of, themes_of

FILE_NAME = "exposure.sqlite"
# A reader's day begins whenever they do, and the desk does not know their time zone.
A_DAY = timedelta(hours=24)
_KEPT = timedelta(days=30)
_TABLE = """
CREATE TABLE IF NOT EXISTS looks (
    reviewer TEXT NOT NULL, candidate TEXT NOT NULL, record_id TEXT NOT NULL,
    intensity INTEGER NOT NULL, seconds INTEGER NOT NULL, opened_at TEXT NOT NULL,
    PRIMARY KEY (reviewer, candidate, record_id)
) STRICT;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One record one person opened: how hard it is (0 to 3) and the active seconds on it."""

    candidate: str
    record_id: str
    intensity: int
    seconds: int
    opened_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """Where one person stands. `rest_until` is "" unless a cool-down is running.

    `over` means that the budget of heavy records or minutes is used up; it stops nobody.
    """

    heavy: int
    light: int
    minutes: float
    in_a_row: int
    rest_until: str
    over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """The last 24 hours of several readers, summed."""

    readers: int
    heavy: int
    light: int
    minutes: float


def intensity(messages: Sequence[Message], family: str, rule: CareRule) -> int:
    """Return how hard a record is to read, 0 to 3; a folded family counts as heavy throughout."""
    found = intensity_of(themes_of(messages))
    return max(found, rule.heavy_from) if family in rule.folded_families else found


def is_heavy(
    messages: Sequence[Message],
    family: str,
    rule: CareRule = CareRule(),  # noqa: B008
) -> bool:
    """Return whether a record counts against the budget of heavy ones."""
    return intensity(messages, family, rule) >= rule.heavy_from


def exposure_of(looks: Sequence[Look], now: datetime, rule: CareRule) -> Exposure:
    """Return where a person stands after these looks; pure.

    Heavy records count as in a row until a light one, or a pause as long as the cool-down,
    comes between them.
    """
    recent = sorted(
        (look for look in looks if now - moment_of(look.opened_at) < A_DAY),
        key=lambda look: look.opened_at,
    )
    heavy = sum(look.intensity >= rule.heavy_from for look in recent)
    minutes = sum(look.seconds for look in recent) / 60
    rest = timedelta(minutes=rule.rest_minutes)
    in_a_row, last = 0, None
    for look in recent:
        moment = moment_of(look.opened_at)
        if look.intensity < rule.heavy_from:
            in_a_row = 0
        elif last is not None and moment - last >= rest:
            in_a_row = 1
        else:
            in_a_row += 1
        last = moment
    until = last + rest if last is not None else now
    if until <= now:
        in_a_row = 0
    resting = rule.rest_after > 0 and in_a_row >= rule.rest_after
    return Exposure(
        heavy=heavy,
        light=len(recent) - heavy,
        minutes=minutes,
        in_a_row=in_a_row,
        rest_until=until.isoformat() if resting else "",
        over=heavy >= rule.heavy_a_day or minutes >= rule.minutes_a_day,
    )


class Exposures:
    """The looks of one workspace. Safe between threads and processes."""

    def __init__(self, workspace: Path) -> None:
        self._tables = LocalTables(workspace / FILE_NAME, _TABLE, durable="NORMAL")

    def opened(self, reviewer: str, look: Look) -> None:
        """Keep that a record was opened, once, and forget what is older than 30 days."""
        before = (moment_of(look.opened_at) - _KEPT).isoformat()
        with self._tables.writing() as connection:
            connection.execute("DELETE FROM looks WHERE opened_at < ?", (before,))
            connection.execute(
                "INSERT OR IGNORE INTO looks VALUES (?, ?, ?, ?, ?, ?)",
                (
                    *(reviewer, look.candidate, look.record_id),
                    *(look.intensity, look.seconds, look.opened_at),
                ),
            )

    def spent(self, reviewer: str, candidate: str, record_id: str, seconds: int) -> None:
        """Keep the active seconds on an opened record; the count only grows."""
        with self._tables.writing() as connection:
            connection.execute(
                "UPDATE looks SET seconds = max(seconds, ?)"
                " WHERE reviewer = ? AND candidate = ? AND record_id = ?",
                (seconds, reviewer, candidate, record_id),
            )

    def of(self, reviewer: str) -> tuple[Look, ...]:
        """Return one person's looks."""
        return tuple(look for who, look in self._all() if who == reviewer)

    def together(self, now: datetime, rule: CareRule) -> Together | None:
        """Return the last 24 hours of all readers summed; None where too few of them read.

        Fewer than `rule.together_from` readers would tell about single ones.
        """
        held: dict[str, list[Look]] = {}
        for who, look in self._all():
            if now - moment_of(look.opened_at) < A_DAY:
                held.setdefault(who, []).append(look)
        if len(held) < max(rule.together_from, 2):
            return None
        each = [exposure_of(looks, now, rule) for looks in held.values()]
        return Together(
            readers=len(each),
            heavy=sum(one.heavy for one in each),
            light=sum(one.light for one in each),
            minutes=sum(one.minutes for one in each),
        )

    def _all(self) -> list[tuple[str, Look]]:
        with self._tables.reading() as connection:
            rows = connection.execute(
                "SELECT reviewer, candidate, record_id, intensity, seconds, opened_at FROM looks"
            ).fetchall()
        return [
            (
                str(row[0]),
                Look(
                    candidate=row[1],
                    record_id=row[2],
                    intensity=row[3],
                    seconds=row[4],
                    opened_at=row[5],
                ),
            )
            for row in rows
        ]
