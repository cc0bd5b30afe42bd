"""Who has twenty minutes is given what fits into them, and keeps it while they read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.model.signoff import Person
from core.review.assigning import HOLD, sitting_size
from core.workbench.reviews.assigning import Assigning


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitting:
    """The records of one sitting, reserved for its reader. `measured`: the minutes are."""

    records: tuple[str, ...]
    minutes_each: float
    measured: bool
    left: int


@dataclass(frozen=True, slots=True)
class Sittings(Assigning):
    """The sittings under way at this desk. A restart forgets them, and no answer with them."""

    def sitting(self, digest: str, claim: str, by: Person, minutes: int) -> Sitting:
        """Reserve what `by` can read in so many minutes.

        Raises:
            NotAllowed: `review.builder`.
            ReviewError: `review.minutes`.
        """
        each, measured = self.minutes_each(digest, claim)
        records = self._take(digest, claim, by, sitting_size(minutes, each))
        queue = self.queue(digest, claim, by)
        left = sum(1 for item in queue.items if item.state in ("open", "draft"))
        taken = Sitting(records=records, minutes_each=each, measured=measured, left=left)
        self._sittings()[digest, claim, by.id] = (taken, self.desk.clock.now())
        return taken

    def sitting_under_way(self, digest: str, claim: str, by: Person) -> Sitting | None:
        """Return the sitting of `by`, and keep what is left of it reserved.

        One that nobody has asked about for as long as a reservation holds is over.
        """
        self._may_read(by)
        now, held = self.desk.clock.now(), self._sittings().get((digest, claim, by.id))
        if held is None:
            return None
        taken, seen = held
        if now - seen > HOLD:
            del self._sittings()[digest, claim, by.id]
            return None
        self._sittings()[digest, claim, by.id] = (taken, now)
        self._hold_on(digest, claim, by, self._unread(digest, claim, by, taken))
        return taken

    def end_sitting(self, digest: str, claim: str, by: Person) -> None:
        """Give what was not read back to the others."""
        self._may_read(by)
        held = self._sittings().pop((digest, claim, by.id), None)
        for record_id in self._unread(digest, claim, by, held[0]) if held is not None else ():
            self.release(digest, claim, record_id, by)

    def _unread(self, digest: str, claim: str, by: Person, taken: Sitting) -> set[str]:
        later = self._assignments().later((digest, claim), by.id)
        return set(taken.records) - self._done(digest, claim, by) - later

    def _hold_on(self, digest: str, claim: str, by: Person, records: set[str]) -> None:
        wanted = [one for one in self._wanted(digest, claim, by) if one.record_id in records]
        now = self.desk.clock.now()
        self._assignments().take((digest, claim), by.id, wanted, count=len(wanted), now=now)

    def _sittings(self) -> dict[tuple[str, str, str], tuple[Sitting, datetime]]:
        held = self.desk.memory.setdefault("sittings", {})
        assert isinstance(held, dict)
        return held
