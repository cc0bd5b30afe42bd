"""What one reviewer flagged is settled by another: accept, fix or reject; the dissent stays.

What is against the record always outweighs an acceptance, whichever came first: nobody can talk
a confirmed hard fail away afterwards. None of the three changes a byte of the candidate.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
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

SCHEMA = "release-desk/settlement/2"
FIRST_SCHEMA = "release-desk/settlement/1"
VERDICT = "verdict"
AGAINST = ("reject", "accept_with_edit")
_OBJECT_LIMIT = 1 << 20
_TEXT = ("candidate", "claim", "record_id", "kind", "target", "decision", "reason", "by", "at")

Kind = Literal["flag", "difference", "verdict"]
Decision = Literal["accept", "fix", "reject", "confirm", "dismiss"]
OUTCOMES: Mapping[str, Decision] = {"accept": "accept", "fix": "fix", "reject": "reject"}
"""What can be decided; the first desks knew `confirm` and `dismiss`, which only they can say."""

_FIRST: Mapping[str, Decision] = {"confirm": "confirm", "dismiss": "dismiss"}
_KINDS: Mapping[str, Kind] = {"flag": "flag", "difference": "difference", "verdict": "verdict"}
_WEIGHT: Mapping[Decision, int] = {
    "dismiss": 0,
    "accept": 0,
    "fix": 1,
    "confirm": 2,
    "reject": 2,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """A second person's decision about one point that raters raised on a record.

    `target` is `flag_target(...)` for a flag, an item's id or `verdict` for a difference, and
    `verdict` for one that nobody disputes. `accept`: the record stands. `fix`: it counts as a
    fail here, and `edits`, digests of edits proposed, are for the next candidate. `reject`: it
    is a fail here and leaves. Of the first desks, `confirm` lets a flag or the stricter answer
    stand, `dismiss` neither.
    """

    candidate: Digest
    claim: str
    record_id: str
    kind: Kind
    target: str
    decision: Decision
    reason: str
    by: ReviewerId
    at: str
    edits: tuple[Digest, ...] = ()

    @property
    def against(self) -> bool:
        """Whether it lets stand what was said against the record."""
        return _WEIGHT[self.decision] > 0


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
    proposed: Collection[Digest] = (),
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
        proposed: digests of the edits proposed for this very record.

    Raises:
        NotAllowed: `review.role`, `review.not_yourself`, `review.builder`, or
            `review.second_person` when the one who decides is a party to it.
        ReviewError: `review.reason`, `review.outcome`, `review.nothing_to_settle`.
    """
    check_person(person, settlement.by, ("review_lead", claim.role), builder)
    _check(settlement, claim, ratings, proposed)
    body = settlement_bytes(settlement)
    key = f"{_folder(prefix, settlement)}{settlement.record_id}/{sha256_hex(body)}.json"
    put_once(store, key, body)
    return key


def settlement_bytes(settlement: Settlement) -> bytes:
    """Return the bytes a settlement is stored as."""
    content: dict[str, object] = {name: getattr(settlement, name) for name in _TEXT}
    if settlement.decision in _FIRST:
        return canonical_bytes({"schema": FIRST_SCHEMA, **content})
    return canonical_bytes({"schema": SCHEMA, **content, "edits": settlement.edits})


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
        parties = parties_to(settlement.record_id, settlement.kind, settlement.target, ratings)
        if settlement.by not in allowed or settlement.by in parties or not parties:
            continue
        if name not in decided or _rank(stored) > _rank(decided[name]):
            decided[name] = stored
    return decided


def strongest(stored: Iterable[StoredSettlement]) -> StoredSettlement | None:
    """Return the settlement that says what becomes of a record; None where nobody settled."""
    return max(stored, key=_rank, default=None)


def _rank(stored: StoredSettlement) -> tuple[int, str, str]:
    """A rejection outweighs a fix, that an acceptance; of equals the latest."""
    settlement = stored.settlement
    return _WEIGHT[settlement.decision], settlement.at, stored.sha256


