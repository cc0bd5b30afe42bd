"""Reading, rating, settling and signing: people's acts over one candidate's exact bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from core.model.dataset import Message
from core.model.errors import ReviewError
from core.model.names import Digest, ReviewerId
from core.model.review import Flag, Rating, ReviewState, Rubric, SamplePlan
from core.model.signoff import DeskRole, Person
from core.policy.types import ClaimRule
from core.review.answers import RatingDesk, must_judge
from core.review.drafts import DraftPlace, Drafts, IncomingDraft
from core.review.frame import FoundRecord, find_record, find_records, read_frame
from core.review.ratings import StoredRating, load_ratings, submit_rating
from core.review.rubrics import load_rubrics
from core.review.sample import draw_plan, fix_seed, freeze_plan, load_plans, plan_digest
from core.review.settlements import (
    Settlement,
    StoredSettlement,
    flag_target,
    load_settlements,
    outcomes,
    settle,
)
from core.review.statement import review_state
from core.workbench import history
from core.workbench.candidates import Candidates
from core.workbench.desk import Desk
from core.workbench.people import acting_people
from core.workbench.pii_checks import freeze_pii_samples

READERS: tuple[DeskRole, ...] = (
    "clinician",
    "bias_reviewer",
    "review_lead",
    "release_owner",
    "auditor",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueItem:
    """One record of a reader's list. `state` is open, draft or done."""

    record_id: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewQueue:
    """What one person has to read under one claim, in rank order, and where they are."""

    items: tuple[QueueItem, ...]
    current: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewScreen:
    """One record as its reader sees it: exact text, and what they have answered so far."""

    record_id: str
    family: str
    messages: tuple[Message, ...]
    sha256: Digest
    draft: Mapping[str, object] | None
    draft_version: int
    draft_saved_at: str
    rating: Rating | None
    rating_sha256: str
    must_judge: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFlag:
    """A hard fail somebody raised and nobody has settled."""

    claim: str
    record_id: str
    flag_id: str
    turn: int
    note: str
    by: ReviewerId
    target: str
    kind: str


