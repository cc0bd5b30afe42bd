"""People read records for whoever might be named in them, before a machine says what it saw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.model.names import Digest, ReviewerId

PiiVerdict = Literal["nobody", "somebody"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PiiAnswer:
    """One person's answer about one record: could anybody be identified by it?

    `turn` is 0-based and `kind` one of the kinds asked for when somebody could; -1 and ""
    when nobody could. `shown_sha256` is the digest of the exact line that was on the screen.
    The value that was seen is never part of an answer.
    """

    candidate: Digest
    family: str
    record_id: str
    plan: Digest
    reviewer: ReviewerId
    answer: PiiVerdict
    turn: int
    kind: str
    shown_sha256: Digest
    at: str
    seconds: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PiiState:
    """Where the reading of one family stands.

    `state` is `not_frozen`, `stale` (the policy or the question has changed), `reading`,
    `escaped` (somebody could be identified: those records must go), `unproven` (all read, and
    the bound is above the limit) or `done`. `upper` is the one-sided exact upper bound on the
    share of records that identify somebody. `failed` holds, oldest first, how many records were
    found and read in each earlier sample that found somebody and did not become a release.
    `unchanged` says of how many records the sample of which release goes on.
    """

    family: str
    state: str
    frame: int
    planned: int
    read: int
    escapes: tuple[str, ...]
    limit: float
    confidence: float
    upper: float | None
    sentence: str
    readers: tuple[ReviewerId, ...]
    plan: str
    seed: str
    failed: tuple[tuple[int, int], ...] = ()
    unchanged: tuple[tuple[str, int], ...] = ()
