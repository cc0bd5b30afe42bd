"""Which records get read follows from a seed nobody could fish for, before the first is shown.

The frame is one record per near-duplicate cluster: ten copies read are still one opinion.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.canonical import canonical_bytes, decode, sha256_hex
from core.model.errors import DeskError, ReviewError
from core.model.names import Digest
from core.model.review import Rubric, SamplePlan
from core.policy.types import ClaimRule
from core.review.attempts import Past, claim_after
from core.review.bounds import RISK_TOLERANCE, finite_risk
from core.storage.ports import ObjectStore
from core.storage.put_once import put_once

SCHEMA = "release-desk/sample-plan/2"
FIRST_SCHEMA = "release-desk/sample-plan/1"
FIRST = Past()
"""Nothing was drawn before."""
_PLAN_LIMIT = 8 << 20
_TEXT = ("id", "candidate", "claim", "scope", "role", "rubric", "seed")
_COUNTS = ("frame", "first", "second", "overlap")


def fix_seed(candidate_digest: str, nonce: str) -> str:
    """Return the seed of a version: SHA-256 over its first candidate's digest and a nonce.

    Raises:
        ReviewError: `review.nonce` when the nonce is blank.
    """
    if not nonce.strip():
        raise ReviewError("review.nonce", "Type a nonce: any words nobody could have foreseen.")
    return sha256_hex(f"{candidate_digest}{nonce}".encode())


def rank_of(seed: str, record_id: str) -> tuple[str, str]:
    """Return the place of a record in the reading order of this seed; smallest first."""
    return sha256_hex(f"{seed}:{record_id}".encode()), record_id


def scope_of(claim: ClaimRule) -> str:
    """Return what the claim speaks of, as the sentence names it."""
    return claim.title.rpartition(": ")[2]


def draw_plan(
    records: Iterable[tuple[str, str, str]],
    *,
    claim: ClaimRule,
    rubric: Rubric,
    candidate: Digest,
    seed: str,
    past: Past = FIRST,
) -> SamplePlan:
    """Return the plan over `records`, triples of record id, cluster id and family, in any order.

    `past` are the samples before it: what failed and left stays in the frame, and after a failed
    sample only what nobody has read is drawn from, unless everything has been read.

    Raises:
        ReviewError: `review.empty_frame` when no record is in the claim's families,
            `review.plan_too_small` when the claim's sample could not prove its limit.
    """
    mine = [item for item in records if item[2] in claim.families]
    if not mine:
        raise ReviewError(
            "review.empty_frame", "No shipped record belongs to this claim.", place=claim.id
        )
    left = [(name, name, claim.families[0]) for name in past.gone]
    ranked = _frame([*_unread(mine, past.read), *left], seed)
    asked = claim_after(claim, len(past.failed), len(ranked))
    first, second = plan_stages(asked, len(ranked))
    content: dict[str, object] = {
        "candidate": candidate,
        "claim": claim.id,
        "scope": scope_of(claim),
        "role": claim.role,
        "rubric": rubric.digest,
        "seed": seed,
        "frame": len(ranked),
        "limit": repr(claim.limit),
        "confidence": repr(asked.confidence),
        "first": first,
        "second": second,
        "overlap": min(claim.overlap, second or first),
        "records": ranked[: second or first],
    }
    if past != FIRST:
        drawn = set(ranked[: second or first])
        content |= {
            "failed": [list(pair) for pair in past.failed],
            "left_in": past.left_in,
            "gone": [name for name in past.gone if name in drawn],
        }
    identity = f"{claim.id}-{sha256_hex(canonical_bytes(content))[:16]}"
    return _plan({**content, "id": identity})


def plan_stages(claim: ClaimRule, frame: int) -> tuple[int, int]:
    """Return how many records stage one and stage two read in a frame of this size.

    A small frame needs fewer: stage one is the smallest that keeps the claim's risk over the
    finite frame, and never more than the claim's own number. Stage two is 0 where there is none.
    """
    risk = 1 - claim.confidence
    most = min(claim.first, frame)
    second = min(claim.second, frame) if claim.second else 0
    if finite_risk(most, second, frame, claim.limit) > risk + RISK_TOLERANCE:
        raise ReviewError(
            "review.plan_too_small", "This many records cannot prove the limit.", place=claim.id
        )
    low, high = 1, most
    while low < high:
        middle = (low + high) // 2
        if finite_risk(middle, second, frame, claim.limit) <= risk:
            high = middle
        else:
            low = middle + 1
    return low, second if second > low else 0


def plan_bytes(plan: SamplePlan) -> bytes:
    """Return the bytes a plan is stored as; rates are text, so that they have one form."""
    content: dict[str, object] = {name: getattr(plan, name) for name in (*_TEXT, *_COUNTS)}
    content |= {"limit": repr(plan.limit), "confidence": repr(plan.confidence)}
    content["records"] = plan.records
    if not (plan.failed or plan.left_in or plan.gone):
        # A first sample is what it always was, to the byte.
        return canonical_bytes({"schema": FIRST_SCHEMA, **content})
    content |= {"failed": plan.failed, "left_in": plan.left_in, "gone": plan.gone}
    return canonical_bytes({"schema": SCHEMA, **content})


def plan_digest(plan: SamplePlan) -> Digest:
    """Return the digest that names a plan in keys and signatures."""
    return sha256_hex(plan_bytes(plan))


def parse_plan(body: bytes) -> SamplePlan:
    """Return the plan of stored bytes; raise `ReviewError` `review.plan_broken` for others."""
    try:
        content = decode(body)
        plan = _plan(content)
        whole = plan_bytes(plan) == body
    except (DeskError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise _broken() from error
    if not whole:
        raise _broken()
    return plan


def freeze_plan(store: ObjectStore, prefix: str, plan: SamplePlan) -> str:
    """Store the plan for good and return its key.

    Raises:
        ReviewError: `review.frozen_already` when another plan stands for this claim: a second
            draw would let somebody pick the kinder one.
    """
    held = load_plans(store, prefix, plan.candidate).get(plan.claim)
    if held is not None and held != plan:
        raise ReviewError(
            "review.frozen_already",
            "The sample of this claim is frozen; a second draw is refused.",
            place=held.id,
        )
    key = f"{_folder(prefix, plan.candidate)}{plan.claim}-{plan_digest(plan)}.json"
    put_once(store, key, plan_bytes(plan))
    return key


def load_plans(store: ObjectStore, prefix: str, candidate: Digest) -> Mapping[str, SamplePlan]:
    """Return the frozen plans of a candidate by claim.

    Raises:
        ReviewError: `review.plan_broken` when a plan's bytes do not match its name,
            `review.two_plans` when a claim has more than one.
    """
    found: dict[str, SamplePlan] = {}
    for entry in store.list(_folder(prefix, candidate)):
        body = store.get(entry.key, limit=_PLAN_LIMIT).body
        plan = parse_plan(body)
        named = f"{plan.claim}-{sha256_hex(body)}.json"
        if plan.candidate != candidate or entry.key != _folder(prefix, candidate) + named:
            raise _broken(entry.key)
        if plan.claim in found:
            raise ReviewError("review.two_plans", "A claim has two samples.", place=plan.claim)
        found[plan.claim] = plan
    return found


def _unread(
    records: Sequence[tuple[str, str, str]], read: frozenset[str]
) -> Sequence[tuple[str, str, str]]:
    """Return the records of clusters that nobody has read any of; all, once all have been read."""
    known = {cluster for name, cluster, _ in records if name in read}
    return [item for item in records if item[1] not in known] or records


def _frame(records: Iterable[tuple[str, str, str]], seed: str) -> list[str]:
    best: dict[str, tuple[str, str]] = {}
    for record_id, cluster_id, _ in records:
        # Which copy speaks for a cluster is drawn apart from its place: by the best of its
        # copies' ranks a cluster of ten would be read ten times as often as a record alone.
        turn = sha256_hex(f"{seed}:copy:{record_id}".encode()), record_id
        if cluster_id not in best or turn < best[cluster_id]:
            best[cluster_id] = turn
    return sorted((name for _, name in best.values()), key=lambda name: rank_of(seed, name))


def _plan(content: Mapping[str, object]) -> SamplePlan:
    text = {name: str(content[name]) for name in _TEXT}
    counts = {name: int(str(content[name])) for name in _COUNTS}
    records = content["records"]
    if not isinstance(records, (list, tuple)):
        raise TypeError
    return SamplePlan(
        id=text["id"],
        candidate=Digest(text["candidate"]),
        claim=text["claim"],
        scope=text["scope"],
        role=text["role"],
        rubric=Digest(text["rubric"]),
        seed=text["seed"],
        limit=float(str(content["limit"])),
        confidence=float(str(content["confidence"])),
        records=tuple(str(record_id) for record_id in records),
        failed=tuple((int(fails), int(read)) for fails, read in _list(content, "failed")),
        left_in=tuple(str(name) for name in _list(content, "left_in")),
        gone=tuple(str(name) for name in _list(content, "gone")),
        **counts,
    )


def _list(content: Mapping[str, object], name: str) -> Sequence[Any]:
    found = content.get(name, ())
    if not isinstance(found, (list, tuple)):
        raise TypeError
    return found


def _folder(prefix: str, candidate: Digest) -> str:
    return f"{prefix}reviews/{candidate}/plans/"


def _broken(place: str = "") -> ReviewError:
    return ReviewError(
        "review.plan_broken", "A stored sample plan is not what its name says.", place=place
    )
