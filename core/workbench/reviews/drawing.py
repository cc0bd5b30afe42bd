"""A record is drawn once, by a seed that nobody knew while it was made.

What the version's last candidate, or else the newest release, had drawn is gone on from; what is
new is drawn by a seed of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.model.candidate import Candidate
from core.model.errors import ReviewError
from core.model.names import Digest
from core.model.signoff import Person
from core.review.attempts import EarlierSample, past_of
from core.review.frame import FrameRow
from core.review.items import low_records
from core.review.phrases import is_breached
from core.review.rubrics import load_rubrics
from core.review.sample import Drawn, draw_sample, fix_seed
from core.review.strata import ReadPart, read_parts
from core.workbench import history
from core.workbench.reviews.basis import ReviewArea


@dataclass(frozen=True, slots=True)
class Drawing(ReviewArea):
    """How the samples of one desk are drawn, before they are frozen."""

    def _draw(
        self, candidate: Candidate, rows: Sequence[FrameRow], nonce: str, by: Person
    ) -> Mapping[str, Drawn]:
        """Return the sample of every claim, those that are frozen as they are."""
        held = self.plans(candidate.digest)
        found = {name: Drawn(plan=plan, frame=None) for name, plan in held.items()}
        missing = [claim for claim in self.desk.policy.claims if claim.id not in found]
        if not missing:
            return found
        standing = history.seed_of(self.desk.entries(), candidate.version)
        if standing is None:
            first = history.built(self.desk.entries(), candidate.version)[0].candidate
            standing = self._fix_seed(candidate, first, nonce, by)
        seed = history.seed_for(self.desk.entries(), candidate.digest) or standing
        if nonce.strip() and seed == standing and self._begun(candidate):
            seed = fix_seed(candidate.digest, nonce)
        frame = [row.drawable for row in rows]
        rubrics = load_rubrics()
        new = False
        for claim in missing:
            mine = frozenset(row.record_id for row in rows if row.family in claim.families)
            past = past_of(self._earlier(candidate, claim.id), mine)
            before, same_version = self._before(candidate, claim.id)
            # An earlier desk's sample has no stored frame: it goes on by the ranks of its seed.
            by_rank = same_version and not before and not past.failed
            sample = draw_sample(
                frame,
                claim=claim,
                rubric=rubrics[claim.rubric],
                candidate=candidate.digest,
                seed=standing if by_rank else seed,
                past=past,
                before=before,
                replacing=same_version,
            )
            new = new or (same_version and not by_rank and sample.frame is not None)
            found[claim.id] = sample
        if new and history.seed_for(self.desk.entries(), candidate.digest) is None:
            self._fix_seed(candidate, candidate.digest, nonce, by)
        return found

    def _fix_seed(self, candidate: Candidate, over: Digest, nonce: str, by: Person) -> str:
        """Fix a seed over a candidate's digest, once, and return it."""
        if len(nonce.strip()) < 4:
            raise ReviewError("review.nonce", "Type at least four characters nobody foresaw.")
        seed = fix_seed(over, nonce)
        self.desk.record(
            by,
            "seed.fixed",
            version=candidate.version,
            candidate=over,
            nonce=nonce.strip()[:200],
            seed=seed,
        )
        return seed

    def _begun(self, candidate: Candidate) -> bool:
        """Return whether another candidate of the version has a sample."""
        return any(self._same_version(candidate, claim.id) for claim in self.desk.policy.claims)

    def _same_version(self, candidate: Candidate, claim: str) -> Digest | None:
        """Return the newest other candidate of the version that has a sample of the claim."""
        versions = {one.candidate for one in history.built(self.desk.entries(), candidate.version)}
        before = self._frozen_before(candidate, claim)
        return next((name for name in before if name in versions), None)

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
            self._sample_of(
                name,
                claim,
                same_version=versions.get(name) == candidate.version,
                version=str(versions.get(name, "")),
            )
            for name in names
            if versions.get(name) == candidate.version or versions.get(name) not in released
        )

    def _before(self, candidate: Candidate, claim: str) -> tuple[tuple[ReadPart, ...], bool]:
        """Return the strata the sample goes on from, and whether they are of the same version.

        Of the version's last candidate, or else of the newest standing release. None where that
        was read by another rubric, or its sample stored no frame.
        """
        entries = self.desk.entries()
        same = self._same_version(candidate, claim)
        if same is not None:
            return self._parts(candidate, claim, same, f"candidate {same[:8]}"), True
        newest = history.newest_release(entries, candidate.version)
        if newest is None:
            return (), False
        released = Digest(str(newest.event["candidate"]))
        return self._parts(candidate, claim, released, str(newest.event["version"])), False

    def _parts(
        self, candidate: Candidate, claim: str, drawn: Digest, since: str
    ) -> tuple[ReadPart, ...]:
        plan = self.plans(drawn).get(claim)
        if plan is None or plan.rubric != self.rubric(claim).digest:
            return ()
        readers = self._holders(candidate.digest, self._claim(claim).role)
        # What somebody had against a record is not forgotten for their having left.
        read = frozenset(
            stored.rating.record_id
            for name in self._frozen_before(candidate, claim)
            for stored in self._given(name, claim)
            if stored.rating.rubric == plan.rubric
            and (
                stored.rating.reviewer in readers
                or stored.standing
                or stored.rating.verdict != "accept"
            )
        )
        return read_parts(self.desk.store, self.desk.prefix, plan, since, read)

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

    def _sample_of(
        self, digest: Digest, claim: str, *, same_version: bool, version: str
    ) -> EarlierSample:
        reading, rule = self.progress(digest, claim), self._claim(claim)
        planned = {record.record_id for record in reading.planned if record.raters}
        ratings = [one.rating for one in self.ratings(digest, claim)]
        bounds = self.state(digest, claim).items.values()
        return EarlierSample(
            plan=self.plan(digest, claim),
            reading=reading,
            same_version=same_version,
            version=version,
            low=low_records(ratings, rule, self.rubric(claim)) & planned,
            breached=reading.complete and any(is_breached(numbers) for numbers in bounds),
        )
