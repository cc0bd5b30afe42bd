"""What every act of a review starts from: the frozen plans, and what was answered so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.model.errors import ReviewError
from core.model.names import Digest, ReviewerId
from core.model.review import ReviewState, Rubric, SamplePlan
from core.model.signoff import DeskRole, Person
from core.policy.types import ClaimRule
from core.review.drafts import DraftPlace, Drafts
from core.review.frame import FoundRecord, find_record, find_records
from core.review.ratings import StoredRating, load_ratings
from core.review.rubrics import load_rubrics
from core.review.sample import load_plans
from core.review.settlements import StoredSettlement, load_settlements
from core.review.statement import review_state
from core.workbench import history
from core.workbench.candidates import Candidates
from core.workbench.desk import Desk
from core.workbench.people import acting_people

READERS: tuple[DeskRole, ...] = (
    "clinician",
    "bias_reviewer",
    "review_lead",
    "release_owner",
    "auditor",
)


@dataclass(frozen=True, slots=True)
class ReviewArea:
    """The reviews of one desk as they stand."""

    desk: Desk
    candidates: Candidates

    def plans(self, digest: str) -> Mapping[str, SamplePlan]:
        """Return the frozen plans of a candidate by claim."""
        kept = self.desk.memory.setdefault("plans", {})
        assert isinstance(kept, dict)
        found: Mapping[str, SamplePlan] = kept.get(digest) or load_plans(
            self.desk.store, self.desk.prefix, Digest(digest)
        )
        # Plans are write-once: once all of them stand, nothing about them changes.
        if len(found) == len(self.desk.policy.claims):
            kept[digest] = found
        return found

    def rubric(self, claim: str) -> Rubric:
        """Return the rubric a claim is judged by."""
        return load_rubrics()[self.desk.policy.claim(claim).rubric]

    def states(self, digest: str) -> Mapping[str, ReviewState]:
        """Return where every claim of the policy stands for this candidate."""
        plans = self.plans(digest)
        return {
            claim.id: review_state(
                plans.get(claim.id),
                self.ratings(digest, claim.id),
                self.settlements(digest, claim.id),
                claim,
                reviewers=self._holders(digest, claim.role),
                settlers=self._holders(digest, "review_lead", claim.role),
            )
            for claim in self.desk.policy.claims
        }

    def ratings(self, digest: str, claim: str) -> tuple[StoredRating, ...]:
        """Return the present ratings of a claim."""
        cache = self.desk.memory.setdefault("ratings", {})
        assert isinstance(cache, dict)
        return load_ratings(self.desk.store, self.desk.prefix, Digest(digest), claim, cache=cache)

    def settlements(self, digest: str, claim: str) -> tuple[StoredSettlement, ...]:
        """Return every settlement of a claim."""
        return load_settlements(self.desk.store, self.desk.prefix, Digest(digest), claim)

    def record(self, digest: str, record_id: str, by: Person) -> FoundRecord:
        """Return any shipped record, for those who may read."""
        self._may_read(by)
        return find_record(self.desk.store, self.candidates.get(digest), record_id)

    def builder(self, digest: str, by: Person) -> ReviewerId:
        """Return whom the independence rule names: `by`, if they built it, else the first."""
        return history.builder_of(self.desk.entries(), digest, by.id)

    def people(self) -> Mapping[ReviewerId, tuple[DeskRole, ...]]:
        """Return who may act on this desk now, and in which roles."""
        return acting_people(self.desk.policy, self.desk.settings.embedded)

    def _holders(self, digest: str, *roles: DeskRole) -> frozenset[ReviewerId]:
        built = history.builders(self.desk.entries(), digest)
        return frozenset(
            name
            for name, held in self.people().items()
            if set(held) & set(roles) and name not in built
        )

    def _may_read(self, by: Person) -> None:
        self.desk.require(by, *READERS)

    def _claim(self, claim: str) -> ClaimRule:
        if claim not in {rule.id for rule in self.desk.policy.claims}:
            raise ReviewError("review.no_such_claim", "The policy has no such claim.", place=claim)
        return self.desk.policy.claim(claim)

    def _mine(self, digest: str, claim: str, record_id: str, by: Person) -> StoredRating | None:
        """Return the present rating of a record by `by`."""
        return next(
            (
                stored
                for stored in self.ratings(digest, claim)
                if (stored.rating.record_id, stored.rating.reviewer) == (record_id, by.id)
            ),
            None,
        )

    def _plan(self, digest: str, claim: str) -> SamplePlan:
        plan = self.plans(digest).get(claim)
        if plan is None:
            raise ReviewError("review.not_frozen", "The sample is not frozen yet.", place=claim)
        return plan

    def _planned(self, digest: str, claim: str, record_id: str) -> FoundRecord:
        """Return a record of the plan; the whole plan is fetched once, and re-hashed."""
        kept = self.desk.memory.setdefault("planned", {})
        assert isinstance(kept, dict)
        if (digest, claim) not in kept:
            kept[digest, claim] = find_records(
                self.desk.store,
                self.candidates.get(digest),
                self._plan(digest, claim).records,
                families=self._claim(claim).families,
            )
        found: Mapping[str, FoundRecord] = kept[digest, claim]
        if record_id not in found:
            raise ReviewError("review.not_in_plan", "This record is not in the sample.")
        return found[record_id]

    def _drafts(self) -> Drafts:
        held = self.desk.memory.get("drafts")
        if not isinstance(held, Drafts):
            held = Drafts(self.desk.workspace)
            self.desk.memory["drafts"] = held
        return held

    def _place(self, digest: str, claim: str, record_id: str, by: Person) -> DraftPlace:
        return DraftPlace(candidate=digest, claim=claim, record_id=record_id, reviewer=by.id)
