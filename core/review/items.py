"""Each question has a bound of its own: a mean would hide the one that failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.model.review import Rating
from core.policy.types import ClaimRule
from core.review.bounds import quoted_upper

LOW = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemBound:
    """How many of the `read` records some reader scored `LOW` or less on one question.

    `upper` bounds the share of such records in the frame; `limit` is what the claim allows, or
    None where the question is only reported.
    """

    item: str
    low: int
    read: int
    upper: float
    limit: float | None

    @property
    def breached(self) -> bool:
        """Whether the question is limited and its bound does not prove the limit."""
        return self.limit is not None and self.upper > self.limit


def item_bounds(ratings: Sequence[Rating], claim: ClaimRule, frame: int) -> tuple[ItemBound, ...]:
    """Return the bound of every question answered with a number, in order of its id.

    One low score by anybody makes a record low: the second reader does not average it away. A
    limit of nearly nothing can never be proven, so an unlimited question has none.
    """
    read = len({rating.record_id for rating in ratings})
    low: dict[str, set[str]] = {}
    for rating in ratings:
        for item, answer in rating.scores.items():
            if answer.isdecimal():
                low.setdefault(item, set())
                if int(answer) <= LOW:
                    low[item].add(rating.record_id)
    limits: Mapping[str, float] = dict.fromkeys(claim.limited_items, claim.item_limit)
    return tuple(
        ItemBound(
            item=item,
            low=len(records),
            read=read,
            upper=quoted_upper(
                len(records), read, max(frame, read), claim.confidence, limits.get(item, 1.0)
            ),
            limit=limits.get(item),
        )
        for item, records in sorted(low.items())
    )
