"""Which records get read is fixed, and journalled, before the first of them is shown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.model.candidate import Candidate
from core.model.errors import Missing, ReviewError
from core.model.names import Digest
from core.model.review import SamplePlan
from core.model.signoff import Person
from core.policy.types import ClaimRule
from core.review.attempts import EarlierSample, past_of
from core.review.carried import beside, carry, freeze_carried
from core.review.frame import read_frame
from core.review.items import low_records
from core.review.known_bad import freeze_known_bad, load_known_bad, plant
from core.review.phrases import is_breached
from core.review.rubrics import load_rubrics
from core.review.sample import draw_sample, fix_seed, freeze_plan, plan_digest
from core.review.strata import ReadPart, load_frame, strata_of
from core.workbench import history
from core.workbench.pii_checks import freeze_pii_samples
from core.workbench.reviews.basis import EDITED_WHY, FLAGGED_WHY, SIBLING_WHY, ReviewArea
from core.workbench.siblings import siblings_of_decided


@dataclass(frozen=True, slots=True)
class Planning(ReviewArea):
    """The samples of one desk."""

    def seed(self, version: str) -> str | None:
        """Return the version's sample seed, or None before it is fixed."""
        return history.seed_of(self.desk.entries(), version)

    def read_to_the_end(self, digest: str, claim: str) -> bool:
        """Return whether the reading of a claim is over: passed, or failed beyond its plan."""
        return self.state(digest, claim).state in ("ready", "failed")

    def listed(self, digest: str, claim: str) -> tuple[str, ...]:
        """Return the sample as it may be listed.

        While it is being read that is what readers see: known-bad records among the others, by
        id, since two lists side by side would give them away. Afterwards it is the plan's
        records by rank, which anybody can draw again.
        """
        plan = self.plan(digest, claim)
        known_bad = self.known_bad(digest).get(claim)
        if known_bad is None or self.read_to_the_end(digest, claim):
            return plan.records
        return tuple(sorted({*plan.shipped, *known_bad.ids}))

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
        rows = list(read_frame(desk.store, candidate))
        frame = [row.drawable for row in rows]
        siblings = siblings_of_decided(self.candidates, candidate, rows)
        rubrics = load_rubrics()
        plans = []
        for claim in desk.policy.claims:
            shipped = [row for row in rows if row.family in claim.families]
            names = frozenset(row.record_id for row in shipped)
            plan = self.plans(digest).get(claim.id)
            drawn_from = None
            if plan is None:
                drawn = draw_sample(
                    frame,
                    claim=claim,
                    rubric=rubrics[claim.rubric],
                    candidate=candidate.digest,
                    seed=standing,
                    past=past_of(self._earlier(candidate, claim.id), names),
                    before=self._released(candidate, claim.id),
                )
                plan, drawn_from = drawn.plan, drawn.frame
            key = freeze_plan(desk.store, desk.prefix, plan, drawn_from)
            desk.record(
                by,
                "plan.frozen",
                candidate=candidate.digest,
                claim=claim.id,
                plan=plan_digest(plan),
                key=key,
            )
            plans.append(plan)
            self._carry(candidate, plan, names, by)
            edited = [row.record_id for row in shipped if row.edited]
            self._have_read(plan, edited, EDITED_WHY, by)
            self._have_read(plan, sorted(names & siblings), SIBLING_WHY, by)
            if claim.known_bad:
                self._mix_known_bad(plan, claim, names, by)
        freeze_pii_samples(desk, candidate, frame, standing, by)
        return tuple(plans)

    def _earlier(self, candidate: Candidate, claim: str) -> tuple[EarlierSample, ...]:
        """Return the samples of a claim on earlier candidates, oldest first.

        Those of a version that was released are no attempts at this one.
        """
        entries = self.desk.entries()
        versions = {one.candidate: one.version for one in history.built(entries)}
        released = {
            str(entry.event["version"]) for entry in history.of_type(entries, "publish.committed")
        }
        names = dict.fromkeys(
            Digest(str(entry.event["candidate"]))
            for entry in history.of_type(entries, "plan.frozen")
            if entry.event["claim"] == claim and entry.event["candidate"] != candidate.digest
        )
        return tuple(
            self._sample_of(name, claim, same_seed=versions.get(name) == candidate.version)
            for name in names
            if versions.get(name) == candidate.version or versions.get(name) not in released
        )

    def _released(self, candidate: Candidate, claim: str) -> tuple[ReadPart, ...]:
        """Return the strata of the newest standing release, as they were read for this claim.

        None where it was read by another rubric, or its sample stored no frame.
        """
        entries = self.desk.entries()
        withdrawn = {
            str(entry.event["version"]) for entry in history.of_type(entries, "release.withdrawn")
        }
        standing = [
            entry.event
            for entry in history.of_type(entries, "publish.committed")
            if entry.event["version"] not in withdrawn
            and entry.event["version"] != candidate.version
        ]
        if not standing:
            return ()
        newest = standing[-1]
        plan = self.plans(str(newest["candidate"])).get(claim)
        rule = self._claim(claim)
        if plan is None or plan.rubric != self.rubric(claim).digest:
            return ()
        readers = self._holders(candidate.digest, rule.role)
        read = frozenset(
            stored.rating.record_id
            for name in self._frozen_before(candidate, claim)
            for stored in self._given(name, claim)
            if stored.rating.rubric == plan.rubric and stored.rating.reviewer in readers
        )
        store, prefix = self.desk.store, self.desk.prefix
        try:
            return tuple(
                ReadPart(
                    part=part,
                    frame=load_frame(store, prefix, part.candidate, part.drawn_from),
                    since=since,
                    read=read,
                )
                for part, since in strata_of(plan, str(newest["version"]))
            )
        except Missing:
            # What can no longer be known to be unchanged is read as new.
            return ()

    def _frozen_before(self, candidate: Candidate, claim: str) -> tuple[Digest, ...]:
        """Return the other candidates with a sample of the claim, the newest first."""
        entries = history.of_type(reversed(self.desk.entries()), "plan.frozen")
        return tuple(
            dict.fromkeys(
                Digest(str(entry.event["candidate"]))
                for entry in entries
                if entry.event["claim"] == claim and entry.event["candidate"] != candidate.digest
            )
        )

    def _sample_of(self, digest: Digest, claim: str, *, same_seed: bool) -> EarlierSample:
        reading, rule = self.progress(digest, claim), self._claim(claim)
        planned = {record.record_id for record in reading.planned if record.raters}
        ratings = [one.rating for one in self.ratings(digest, claim)]
        bounds = self.state(digest, claim).items.values()
        return EarlierSample(
            plan=self.plan(digest, claim),
            reading=reading,
            same_seed=same_seed,
            low=low_records(ratings, rule, self.rubric(claim)) & planned,
            breached=reading.complete and any(is_breached(numbers) for numbers in bounds),
        )

    def _have_read(self, plan: SamplePlan, records: Sequence[str], why: str, by: Person) -> None:
        """Have records read that the plan does not hold; no bound rests on them."""
        known = self.extras(plan.candidate, plan.claim) | set(plan.records)
        new = [name for name in dict.fromkeys(records) if name not in known]
        for name in new:
            self._keep(plan.candidate, plan.claim, "extra", name, by, why=why)
        if new:
            self.desk.record(
                by, "extra.chosen", candidate=plan.candidate, claim=plan.claim, records=len(new)
            )

    def _carry(
        self, candidate: Candidate, plan: SamplePlan, shipped: frozenset[str], by: Person
    ) -> None:
        """Fix which earlier readings of the same text under the same rubric are taken over."""
        given = [
            (name, self._given(name, plan.claim), self.settlements(name, plan.claim))
            for name in self._frozen_before(candidate, plan.claim)
        ]
        found = carry(plan, given, shipped)
        if not found.ratings or plan.claim in self.carried(plan.candidate):
            return
        ratings = [one for _, stored, _ in given for one in stored]
        self._have_read(plan, beside(found, ratings, plan), FLAGGED_WHY, by)
        key = freeze_carried(self.desk.store, self.desk.prefix, found)
        self.desk.record(
            by,
            "ratings.carried",
            candidate=plan.candidate,
            claim=plan.claim,
            ratings=sum(len(taken) for taken in found.ratings.values()),
            key=key,
        )

    def _mix_known_bad(
        self, plan: SamplePlan, claim: ClaimRule, shipped: frozenset[str], by: Person
    ) -> None:
        """Fix the known-bad records of a sample; the journal says that, and not which ones.

        Where little or nothing is left to read, so many would be all that is: no more than one
        for every two records are mixed in.
        """
        desk = self.desk
        held = load_known_bad(desk.store, desk.prefix, plan.candidate).get(claim.id)
        unread = sum(not one.read for one in self.progress(plan.candidate, claim.id).planned)
        fewer = replace(claim, known_bad=min(claim.known_bad, math.ceil(unread / 2)))
        if held is None and not fewer.known_bad:
            return
        planted = held or plant(plan, fewer, desk.bank, shipped)
        freeze_known_bad(desk.store, desk.prefix, planted)
        self.desk.record(
            by,
            "known_bad.mixed_in",
            candidate=plan.candidate,
            claim=claim.id,
            records=len(planted.records),
            bank=planted.bank,
            source=planted.source,
        )
