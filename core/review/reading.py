"""What a record's ratings and settlements amount to: a defect is decided, pending, or none.

Any reviewer's flag counts until a second person dismisses it; nothing is averaged.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from core.model.names import ReviewerId
from core.model.review import Rating, SamplePart, SamplePlan
from core.review.ratings import StoredRating
from core.review.settlements import AGAINST, VERDICT, StoredSettlement, flag_target, strongest

DISAGREEMENT = 2
Outcomes = Mapping[tuple[str, str, str], StoredSettlement]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordReading:
    """One planned record. `pending` means nobody could judge it wholly so far.

    `hard_fail` is a confirmed flag; `rejected` a verdict against the record that stands.
    `outcome` is what a second person decided becomes of it: "", accept, fix or reject (confirm
    and dismiss of the first desks). One that is `gone` was read on an earlier candidate and left.
    """

    record_id: str
    raters: tuple[ReviewerId, ...]
    open_flags: tuple[str, ...]
    hard_fail: bool
    rejected: bool
    pending: bool
    differences: tuple[str, ...]
    dissents: tuple[str, ...]
    outcome: str = ""
    gone: bool = False

    @property
    def leaves(self) -> bool:
        """Whether no candidate that ships it as it is may be approved."""
        return not self.gone and (self.hard_fail or self.outcome == "reject")

    @property
    def read(self) -> bool:
        """Whether a reading of it counts; one that is gone was read before."""
        return self.gone or bool(self.raters)

    @property
    def decided(self) -> bool:
        """Whether the record is a defect by somebody's decision."""
        return self.hard_fail or self.rejected

    @property
    def defect(self) -> bool:
        """Whether the bound counts the record as a defect: what nobody can judge is one."""
        return self.decided or self.pending


@dataclass(frozen=True, slots=True, kw_only=True)
class PartReading:
    """Where the reading of one stratum stands; `planned` are the records to be read as things are.

    `overlap` is how many of them, from the first, two people read.
    """

    planned: tuple[RecordReading, ...]
    reserve: tuple[RecordReading, ...]
    allowed: int
    second_stage: bool
    overlap: int

    @property
    def read(self) -> int:
        """How many planned records have a rating that counts."""
        return sum(1 for record in self.planned if record.read)

    @property
    def defects(self) -> int:
        """Defects among the planned records, pending ones included."""
        return sum(1 for record in self.planned if record.defect)

    @property
    def decided(self) -> int:
        """Defects by somebody's decision."""
        return sum(1 for record in self.planned if record.decided)

    @property
    def by_two(self) -> tuple[RecordReading, ...]:
        """The records two people read; of one that is gone that is over."""
        return tuple(record for record in self.planned[: self.overlap] if not record.gone)

    @property
    def complete(self) -> bool:
        """Whether every planned record has the readings it needs."""
        twice = all(len(record.raters) > 1 for record in self.by_two)
        return twice and self.read == len(self.planned)

    @property
    def by_plan_only(self) -> bool:
        """Whether it passed at its second look, so that only the plan's own claim holds."""
        return self.complete and self.second_stage and self.defects == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanReading:
    """Where the reading of a plan stands, by stratum; `extra` are read beside the sample."""

    parts: tuple[PartReading, ...]
    extra: tuple[RecordReading, ...]

    @property
    def planned(self) -> tuple[RecordReading, ...]:
        """The records to be read as things are, each once."""
        return _each_once(record for part in self.parts for record in part.planned)

    @property
    def everything(self) -> tuple[RecordReading, ...]:
        """Planned records, those held in reserve, and those read beside the sample."""
        return self.drawn + self.extra

    @property
    def drawn(self) -> tuple[RecordReading, ...]:
        """Planned records and those held in reserve: what chance has chosen."""
        held = (record for part in self.parts for record in part.reserve)
        return _each_once((*self.planned, *held))

    @property
    def reserve(self) -> tuple[RecordReading, ...]:
        """What chance has chosen and nothing makes be read as things are."""
        planned = {record.record_id for record in self.planned}
        return tuple(record for record in self.drawn if record.record_id not in planned)

    @property
    def read(self) -> int:
        """How many planned records have a rating that counts."""
        return sum(1 for record in self.planned if record.read)

    @property
    def defects(self) -> int:
        """Defects among the planned records, pending ones included."""
        return sum(1 for record in self.planned if record.defect)

    @property
    def by_two(self) -> frozenset[str]:
        """The records that two people read."""
        return frozenset(record.record_id for part in self.parts for record in part.by_two)

    @property
    def second_readings_left(self) -> int:
        """How many of the overlap still lack a second reader."""
        twice = self.by_two
        return sum(r.record_id in twice and len(r.raters) < 2 for r in self.planned)

    @property
    def complete(self) -> bool:
        """Whether every planned record has the readings it needs."""
        return all(part.complete for part in self.parts)

    @property
    def lost(self) -> bool:
        """Whether some stratum has more decided defects than its plan allows."""
        return any(part.decided > part.allowed for part in self.parts)

    @property
    def exceeded(self) -> tuple[PartReading, ...]:
        """The strata with more defects than their plan allows, those nobody can judge included."""
        return tuple(part for part in self.parts if part.defects > part.allowed)


