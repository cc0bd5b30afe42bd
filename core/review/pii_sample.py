"""A PII sample of one family is drawn from every shipped record of it, and frozen.

Two near-duplicates may differ in nothing but a name, so no record stands for another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from core.model.errors import ReviewError
from core.model.names import Digest
from core.model.review import SamplePlan
from core.policy.types import ClaimRule, PiiCheckRule
from core.review.pii_attempts import EarlierSample, failed_samples, rule_after, unread_records
from core.review.pii_question import question
from core.review.plans import parse_plan, plan_bytes
from core.review.sample import Drawn, draw_sample
from core.review.strata import ReadPart, freeze_frame
from core.review.write_once import freeze_for_claim, load_by_claim
from core.storage.ports import ObjectStore

_LIMIT = 8 << 20
_CLAIM = "pii_"


def draw_pii_plan(
    records: Iterable[tuple[str, str, str]],
    *,
    rule: PiiCheckRule,
    family: str,
    candidate: Digest,
    seed: str,
    earlier: Sequence[EarlierSample] = (),
    before: Sequence[ReadPart] = (),
) -> Drawn:
    """Return the sample of one family over triples of record id, cluster id and family.

    It goes on from `before`, the strata of a release, unless a sample has failed since.

    Raises:
        ReviewError: `review.escape_ships` as `unread_records`; `review.empty_frame`,
            `review.plan_too_small` as `draw_sample`.
    """
    rule = rule_after(rule, len(failed_samples(earlier)))
    drawn_from = unread_records(records, family, earlier)
    claim = ClaimRule(
        id=f"{_CLAIM}{family}",
        title=f"PII check: {family}",
        role="review_lead",
        rubric="pii_check",
        families=(family,),
        limit=rule.limit,
        confidence=rule.confidence,
        first=rule.first,
        second=0,
        overlap=0,
    )
    return draw_sample(
        ((record, record, name) for record, _, name in drawn_from),
        claim=claim,
        rubric=question(),
        candidate=candidate,
        seed=seed,
        before=() if failed_samples(earlier) else before,
    )


def freeze_pii_plan(store: ObjectStore, prefix: str, drawn: Drawn, family: str) -> str:
    """Store the plan for good, before it what it was drawn from, and return its key.

    Another one for the family is refused.

    Raises:
        ReviewError: `review.frozen_already`.
    """
    plan = drawn.plan
    held = load_pii_plans(store, prefix, plan.candidate).get(family)
    if held is not None and held != plan:
        raise ReviewError(
            "review.frozen_already",
            "The sample of this family is frozen; a second draw is refused.",
            place=held.id,
        )
    if drawn.frame is not None:
        freeze_frame(store, prefix, drawn.frame)
    return freeze_for_claim(store, _folder(prefix, plan.candidate), family, plan_bytes(plan))


def load_pii_plans(store: ObjectStore, prefix: str, candidate: Digest) -> Mapping[str, SamplePlan]:
    """Return the frozen plans of a candidate by family.

    Raises:
        ReviewError: `review.plan_broken`, `review.two_plans` as `load_plans`.
    """
    return load_by_claim(
        store,
        _folder(prefix, candidate),
        candidate,
        parse=lambda body, _: parse_plan(body),
        broken=_broken,
        limit=_LIMIT,
        named=lambda plan: plan.claim.removeprefix(_CLAIM),
        twice=_twice,
    )


def _folder(prefix: str, candidate: Digest) -> str:
    return f"{prefix}reviews/{candidate}/pii/plans/"


def _broken(place: str) -> ReviewError:
    return ReviewError(
        "review.plan_broken", "A stored sample plan is not what its name says.", place=place
    )


def _twice(place: str) -> ReviewError:
    return ReviewError("review.two_plans", "A family has two samples.", place=place)
