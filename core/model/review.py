"""People rate the exact bytes that would ship, against a claim fixed before the first is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.model.names import Digest, ReviewerId


@dataclass(frozen=True, slots=True, kw_only=True)
class RubricItem:
    """One question with anchors at the ends and the middle of its scale.

    `unit` is `record` or `batch`. `weight` is its share of the overall score, `least` the score
    an accepted record needs on it; 0 for both where a rubric has neither.
    """

    id: str
    name: str
    definition: str
    anchors: Mapping[int, str]
    unit: str = "record"
    required_when: str = ""
    needs: str = ""
    weight: float = 0.0
    least: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HardFail:
    """A flag that any single reviewer may raise and that stops the family."""

    id: str
    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rubric:
    """A versioned set of questions; `digest` names its bytes.

    `tags` are the words a turn may be tagged with, by `dimension`, `about_whom` and `harm`;
    empty where the rubric has none. `least_overall` is the weighted mean an accepted record
    needs, 0 where there is none.
    """

    id: str
    version: str
    question: str
    scale: tuple[int, ...]
    items: tuple[RubricItem, ...]
    hard_fails: tuple[HardFail, ...]
    verdicts: tuple[str, ...]
    digest: Digest
    tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    least_overall: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplePart:
    """One stratum of a claim: units drawn by one seed out of one frame, and proven by itself.

    A unit is one record per near-duplicate cluster. `frame` is how many there were when it was
    drawn, for `candidate`; `ships` how many of them still ship unchanged, of which alone it
    speaks. `since` is the release or candidate that first drew it, empty for what this very plan
    draws; `drawn_from` the digest of the stored frame. `first`, `second`, `overlap` and `records`
    are as in a plan; `skipped` is how many units left before anybody had read them, so that the
    next in rank stand for them.
    """

    candidate: Digest
    since: str
    seed: str
    drawn_from: str
    frame: int
    ships: int
    first: int
    second: int
    overlap: int
    records: tuple[str, ...]
    skipped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplePlan:
    """Which records get read, fixed before the first is shown.

    `records` is the hash-ranked list, longest the plan may need; the first `first` are stage
    one. The plan passes on 0 defects in `first`; on exactly 1 it is read to `second` and
    passes when no more are found (`second` = 0: no second stage). `frame` is N, the number
    of records the claim speaks of (one per near-duplicate cluster).

    `attempt` is which sample this is, from 1; `failed` are (fails, records read) of those before
    it, `left_in` what failed in them and still ships. `gone` were drawn on an earlier candidate
    and have left the data: they count as read, and as failed unless what is carried of them
    says otherwise.

    `parts` are the strata of a sample that goes on from a release, oldest first; each of them
    proves the limit. The numbers above are then their sums, and `records` all of theirs. Without
    parts the plan is one stratum, and `drawn_from` the digest of its stored frame ("": none).
    """

    id: str
    candidate: Digest
    claim: str
    scope: str
    role: str
    rubric: Digest
    seed: str
    frame: int
    limit: float
    confidence: float
    first: int
    second: int
    overlap: int
    records: tuple[str, ...]
    failed: tuple[tuple[int, int], ...] = ()
    left_in: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    drawn_from: str = ""
    parts: tuple[SamplePart, ...] = ()

    @property
    def strata(self) -> tuple[SamplePart, ...]:
        """The parts; a plan without any is one by itself."""
        return self.parts or (
            SamplePart(
                candidate=self.candidate,
                since="",
                seed=self.seed,
                drawn_from=self.drawn_from,
                frame=self.frame,
                ships=self.frame,
                first=self.first,
                second=self.second,
                overlap=self.overlap,
                records=self.records,
            ),
        )

    @property
    def attempt(self) -> int:
        """Which sample of the scope this is, from 1."""
        return len(self.failed) + 1

    @property
    def shipped(self) -> tuple[str, ...]:
        """The records that can be read: the candidate ships them."""
        gone = frozenset(self.gone)
        return tuple(name for name in self.records if name not in gone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A hard fail raised on one turn (0-based), with one sentence of why.

    `start` and `end` mark the evidence in code points of the turn's exact text; both are None
    where the whole turn is meant.
    """

    id: str
    turn: int
    note: str
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BiasTag:
    """What strikes a bias reviewer in one turn (0-based): dimension, about whom, which harm.

    It weighs nothing by itself. `start` and `end` are as in `Flag`.
    """

    dimension: str
    about_whom: str
    harm: str
    turn: int
    note: str = ""
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """One reviewer's answers for one record under one rubric version.

    `scores` maps an item's id to `"1"`…`"5"`, `"na"` or `"cannot_judge"`.
    `shown_sha256` is the digest of the exact line that was on the screen.
    """

    candidate: Digest
    claim: str
    record_id: str
    rubric: Digest
    reviewer: ReviewerId
    scores: Mapping[str, str]
    verdict: str
    flags: tuple[Flag, ...]
    note: str
    shown_sha256: Digest
    at: str
    seconds: int = 0
    supersedes: str = ""
    tags: tuple[str, ...] = field(default_factory=tuple)
    bias_tags: tuple[BiasTag, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewState:
    """Where one claim stands: the live, plain statement and what is still open.

    `state` is `not_frozen`, `reading`, `paused` (an unsettled flag), `failed` or `ready`
    (may be signed). `upper` is the one-sided exact upper bound on the defect rate as readers
    see it, `corrected` the same with what they miss of the `known_bad` records allowed for.
    `items` has the bound of each question, `carried` how many readings stem from an earlier
    candidate whose record and rubric were the same. `failed_and_left` are records that failed in
    the sample, have left the data, and still count. `parts` has the numbers of each stratum where
    there are several.
    """

    claim: str
    scope: str
    role: str
    state: str
    frame: int
    planned: int
    read: int
    defects: int
    cannot_judge: int
    double_rated: int
    open_flags: int
    limit: float
    confidence: float
    upper: float | None
    sentence: str
    reviewers: tuple[ReviewerId, ...]
    open_points: tuple[str, ...]
    agreement: Mapping[str, object] = field(default_factory=dict)
    dissents: tuple[str, ...] = ()
    known_bad: Mapping[str, object] = field(default_factory=dict)
    corrected: float | None = None
    items: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    carried: int = 0
    failed_and_left: tuple[str, ...] = ()
    parts: tuple[Mapping[str, object], ...] = ()
