"""A frozen sample per family is read by people for anybody named, and no machine's hit is shown.

The frame is every shipped record of the family: two near-duplicates may differ in nothing but a
name. An answer that somebody could be identified is never taken back; the record has to go.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from core.canonical import canonical_bytes, decode, digest_of, sha256_hex
from core.model.errors import DeskError, ReviewError
from core.model.names import Digest, ReviewerId, parse_digest, parse_reviewer
from core.model.pii import PiiAnswer, PiiState, PiiVerdict
from core.model.review import Rubric, SamplePlan
from core.model.signoff import DeskRole, Person
from core.policy.types import ClaimRule, PiiCheckRule
from core.review.answers import check_person, moment_of
from core.review.bounds import quoted_upper
from core.review.frame import FoundRecord
from core.review.pii_attempts import (
    EarlierSample,
    attempts_sentence,
    failed_samples,
    rule_after,
    unread_records,
)
from core.review.sample import draw_plan, parse_plan, plan_bytes, plan_digest
from core.storage.ports import ObjectStore
from core.storage.put_once import put_once

SCHEMA = "release-desk/pii-answer/1"
READERS: tuple[DeskRole, ...] = ("clinician", "bias_reviewer", "review_lead")
METHOD = "SHA-256 rank over every shipped record of the family; machine hits shown after answering"
KINDS: Mapping[str, str] = {
    "name": "a name of somebody private",
    "contact": "a phone number, address, e-mail, handle or link",
    "number": "a number that belongs to one person (record, account, card, plate, device)",
    "date": "a birth date, an age over 89, or a calendar date tied to a person",
    "place": "a place that points to one person: a school, a workplace, a small town",
    "story": "several details that together point to one person",
    "credential": "a password, key or token",
    "other": "something else",
}
QUESTION = "Could anybody, a client, a helper or a third person, be identified by this record?"
_LIMIT = 1 << 20
_PLAN_LIMIT = 8 << 20
_TEXT = ("candidate", "family", "record_id", "plan", "reviewer", "answer", "kind", "at")
_NAME = re.compile(r"(?P<record>[^/]+)/(?P<reviewer>[^/]+)-(?P<sha>[0-9a-f]{16})\.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAnswer:
    """An answer and where it lies."""

    answer: PiiAnswer
    key: str
    sha256: Digest


def question() -> Rubric:
    """Return the one question as a rubric, so that a plan names its exact words."""
    return Rubric(
        id="pii_check",
        version="1",
        question=QUESTION,
        scale=(),
        items=(),
        hard_fails=(),
        verdicts=("nobody", "somebody"),
        digest=digest_of({"question": QUESTION, "kinds": dict(KINDS), "method": METHOD}),
    )


# --- The sample.


def draw_pii_plan(
    records: Iterable[tuple[str, str, str]],
    *,
    rule: PiiCheckRule,
    family: str,
    candidate: Digest,
    seed: str,
    earlier: Sequence[EarlierSample] = (),
) -> SamplePlan:
    """Return the plan of one family over triples of record id, cluster id and family.

    Raises:
        ReviewError: `review.escape_ships` as `unread_records`; `review.empty_frame`,
            `review.plan_too_small` as `draw_plan`.
    """
    rule = rule_after(rule, len(failed_samples(earlier)))
    drawn_from = unread_records(records, family, earlier)
    claim = ClaimRule(
        id=f"pii_{family}",
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
    every_record = ((record, record, name) for record, _, name in drawn_from)
    return draw_plan(every_record, claim=claim, rubric=question(), candidate=candidate, seed=seed)


def freeze_pii_plan(store: ObjectStore, prefix: str, plan: SamplePlan, family: str) -> str:
    """Store the plan for good and return its key; another one for the family is refused.

    Raises:
        ReviewError: `review.frozen_already`.
    """
    held = load_pii_plans(store, prefix, plan.candidate).get(family)
    if held is not None and held != plan:
        raise ReviewError(
            "review.frozen_already",
            "The sample of this family is frozen; a second draw is refused.",
            place=held.id,
        )
    key = f"{_plans(prefix, plan.candidate)}{family}-{plan_digest(plan)}.json"
    put_once(store, key, plan_bytes(plan))
    return key


def load_pii_plans(store: ObjectStore, prefix: str, candidate: Digest) -> Mapping[str, SamplePlan]:
    """Return the frozen plans of a candidate by family.

    Raises:
        ReviewError: `review.plan_broken`, `review.two_plans` as `load_plans`.
    """
    found: dict[str, SamplePlan] = {}
    folder = _plans(prefix, candidate)
    for entry in store.list(folder):
        body = store.get(entry.key, limit=_PLAN_LIMIT).body
        plan = parse_plan(body)
        family = plan.claim.removeprefix("pii_")
        if plan.candidate != candidate or entry.key != f"{folder}{family}-{sha256_hex(body)}.json":
            raise ReviewError(
                "review.plan_broken",
                "A stored sample plan is not what its name says.",
                place=entry.key,
            )
        if family in found:
            raise ReviewError("review.two_plans", "A family has two samples.", place=family)
        found[family] = plan
    return found


# --- Answers.


def check_answer(answer: PiiAnswer, plan: SamplePlan, record: FoundRecord) -> None:
    """Refuse an answer that is not one to this question about this record.

    Raises:
        ReviewError: `review.not_in_plan`, `review.stale`, `review.answer`.
    """
    if answer.record_id not in plan.records or record.record_id != answer.record_id:
        raise ReviewError("review.not_in_plan", "This record is not in the sample.")
    if (answer.candidate, answer.plan) != (plan.candidate, plan_digest(plan)):
        raise ReviewError("review.not_in_plan", "The answer is of another candidate or sample.")
    if answer.shown_sha256 != record.sha256:
        raise ReviewError(
            "review.stale", "What was shown is not what would ship.", place=answer.record_id
        )
    if not _whole(answer, len(record.messages)):
        raise ReviewError(
            "review.answer",
            "Say that nobody could be identified, or in which turn and by what somebody could.",
        )
    moment_of(answer.at)


def submit_answer(
    store: ObjectStore,
    prefix: str,
    answer: PiiAnswer,
    *,
    person: Person,
    plan: SamplePlan,
    record: FoundRecord,
    builder: ReviewerId,
) -> StoredAnswer:
    """Check the answer and store it for good; sending it twice is harmless.

    Who said "nobody" may say "somebody" later, having thought or having seen the machine's
    hits; nobody takes a "somebody" back.

    Raises:
        NotAllowed: `review.role`, `review.not_yourself`, `review.builder`.
        ReviewError: as `check_answer`; `review.conflict` when the person has answered.
    """
    check_person(person, answer.reviewer, READERS, builder)
    check_answer(answer, plan, record)
    for stored in load_answers(store, prefix, answer.candidate, answer.family):
        held = stored.answer
        if (held.record_id, held.reviewer) != (answer.record_id, answer.reviewer):
            continue
        if (held.answer, held.turn, held.kind) == (answer.answer, answer.turn, answer.kind):
            return stored
        if held.answer == "somebody" or answer.answer == "nobody":
            raise ReviewError(
                "review.conflict",
                "You have answered for this record; that somebody could be identified stands.",
                place=answer.record_id,
            )
    body = answer_bytes(answer)
    digest = sha256_hex(body)
    folder = _answers(prefix, answer.candidate, answer.family)
    key = f"{folder}{answer.record_id}/{answer.reviewer}-{digest[:16]}.json"
    put_once(store, key, body)
    return StoredAnswer(answer=answer, key=key, sha256=digest)


def load_answers(
    store: ObjectStore,
    prefix: str,
    candidate: Digest,
    family: str,
    *,
    cache: dict[str, bytes] | None = None,
) -> tuple[StoredAnswer, ...]:
    """Return every answer for a family, in order of key; `cache` keeps write-once bytes by key.

    Raises:
        ReviewError: `review.answer_broken` when an object under the prefix is no answer.
    """
    folder = _answers(prefix, candidate, family)
    kept = {} if cache is None else cache
    found = []
    for entry in store.list(folder):
        if entry.key not in kept:
            kept[entry.key] = store.get(entry.key, limit=_LIMIT).body
        found.append(_read(kept[entry.key], entry.key, folder, candidate, family))
    return tuple(found)


def answer_bytes(answer: PiiAnswer) -> bytes:
    """Return the bytes an answer is stored as."""
    content: dict[str, object] = {name: getattr(answer, name) for name in _TEXT}
    return canonical_bytes(
        {
            "schema": SCHEMA,
            **content,
            "turn": answer.turn,
            "shown_sha256": answer.shown_sha256,
            "seconds": answer.seconds,
        }
    )


# --- Where it stands.


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
    upper = None
    if read:
        upper = quoted_upper(len(escapes), len(read), plan.frame, plan.confidence, plan.limit)
    if (plan.limit, plan.confidence, plan.rubric, plan.seed) != (
        rule.limit,
        rule.confidence,
        question().digest,
        seed,
    ):
        word = "stale"
    elif escapes:
        word = "escaped"
    elif len(read) < plan.first:
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


def _whole(answer: PiiAnswer, turns: int) -> bool:
    if answer.answer == "nobody":
        return answer.turn == -1 and answer.kind == ""
    return answer.answer == "somebody" and 0 <= answer.turn < turns and answer.kind in KINDS


def _read(body: bytes, key: str, folder: str, candidate: Digest, family: str) -> StoredAnswer:
    named = _NAME.fullmatch(key.removeprefix(folder))
    try:
        content = decode(body)
        answer = _answer(content)
        whole = content["schema"] == SCHEMA and answer_bytes(answer) == body
        moment_of(answer.at)
    except (DeskError, KeyError, TypeError, ValueError, AttributeError):
        raise _broken(key) from None
    digest = sha256_hex(body)
    mine = (answer.candidate, answer.family) == (candidate, family)
    if not whole or not mine or named is None:
        raise _broken(key)
    if named.groups() != (answer.record_id, answer.reviewer, digest[:16]):
        raise _broken(key)
    return StoredAnswer(answer=answer, key=key, sha256=digest)


def _answer(content: Mapping[str, object]) -> PiiAnswer:
    given = str(content["answer"])
    if given not in ("nobody", "somebody"):
        raise ValueError
    verdict: PiiVerdict = "nobody" if given == "nobody" else "somebody"
    answer = PiiAnswer(
        candidate=parse_digest(str(content["candidate"])),
        family=str(content["family"]),
        record_id=str(content["record_id"]),
        plan=parse_digest(str(content["plan"])),
        reviewer=parse_reviewer(str(content["reviewer"])),
        answer=verdict,
        turn=int(str(content["turn"])),
        kind=str(content["kind"]),
        shown_sha256=parse_digest(str(content["shown_sha256"])),
        at=str(content["at"]),
        seconds=int(str(content["seconds"])),
    )
    # How many turns the record has is not known here; that there is one is.
    if not _whole(answer, answer.turn + 1):
        raise ValueError
    return answer


def _plans(prefix: str, candidate: Digest) -> str:
    return f"{prefix}reviews/{candidate}/pii/plans/"


def _answers(prefix: str, candidate: Digest, family: str) -> str:
    return f"{prefix}reviews/{candidate}/pii/answers/{family}/"


def _broken(place: str) -> ReviewError:
    return ReviewError(
        "review.answer_broken", "A stored PII answer is not what its name says.", place=place
    )
