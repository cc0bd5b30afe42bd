"""Which records get read follows from a seed nobody could fish for, before the first is shown.

The frame is one record per near-duplicate cluster: ten copies read are still one opinion.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.canonical import canonical_bytes, sha256_hex
from core.model.errors import ReviewError
from core.model.names import Digest
from core.model.review import Rubric, SamplePart, SamplePlan
from core.policy.types import ClaimRule
from core.review.attempts import Past, claim_after
from core.review.bounds import RISK_TOLERANCE, finite_risk
from core.review.plans import part_content, plan_of
from core.review.strata import (
    Division,
    ReadPart,
    SampleFrame,
    Triple,
    divide,
    frame_digest,
)

FIRST = Past()
"""Nothing was drawn before."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A plan, and the frame of what was drawn anew: None when all of it goes on from a release."""

    plan: SamplePlan
    frame: SampleFrame | None


def draw_sample(
    records: Iterable[Triple],
    *,
    claim: ClaimRule,
    rubric: Rubric,
    candidate: Digest,
    seed: str,
    past: Past = FIRST,
    before: Sequence[ReadPart] = (),
    replacing: bool = False,
) -> Drawn:
    """Return the plan over `records`, triples of record id, cluster id and family, in any order.

    `past` are the samples before it: what failed and left stays in the frame, and after a failed
    sample only what nobody has read is drawn from, unless everything has been read.

    `before` are the strata of a release: where fewer records are left to read that way, what
    ships unchanged of them is taken as sampled and only the rest is drawn from; which of the two
    it is follows from what has been read, and not from what was found. With `replacing` they are
    those of an earlier candidate of the same version, which always go on: nobody draws the same
    records twice. After a failed sample everything is drawn anew.

    Raises:
        ReviewError: `review.empty_frame` when no record is in the claim's families,
            `review.plan_too_small` when the claim's sample could not prove its limit.
    """
    mine = _of_claim(records, claim)
    drawing = _Drawing(claim=claim, rubric=rubric, candidate=candidate, seed=seed, past=past)
    if before and not past.failed:
        division = divide(mine, before, claim, claim.confidence, replacing=replacing)
        read = None if replacing else frozenset(name for one in before for name in one.read)
        if division.parts and (drawn := drawing.going_on(division, mine, read)) is not None:
            return drawn
    part, frame, asked = drawing.anew(mine)
    return Drawn(plan=drawing.plan((part,), asked), frame=frame)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawing:
    """What every way to draw one claim's sample starts from."""

    claim: ClaimRule
    rubric: Rubric
    candidate: Digest
    seed: str
    past: Past

    def anew(
        self, records: Sequence[Triple], elsewhere: frozenset[str] = frozenset(), share: float = 0.0
    ) -> tuple[SamplePart, SampleFrame, ClaimRule]:
        """Return a stratum of these records; what failed and left is among them, unless elsewhere.

        `share` of it is read by two; 0 asks for the claim's own number.
        """
        left = [(n, n, self.claim.families[0]) for n in self.past.gone if n not in elsewhere]
        drawn_from = [*_unread(records, self.past.read), *left]
        ranked = _frame(drawn_from, self.seed)
        spoke = set(ranked)
        frame = SampleFrame(
            candidate=self.candidate,
            claim=self.claim.id,
            seed=self.seed,
            ranked=tuple(ranked),
            others=tuple(sorted(name for name, _, _ in drawn_from if name not in spoke)),
        )
        asked = claim_after(self.claim, len(self.past.failed), len(ranked))
        first, second = plan_stages(asked, len(ranked))
        most = second or first
        part = SamplePart(
            candidate=self.candidate,
            since="",
            seed=self.seed,
            drawn_from=frame_digest(frame),
            frame=len(ranked),
            ships=len(ranked),
            first=first,
            second=second,
            overlap=min(math.ceil(share * most) if share else self.claim.overlap, most),
            records=tuple(ranked[:most]),
        )
        return part, frame, asked

    def going_on(
        self, division: Division, records: Sequence[Triple], read: frozenset[str] | None
    ) -> Drawn | None:
        """Return the sample of parts; or None when, `read` given, a whole new one is no more."""
        parts, frame = division.parts, None
        elsewhere = frozenset(name for part in parts for name in part.records)
        if division.rest:
            share = self.claim.overlap / max(self.claim.first, self.claim.second, 1)
            new, frame, _ = self.anew(division.rest, elsewhere, share)
            parts = (*parts, new)
        if read is not None:
            whole, _ = plan_stages(self.claim, len({cluster for _, cluster, _ in records}))
            if division.to_read(read) + (new.first if division.rest else 0) > whole:
                return None
        shipped = frozenset(name for name, _, _ in records)
        return Drawn(plan=self.plan(parts, self.claim, shipped), frame=frame)

    def plan(
        self,
        parts: tuple[SamplePart, ...],
        asked: ClaimRule,
        shipped: frozenset[str] | None = None,
    ) -> SamplePlan:
        """Return the plan of these strata; `shipped` where some are of a release."""
        records = list(dict.fromkeys(name for part in parts for name in part.records))
        two = any(part.second for part in parts)
        content: dict[str, object] = {
            "candidate": self.candidate,
            "claim": self.claim.id,
            "scope": scope_of(self.claim),
            "role": self.claim.role,
            "rubric": self.rubric.digest,
            "seed": self.seed,
            "frame": sum(part.ships for part in parts),
            "limit": repr(self.claim.limit),
            "confidence": repr(asked.confidence),
            "first": sum(part.first for part in parts),
            "second": sum(part.second or part.first for part in parts) if two else 0,
            "overlap": sum(part.overlap for part in parts),
            "records": records,
        }
        gone = self.past.gone if shipped is None else [n for n in records if n not in shipped]
        if self.past != FIRST or gone:
            drawn = set(records)
            content |= {
                "failed": [list(pair) for pair in self.past.failed],
                "left_in": self.past.left_in,
                "gone": [name for name in gone if name in drawn],
            }
        content["drawn_from"] = "" if shipped is not None else parts[0].drawn_from
        content["parts"] = [part_content(part) for part in parts] if shipped is not None else []
        identity = f"{self.claim.id}-{sha256_hex(canonical_bytes(content))[:16]}"
        return plan_of({**content, "id": identity})


def _of_claim(records: Iterable[Triple], claim: ClaimRule) -> Sequence[Triple]:
    mine = [item for item in records if item[2] in claim.families]
    if not mine:
        raise ReviewError(
            "review.empty_frame", "No shipped record belongs to this claim.", place=claim.id
        )
    return mine


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


def _unread(records: Sequence[Triple], read: frozenset[str]) -> Sequence[Triple]:
    """Return the records of clusters that nobody has read any of; all, once all have been read."""
    known = {cluster for name, cluster, _ in records if name in read}
    return [item for item in records if item[1] not in known] or records


def _frame(records: Iterable[Triple], seed: str) -> list[str]:
    best: dict[str, tuple[str, str]] = {}
    for record_id, cluster_id, _ in records:
        # Which copy speaks for a cluster is drawn apart from its place: by the best of its
        # copies' ranks a cluster of ten would be read ten times as often as a record alone.
        turn = sha256_hex(f"{seed}:copy:{record_id}".encode()), record_id
        if cluster_id not in best or turn < best[cluster_id]:
            best[cluster_id] = turn
    return sorted((name for _, name in best.values()), key=lambda name: rank_of(seed, name))
