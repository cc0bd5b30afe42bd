"""Every reader has a list of their own, and no two are given the same place in it."""

from __future__ import annotations

import math
import statistics
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from core.model.errors import NotAllowed
from core.model.review import Rating
from core.model.signoff import Person
from core.review.answers import moment_of
from core.review.assigning import Wanted, interleave
from core.review.exposure import intensity
from core.review.known_bad import mix
from core.review.planner import MINUTES_A_RECORD
from core.review.ratings import UNDO_WINDOW
from core.review.reading import PlanReading, RecordReading
from core.workbench import history
from core.workbench.reviews.basis import ReviewArea

_FEWEST_TIMES = 5
_LAST = 20
_FRESH_SECONDS = 1.0
_STALE_SECONDS = 5.0
_ASKING = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueItem:
    """One record of a reader's list.

    `state` is open, draft, done, later (they said "not now") or elsewhere (somebody else has
    it open, or enough people have read it).
    """

    record_id: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewQueue:
    """What one person has to read under one claim, in their order, and where they are."""

    items: tuple[QueueItem, ...]
    current: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LastAnswer:
    """One answer of one's own. `at` is when it was given; `undoable`: the ten minutes run."""

    record_id: str
    at: str
    verdict: str
    undoable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Lately:
    """Who has read what under one claim, as it stood a moment ago. `readers` is by record.

    `asked` are the records that have to be read whether or not chance has drawn them.
    """

    progress: PlanReading
    asked: frozenset[str]
    readers: Mapping[str, frozenset[str]]
    builders: frozenset[str]