@dataclass(frozen=True, slots=True)
class Reviews:
    """The reviews of one desk."""

    desk: Desk
    candidates: Candidates

    # --- Plans.

    def seed(self, version: str) -> str | None:
        """Return the version's sample seed, or None before it is fixed."""
        return history.seed_of(self.desk.entries(), version)

    def freeze(self, digest: str, nonce: str, by: Person) -> tuple[SamplePlan, ...]:
        """Fix which records get read, for every claim, before the first is shown.

        The seed is fixed once per version; a later candidate keeps it, so that unchanged
        records keep their rank.
        """
        desk = self.desk
        desk.require(by, "review_lead")
        candidate = self.candidates.get(digest)
        if history.seed_of(desk.entries(), candidate.version) is None:
            if len(nonce.strip()) < 4:
                raise ReviewError("review.nonce", "Type at least four characters nobody foresaw.")
            first = history.built(desk.entries(), candidate.version)[0].candidate
            seed = fix_seed(first, nonce)
            desk.record(
                by,
                "seed.fixed",
                version=candidate.version,
                candidate=first,
                nonce=nonce.strip()[:200],
                seed=seed,
            )
        standing = history.seed_of(desk.entries(), candidate.version)
        assert standing is not None
        frame = [row.drawable for row in read_frame(desk.store, candidate)]
        rubrics = load_rubrics()
        plans = []
        for claim in desk.policy.claims:
            plan = draw_plan(
                frame,
                claim=claim,
                rubric=rubrics[claim.rubric],
                candidate=candidate.digest,
                seed=standing,
            )
            key = freeze_plan(desk.store, desk.prefix, plan)
            desk.record(
                by,
                "plan.frozen",
                candidate=candidate.digest,
                claim=claim.id,
                plan=plan_digest(plan),
                key=key,
            )
            plans.append(plan)
        freeze_pii_samples(desk, candidate, frame, standing, by)
        return tuple(plans)

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

    # --- Reading and rating.

    def queue(self, digest: str, claim: str, by: Person) -> ReviewQueue:
        """Return what `by` has to read under `claim`: open records first keep their place."""
        self._may_read(by)
        plan = self._plan(digest, claim)
        state = self.states(digest)[claim]
        done = {
            stored.rating.record_id
            for stored in self.ratings(digest, claim)
            if stored.rating.reviewer == by.id
        }
        drafts = self._drafts()
        items = tuple(
            QueueItem(
                record_id=record,
                state="done"
                if record in done
                else "draft"
                if drafts.load_draft(self._place(digest, claim, record, by))
                else "open",
            )
            for record in plan.records[: state.planned]
        )
        position = drafts.position(by.id, claim)
        waiting = [item.record_id for item in items if item.state != "done"]
        current = position if position in waiting else (waiting[0] if waiting else None)
        return ReviewQueue(items=items, current=current)

    def screen(self, digest: str, claim: str, record_id: str, by: Person) -> ReviewScreen:
        """Return one record of the plan as `by` sees it: no peer's answer, no machine's score."""
        self._may_read(by)
        found = self._planned(digest, claim, record_id)
        drafts = self._drafts()
        draft = drafts.load_draft(self._place(digest, claim, record_id, by))
        mine = self._mine(digest, claim, record_id, by)
        drafts.remember_position(by.id, claim, record_id)
        return ReviewScreen(
            record_id=record_id,
            family=found.family,
            messages=found.messages,
            sha256=found.sha256,
            draft=json.loads(draft.payload) if draft is not None else None,
            draft_version=draft.version if draft is not None else 0,
            draft_saved_at=_time_of(draft.saved_at) if draft is not None else "",
            rating=mine.rating if mine is not None else None,
            rating_sha256=mine.sha256 if mine is not None else "",
            must_judge=must_judge(self.rubric(claim), found.family),
        )

    def save_draft(
        self,
        digest: str,
        claim: str,
        record_id: str,
        by: Person,
        payload: Mapping[str, object],
        *,
        tab: str,
        seq: int,
        based_on: int,
    ) -> str:
        """Keep a half-finished answer on the disk; return when, as HH:MM:SS UTC.

        `payload["supersedes"]` is the digest of the rating that the tab showed, "" for none.
        """
        rule = self._claim(claim)
        self.desk.require(by, rule.role)
        if record_id not in self._plan(digest, claim).records:
            raise ReviewError("review.not_in_plan", "This record is not in the sample.")
        place = self._place(digest, claim, record_id, by)
        if self._drafts().load_draft(place) is None:
            # Submitting removes the draft: without this a tab left behind would start anew.
            mine = self._mine(digest, claim, record_id, by)
            if (mine.sha256 if mine is not None else "") != payload.get("supersedes", ""):
                raise ReviewError(
                    "review.conflict",
                    "You have rated this record in another tab; reload this page to see it.",
                )
        incoming = IncomingDraft(
            payload=json.dumps(dict(payload), ensure_ascii=False),
            seq=seq,
            tab=tab,
            based_on=based_on,
            at=self.desk.now(),
        )
        draft = self._drafts().save_draft(place, incoming)
        return _time_of(draft.saved_at)

    def submit(
        self,
        digest: str,
        claim: str,
        record_id: str,
        by: Person,
        answers: Mapping[str, object],
        *,
        tab: str = "",
        seq: int = 0,
        based_on: int = 0,
    ) -> Rating:
        """Store one person's rating of one record for good; the same answers again are harmless.

        `answers["supersedes"]` is the digest of the rating it replaces, "" for none.
        """
        rule = self._claim(claim)
        self.desk.require(by, rule.role)
        plan = self._plan(digest, claim)
        mine = self._mine(digest, claim, record_id, by)
        rating = _rating(answers, plan, record_id, by, self.desk.now())
        if mine is not None and _same_answers(mine.rating, rating):
            return mine.rating
        if tab:
            # Refused when another tab holds newer answers; kept if the bucket cannot take them.
            self.save_draft(
                digest, claim, record_id, by, answers, tab=tab, seq=seq, based_on=based_on
            )
        checked = RatingDesk(
            plan=plan,
            rubric=self.rubric(claim),
            claim=rule,
            record=self._planned(digest, claim, record_id),
            builder=self.builder(digest, by),
        )
        submit_rating(self.desk.store, self.desk.prefix, rating, person=by, desk=checked)
        self._drafts().delete_draft(self._place(digest, claim, record_id, by))
        return rating

    # --- Flags and differences.

    def open_flags(self, digest: str) -> tuple[OpenFlag, ...]:
        """Return every hard-fail flag that waits for a second person."""
        found = []
        for claim in self.desk.policy.claims:
            ratings = self.ratings(digest, claim.id)
            settled = outcomes(
                self.settlements(digest, claim.id),
                ratings,
                self._holders(digest, "review_lead", claim.role),
            )
            for stored in ratings:
                rating = stored.rating
                for flag in stored.standing:
                    target = flag_target(flag.id, flag.turn, rating.reviewer)
                    if (rating.record_id, "flag", target) not in settled:
                        found.append(
                            OpenFlag(
                                claim=claim.id,
                                record_id=rating.record_id,
                                flag_id=flag.id,
                                turn=flag.turn,
                                note=flag.note,
                                by=rating.reviewer,
                                target=target,
                                kind="flag",
                            )
                        )
        return tuple(found)

    def open_differences(self, digest: str) -> tuple[OpenFlag, ...]:
        """Return every difference of two points or more, or of verdicts, that is not settled."""
        found = []
        for claim, state in self.states(digest).items():
            for point in state.open_points:
                kind, _, rest = point.partition(" ")
                if kind == "difference":
                    record, _, target = rest.partition(" ")
                    found.append(
                        OpenFlag(
                            claim=claim,
                            record_id=record,
                            flag_id=target,
                            turn=-1,
                            note="",
                            by=ReviewerId(""),
                            target=target,
                            kind="difference",
                        )
                    )
        return tuple(found)

    def settle(self, digest: str, point: OpenFlag, decision: str, reason: str, by: Person) -> None:
        """Confirm or dismiss a flag or a difference, as a second person, with a reason."""
        rule = self._claim(point.claim)
        self.desk.require(by, "review_lead", rule.role)
        if decision not in ("confirm", "dismiss") or point.kind not in ("flag", "difference"):
            raise ReviewError("review.nothing_to_settle", "Confirm or dismiss.")
        settlement = Settlement(
            candidate=Digest(digest),
            claim=point.claim,
            record_id=point.record_id,
            kind="flag" if point.kind == "flag" else "difference",
            target=point.target,
            decision="confirm" if decision == "confirm" else "dismiss",
            reason=reason,
            by=by.id,
            at=self.desk.now(),
        )
        key = settle(
            self.desk.store,
            self.desk.prefix,
            settlement,
            person=by,
            claim=rule,
            ratings=self.ratings(digest, point.claim),
            builder=self.builder(digest, by),
        )
        self.desk.record(
            by, "flag.settled", candidate=digest, claim=point.claim, decision=decision, key=key
        )

    def record(self, digest: str, record_id: str, by: Person) -> FoundRecord:
        """Return any shipped record, for those who may read."""
        self._may_read(by)
        return find_record(self.desk.store, self.candidates.get(digest), record_id)

    # --- Inner.

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

    def settlements(self, digest: str, claim: str) -> tuple[StoredSettlement, ...]:
        """Return every settlement of a claim."""
        return load_settlements(self.desk.store, self.desk.prefix, Digest(digest), claim)

    def _drafts(self) -> Drafts:
        held = self.desk.memory.get("drafts")
        if not isinstance(held, Drafts):
            held = Drafts(self.desk.workspace)
            self.desk.memory["drafts"] = held
        return held

    def _place(self, digest: str, claim: str, record_id: str, by: Person) -> DraftPlace:
        return DraftPlace(candidate=digest, claim=claim, record_id=record_id, reviewer=by.id)

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


