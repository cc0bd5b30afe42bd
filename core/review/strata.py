"""What has been drawn need not be drawn again while it ships unchanged.

The units of a release, or of an earlier candidate, are a stratum that has its sample, and what is
new is another with a sample of its own (reference D4), drawn by a seed that nobody knew while the
new records were made. Every stratum has to prove the limit by itself: were the whole worse than the
limit, some stratum would be, and that one passes with no more than the claim's risk.

Units that leave are taken care of by counting: of what is left no more are bad than were of the
whole, so the sample must rule out as many as the limit allows of what is left. So it does not
matter who chose what leaves, nor what they knew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.canonical import canonical_bytes, decode, sha256_hex
from core.model.errors import DeskError, Missing, ReviewError
from core.model.names import Digest, parse_digest
from core.model.review import SamplePart, SamplePlan
from core.policy.types import ClaimRule
from core.review.bounds import least_bad, stages_for
from core.storage.ports import ObjectStore
from core.storage.put_once import put_once

SCHEMA = "release-desk/sample-frame/1"
_LIMIT = 1 << 28
Triple = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleFrame:
    """What one stratum was drawn from: every unit by rank, and the other records of the units.

    `ranked` has one record per near-duplicate cluster, `others` the rest of their clusters.
    """

    candidate: Digest
    claim: str
    seed: str
    ranked: tuple[str, ...]
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPart:
    """A stratum that was drawn before, as a later sample may go on from it.

    `since` is the release or candidate it was drawn for. `read` are the records that somebody who
    counts has read, or somebody had something against.
    """

    part: SamplePart
    frame: SampleFrame
    since: str
    read: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """A claim's records divided: the parts that go on, and the records of no such part."""

    parts: tuple[SamplePart, ...]
    rest: tuple[Triple, ...]

    def to_read(self, read: frozenset[str]) -> int:
        """Return how many records of the parts' first stages nobody has read."""
        return sum(len(set(part.records[: part.first]) - read) for part in self.parts)


def divide(
    records: Iterable[Triple],
    before: Sequence[ReadPart],
    claim: ClaimRule,
    confidence: float,
    *,
    replacing: bool = False,
) -> Division:
    """Return which units of `records`, triples of record id, cluster and family, have been drawn.

    A unit goes on where the record that spoke for it ships and its cluster has nothing that was
    not there: what was never drawn from has never been spoken for. A part from which a record
    left that would have to be read, and was not, does not go on; with `replacing` the next in
    rank stand for such records, and the part says how many there were (reference D4).
    """
    clusters: dict[str, list[Triple]] = {}
    for item in records:
        clusters.setdefault(item[1], []).append(item)
    shipped = frozenset(record for held in clusters.values() for record, _, _ in held)
    parts: list[SamplePart] = []
    for one in before:
        mine = _unchanged(clusters, one.frame)
        go_on = _replacing if replacing else _going_on
        part = go_on(one, len(mine), shipped, claim, confidence) if mine else None
        if part is not None:
            parts.append(part)
            clusters = {name: held for name, held in clusters.items() if name not in mine}
    rest = tuple(item for held in clusters.values() for item in held)
    return Division(parts=tuple(parts), rest=rest)


def _unchanged(clusters: Mapping[str, Sequence[Triple]], frame: SampleFrame) -> frozenset[str]:
    spoke, there = frozenset(frame.ranked), frozenset((*frame.ranked, *frame.others))
    return frozenset(
        name
        for name, held in clusters.items()
        if any(record in spoke for record, _, _ in held)
        and all(record in there for record, _, _ in held)
    )


def _going_on(
    one: ReadPart, ships: int, shipped: frozenset[str], claim: ClaimRule, confidence: float
) -> SamplePart | None:
    ranked, part = one.frame.ranked, one.part
    lost = _lost(one, shipped)
    # A reserve that can no longer be read is no reserve.
    second = 0 if any(number < part.second for number in lost) else part.second
    bad = least_bad(claim.limit, ships)
    first, second = stages_for(bad, len(ranked), 1 - confidence, part.first, second)
    if second and any(number < second for number in lost):
        second = 0
    if any(number < first for number in lost):
        return None
    return _part(one, ships, first, second, ranked[: second or first])


