"""Each question has a bound of its own: a mean would hide the one that failed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from core.model.review import Rating, Rubric
from core.policy.types import ClaimRule
from core.review.bounds import quoted_part_upper

LOW = 2
"""On a scale of 1 to 5, the highest score that fails; other scales fail at the same share."""
_OUR_TOP = 5
OVERALL = "overall"


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemBound:
    """How many of the `read` records some reader scored `fails_at` or less on one question.

    `upper` bounds the share of such records in the frame; `limit` is what the claim allows, or
    None where the question is only reported.
    """

    item: str
    low: int
    read: int
    upper: float
    limit: float | None
    fails_at: float = LOW

    @property
    def breached(self) -> bool:
        """Whether the question is limited and its bound does not prove the limit."""
        return self.limit is not None and self.upper > self.limit


def item_bounds(
    ratings: Sequence[Rating],
    claim: ClaimRule,
    frame: int,
    rubric: Rubric | None = None,
    *,
    ships: int | None = None,
    also: Collection[str] = (),
) -> tuple[ItemBound, ...]:
    """Return the bound of every question answered with a number, in order of its id.

    `frame` is how many units were drawn from, `ships` how many of them are still spoken for;
    `also` are questions that have a bound here even where nobody had to answer them.

    One low score by anybody makes a record low: the second reader does not average it away. A
    limit of nearly nothing can never be proven, so an unlimited question has none. Where the
    rubric has a pass mark for a question, what is under it is low, else the lower two fifths of
    its scale; where it weighs its questions, `overall` is low under its weighted mean.
    """
    read = len({rating.record_id for rating in ratings})
    marks = _fail_marks(rubric)
    low: dict[str, set[str]] = {item: set() for item in also} if read else {}
    for rating in ratings:
        for item, score in _scores(rating, rubric).items():
            low.setdefault(item, set())
            if score <= marks.get(item, LOW):
                low[item].add(rating.record_id)
    limits: Mapping[str, float] = dict.fromkeys(claim.limited_items, claim.item_limit)
    return tuple(
        ItemBound(
            item=item,
            low=len(records),
            read=read,
            upper=quoted_part_upper(
                len(records),
                read,
                max(frame, read),
                max(frame, read) if ships in (None, frame) else ships,
                claim.confidence,
                limits.get(item, 1.0),
            ),
            limit=limits.get(item),
            fails_at=marks.get(item, LOW),
        )
        for item, records in sorted(low.items())
    )


def whole_bounds(strata: Sequence[Sequence[ItemBound]]) -> tuple[ItemBound, ...]:
    """Return one bound of each question for all strata: the largest of theirs.

    While some stratum has not been read at all, nothing bounds them.
    """
    by_item: dict[str, list[ItemBound]] = {}
    for bounds in strata:
        for bound in bounds:
            by_item.setdefault(bound.item, []).append(bound)
    return tuple(
        replace(
            bounds[0],
            low=sum(bound.low for bound in bounds),
            read=sum(bound.read for bound in bounds),
            upper=max(b.upper for b in bounds) if len(bounds) == len(strata) else 1.0,
        )
        for _, bounds in sorted(by_item.items())
    )


def low_records(
    ratings: Sequence[Rating], claim: ClaimRule, rubric: Rubric | None
) -> frozenset[str]:
    """Return the records that some reader scored low on a question the claim limits."""
    marks = _fail_marks(rubric)
    return frozenset(
        rating.record_id
        for rating in ratings
        for item, score in _scores(rating, rubric).items()
        if item in claim.limited_items and score <= marks.get(item, LOW)
    )


def _fail_marks(rubric: Rubric | None) -> Mapping[str, float]:
    """Return, by question, the highest score that fails."""
    if rubric is None:
        return {}
    share = LOW * rubric.scale[-1] // _OUR_TOP
    marks: dict[str, float] = {
        item.id: item.least - 1 if item.least else share for item in rubric.items
    }
    if rubric.least_overall:
        # Scores are whole and weights hundredths, so nothing lies in between.
        marks[OVERALL] = rubric.least_overall - 0.001
    return marks


def _scores(rating: Rating, rubric: Rubric | None) -> Mapping[str, float]:
    given: dict[str, float] = {
        item: int(answer) for item, answer in rating.scores.items() if answer.isdecimal()
    }
    if (
        rubric is not None
        and rubric.least_overall
        and (mean := overall(rating, rubric)) is not None
    ):
        given[OVERALL] = mean
    return given


def overall(rating: Rating, rubric: Rubric) -> float | None:
    """Return the weighted mean of the questions answered with a number, or None of none."""
    given = [
        (item.weight, int(rating.scores[item.id]))
        for item in rubric.items
        if rating.scores.get(item.id, "").isdecimal()
    ]
    weight = sum(one for one, _ in given)
    # Weights are hundredths: a mean that is 7 shall not be 6.999 999 for being binary.
    return round(sum(one * score for one, score in given) / weight, 9) if weight else None
