"""A sample that failed has failed: removing what was found in it does not make it pass.

Strata stay within a version, and so do the ranks in them. Were the records that failed simply
gone from the next candidate's sample, every family would pass in the end, whatever its true rate
(reference D3, "until it passes"). So what failed and left still counts in the sample that goes on,
and after a failed sample the next one is drawn from records nobody has read, at half the risk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.model.review import SamplePlan
from core.policy.types import ClaimRule
from core.review.bounds import plan_size
from core.review.planner import double_plan
from core.review.reading import PlanReading, RecordReading

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierSample:
    """A claim's sample on an earlier candidate, and what its reading has come to.

    `same_version`: the sample goes on from it, unless it has failed. `low` are records that
    a reader scored low on a question the claim limits, and `breached` says that, read to its
    end, the sample has shown too many of them.
    """

    plan: SamplePlan
    reading: PlanReading
    same_version: bool
    version: str = ""
    low: frozenset[str] = frozenset()
    breached: bool = False

    @property
    def failed(self) -> bool:
        """Whether it has shown more than its plan allows, of fails or on one question."""
        return self.breached or has_failed(self.reading)


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What a new sample has to reckon with.

    `failed` are (fails, records read) of every failed sample, oldest first. `read` are the
    records these have read, out of which nothing may be drawn again; `left_in` those of them
    that failed and still ship. `gone` failed in a sample that goes on, and left: each stands in
    the frame as a record that was read and failed.
    """

    failed: tuple[tuple[int, int], ...] = ()
    read: frozenset[str] = frozenset()
    left_in: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()

    @property
    def attempt(self) -> int:
        """Which sample the new one is, from 1."""
        return len(self.failed) + 1


def past_of(earlier: Sequence[EarlierSample], shipped: frozenset[str]) -> Past:
    """Return what samples of earlier candidates, oldest first, mean for one over `shipped`.

    Of another version a failed sample counts while any of its records still ships: to begin a
    version anew is no way around it.
    """
    series = [one for one in earlier if one.same_version or shipped & set(one.plan.records)]
    attempts = _attempts(series)
    failed = [one for one in attempts if one.failed]
    last = next((one for one in reversed(attempts) if one.same_version), None)
    goes_on = last is not None and not last.failed
    return Past(
        failed=tuple((_fails(one.reading), one.reading.read) for one in failed),
        read=frozenset(
            record.record_id
            for one in failed
            for record in one.reading.everything
            if record.raters or record.gone
        ),
        left_in=tuple(
            sorted(
                {
                    record.record_id
                    for one in failed
                    for record in one.reading.everything
                    if failed_here(record) and record.record_id in shipped
                }
            )
        ),
        gone=tuple(
            sorted(
                record.record_id
                for record in (last.reading.drawn if last is not None and goes_on else ())
                if last is not None
                and (failed_here(record) or record.pending or record.record_id in last.low)
                and record.record_id not in shipped
            )
        ),
    )


def has_failed(reading: PlanReading) -> bool:
    """Return whether a sample has shown more fails than its plan allows, read to its end or not."""
    return any(_fails_of(part.planned) > part.allowed for part in reading.parts)


def failed_here(record: RecordReading) -> bool:
    """Return whether somebody's word against the record stands: a flag need not be settled."""
    return record.decided or bool(record.open_flags)


def claim_after(claim: ClaimRule, failed: int, frame: int) -> ClaimRule:
    """Return what the next sample must show after `failed` others, over `frame` unread records.

    The risk is halved each time. So all samples together let a scope pass that is just worse
    than the limit with a risk under alpha (1 + 1/2 + 1/4 + ...) = 2 alpha, by Boole's inequality.
    """
    if not failed:
        return claim
    confidence = confidence_after(claim.confidence, failed)
    if claim.second:
        first, second = double_plan(claim.limit, confidence, frame)
    else:
        first, second = plan_size(claim.limit, confidence, frame=frame), 0
    return replace(claim, confidence=confidence, first=first, second=second)


def confidence_after(confidence: float, failed: int) -> float:
    """Return the confidence asked of the sample after `failed` others: half the risk each time."""
    return 1 - (1 - confidence) / float(2**failed)


def past_words(past: Past, scope: str) -> str:
    """Say what the sample goes on from; nothing of a first one from which nothing left."""
    said = []
    if past.failed:
        said.append(
            f"This is the {ordinal(past.attempt)} sample of {scope}, of records nobody had read; "
            + ", ".join(
                f"the {ordinal(number)} failed with {fails} of {read}"
                for number, (fails, read) in enumerate(past.failed, 1)
            )
            + "."
        )
    if past.gone:
        were = "1 record that" if len(past.gone) == 1 else f"{len(past.gone)} records that"
        said.append(f"{were} failed in it and left the data still count.")
    return " ".join(said)


def ordinal(number: int) -> str:
    """Return which one, in words where there is one."""
    return _ORDINALS[number - 1] if number <= len(_ORDINALS) else f"{number}th"


def _attempts(series: Sequence[EarlierSample]) -> list[EarlierSample]:
    """Return the last state of each sample: one that went on over several candidates is one."""
    last: dict[tuple[str, int], EarlierSample] = {}
    for one in series:
        name = (one.version, one.plan.attempt)
        # What has failed on one candidate is not mended by going on over another.
        if name not in last or not last[name].failed:
            last[name] = one
    return list(last.values())


def _fails(reading: PlanReading) -> int:
    return _fails_of(reading.planned)


def _fails_of(records: Sequence[RecordReading]) -> int:
    return sum(1 for record in records if failed_here(record))
