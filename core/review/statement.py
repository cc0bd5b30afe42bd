"""Where a claim stands, in one plain sentence whose numbers are exact at every moment.

A confirmed hard fail must leave the data even when the plan would pass, so a candidate that
still ships one is never ready.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.model.names import ReviewerId
from core.model.review import Rating, ReviewState, SamplePart, SamplePlan
from core.policy.types import ClaimRule
from core.review.agreement import summarise
from core.review.attempts import Past, past_words
from core.review.bounds import quoted_part_upper, worst_miss_probability
from core.review.items import ItemBound, item_bounds, whole_bounds
from core.review.phrases import (
    breach_words,
    carried_words,
    corrected,
    item_numbers,
    known_bad_numbers,
    many,
    percent,
    sensitivity_points,
    sensitivity_words,
)
from core.review.ratings import StoredRating
from core.review.reading import PartReading, PlanReading, read_plan, split_counted
from core.review.rubrics import load_rubrics
from core.review.sample import scope_of
from core.review.sensitivity import Sensitivity
from core.review.settlements import StoredSettlement, outcomes

_SMALL_PROBLEM = 0.01


def review_state(
    plan: SamplePlan | None,
    ratings: Sequence[StoredRating],
    settlements: Sequence[StoredSettlement],
    claim: ClaimRule,
    *,
    reviewers: frozenset[ReviewerId],
    settlers: frozenset[ReviewerId],
    sensitivity: Sensitivity | None = None,
    extra: frozenset[str] = frozenset(),
    edited: frozenset[str] = frozenset(),
) -> ReviewState:
    """Return where `claim` stands.

    Args:
        plan: the frozen plan, or None.
        ratings: the present ratings of the claim.
        settlements: every settlement of the claim.
        claim: the claim.
        reviewers: who may rate under it (they hold its role and did not build the candidate);
            ratings by others do not count and are listed as open points.
        settlers: who may settle (they hold review_lead or the claim's role).
        extra: records read beside the sample; a flag on one counts, and nothing else of it.
        edited: records in which an edit was laid; each must be read, whether planned or extra.
        sensitivity: what the known-bad records showed, where the plan has some.
    """
    if plan is None:
        return _not_frozen(claim)
    counted, strangers = split_counted(plan, ratings, reviewers, extra, edited)
    reading = read_plan(plan, counted, ratings, outcomes(settlements, ratings, settlers), extra)
    planned = {record.record_id for record in reading.planned}
    drawn = frozenset(plan.records)
    inside = [stored for stored in counted if stored.rating.record_id in planned]
    strata = _strata(plan, reading, [stored.rating for stored in inside], claim)
    items = whole_bounds([one.items for one in strata])
    points = (
        strangers
        + _open_points(reading, plan)
        + _edited_points(reading, edited)
        + sensitivity_points(claim, sensitivity)
    )
    state = _state(reading, points, items)
    upper = _upper(strata)
    carried = len({stored.rating.record_id for stored in inside if stored.carried})
    return ReviewState(
        claim=claim.id,
        scope=plan.scope,
        role=plan.role,
        state=state,
        frame=plan.frame,
        planned=len(reading.planned),
        read=reading.read,
        defects=reading.defects,
        cannot_judge=sum(1 for record in reading.planned if record.pending),
        double_rated=sum(1 for record in reading.planned if len(record.raters) > 1),
        open_flags=_open_flags(reading),
        limit=plan.limit,
        confidence=plan.confidence,
        upper=upper,
        sentence=_sentence(plan, reading, state, sensitivity, strata)
        + ("" if plan.parts else carried_words(carried)),
        reviewers=tuple(sorted({stored.rating.reviewer for stored in counted})),
        open_points=points,
        agreement=summarise([one.rating for one in counted if one.rating.record_id in drawn]),
        dissents=tuple(dissent for record in reading.everything for dissent in record.dissents),
        known_bad=known_bad_numbers(sensitivity),
        corrected=corrected(upper, sensitivity),
        items={item.item: item_numbers(item) for item in items},
        carried=carried,
        failed_and_left=_failed_and_left(reading),
        parts=tuple(one.numbers() for one in strata) if plan.parts else (),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stratum:
    """One stratum as it stands. `upper` bounds the share of bad among what ships of it."""

    part: SamplePart
    reading: PartReading
    upper: float | None
    items: tuple[ItemBound, ...]

    def numbers(self) -> dict[str, object]:
        """Return the stratum as a report keeps it."""
        return {
            "since": self.part.since,
            "frame": self.part.ships,
            "drawn_from": self.part.frame,
            "skipped": self.part.skipped,
            "planned": len(self.reading.planned),
            "read": self.reading.read,
            "defects": self.reading.defects,
            "upper": self.upper,
        }


def _strata(
    plan: SamplePlan, reading: PlanReading, ratings: Sequence[Rating], claim: ClaimRule
) -> tuple[_Stratum, ...]:
    # A later sample is to prove its claims at the confidence it was drawn with.
    asked = replace(claim, confidence=plan.confidence)
    rubric = load_rubrics().get(claim.rubric)
    asked_for = [bound.item for bound in item_bounds(ratings, asked, plan.frame, rubric)]
    found = []
    for part, read in zip(plan.strata, reading.parts, strict=True):
        mine = {record.record_id for record in read.planned}
        given = [rating for rating in ratings if rating.record_id in mine]
        found.append(
            _Stratum(
                part=part,
                reading=read,
                upper=_part_upper(plan, part, read),
                items=item_bounds(
                    given, asked, part.frame, rubric, ships=part.ships, also=asked_for
                ),
            )
        )
    return tuple(found)


def _not_frozen(claim: ClaimRule) -> ReviewState:
    scope = scope_of(claim)
    return ReviewState(
        claim=claim.id,
        scope=scope,
        role=claim.role,
        state="not_frozen",
        frame=0,
        planned=0,
        read=0,
        defects=0,
        cannot_judge=0,
        double_rated=0,
        open_flags=0,
        limit=claim.limit,
        confidence=claim.confidence,
        upper=None,
        sentence=f"No sample of {scope} is frozen yet, so nothing can be said about it.",
        reviewers=(),
        open_points=("sample_not_frozen",),
    )


def _state(reading: PlanReading, points: Sequence[str], items: Sequence[ItemBound]) -> str:
    if _open_flags(reading):
        return "paused"
    if any(point.startswith("review.stale") for point in points):
        return "stale"
    if reading.lost:
        return "failed"
    if not reading.complete:
        return "reading"
    if reading.exceeded or _leaving(reading):
        return "failed"
    if any(item.breached for item in items):
        return "failed"
    return "reading" if points else "ready"


def _open_points(reading: PlanReading, plan: SamplePlan) -> tuple[str, ...]:
    # What failed in an earlier sample and was left in is known to be bad, whoever reads it now.
    points = [f"remove {record_id}" for record_id in plan.left_in]
    for record in reading.everything:
        points += [f"flag {record.record_id} {target}" for target in record.open_flags]
        points += [f"difference {record.record_id} {item}" for item in record.differences]
        if record.leaves and record.record_id not in plan.left_in:
            points.append(f"{'fix' if record.outcome == 'fix' else 'remove'} {record.record_id}")
    return tuple(points)


def _edited_points(reading: PlanReading, edited: frozenset[str]) -> tuple[str, ...]:
    """Return which edited records beside the sample nobody has read, or somebody is against.

    Those in reserve are beside it as long as nothing makes them be read.
    """
    points = []
    for record in (*reading.reserve, *reading.extra):
        if record.record_id in edited and not record.raters:
            points.append(f"edited_unread {record.record_id}")
        elif record.record_id in edited and record.rejected and not record.leaves:
            points.append(f"edited_rejected {record.record_id}")
    return tuple(points)


def _open_flags(reading: PlanReading) -> int:
    return sum(len(record.open_flags) for record in reading.everything)


def _leaving(reading: PlanReading) -> int:
    return sum(1 for record in reading.everything if record.leaves)


def _upper(strata: Sequence[_Stratum]) -> float | None:
    """Return the bound on the whole: the largest of its strata's.

    Were more of the whole bad than that, more of some stratum would be than its own bound says.
    """
    uppers = [one.upper for one in strata]
    known = [upper for upper in uppers if upper is not None]
    return max(known) if len(known) == len(uppers) else None


def _part_upper(plan: SamplePlan, part: SamplePart, reading: PartReading) -> float | None:
    if reading.read == 0:
        return None
    if reading.by_plan_only:
        # A fresh bound would ignore the look at stage one: the plan's own claim is what holds.
        return plan.limit
    return quoted_part_upper(
        reading.defects, reading.read, part.frame, part.ships, plan.confidence, plan.limit
    )


def _sentence(
    plan: SamplePlan,
    reading: PlanReading,
    state: str,
    sensitivity: Sensitivity | None,
    strata: Sequence[_Stratum],
) -> str:
    past = Past(failed=plan.failed, gone=_failed_and_left(reading))
    parts = [_counts(reading), *_remaining(reading)]
    if words := past_words(past, plan.scope):
        parts.append(words)
    if plan.parts:
        parts.append(_part_words(strata))
    upper = _upper(strata)
    if upper is None:
        return " ".join([*parts, f"Nothing can be said about {plan.scope} yet."])
    settled = reading.complete and not _open_flags(reading)
    opening = "With" if settled else "So far, with"
    if settled and any(part.by_plan_only for part in reading.parts):
        opening = "By the plan fixed beforehand, with"
    parts.append(
        f"{opening} {percent(plan.confidence)} confidence at most {percent(upper)} "
        f"of {plan.scope} (N = {plan.frame:,}) would fail."
    )
    parts.append(_missed(plan, reading))
    parts += sensitivity_words(upper, sensitivity)
    if state == "failed":
        parts.append(_failure(plan, reading, whole_bounds([one.items for one in strata])))
    return " ".join(parts)


def _failed_and_left(reading: PlanReading) -> tuple[str, ...]:
    return tuple(one.record_id for one in reading.drawn if one.gone and one.defect)


def _part_words(strata: Sequence[_Stratum]) -> str:
    """Say what of the scope was read for which release, and what is new."""
    said = []
    for one in strata:
        what = f"unchanged since {one.part.since}" if one.part.since else "new"
        are = "is" if one.part.ships == 1 else "are"
        told = f"{one.reading.read} of {len(one.reading.planned)} read"
        if one.part.skipped:
            told += f", {one.part.skipped} drawn before them left unread"
        said.append(f"{one.part.ships:,} {are} {what} ({told})")
    if len(said) == 1:
        return f"Of these records {said[0]}."
    return (
        f"Of these records {', '.join(said[:-1])} and {said[-1]}; each of these parts has to prove "
        "the limit by itself."
    )


def _counts(reading: PlanReading) -> str:
    hard = sum(1 for record in reading.planned if record.hard_fail)
    rejected = sum(1 for r in reading.planned if r.rejected and not r.hard_fail)
    pending = sum(1 for r in reading.planned if r.pending and not r.decided)
    said = [f"{reading.read} of {len(reading.planned)} read", many(hard, "hard fail")]
    if _open_flags(reading):
        said.append(many(_open_flags(reading), "flag") + " not settled")
    if rejected:
        said.append(f"{rejected} rejected or in need of an edit")
    if pending:
        said.append(f"{pending} that could not be judged")
    return ", ".join(said) + "."


def _remaining(reading: PlanReading) -> list[str]:
    unread = len(reading.planned) - reading.read
    twice = reading.second_readings_left
    said = []
    if unread:
        said.append(f"{unread} remain to be read")
    if twice:
        said.append(many(twice, "second reading") + (" is" if twice == 1 else " are") + " missing")
    return [" and ".join(said) + "."] if said else []


def _missed(plan: SamplePlan, reading: PlanReading) -> str:
    rate = min(_SMALL_PROBLEM, plan.limit / 5)
    pairs = list(zip(plan.strata, reading.parts, strict=True))
    if all(read.read == part.frame for part, read in pairs):
        return f"Every one of the {plan.frame:,} was read."
    chance = worst_miss_probability(rate, [(r.read, p.frame, p.ships) for p, r in pairs])
    times = round(100 * chance)
    often = "less than once" if times == 0 else many(times, "time")
    return f"A {percent(rate)} problem would be missed {often} in 100."


def _failure(plan: SamplePlan, reading: PlanReading, items: Sequence[ItemBound]) -> str:
    if reading.exceeded:
        allowed = reading.exceeded[0].allowed
        where = " in each part" if plan.parts else ""
        return f"The plan allows {allowed}{where}: {plan.scope} cannot be approved as it is."
    if reading.complete and not _leaving(reading):
        return breach_words([item for item in items if item.breached])
    return (
        "What a second person confirmed or rejected must be excluded or fixed and a new candidate "
        "built."
    )
