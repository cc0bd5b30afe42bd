"""Everything the decision to publish rests on, gathered at one moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.canonical import document_bytes
from core.model.candidate import Candidate
from core.model.names import ReviewerId
from core.model.signoff import Person, Signoff
from core.release.facts import Facts, SignoffFault
from core.release.inputs import ReviewEvidence
from core.review.plans import plan_digest
from core.review.signoffs import LoadedSignoffs
from core.workbench import history
from core.workbench.audit import Audit
from core.workbench.bias import known_gaps
from core.workbench.candidates import Candidates
from core.workbench.data import Data
from core.workbench.pii_checks import PiiChecks
from core.workbench.release_shelf import ReleaseShelf
from core.workbench.review_reports import ReviewReports
from core.workbench.reviews import Reviews
from core.workbench.signing import Signing
from core.workbench.waivers import Waivers


@dataclass(frozen=True, slots=True)
class ReleaseEvidence(ReleaseShelf):
    """What one desk knows of a candidate that may become a release."""

    data: Data
    candidates: Candidates
    reviews: Reviews
    signing: Signing
    pii: PiiChecks

    def facts(self, digest: str, by: Person | None = None) -> Facts:
        """Gather everything the decision to publish rests on."""
        desk = self.desk
        candidate = self.candidates.get(digest)
        journal_ok = Audit(desk).holds()
        entries = desk.entries()
        loaded = self.signing.load(digest)
        states = dict(self.reviews.states(digest))
        stale = self.signing.stale(digest)
        waivers = Waivers(desk, self.candidates).load(digest)
        signers = {item.reviewer for item in loaded.signoffs}
        signers |= {who for waiver in waivers.waivers for who, _ in waiver.signers}
        builders = sorted(history.builders(entries, digest))
        # Several people may have built the same bytes; one of them signing is what matters.
        builder = next((name for name in builders if name in signers), next(iter(builders), None))
        probes = list(history.of_type(entries, "probe.finished"))
        return Facts(
            candidate=candidate,
            at=desk.now_at_least(),
            required_gates=desk.policy.required_gates,
            reports=self.candidates.reports(digest),
            reviews=states,
            pii=self.pii.states(digest),
            open_flags=tuple(flag.target for flag in self.reviews.open_flags(digest)),
            signoffs=(
                *(item for item in loaded.signoffs if item not in stale),
                *self.signing.elsewhere(digest),
            ),
            signoff_faults=_faults(loaded, stale),
            people=self.reviews.people(),
            builder=ReviewerId(builder) if builder is not None else None,
            publisher=by.id if by is not None else None,
            waivers=waivers.waivers,
            waiver_faults=waivers.faults,
            waived_families=history.waived_families(entries, candidate.version),
            unconfirmed_aliases=self._unconfirmed(candidate),
            current_policy=desk.policy.digest,
            probe_ok=bool(probes) and probes[-1].event["ok"] is True,
            journal_ok=journal_ok,
            version_taken=self._taken(candidate),
            embedded=desk.settings.embedded,
        )

    def _review_evidence(self, digest: str) -> tuple[ReviewEvidence, ...]:
        plans = self.reviews.plans(digest)
        states = self.reviews.states(digest)
        entries = self.desk.entries()
        reports = ReviewReports(self.desk, self.candidates, self.reviews)
        found = []
        for claim in self.desk.policy.claims:
            plan = plans.get(claim.id)
            if plan is None:
                continue
            rubric = self.reviews.rubric(claim.id)
            found.append(
                ReviewEvidence(
                    state=states[claim.id],
                    title=claim.title,
                    rubric_id=rubric.id,
                    rubric_version=rubric.version,
                    rubric=rubric.digest,
                    plan=plan_digest(plan),
                    exceptions=known_gaps(entries, digest, claim.id),
                    summary=document_bytes(reports.report(digest, claim.id)),
                )
            )
        return tuple(found)

    def _unconfirmed(self, candidate: Candidate) -> tuple[str, ...]:
        """Return the families that wait for an alias and have nothing in the candidate."""
        if self.data.snapshot() is None:
            return ()
        coverage = self.data.coverage(candidate.version)
        return tuple(
            name
            for name, found in sorted(coverage.families.items())
            if found.needs_confirmation and self.desk.policy.family(name).required
        )

    def _taken(self, candidate: Candidate) -> bool:
        """Whether another candidate, or this one, has been committed under the version's name."""
        committed = history.of_type(self.desk.entries(), "publish.committed")
        return any(entry.event["version"] == candidate.version for entry in committed)


def _faults(loaded: LoadedSignoffs, stale: Sequence[Signoff]) -> tuple[SignoffFault, ...]:
    """Name what lies there as a sign-off and does not count, by what it was meant for."""
    outdated = [
        SignoffFault(requirement=item.requirement, code="outdated", key=item.key) for item in stale
    ]
    unfit = [
        SignoffFault(
            requirement=fault.requirement, code=fault.code.removeprefix("signoff."), key=fault.key
        )
        for fault in loaded.faults
    ]
    return (*outdated, *unfit)