def _time_of(stamp: str) -> str:
    return stamp[11:19] + " UTC"


def _rating(
    answers: Mapping[str, object],
    plan: SamplePlan,
    record_id: str,
    by: Person,
    at: str,
) -> Rating:
    """Read a form's answer; what is not of its shape is refused, never repaired."""
    scores, flags = answers.get("scores"), answers.get("flags", [])
    if not isinstance(scores, Mapping) or not isinstance(flags, list):
        raise ReviewError("review.answer", "The answer is not one of this form.")
    try:
        raised = tuple(
            Flag(id=str(flag["id"]), turn=int(flag["turn"]), note=str(flag["note"]))
            for flag in flags
        )
        seconds = max(0, int(str(answers.get("seconds", 0))))
    except (KeyError, TypeError, ValueError):
        raise ReviewError("review.answer", "The answer is not one of this form.") from None
    return Rating(
        candidate=plan.candidate,
        claim=plan.claim,
        record_id=record_id,
        rubric=plan.rubric,
        reviewer=by.id,
        scores={str(item): str(value) for item, value in scores.items()},
        verdict=str(answers.get("verdict", "")),
        flags=raised,
        note=str(answers.get("note", "")),
        shown_sha256=Digest(str(answers.get("shown_sha256", ""))),
        at=at,
        seconds=seconds,
        supersedes=str(answers.get("supersedes", "")),
    )


def _same_answers(one: Rating, other: Rating) -> bool:
    """Whether two ratings say the same; a lost reply makes a form send its answer again."""
    return all(
        getattr(one, name) == getattr(other, name)
        for name in ("rubric", "scores", "verdict", "flags", "note", "shown_sha256")
    )
