"""Time in tests stands still until a test moves it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 21, 9, 0, 0, tzinfo=UTC)


class FixedClock:
    """A clock that only `tick` moves."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start

    def now(self) -> datetime:
        """The present, aware UTC."""
        return self._now

    def tick(self, seconds: float = 1.0) -> datetime:
        """Move by `seconds` (backwards when negative) and return the new present."""
        self._now += timedelta(seconds=seconds)
        return self._now
