"""What every act of a review starts from: the frozen plans, and what was answered so far."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from core.model.errors import ReviewError
from core.model.names import Digest, ReviewerId
from core.model.review import ReviewState, Rubric, SamplePlan
from core.model.signoff import DeskRole, Person
from core.policy.types import ClaimRule
from core.review.acts import Act, Kind, StoredAct, load_acts, store_act
from core.review.assigning import Assignments
from core.review.carried import Carried, load_carried, with_carried
from core.review.drafts import DraftPlace, Drafts
from core.review.frame import FoundRecord, find_record, find_records
from core.review.known_bad import AREA, KnownBad, load_known_bad
from core.review.plans import load_plans
from core.review.ratings import (
    RATINGS,
    StoredRating,
    load_area,
    load_first_answers,
    load_ratings,
    load_record,
)
from core.review.reading import PlanReading, read_plan, split_counted
from core.review.rubrics import load_rubrics
from core.review.sensitivity import Sensitivity, measure
from core.review.settlements import StoredSettlement, load_settlements, outcomes
from core.review.statement import review_state
from core.storage.ports import ObjectStore
from core.workbench import history
from core.workbench.candidates import Candidates
from core.workbench.desk import Desk
from core.workbench.people import acting_people

Held = TypeVar("Held")
EDITED_WHY = "edited by decision"
FLAGGED_WHY = "flagged in an earlier candidate"
SIBLING_WHY = "near a record that was edited or rejected"
"""Why the desk itself has a record read beside the sample."""

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
        kept: dict[str, Mapping[str, SamplePlan]] = self._memory("plans")
        found = kept.get(digest) or load_plans(self.desk.store, self.desk.prefix, Digest(digest))
        # Plans are write-once: once all of them stand, nothing about them changes.
        if len(found) == len(self.desk.policy.claims):
            kept[digest] = found
        return found

    def _with_plans(
        self, name: str, digest: str, load: Callable[[ObjectStore, str, Digest], Mapping[str, Held]]
    ) -> Mapping[str, Held]:
        """Return what is frozen after the plans; when the journal says so, it changes no more.

        That the plans stand is too early: what the last claim takes over is frozen after them.
        """
        kept: dict[str, Mapping[str, Held]] = self._memory(name)
        found = kept.get(digest)
        if found is None:
            whole = history.samples_frozen(self.desk.entries(), digest)
            found = load(self.desk.store, self.desk.prefix, Digest(digest))
            if whole:
                kept[digest] = found
        return found

    def _memory(self, name: str) -> dict[Any, Any]:
        """Return what this process remembers under a name; of write-once objects only."""
        held = self.desk.memory.setdefault(name, {})
        assert isinstance(held, dict)
        return held

    def rubric(self, claim: str) -> Rubric:
        """Return the rubric a claim is judged by."""
        return load_rubrics()[self.desk.policy.claim(claim).rubric]

    def states(self, digest: str) -> Mapping[str, ReviewState]:
        """Return where every claim of the policy stands for this candidate."""
        return {claim.id: self.state(digest, claim.id) for claim in self.desk.policy.claims}

    def state(self, digest: str, claim: str) -> ReviewState:
        """Return where one claim stands for this candidate."""
        rule = self._claim(claim)
        acts = self.acts(digest, claim)
        return review_state(
            self.plans(digest).get(claim),
            self.ratings(digest, claim),
            self.settlements(digest, claim),
            rule,
            reviewers=self._holders(digest, rule.role),
            settlers=self._holders(digest, "review_lead", rule.role),
            sensitivity=self.sensitivity(digest, claim),
            extra=_beside(acts),
            edited=_must_be_read(acts),
        )

    def progress(self, digest: str, claim: str) -> PlanReading:
        """Return which planned records have been read by whom, without any statistics."""
        rule, plan = self._claim(claim), self.plan(digest, claim)
        ratings = self.ratings(digest, claim)
        acts = self.acts(digest, claim)
        extra, edited = _beside(acts), _must_be_read(acts)
        counted, _ = split_counted(plan, ratings, self._holders(digest, rule.role), extra, edited)
        settlers = self._holders(digest, "review_lead", rule.role)
        decided = outcomes(self.settlements(digest, claim), ratings, settlers)
        return read_plan(plan, counted, ratings, decided, extra)

    def known_bad(self, digest: str) -> Mapping[str, KnownBad]:
        """Return the known-bad records mixed into each claim's sample; never for readers' eyes."""
        return self._with_plans("known bad", digest, load_known_bad)

    def sensitivity(self, digest: str, claim: str) -> Sensitivity | None:
        """Return what share of the known-bad records readers stop, where some are mixed in."""
        known_bad = self.known_bad(digest).get(claim)
        if known_bad is None:
            return None
        rule = self._claim(claim)
        answers = load_first_answers(
            self.desk.store,
            self.desk.prefix,
            Digest(digest),
            claim,
            area=AREA,
            cache=self._cache("known bad answers"),
        )
        return measure(known_bad, answers, self._holders(digest, rule.role), rule.confidence)

    def ratings(self, digest: str, claim: str) -> tuple[StoredRating, ...]:
        """Return the present ratings of a claim."""
        own = self._given(digest, claim)
        carried = self.carried(digest).get(claim)
        if carried is None or not carried.ratings:
            return own
        earlier = [
            dataclasses.replace(stored, carried=True)
            for source, taken in carried.ratings.items()
            for stored in self._given(source, claim)
            if stored.sha256 in taken
        ]
        if len(earlier) != sum(len(taken) for taken in carried.ratings.values()):
            raise ReviewError(
                "review.carried_broken", "A reading that was carried is gone.", place=claim
            )
        return with_carried(own, earlier)

    def carried(self, digest: str) -> Mapping[str, Carried]:
        """Return what this candidate's claims take over from earlier ones."""
        return self._with_plans("carried", digest, load_carried)

    def acts(self, digest: str, claim: str) -> tuple[StoredAct, ...]:
        """Return the acts beside the ratings of a claim, oldest first."""
        kept = self._memory("acts")
        return load_acts(self.desk.store, self.desk.prefix, Digest(digest), claim, cache=kept)

    def extras(self, digest: str, claim: str) -> frozenset[str]:
        """Return the records the lead has chosen to be read beside the sample."""
        return frozenset(
            stored.act.record_id
            for stored in self.acts(digest, claim)
            if stored.act.kind == "extra"
        )

    def edited(self, digest: str, claim: str) -> frozenset[str]:
        """Return the records that must be read: what was edited, and what was near such a one."""
        return _must_be_read(self.acts(digest, claim))

    def _keep(
        self,
        digest: str,
        claim: str,
        kind: Kind,
        record_id: str,
        by: Person,
        *,
        why: str,
        note: str = "",
        turn: int = -1,
        scores: Mapping[str, str] | None = None,
    ) -> StoredAct:
        act = Act(
            candidate=Digest(digest),
            claim=claim,
            kind=kind,
            record_id=record_id,
            by=by.id,
            at=self.desk.now(),
            why=why,
            note=note,
            turn=turn,
            scores=scores or {},
        )
        return store_act(self.desk.store, self.desk.prefix, act)

    def _given(self, digest: str, claim: str) -> tuple[StoredRating, ...]:
        """Return the present ratings given to this very candidate."""
        return load_ratings(
            self.desk.store,
            self.desk.prefix,
            Digest(digest),
            claim,
            cache=self._cache("ratings"),
        )

    def settlements(self, digest: str, claim: str) -> tuple[StoredSettlement, ...]:
        """Return every settlement of a claim."""
        found = load_settlements(self.desk.store, self.desk.prefix, Digest(digest), claim)
        carried = self.carried(digest).get(claim)
        for source, taken in carried.settlements.items() if carried is not None else ():
            earlier = load_settlements(self.desk.store, self.desk.prefix, source, claim)
            found += tuple(stored for stored in earlier if stored.sha256 in taken)
        return found

    def record(self, digest: str, record_id: str, by: Person) -> FoundRecord:
        """Return any shipped record, for those who may read."""
        self._may_read(by)
        return find_record(self.desk.store, self.candidates.get(digest), record_id)

    def builder(self, digest: str, by: Person) -> ReviewerId:
        """Return whom the independence rule names: `by`, if they built it, else the first."""
        return history.builder_of(self.desk.entries(), digest, by.id)

    def people(self) -> Mapping[ReviewerId, tuple[DeskRole, ...]]:
        """Return who may act on this desk now, and in which roles."""
        return acting_people(self.desk.people(), self.desk.settings.embedded)

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
        """Return the present rating of a record by `by`, given to this very candidate."""
        planted = self.known_bad(digest).get(claim)
        invented = planted is not None and record_id in planted.ids
        stored = load_record(
            self.desk.store,
            self.desk.prefix,
            Digest(digest),
            claim,
            record_id,
            area=AREA if invented else RATINGS,
            cache=self._cache("known bad answers" if invented else "ratings"),
        )
        return next((one for one in stored if one.rating.reviewer == by.id), None)

    def _mine_of(self, digest: str, claim: str, by: Person) -> tuple[StoredRating, ...]:
        """Return the present answers of `by` under a claim, those to known-bad records too."""
        every = self._every_answer(digest, claim)
        return tuple(one for one in every if one.rating.reviewer == by.id)

    def known_bad_answers(self, digest: str, claim: str) -> tuple[StoredRating, ...]:
        """Return the present answers to known-bad records of a claim."""
        if claim not in self.known_bad(digest):
            return ()
        return load_area(
            self.desk.store,
            self.desk.prefix,
            Digest(digest),
            claim,
            area=AREA,
            cache=self._cache("known bad answers"),
        )

    def _every_answer(self, digest: str, claim: str) -> tuple[StoredRating, ...]:
        return self.ratings(digest, claim) + self.known_bad_answers(digest, claim)

    def _cache(self, name: str) -> dict[str, StoredRating]:
        return self._memory(name)

    def plan(self, digest: str, claim: str) -> SamplePlan:
        """Return the frozen plan of one claim; raise `review.not_frozen` before there is one."""
        plan = self.plans(digest).get(claim)
        if plan is None:
            raise ReviewError("review.not_frozen", "The sample is not frozen yet.", place=claim)
        return plan

    def _planned(self, digest: str, claim: str, record_id: str) -> FoundRecord:
        """Return a record a reader may be shown; the whole plan is fetched once, and re-hashed."""
        planted = self.known_bad(digest).get(claim)
        invented = planted.found(record_id) if planted is not None else None
        if invented is not None:
            return invented
        found = self._sample(digest, claim)
        if record_id not in found and record_id in self.extras(digest, claim):
            return self._beside(digest, record_id)
        if record_id not in found:
            raise ReviewError("review.not_in_plan", "This record is not in the sample.")
        return found[record_id]

    def _beside(self, digest: str, record_id: str) -> FoundRecord:
        kept = self._memory("beside")
        if (digest, record_id) not in kept:
            candidate = self.candidates.get(digest)
            kept[digest, record_id] = find_record(self.desk.store, candidate, record_id)
        found: FoundRecord = kept[digest, record_id]
        return found

    def _sample(self, digest: str, claim: str) -> Mapping[str, FoundRecord]:
        """Return every record of the plan, from shards that were re-hashed to their end."""
        kept = self._memory("planned")
        if (digest, claim) not in kept:
            kept[digest, claim] = find_records(
                self.desk.store,
                self.candidates.get(digest),
                self.plan(digest, claim).shipped,
                families=self._claim(claim).families,
            )
        found: Mapping[str, FoundRecord] = kept[digest, claim]
        return found

    def _drafts(self) -> Drafts:
        held = self.desk.memory.get("drafts")
        if not isinstance(held, Drafts):
            held = Drafts(self.desk.workspace)
            self.desk.memory["drafts"] = held
        return held

    def _assignments(self) -> Assignments:
        held = self.desk.memory.get("assignments")
        if not isinstance(held, Assignments):
            held = Assignments(self.desk.workspace)
            self.desk.memory["assignments"] = held
        return held

    def _place(self, digest: str, claim: str, record_id: str, by: Person) -> DraftPlace:
        return DraftPlace(candidate=digest, claim=claim, record_id=record_id, reviewer=by.id)


def _beside(acts: Iterable[StoredAct]) -> frozenset[str]:
    return frozenset(stored.act.record_id for stored in acts if stored.act.kind == "extra")


def _must_be_read(acts: Iterable[StoredAct]) -> frozenset[str]:
    return frozenset(
        stored.act.record_id
        for stored in acts
        if stored.act.kind == "extra" and stored.act.why in (EDITED_WHY, SIBLING_WHY)
    )
