"""What one reviewer flagged is settled by another, once and in writing; the dissent stays.

A confirmation always outweighs a dismissal, whichever came first: nobody can talk a confirmed
hard fail away afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from core.canonical import canonical_bytes, decode, digest_of, sha256_hex
from core.model.errors import DeskError, NotAllowed, ReviewError
from core.model.names import Digest, ReviewerId, parse_digest, parse_reviewer
from core.model.signoff import Person
from core.policy.types import ClaimRule
from core.review.answers import NOTE_LIMIT, check_person
from core.review.ratings import StoredRating
from core.storage.ports import ObjectStore
from core.storage.put_once import put_once

SCHEMA = "release-desk/settlement/1"
VERDICT = "verdict"
_OBJECT_LIMIT = 1 << 20
_TEXT = ("candidate", "claim", "record_id", "kind", "target", "decision", "reason", "by", "at")

Kind = Literal["flag", "difference"]
Outcome = Literal["confirm", "dismiss"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """A second person's decision about one flag, or about one difference between raters.

    `target` is `flag_target(...)` for a flag, and an item's id or `verdict` for a difference.
    Confirming a difference lets the stricter answer stand, dismissing it the milder one.
    """

    candidate: Digest
    claim: str
    record_id: str
    kind: Kind
    target: str
    decision: Outcome
    reason: str
    by: ReviewerId
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSettlement:
    """A settlement and where it lies."""

    settlement: Settlement
    key: str
    sha256: Digest


def flag_target(flag_id: str, turn: int, raised_by: str) -> str:
    """Return the name by which one flag of one reviewer is settled."""
    return f"{flag_id}@{turn}:{raised_by}"


def settle(
    store: ObjectStore,
    prefix: str,
    settlement: Settlement,
    *,
    person: Person,
    claim: ClaimRule,
    ratings: Sequence[StoredRating],
    builder: ReviewerId,
) -> str:
    """Store a decision for good and return its key.

    Args:
        store: the bucket.
        prefix: the exports prefix.
        settlement: the decision; its reason is kept.
        person: who decides: a review lead, or somebody who holds the claim's role.
        claim: the claim it belongs to.
        ratings: the present ratings of the claim.
        builder: who built the candidate.

    Raises:
        NotAllowed: `review.role`, `review.not_yourself`, `review.builder`, or
            `review.second_person` when the one who decides is a party to it.
        ReviewError: `review.reason` or `review.nothing_to_settle`.
    """
    check_person(person, settlement.by, ("review_lead", claim.role), builder)
    _check(settlement, claim, ratings)
    body = settlement_bytes(settlement)
    key = f"{_folder(prefix, settlement)}{settlement.record_id}/{sha256_hex(body)}.json"
    put_once(store, key, body)
    return key


def settlement_bytes(settlement: Settlement) -> bytes:
    """Return the bytes a settlement is stored as."""
    content = {name: getattr(settlement, name) for name in _TEXT}
    return canonical_bytes({"schema": SCHEMA, **content})


def load_settlements(
    store: ObjectStore, prefix: str, candidate: Digest, claim: str
) -> tuple[StoredSettlement, ...]:
    """Return every settlement of a claim in key order.

    Raises:
        ReviewError: `review.settlement_broken` when an object under the prefix is none.
    """
    folder = f"{prefix}reviews/{candidate}/settlements/{claim}/"
    found = []
    for entry in store.list(folder):
        body = store.get(entry.key, limit=_OBJECT_LIMIT).body
        settlement = _parse(body, entry.key)
        digest = sha256_hex(body)
        named = f"{folder}{settlement.record_id}/{digest}.json"
        same = (settlement.candidate, settlement.claim) == (candidate, claim)
        if not same or entry.key != named:
            raise _broken(entry.key)
        found.append(StoredSettlement(settlement=settlement, key=entry.key, sha256=digest))
    return tuple(found)


def settlements_digest(settlements: Iterable[StoredSettlement]) -> Digest:
    """Return the digest over the sorted keys and digests, which a signature names."""
    return digest_of(sorted([stored.key, stored.sha256] for stored in settlements))


def outcomes(
    settlements: Iterable[StoredSettlement],
    ratings: Sequence[StoredRating],
    allowed: frozenset[ReviewerId],
) -> Mapping[tuple[str, str, str], StoredSettlement]:
    """Return what decides each (record, kind, target) by people in `allowed` and no party to it."""
    decided: dict[tuple[str, str, str], StoredSettlement] = {}
    for stored in settlements:
        settlement = stored.settlement
        name = (settlement.record_id, settlement.kind, settlement.target)
        parties = _parties(settlement, ratings)
        if settlement.by not in allowed or settlement.by in parties or not parties:
            continue
        if name not in decided or settlement.decision == "confirm":
            decided[name] = stored
    return decided


def _check(settlement: Settlement, claim: ClaimRule, ratings: Sequence[StoredRating]) -> None:
    if not settlement.reason.strip() or len(settlement.reason) > NOTE_LIMIT:
        raise ReviewError("review.reason", "Say why, in at most 4,000 characters.")
    if settlement.claim != claim.id:
        raise ReviewError("review.nothing_to_settle", "The decision is of another claim.")
    parties = _parties(settlement, ratings)
    if not parties:
        raise ReviewError(
            "review.nothing_to_settle",
            "There is no such flag or difference on this record.",
            place=settlement.record_id,
        )
    if settlement.by in parties:
        raise NotAllowed("review.second_person", "A second person has to settle this.")


def _parties(settlement: Settlement, ratings: Sequence[StoredRating]) -> set[ReviewerId]:
    """Return who raised the flag, or whose answers differ: those who may not settle it."""
    here = [stored for stored in ratings if stored.rating.record_id == settlement.record_id]
    if settlement.kind == "flag":
        return {
            stored.rating.reviewer
            for stored in here
            for flag in stored.standing
            if flag_target(flag.id, flag.turn, stored.rating.reviewer) == settlement.target
        }
    if settlement.target == VERDICT:
        answers = {stored.rating.reviewer: stored.rating.verdict for stored in here}
        flagged = {stored.rating.reviewer for stored in here if stored.standing}
        return set(answers) if len(set(answers.values())) > 1 else flagged
    scored = {
        stored.rating.reviewer: stored.rating.scores.get(settlement.target, "") for stored in here
    }
    return set(scored) if len(set(scored.values())) > 1 else set()


def _parse(body: bytes, key: str) -> Settlement:
    try:
        content = decode(body)
        settlement = _settlement({name: str(content[name]) for name in _TEXT})
        whole = settlement_bytes(settlement) == body
    except (DeskError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise _broken(key) from error
    if not whole:
        raise _broken(key)
    return settlement


def _settlement(text: Mapping[str, str]) -> Settlement:
    kinds: dict[str, Kind] = {"flag": "flag", "difference": "difference"}
    decisions: dict[str, Outcome] = {"confirm": "confirm", "dismiss": "dismiss"}
    return Settlement(
        candidate=parse_digest(text["candidate"]),
        claim=text["claim"],
        record_id=text["record_id"],
        kind=kinds[text["kind"]],
        target=text["target"],
        decision=decisions[text["decision"]],
        reason=text["reason"],
        by=parse_reviewer(text["by"]),
        at=text["at"],
    )


def _folder(prefix: str, settlement: Settlement) -> str:
    return f"{prefix}reviews/{settlement.candidate}/settlements/{settlement.claim}/"


def _broken(key: str) -> ReviewError:
    return ReviewError(
        "review.settlement_broken", "A stored settlement is not what its name says.", place=key
    )