def _each_once(records: Iterable[RecordReading]) -> tuple[RecordReading, ...]:
    """Return every record once: two strata may have drawn the same one."""
    return tuple({record.record_id: record for record in records}.values())


def split_counted(
    plan: SamplePlan,
    ratings: Sequence[StoredRating],
    reviewers: frozenset[ReviewerId],
    extra: frozenset[str] = frozenset(),
    edited: frozenset[str] = frozenset(),
) -> tuple[tuple[StoredRating, ...], tuple[str, ...]]:
    """Return the ratings that count under this plan, and one open point for each that does not.

    Ratings of `extra` records do neither: they were chosen, so nothing may be inferred from them.
    Those of `edited` ones count as readings of these records, and for no bound either.
    """
    counted, points = [], []
    planned = frozenset(plan.records)
    apart = (extra - edited) - planned
    read = planned | edited
    for stored in ratings:
        rating = stored.rating
        place = f"{rating.record_id} {rating.reviewer}"
        here = rating.candidate == plan.candidate or stored.carried
        if not here or rating.claim != plan.claim:
            points.append(f"other_candidate {place}")
        elif rating.record_id in apart:
            continue
        elif rating.rubric != plan.rubric or rating.record_id not in read:
            points.append(f"review.stale {place}")
        elif rating.reviewer not in reviewers:
            # Somebody who read for an earlier candidate may have left since: read it again.
            if not stored.carried:
                points.append(f"not_a_reviewer {place}")
        else:
            counted.append(stored)
    return tuple(counted), tuple(points)


def read_plan(
    plan: SamplePlan,
    counted: Sequence[StoredRating],
    ratings: Sequence[StoredRating],
    decided: Outcomes,
    extra: frozenset[str] = frozenset(),
) -> PlanReading:
    """Return the state of every record of the plan, stage one or two as the plan demands.

    Flags are taken from all `ratings`, also from those that do not count as readings.
    """
    by_record: dict[str, list[StoredRating]] = {}
    for stored in ratings:
        by_record.setdefault(stored.rating.record_id, []).append(stored)
    counting = {stored.key for stored in counted}
    gone = frozenset(plan.gone)
    records = {}
    for name in plan.records:
        read = _read_record(name, by_record.get(name, []), counting, decided)
        records[name] = _left(read) if name in gone else read
    return PlanReading(
        parts=tuple(_read_part(part, records) for part in plan.strata),
        extra=tuple(
            _read_record(record_id, by_record.get(record_id, []), counting, decided)
            for record_id in sorted(extra - set(plan.records))
        ),
    )


def _read_part(part: SamplePart, records: Mapping[str, RecordReading]) -> PartReading:
    drawn = tuple(records[name] for name in part.records)
    double = part.second > part.first
    found = sum(1 for record in drawn[: part.first] if record.defect)
    second_stage = double and found == 1
    count = part.second if second_stage else part.first
    return PartReading(
        planned=drawn[:count],
        reserve=drawn[count:],
        allowed=1 if double else 0,
        second_stage=second_stage,
        overlap=min(part.overlap, count),
    )


def _left(record: RecordReading) -> RecordReading:
    """Return a record as it counts that was read on an earlier candidate and left the data.

    It is taken to have left for a reading against it: only where what is carried of it says that
    there was none, or that every word was withdrawn, is it no fail.
    """
    stands = bool(record.raters) and not (record.defect or record.open_flags)
    return replace(record, rejected=not stands, open_flags=(), differences=(), gone=True)