def _check(
    settlement: Settlement,
    claim: ClaimRule,
    ratings: Sequence[StoredRating],
    proposed: Collection[Digest],
) -> None:
    if not settlement.reason.strip() or len(settlement.reason) > NOTE_LIMIT:
        raise ReviewError("review.reason", "Say why, in at most 4,000 characters.")
    if settlement.claim != claim.id:
        raise ReviewError("review.nothing_to_settle", "The decision is of another claim.")
    _check_outcome(settlement, proposed)
    parties = parties_to(settlement.record_id, settlement.kind, settlement.target, ratings)
    if not parties:
        raise ReviewError(
            "review.nothing_to_settle",
            "There is no such flag, difference or verdict on this record.",
            place=settlement.record_id,
        )
    if settlement.by in parties:
        raise NotAllowed("review.second_person", "A second person has to settle this.")


def _check_outcome(settlement: Settlement, proposed: Collection[Digest]) -> None:
    place = settlement.record_id
    if settlement.decision not in OUTCOMES:
        raise ReviewError("review.outcome", "Accept, fix or reject.", place=place)
    if settlement.kind == "verdict" and settlement.decision == "accept":
        raise ReviewError(
            "review.outcome",
            "Nobody has read this record and accepted it; a second reader has to.",
            place=place,
        )
    if (settlement.decision == "fix") != bool(settlement.edits):
        raise ReviewError(
            "review.outcome", "A fix names the edit it stands for, nothing else does.", place=place
        )
    if not set(settlement.edits) <= set(proposed):
        raise ReviewError("review.outcome", "No such edit of this record is proposed.", place=place)


def parties_to(
    record_id: str, kind: Kind, target: str, ratings: Sequence[StoredRating]
) -> frozenset[ReviewerId]:
    """Return who raised it, or whose answers differ: those who may not settle it."""
    here = [stored for stored in ratings if stored.rating.record_id == record_id]
    if kind == "flag":
        return frozenset(
            stored.rating.reviewer
            for stored in here
            for flag in stored.standing
            if flag_target(flag.id, flag.turn, stored.rating.reviewer) == target
        )
    verdicts = {stored.rating.reviewer: stored.rating.verdict for stored in here}
    if kind == "verdict":
        return frozenset(who for who, verdict in verdicts.items() if verdict in AGAINST)
    if target == VERDICT:
        flagged = frozenset(stored.rating.reviewer for stored in here if stored.standing)
        return frozenset(verdicts) if len(set(verdicts.values())) > 1 else flagged
    scored = {stored.rating.reviewer: stored.rating.scores.get(target, "") for stored in here}
    return frozenset(scored) if len(set(scored.values())) > 1 else frozenset()


def _parse(body: bytes, key: str) -> Settlement:
    try:
        content = decode(body)
        settlement = _settlement(content)
        whole = settlement_bytes(settlement) == body
    except (DeskError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise _broken(key) from error
    if not whole:
        raise _broken(key)
    return settlement


def _settlement(content: Mapping[str, object]) -> Settlement:
    # What does not fit its own version is not the bytes it would be stored as.
    text = {name: str(content[name]) for name in _TEXT}
    edits = content.get("edits", ())
    if not isinstance(edits, (list, tuple)):
        raise TypeError
    return Settlement(
        candidate=parse_digest(text["candidate"]),
        claim=text["claim"],
        record_id=text["record_id"],
        kind=_KINDS[text["kind"]],
        target=text["target"],
        decision={**OUTCOMES, **_FIRST}[text["decision"]],
        reason=text["reason"],
        by=parse_reviewer(text["by"]),
        at=text["at"],
        edits=tuple(parse_digest(str(name)) for name in edits),
    )


def _folder(prefix: str, settlement: Settlement) -> str:
    return f"{prefix}reviews/{settlement.candidate}/settlements/{settlement.claim}/"


def _broken(key: str) -> ReviewError:
    return ReviewError(
        "review.settlement_broken", "A stored settlement is not what its name says.", place=key
    )
