"""Where the reading of one family for anybody named stands, in numbers and in a sentence."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from core.model.names import ReviewerId
from core.model.pii import PiiState
from core.model.review import SamplePlan
from core.policy.types import PiiCheckRule
from core.review.bounds import quoted_part_upper
from core.review.pii_answers import StoredAnswer
from core.review.pii_attempts import EarlierSample, attempts_sentence, failed_samples, rule_after
from core.review.pii_question import question
from core.review.plans import plan_digest


def pii_state(
    plan: SamplePlan | None,
    answers: Sequence[StoredAnswer],
    *,
    rule: PiiCheckRule,
    family: str,
    seed: str | None,
    readers: Collection[ReviewerId],
    journalled: Iterable[str] = (),
    earlier: Sequence[EarlierSample] = (),
    carried: Sequence[StoredAnswer] = (),
) -> PiiState:
    """Return where the reading of one family stands.

    Args:
        plan: the frozen plan, or None.
        answers: every stored answer for the family.
        rule: what the policy asks now.
        family: the family.
        seed: the version's seed, None before it is fixed.
        readers: who may read (they hold a reader's role and did not build the candidate);
            that nobody could be identified counts from them alone.
        journalled: records that the journal says identify somebody; an answer that was
            taken out of the bucket does not set its record free.
        earlier: the samples of earlier candidates, oldest first. One that found somebody has
            failed, and this one must show more (`rule_after`).
        carried: answers given to those. They count here too where the sample holds the record:
            a record's id is the digest of its messages, so the same text was read.
    """
    failed = failed_samples(earlier)
    rule = rule_after(rule, len(failed))
    if plan is None:
        return _state(plan, "not_frozen", rule=rule, family=family, failed=failed)
    answers = (*answers, *carried)
    plans = {plan_digest(plan), *(sample.plan for sample in earlier)}
    named = {item.answer.record_id for item in answers if item.answer.answer == "somebody"}
    escapes = tuple(sorted({*named, *journalled} & frozenset(plan.records)))
    counted = [item.answer for item in answers if item.answer.reviewer in readers]
    read = frozenset(
        item.record_id for item in counted if item.record_id in plan.records and item.plan in plans
    ) | frozenset(escapes)
    upper = _upper(plan, read, frozenset(escapes))
    if (plan.limit, plan.confidence, plan.rubric, plan.seed) != (
        rule.limit,
        rule.confidence,
        question().digest,
        seed,
    ):
        word = "stale"
    elif escapes:
        word = "escaped"
    elif any(len(read & set(part.records)) < part.first for part in plan.strata):
        word = "reading"
    elif upper is None or upper > plan.limit + 1e-3:
        word = "unproven"
    else:
        word = "done"
    return _state(
        plan,
        word,
        rule=rule,
        family=family,
        read=len(read),
        escapes=escapes,
        upper=upper,
        readers=tuple(sorted({item.reviewer for item in counted if item.record_id in read})),
        failed=failed,
    )


def _upper(plan: SamplePlan, read: frozenset[str], escapes: frozenset[str]) -> float | None:
    """Return the bound on the whole, the largest of its strata's; None while one is unread."""
    found = []
    for part in plan.strata:
        mine = frozenset(part.records)
        if not read & mine:
            return None
        numbers = len(escapes & mine), len(read & mine), part.frame, part.ships
        found.append(quoted_part_upper(*numbers, plan.confidence, plan.limit))
    return max(found)


def _state(
    plan: SamplePlan | None,
    word: str,
    *,
    rule: PiiCheckRule,
    family: str,
    read: int = 0,
    escapes: tuple[str, ...] = (),
    upper: float | None = None,
    readers: tuple[ReviewerId, ...] = (),
    failed: Sequence[EarlierSample] = (),
) -> PiiState:
    state = PiiState(
        family=family,
        state=word,
        frame=plan.frame if plan is not None else 0,
        planned=plan.first if plan is not None else 0,
        read=read,
        escapes=escapes,
        limit=rule.limit,
        confidence=rule.confidence,
        upper=upper,
        sentence="",
        readers=readers,
        plan=plan_digest(plan) if plan is not None else "",
        seed=plan.seed if plan is not None else "",
        failed=tuple((len(sample.escapes), len(sample.read)) for sample in failed),
        unchanged=tuple((p.since, p.ships) for p in plan.parts if p.since) if plan else (),
    )
    return replace(state, sentence=pii_sentence(state))


def pii_sentence(state: PiiState, title: str = "") -> str:
    """Return the state in plain words whose numbers are exact; `title` names the family."""
    name = title or state.family
    if state.state == "not_frozen":
        said = f"No sample of {name} is frozen for the PII check, so nothing can be said about it."
        return said + attempts_sentence(state.failed)
    if state.state == "stale":
        return f"The PII sample of {name} was drawn under another rule; build and freeze again."
    found = len(state.escapes)
    said = (
        f"{state.read:,} of {state.planned:,} sampled records of {name} (of {state.frame:,}) were "
        f"read by people; in {found or 'none'} of them somebody could be identified."
    )
    for since, ships in state.unchanged:
        said += (
            f" {ships:,} of the family are unchanged since {since} and keep the sample read then."
        )
    if state.upper is not None:
        said += (
            f" With {_percent(state.confidence)} confidence at most {_percent(state.upper)} of "
            f"the family would identify somebody (asked: {_percent(state.limit)})."
        )
    if state.state == "escaped":
        said += (
            " These records must be excluded and a new candidate built, of which others are read."
        )
    if state.state == "unproven":
        said += " The bound is above what was asked."
    return said + attempts_sentence(state.failed)


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