@dataclass(frozen=True, slots=True)
class Assigning(ReviewArea):
    """Who reads what next."""

    def queue(self, digest: str, claim: str, by: Person) -> ReviewQueue:
        """Return what `by` has to read under `claim`, in their own order."""
        self._may_read(by)
        wanted = self._wanted(digest, claim, by)
        done = self._done(digest, claim, by)
        drafted = self._drafts().drafted(digest, claim, by.id)
        desk = self._assignments()
        later = desk.later((digest, claim), by.id)
        held = desk.held((digest, claim), self.desk.clock.now())
        items = []
        for want in wanted:
            if want.record_id in drafted:
                state = "draft"
            elif want.record_id in done:
                state = "done"
            elif want.taken_by(held.get(want.record_id, ()), by.id):
                state = "elsewhere"
            else:
                state = "later" if want.record_id in later else "open"
            items.append(QueueItem(record_id=want.record_id, state=state))
        waiting = [item.record_id for item in items if item.state in ("open", "draft")]
        position = self._drafts().position(by.id, claim)
        current = position if position in waiting else (waiting[0] if waiting else None)
        return ReviewQueue(items=tuple(items), current=current)

    def next(self, digest: str, claim: str, by: Person) -> str | None:
        """Reserve the next record for `by` and return it; None when nothing is left for them.

        A record they have begun comes first.

        Raises:
            NotAllowed: `review.builder` for whoever built the candidate.
        """
        taken = self._take(digest, claim, by, 1)
        return taken[0] if taken else None

    def reserve(self, digest: str, claim: str, record_id: str, by: Person) -> bool:
        """Take or keep one record; False when others have it open or have read it enough."""
        self._may_rate(digest, claim, by)
        for want in self._wanted(digest, claim, by):
            if want.record_id == record_id:
                return self._assignments().touch(
                    (digest, claim), want, by.id, self.desk.clock.now()
                )
        return False

    def release(self, digest: str, claim: str, record_id: str, by: Person) -> None:
        """Give a record back without an answer."""
        self._may_rate(digest, claim, by)
        self._assignments().release((digest, claim), record_id, by.id)

    def not_now(self, digest: str, claim: str, record_id: str, by: Person, reason: str) -> None:
        """Return a record to the others at once; this reader is not offered it again.

        The reason stays on this desk; it is counted nowhere.
        """
        self._may_rate(digest, claim, by)
        self._planned(digest, claim, record_id)
        now = self.desk.clock.now()
        self._assignments().put_off((digest, claim), record_id, by.id, reason, now)

    def last_answers(self, digest: str, claim: str, by: Person) -> tuple[LastAnswer, ...]:
        """Return what `by` answered last for this candidate, newest first, twenty at the most."""
        self._may_read(by)
        mine = sorted(
            (stored for stored in self._mine_of(digest, claim, by) if not stored.carried),
            key=lambda stored: (stored.rating.at, stored.sha256),
            reverse=True,
        )
        now = self.desk.clock.now()
        return tuple(
            LastAnswer(
                record_id=stored.rating.record_id,
                at=stored.rating.at,
                verdict=stored.rating.verdict,
                undoable=now - moment_of(stored.rating.at) <= UNDO_WINDOW,
            )
            for stored in mine[:_LAST]
        )

    def last_submitted(self, digest: str, claim: str, by: Person) -> tuple[str, ...]:
        """Return the records of `last_answers`."""
        return tuple(one.record_id for one in self.last_answers(digest, claim, by))

    def minutes_each(self, digest: str, claim: str) -> tuple[float, bool]:
        """Return how long one record takes, and whether that is measured or assumed."""
        seconds = [
            stored.rating.seconds
            for stored in self.ratings(digest, claim)
            if stored.rating.seconds > 0
        ]
        if len(seconds) < _FEWEST_TIMES:
            return MINUTES_A_RECORD, False
        return max(statistics.median(seconds) / 60, 1 / 6), True

    def _take(self, digest: str, claim: str, by: Person, count: int) -> tuple[str, ...]:
        self._may_rate(digest, claim, by)
        done = self._done(digest, claim, by)
        drafted = self._drafts().drafted(digest, claim, by.id)
        later = self._assignments().later((digest, claim), by.id)
        offered = [
            want
            for want in self._wanted(digest, claim, by)
            if want.record_id in drafted or want.record_id not in done | later
        ]
        begun = [want for want in offered if want.record_id in drafted]
        rest = [want for want in offered if want.record_id not in drafted]
        now: datetime = self.desk.clock.now()
        return self._assignments().take(
            (digest, claim), by.id, [*begun, *rest], count=count, now=now
        )

    def _wanted(self, digest: str, claim: str, by: Person) -> list[Wanted]:
        """Return what `by` could read, in their order: sample and known-bad records alike."""
        plan, rule = self.plan(digest, claim), self._claim(claim)
        lately = self._lately(digest, claim)
        progress = lately.progress
        by_two = progress.by_two
        records = {one.record_id: one for one in progress.planned if not one.gone}
        needs = {
            record.record_id: _needs(record, record.record_id in by_two)
            for record in progress.planned
        }
        beside = [one.record_id for one in progress.reserve if one.record_id in lately.asked]
        beside += [record.record_id for record in progress.extra]
        order = [*interleave(list(records), self.heavy(digest, claim)), *beside]
        if by.holds(rule.role):
            order = mix(order, self.known_bad(digest).get(claim), plan.seed, by.id)
        return [
            Wanted(
                record_id=name,
                needs=needs.get(name, 1),
                readers=lately.readers.get(name, frozenset()),
                # A known-bad record is there for everybody.
                shared=name in records or name in beside,
            )
            for name in order
        ]

    def _done(self, digest: str, claim: str, by: Person) -> set[str]:
        """Return what `by` has answered: as stored lately, and whatever this desk took since."""
        answered = self._answered().get((digest, claim, by.id), set())
        stored = self._lately(digest, claim).readers
        return answered | {name for name, readers in stored.items() if by.id in readers}

    def _lately(self, digest: str, claim: str) -> Lately:
        """Return who has read what, a second old, or as old as one asking takes.

        Readers at work ask many times a second, each asking costs the bucket several listings,
        and reservations already keep what is under way apart. While one asks, the others go on
        with what was known before, unless that is older than five seconds.
        """
        kept = self.desk.memory.setdefault("lately", {})
        assert isinstance(kept, dict)
        held = kept.get((digest, claim))
        age = math.inf if held is None else time.monotonic() - held[0]
        if age > _FRESH_SECONDS and _ASKING.acquire(blocking=age > _STALE_SECONDS):
            try:
                held = kept.get((digest, claim))
                if held is None or time.monotonic() - held[0] > _FRESH_SECONDS:
                    held = kept[digest, claim] = (time.monotonic(), self._look(digest, claim))
            finally:
                _ASKING.release()
        assert held is not None
        found: Lately = held[1]
        return found

    def _look(self, digest: str, claim: str) -> Lately:
        readers: dict[str, set[str]] = {}
        for stored in self._every_answer(digest, claim):
            readers.setdefault(stored.rating.record_id, set()).add(stored.rating.reviewer)
        return Lately(
            progress=self.progress(digest, claim),
            asked=self.edited(digest, claim),
            readers={name: frozenset(found) for name, found in readers.items()},
            builders=history.builders(self.desk.entries(), digest),
        )

    def _noted(self, digest: str, claim: str, rating: Rating) -> None:
        """Remember an answer this desk has just stored; one that may change the plan, wholly."""
        answered = self._answered().setdefault((digest, claim, rating.reviewer), set())
        answered.add(rating.record_id)
        plain = rating.verdict == "accept" and "cannot_judge" not in rating.scores.values()
        kept = self.desk.memory.get("lately")
        if not plain and isinstance(kept, dict):
            kept.pop((digest, claim), None)

    def _answered(self) -> dict[tuple[str, str, str], set[str]]:
        held = self.desk.memory.setdefault("answered", {})
        assert isinstance(held, dict)
        return held

    def heavy(self, digest: str, claim: str) -> frozenset[str]:
        """Return the records of the sample that are hard to read."""
        kept = self.desk.memory.setdefault("heavy", {})
        assert isinstance(kept, dict)
        care = self.desk.policy.care
        if (digest, claim) not in kept:
            kept[digest, claim] = frozenset(
                record_id
                for record_id, found in self._sample(digest, claim).items()
                if intensity(found.messages, found.family, care) >= care.heavy_from
            )
        found: frozenset[str] = kept[digest, claim]
        return found

    def _may_rate(self, digest: str, claim: str, by: Person) -> None:
        self.desk.require(by, self._claim(claim).role)
        if by.id in self._lately(digest, claim).builders:
            raise NotAllowed("review.builder", "Whoever built the candidate may not review it.")


def _needs(record: RecordReading, double: bool) -> int:
    """Return how many readings a record needs: one more where nobody could judge it yet."""
    needs = 2 if double else 1
    return max(needs, len(record.raters) + 1) if record.pending else needs