def _read_record(
    record_id: str, ratings: Sequence[StoredRating], counting: set[str], decided: Outcomes
) -> RecordReading:
    counted = [stored for stored in ratings if stored.key in counting]
    open_flags, confirmed, dismissed = _flags(record_id, ratings, decided)
    rejected, overruled = _verdict(record_id, counted, decided)
    differences, settled = _differences(record_id, [entry.rating for entry in counted], decided)
    last = strongest(outcome for name, outcome in decided.items() if name[0] == record_id)
    outcome = last.settlement.decision if last is not None else ""
    return RecordReading(
        record_id=record_id,
        raters=tuple(stored.rating.reviewer for stored in counted),
        open_flags=open_flags,
        hard_fail=confirmed,
        rejected=rejected or outcome in ("fix", "reject"),
        pending=_pending([entry.rating for entry in counted]),
        differences=differences,
        dissents=dismissed + overruled + settled + _changes(counted),
        outcome=outcome,
    )


def _flags(
    record_id: str, ratings: Sequence[StoredRating], decided: Outcomes
) -> tuple[tuple[str, ...], bool, tuple[str, ...]]:
    open_flags: list[str] = []
    dismissed: list[str] = []
    confirmed = False
    for stored in ratings:
        for target in _targets(stored):
            outcome = decided.get((record_id, "flag", target))
            if outcome is None:
                open_flags.append(target)
            elif outcome.settlement.against:
                confirmed = True
            else:
                dismissed.append(f"flag {record_id} {target} dismissed by {outcome.settlement.by}")
    return tuple(open_flags), confirmed, tuple(dismissed)


def _verdict(
    record_id: str, counted: Sequence[StoredRating], decided: Outcomes
) -> tuple[bool, tuple[str, ...]]:
    against = [stored for stored in counted if stored.rating.verdict in AGAINST]
    outcome = decided.get((record_id, "difference", VERDICT))
    if not against:
        return False, ()
    accepted = any(stored.rating.verdict == "accept" for stored in counted)
    # A verdict that came with flags falls only after all of them were dismissed.
    withdrawn = all(_all_dismissed(record_id, stored, decided) for stored in against)
    dismissed = outcome is not None and not outcome.settlement.against
    if outcome is None or not dismissed or not (accepted or withdrawn):
        return True, ()
    return False, tuple(
        f"verdict {record_id} {stored.rating.verdict} by {stored.rating.reviewer} "
        f"overruled by {outcome.settlement.by}"
        for stored in against
    )


def _all_dismissed(record_id: str, stored: StoredRating, decided: Outcomes) -> bool:
    targets = _targets(stored)
    outcomes = [decided.get((record_id, "flag", target)) for target in targets]
    return bool(targets) and all(
        outcome is not None and not outcome.settlement.against for outcome in outcomes
    )


def _targets(stored: StoredRating) -> list[str]:
    return [flag_target(flag.id, flag.turn, stored.rating.reviewer) for flag in stored.standing]


def _pending(ratings: Sequence[Rating]) -> bool:
    return bool(ratings) and not any(_judged(rating) for rating in ratings)


def _judged(rating: Rating) -> bool:
    return rating.verdict != "second_opinion" and "cannot_judge" not in rating.scores.values()


def _differences(
    record_id: str, ratings: Sequence[Rating], decided: Outcomes
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    apart: set[str] = set()
    for one, other in itertools.combinations(ratings, 2):
        apart |= {
            item
            for item in one.scores.keys() & other.scores.keys()
            if _far(one.scores[item], other.scores[item])
        }
        verdicts = {one.verdict, other.verdict}
        if "accept" in verdicts and verdicts & set(AGAINST):
            apart.add(VERDICT)
    names = {item: decided.get((record_id, "difference", item)) for item in sorted(apart)}
    settled = tuple(
        f"difference {record_id} {item} settled by {outcome.settlement.by}"
        for item, outcome in names.items()
        if outcome is not None
    )
    return tuple(item for item, outcome in names.items() if outcome is None), settled


def _far(one: str, other: str) -> bool:
    if not (one.isdecimal() and other.isdecimal()):
        return False
    return abs(int(one) - int(other)) >= DISAGREEMENT


def _changes(counted: Sequence[StoredRating]) -> tuple[str, ...]:
    return tuple(
        f"verdict {stored.rating.record_id} changed from {before} "
        f"to {stored.rating.verdict} by {stored.rating.reviewer}"
        for stored in counted
        for before in stored.earlier
        if before != stored.rating.verdict
    )