def _replacing(
    one: ReadPart, ships: int, shipped: frozenset[str], claim: ClaimRule, confidence: float
) -> SamplePart | None:
    ranked, part = one.frame.ranked, one.part
    lost = _lost(one, shipped)
    left = frozenset(lost)
    usable = [number for number in range(len(ranked)) if number not in left]
    bad = least_bad(claim.limit, ships)
    first, second = stages_for(bad, len(ranked), 1 - confidence, part.first, part.second)
    if second > len(usable):
        second = 0
    if first > len(usable):
        return None
    taken = usable[: second or first]
    skipped = sum(number < taken[-1] for number in lost)
    records = tuple(ranked[number] for number in taken)
    return _part(one, ships, first, second, records, skipped)


def _lost(one: ReadPart, shipped: frozenset[str]) -> list[int]:
    """Return the ranks of units that have left and that nobody has read, in order."""
    return [
        number
        for number, name in enumerate(one.frame.ranked)
        if name not in shipped and name not in one.read
    ]


def _part(
    one: ReadPart, ships: int, first: int, second: int, records: tuple[str, ...], skipped: int = 0
) -> SamplePart:
    return SamplePart(
        candidate=one.part.candidate,
        since=one.since,
        seed=one.part.seed,
        drawn_from=one.part.drawn_from,
        frame=len(one.frame.ranked),
        ships=ships,
        first=first,
        second=second,
        overlap=min(one.part.overlap, second or first),
        records=records,
        skipped=skipped,
    )


# --- Stored frames.


def frame_bytes(frame: SampleFrame) -> bytes:
    """Return the bytes a frame is stored as."""
    return canonical_bytes(
        {
            "schema": SCHEMA,
            "candidate": frame.candidate,
            "claim": frame.claim,
            "seed": frame.seed,
            "ranked": frame.ranked,
            "others": frame.others,
        }
    )


def frame_digest(frame: SampleFrame) -> Digest:
    """Return the digest by which a plan names its frame."""
    return sha256_hex(frame_bytes(frame))


def freeze_frame(store: ObjectStore, prefix: str, frame: SampleFrame) -> str:
    """Store what a sample was drawn from for good and return its key."""
    body = frame_bytes(frame)
    key = _key(prefix, frame.candidate, sha256_hex(body))
    put_once(store, key, body)
    return key


def load_frame(store: ObjectStore, prefix: str, candidate: str, digest: str) -> SampleFrame:
    """Return a stored frame.

    Raises:
        ReviewError: `review.frame_broken` when its bytes are not those of its name.
        Missing: there is none.
    """
    key = _key(prefix, candidate, digest)
    return parse_frame(store.get(key, limit=_LIMIT).body, digest, key)


def parse_frame(body: bytes, digest: str, key: str = "") -> SampleFrame:
    """Return the frame of stored bytes; raise `review.frame_broken` for others."""
    try:
        content = decode(body)
        frame = SampleFrame(
            candidate=parse_digest(str(content["candidate"])),
            claim=str(content["claim"]),
            seed=str(content["seed"]),
            ranked=tuple(str(name) for name in content["ranked"]),
            others=tuple(str(name) for name in content["others"]),
        )
        whole = frame_bytes(frame) == body and sha256_hex(body) == digest
    except (DeskError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise _broken(key) from error
    if not whole:
        raise _broken(key)
    return frame


def read_parts(
    store: ObjectStore, prefix: str, plan: SamplePlan, since: str, read: frozenset[str]
) -> tuple[ReadPart, ...]:
    """Return the strata of a plan that a later one may go on from, each with where it began.

    Those of older desks, which stored no frame, are none; nor is any where a stored frame is
    gone: what can no longer be known to be unchanged is read as new.

    Raises:
        ReviewError: `review.frame_broken`.
    """
    try:
        return tuple(
            ReadPart(
                part=part,
                frame=load_frame(store, prefix, part.candidate, part.drawn_from),
                since=part.since or since,
                read=read,
            )
            for part in plan.strata
            if part.drawn_from
        )
    except Missing:
        return ()


def _key(prefix: str, candidate: str, digest: str) -> str:
    return f"{prefix}reviews/{candidate}/frames/{digest}.json"


def _broken(place: str) -> ReviewError:
    return ReviewError(
        "review.frame_broken", "A stored sample frame is not what its name says.", place=place
    )
