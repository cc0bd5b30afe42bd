"""A reading of the very same record under the very same rubric need not be made again.

A record's id is the digest of its messages, so the same id is the same text to the last byte.
What is carried is fixed with the plan. The plan is drawn from the whole new frame, so the bound
speaks of it, and only what nobody has read yet remains to be read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.canonical import canonical_bytes, decode
from core.model.errors import DeskError, ReviewError
from core.model.names import Digest, parse_digest
from core.model.review import SamplePlan
from core.review.ratings import StoredRating
from core.review.settlements import StoredSettlement
from core.review.write_once import freeze_for_claim, load_by_claim
from core.storage.ports import ObjectStore

SCHEMA = "release-desk/carried/1"
_LIMIT = 8 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What one claim takes over: digests of ratings and settlements by earlier candidate."""

    candidate: Digest
    claim: str
    rubric: Digest
    ratings: Mapping[Digest, tuple[Digest, ...]]
    settlements: Mapping[Digest, tuple[Digest, ...]]


def carry(
    plan: SamplePlan,
    earlier: Sequence[tuple[Digest, Sequence[StoredRating], Sequence[StoredSettlement]]],
    shipped: frozenset[str] = frozenset(),
    asked: frozenset[str] = frozenset(),
) -> Carried:
    """Return what a new plan takes over from earlier candidates, the newest named first.

    A reader's newest answer to a record is taken, once; a settlement goes with its record. `asked`
    are records beside the plan that have to be read like its own. Of other `shipped` ones those
    are taken on which a flag was raised or that were rejected: no later draw and no later rubric
    loses a hard fail.
    """
    planned = frozenset(plan.records) | asked
    accused = _accused(earlier) & shipped - frozenset(plan.records)
    taken: set[tuple[str, str]] = set()
    ratings: dict[Digest, tuple[Digest, ...]] = {}
    settlements: dict[Digest, tuple[Digest, ...]] = {}
    for candidate, stored, _ in earlier:
        mine = [
            one
            for one in stored
            if (
                one.rating.record_id in accused
                or (one.rating.record_id in planned and one.rating.rubric == plan.rubric)
            )
            and (one.rating.record_id, one.rating.reviewer) not in taken
        ]
        taken |= {(one.rating.record_id, one.rating.reviewer) for one in mine}
        if mine:
            ratings[candidate] = tuple(sorted(one.sha256 for one in mine))
    records = {record for record, _ in taken}
    # A flag raised on one candidate may have been settled on a later one.
    for candidate, _, settled in earlier:
        theirs = sorted(
            one.sha256
            for one in settled
            if one.settlement.record_id in records and one.settlement.candidate == candidate
        )
        if theirs:
            settlements[candidate] = tuple(theirs)
    return Carried(
        candidate=plan.candidate,
        claim=plan.claim,
        rubric=plan.rubric,
        ratings=ratings,
        settlements=settlements,
    )


def beside(carried: Carried, ratings: Iterable[StoredRating], plan: SamplePlan) -> tuple[str, ...]:
    """Return the records that `carried` takes over although the plan does not hold them."""
    taken = {digest for digests in carried.ratings.values() for digest in digests}
    named = {one.rating.record_id for one in ratings if one.sha256 in taken}
    return tuple(sorted(named - set(plan.records)))


def _accused(
    earlier: Iterable[tuple[Digest, Sequence[StoredRating], Sequence[StoredSettlement]]],
) -> frozenset[str]:
    found: set[str] = set()
    for _, stored, settled in earlier:
        found |= {one.rating.record_id for one in stored if one.standing}
        found |= {one.settlement.record_id for one in settled if one.settlement.against}
    return frozenset(found)


def with_carried(
    own: Sequence[StoredRating], carried: Iterable[StoredRating]
) -> tuple[StoredRating, ...]:
    """Return all ratings in order; what a reader answers anew stands before what was carried."""
    known = {(one.rating.record_id, one.rating.reviewer) for one in own}
    taken = [one for one in carried if (one.rating.record_id, one.rating.reviewer) not in known]
    return tuple(
        sorted((*own, *taken), key=lambda one: (one.rating.record_id, one.rating.reviewer))
    )


def freeze_carried(store: ObjectStore, prefix: str, carried: Carried) -> str:
    """Store for good what is taken over and return its key; the first list stands."""
    held = load_carried(store, prefix, carried.candidate).get(carried.claim)
    body = _bytes(held or carried)
    folder = _folder(prefix, carried.candidate)
    return freeze_for_claim(store, folder, carried.claim, body)


def load_carried(store: ObjectStore, prefix: str, candidate: Digest) -> Mapping[str, Carried]:
    """Return what a candidate's claims take over.

    Raises:
        ReviewError: `review.carried_broken` when a list is not what its name says.
    """
    folder = _folder(prefix, candidate)
    return load_by_claim(store, folder, candidate, parse=_parse, broken=_broken, limit=_LIMIT)


def _bytes(carried: Carried) -> bytes:
    return canonical_bytes(
        {
            "schema": SCHEMA,
            "candidate": carried.candidate,
            "claim": carried.claim,
            "rubric": carried.rubric,
            "ratings": {name: list(found) for name, found in carried.ratings.items()},
            "settlements": {name: list(found) for name, found in carried.settlements.items()},
        }
    )


def _parse(body: bytes, key: str) -> Carried:
    try:
        content = decode(body)
        carried = Carried(
            candidate=parse_digest(str(content["candidate"])),
            claim=str(content["claim"]),
            rubric=parse_digest(str(content["rubric"])),
            ratings=_digests(content["ratings"]),
            settlements=_digests(content["settlements"]),
        )
        whole = content["schema"] == SCHEMA and _bytes(carried) == body
    except (DeskError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise _broken(key) from error
    if not whole:
        raise _broken(key)
    return carried


def _digests(content: Mapping[str, Any]) -> Mapping[Digest, tuple[Digest, ...]]:
    return {
        parse_digest(name): tuple(parse_digest(str(one)) for one in found)
        for name, found in content.items()
    }


def _folder(prefix: str, candidate: Digest) -> str:
    return f"{prefix}reviews/{candidate}/carried/"


def _broken(place: str) -> ReviewError:
    return ReviewError(
        "review.carried_broken",
        "A list of carried readings is not what its name says.",
        place=place,
    )
