"""Which records get read is fixed, and journalled, before the first of them is shown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.model.candidate import Candidate
from core.model.review import SamplePlan
from core.model.signoff import Person
from core.policy.types import ClaimRule
from core.review.carried import beside, carry, freeze_carried
from core.review.frame import read_frame
from core.review.known_bad import freeze_known_bad, load_known_bad, plant
from core.review.plans import freeze_plan, plan_digest
from core.workbench import history
from core.workbench.pii_checks import freeze_pii_samples
from core.workbench.reviews.basis import EDITED_WHY, FLAGGED_WHY, SIBLING_WHY
from core.workbench.reviews.drawing import Drawing
from core.workbench.siblings import siblings_of_decided


@dataclass(frozen=True, slots=True)
class Planning(Drawing):
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

        A record is drawn once, by a seed that nobody knew while it was made: the version's, or
        for what a later candidate has anew one of its own. So a later candidate keeps the sample
        of its unchanged records, and the `nonce` is asked for wherever something is new.

        Raises:
            ReviewError: `review.nonce` when it is needed and blank; as `draw_sample`.
        """
        desk = self.desk
        desk.require(by, "review_lead")
        candidate = self.candidates.get(digest)
        rows = list(read_frame(desk.store, candidate))
        siblings = siblings_of_decided(self.candidates, candidate, rows)
        drawn = self._draw(candidate, rows, nonce, by)
        plans = []
        for claim in desk.policy.claims:
            shipped = [row for row in rows if row.family in claim.families]
            names = frozenset(row.record_id for row in shipped)
            plan = drawn[claim.id].plan
            key = freeze_plan(desk.store, desk.prefix, plan, drawn[claim.id].frame)
            desk.record(
                by,
                "plan.frozen",
                candidate=candidate.digest,
                claim=claim.id,
                plan=plan_digest(plan),
                key=key,
            )
            plans.append(plan)
            edited = [row.record_id for row in shipped if row.edited]
            self._have_read(plan, edited, EDITED_WHY, by)
            self._have_read(plan, sorted(names & siblings), SIBLING_WHY, by)
            self._carry(candidate, plan, names, by)
            if claim.known_bad:
                self._mix_known_bad(plan, claim, names, by)
        standing = history.seed_of(desk.entries(), candidate.version)
        assert standing is not None
        freeze_pii_samples(desk, candidate, [row.drawable for row in rows], standing, by)
        if not history.samples_frozen(desk.entries(), digest):
            desk.record(by, "samples.frozen", candidate=candidate.digest)
        return tuple(plans)

    def _have_read(self, plan: SamplePlan, records: Sequence[str], why: str, by: Person) -> None:
        """Have records read that the first stage does not hold; no bound rests on them.

        What chance has put into the reserve may never be reached, so that is no reading.
        """
        first = {name for part in plan.strata for name in part.records[: part.first]}
        known = self.extras(plan.candidate, plan.claim) | first
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
        found = carry(plan, given, shipped, self.edited(plan.candidate, plan.claim))
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
