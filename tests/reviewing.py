"""A reviewed candidate in a simulated bucket, so that a test states only what it is about."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from core.model.candidate import Candidate
from core.model.names import Digest, ReviewerId
from core.model.review import Flag, Rating, ReviewState, Rubric, SamplePlan
from core.model.signoff import Person
from core.policy.types import ClaimRule
from core.review import frame, plans, ratings, rubrics, sample, settlements, statement
from core.review.answers import RatingDesk, rating_bytes
from core.review.ratings import StoredRating
from tests.builders import PREFIX, a_candidate
from tests.simulator import Simulator

BUILDER = ReviewerId("olympia")
REVIEWERS = frozenset(ReviewerId(name) for name in ("clara", "cornelius", "celia"))
SETTLERS = REVIEWERS | {ReviewerId("leander")}
AT = "2026-11-21T09:00:00Z"
AUTH_TIME = "2026-11-21T08:55:00Z"
ISSUER = "https://id.example.org"


def a_claim(**changes: Any) -> ClaimRule:
    """A claim over one family that four clean records prove; one defect sends it to eight."""
    rule = ClaimRule(
        id="clinician_foundation",
        title="Clinician QA: foundation",
        role="clinician",
        rubric="clinician_qa",
        families=("priority",),
        limit=0.5,
        confidence=0.9,
        first=4,
        second=8,
        overlap=2,
    )
    return dataclasses.replace(rule, **changes)


def a_reader(name: str = "clara", *roles: str, **changes: Any) -> Person:
    """Somebody at the desk, a clinician unless said otherwise."""
    person = Person(
        id=ReviewerId(name),
        name=name.capitalize(),
        roles=roles or ("clinician",),  # type: ignore[arg-type]
        auth="oidc",
        auth_time=AUTH_TIME,
        issuer=ISSUER,
        subject=f"subject of {name}",
    )
    return dataclasses.replace(person, **changes)


class Review:
    """One claim over one candidate of `size` records, its plan frozen."""

    def __init__(self, store: Simulator, *, size: int = 40, **changes: Any) -> None:
        self.store = store
        self.claim = a_claim(**changes)
        self.rubric: Rubric = rubrics.load_rubrics()[self.claim.rubric]
        self.candidate: Candidate = a_candidate(store, {(self.claim.families[0], "train"): size})
        self.records = frame.find_records(
            store, self.candidate, [row.record_id for row in self.rows()]
        )
        self.plan: SamplePlan = sample.draw_sample(
            [row.drawable for row in self.rows()],
            claim=self.claim,
            rubric=self.rubric,
            candidate=self.candidate.digest,
            seed=sample.fix_seed(self.candidate.digest, "nonce"),
        ).plan
        plans.freeze_plan(store, PREFIX, self.plan)

    def rows(self) -> Iterable[frame.FrameRow]:
        """Every shipped record."""
        return frame.read_frame(self.store, self.candidate)

    def a_rating(self, number: int = 0, reviewer: str = "clara", **changes: Any) -> Rating:
        """A clean rating of the plan's record at this place in the reading order."""
        record_id = self.plan.records[number]
        rating = Rating(
            candidate=self.candidate.digest,
            claim=self.claim.id,
            record_id=record_id,
            rubric=self.rubric.digest,
            reviewer=ReviewerId(reviewer),
            scores={item.id: "4" for item in self.rubric.items},
            verdict="accept",
            flags=(),
            note="",
            shown_sha256=self.records[record_id].sha256,
            at=AT,
        )
        return dataclasses.replace(rating, **changes)

    def submit(self, rating: Rating, **changes: Any) -> str:
        """Submit as that reviewer would; `person`, `plan` and `rubric` may differ."""
        person = changes.pop("person", None) or a_reader(rating.reviewer)
        desk = RatingDesk(
            plan=self.plan,
            rubric=self.rubric,
            claim=self.claim,
            record=self.records[rating.record_id],
            builder=BUILDER,
        )
        return ratings.submit_rating(
            self.store, PREFIX, rating, person=person, desk=dataclasses.replace(desk, **changes)
        )

    def rate(self, number: int, reviewer: str = "clara", **changes: Any) -> str:
        """Submit a clean rating, but for `changes`."""
        return self.submit(self.a_rating(number, reviewer, **changes))

    def flag(self, number: int, reviewer: str = "clara", **changes: Any) -> str:
        """Raise F1 on turn 1."""
        flags = (Flag(id="F1", turn=1, note="It names a means."),)
        return self.rate(number, reviewer, verdict="reject", flags=flags, **changes)

    def settle(
        self,
        number: int,
        kind: str,
        target: str,
        decision: str,
        by: str,
        *,
        at: str = AT,
        edits: tuple[Digest, ...] = (),
    ) -> str:
        """Settle as a review lead; `edits` count as proposed."""
        return settlements.settle(
            self.store,
            PREFIX,
            settlements.Settlement(
                candidate=self.candidate.digest,
                claim=self.claim.id,
                record_id=self.plan.records[number],
                kind=kind,  # type: ignore[arg-type]
                target=target,
                decision=decision,  # type: ignore[arg-type]
                reason="Read again.",
                by=ReviewerId(by),
                at=at,
                edits=edits,
            ),
            person=a_reader(by, "review_lead"),
            claim=self.claim,
            ratings=self.loaded(),
            builder=BUILDER,
            proposed=edits,
        )

    def read_clean(self, count: int | None = None) -> None:
        """Rate the first `count` records (all of stage one) cleanly, the overlap twice."""
        for number in range(count or self.plan.first):
            self.rate(number)
            if number < self.plan.overlap:
                self.rate(number, "cornelius")

    def loaded(self) -> tuple[StoredRating, ...]:
        """The present ratings."""
        return ratings.load_ratings(self.store, PREFIX, self.candidate.digest, self.claim.id)

    def settled(self) -> tuple[settlements.StoredSettlement, ...]:
        """Every settlement."""
        return settlements.load_settlements(
            self.store, PREFIX, self.candidate.digest, self.claim.id
        )

    def state(self) -> ReviewState:
        """Where the claim stands."""
        return statement.review_state(
            self.plan,
            self.loaded(),
            self.settled(),
            self.claim,
            reviewers=REVIEWERS,
            settlers=SETTLERS,
        )


def digest_of_rating(rating: Rating) -> Digest:
    """The digest by which a later rating supersedes this one."""
    from core.canonical import sha256_hex

    return sha256_hex(rating_bytes(rating))
