"""Two people in two roles may accept what a gate found, for one candidate and for some days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.model.errors import ReviewError
from core.model.gate import StoredReport
from core.model.names import Digest, ReviewerId
from core.model.signoff import DeskRole, Person
from core.model.waiver import Waiver
from core.policy.waivable import may_be_waived
from core.release.proven_gates import finding_totals, is_proven, waiver_counts
from core.review.waiver_objects import MAY_WAIVE, LoadedWaivers, Proposal, load_waivers
from core.review.waivers import WaiverRequest, agree, propose, revoke_waiver
from core.workbench import history
from core.workbench.candidates import Candidates
from core.workbench.desk import Desk
from core.workbench.people import acting_people
from core.workbench.private_text import refuse_private
from core.workbench.sealing import signing_desk


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockingCode:
    """A finding code that blocks a gate: how often, and whether it is or can be waived."""

    gate: str
    code: str
    count: int
    waivable: bool
    waiver: Waiver | None
    proposal: Proposal | None


@dataclass(frozen=True, slots=True)
class Waivers:
    """The waivers of one desk."""

    desk: Desk
    candidates: Candidates

    def load(self, digest: str) -> LoadedWaivers:
        """Return what holds of this candidate's waivers, and what was never signed here."""
        entries = self.desk.entries()
        return load_waivers(
            self.desk.store, self.desk.prefix, entries, Digest(digest), self.desk.signing_keys()
        )

    def blocking(self, digest: str) -> tuple[BlockingCode, ...]:
        """Return every code that blocks a required gate of this candidate."""
        loaded = self.load(digest)
        in_force = self.in_force(digest)
        now = self.desk.now_at_least()
        found = []
        for gate, stored in self._failed(digest).items():
            for code, count in finding_totals(stored.report, blocking_only=True).items():
                scope = (gate, code, stored.sha256)
                found.append(
                    BlockingCode(
                        gate=gate,
                        code=code,
                        count=count,
                        waivable=may_be_waived(self.desk.policy, gate, code),
                        waiver=next((w for w in in_force if _scope(w) == scope), None),
                        proposal=next(
                            (
                                item
                                for item in loaded.proposals
                                if _scope(item) == scope and item.expires_at > now
                            ),
                            None,
                        ),
                    )
                )
        return tuple(found)

    def built_by(self, digest: str, person: Person) -> bool:
        """Whether this person built the candidate, and so takes no part in its waivers."""
        return person.id in history.builders(self.desk.entries(), digest)

    def in_force(self, digest: str) -> tuple[Waiver, ...]:
        """Return the waivers that count now: not expired, not revoked, by two people in roles."""
        people, builders = self._people(), history.builders(self.desk.entries(), digest)
        return tuple(
            waiver
            for waiver in self.load(digest).waivers
            if waiver_counts(
                waiver,
                candidate=Digest(digest),
                at=self.desk.now_at_least(),
                people=people,
                builders=builders,
                policy=self.desk.policy,
            )
        )

    def unproven_gates(
        self, digest: str, reports: Mapping[str, StoredReport | None]
    ) -> tuple[str, ...]:
        """Return the required gates that neither passed nor failed on waived findings alone."""
        candidate = self.candidates.get(digest)
        required = self.desk.policy.required_gates
        held = {name: reports.get(name) for name in required}
        if all(stored is not None and stored.report.verdict == "pass" for stored in held.values()):
            return ()
        waivers = self.in_force(digest)
        return tuple(
            name for name, stored in held.items() if not is_proven(name, stored, candidate, waivers)
        )

    def propose(
        self, digest: str, gate: str, code: str, reason: str, days: int, typed_name: str, by: Person
    ) -> Proposal:
        """Sign the first half of a waiver, in one's own name."""
        self.desk.require(by, *MAY_WAIVE)
        refuse_private(self.desk.policy, reason)
        stored = self._failed(digest).get(gate)
        if stored is None:
            raise ReviewError("waiver.nothing_found", "This gate has not failed.", place=gate)
        request = WaiverRequest(
            version=self.candidates.get(digest).version,
            candidate=Digest(digest),
            gate=gate,
            code=code,
            found=finding_totals(stored.report, blocking_only=True).get(code, 0),
            report=stored,
            reason=reason,
            days=days,
            builders=history.builders(self.desk.entries(), digest),
        )
        return propose(
            request,
            self.desk.policy,
            person=by,
            typed_name=typed_name,
            desk=signing_desk(self.desk, by),
        )

    def agree(self, digest: str, sha256: str, typed_name: str, by: Person) -> Waiver:
        """Sign the second half: the waiver is in force from here on."""
        self.desk.require(by, *MAY_WAIVE)
        for proposal in self.load(digest).proposals:
            if proposal.sha256 == sha256:
                return agree(
                    proposal,
                    self.candidates.get(digest).version,
                    self.desk.policy,
                    history.builders(self.desk.entries(), digest),
                    person=by,
                    typed_name=typed_name,
                    desk=signing_desk(self.desk, by),
                )
        raise ReviewError("waiver.unknown", "There is no such proposal.", place=sha256)

    def revoke(self, digest: str, sha256: str, reason: str, by: Person) -> None:
        """Journal that a waiver no longer counts."""
        self.desk.require(by, *MAY_WAIVE)
        refuse_private(self.desk.policy, reason)
        for waiver in self.load(digest).waivers:
            if waiver.sha256 == sha256:
                revoke_waiver(waiver, person=by, reason=reason, journal=self.desk.journal)
                return
        raise ReviewError("waiver.unknown", "There is no such waiver.", place=sha256)

    def _failed(self, digest: str) -> dict[str, StoredReport]:
        reports = self.candidates.reports(digest)
        return {
            gate: stored
            for gate in self.desk.policy.required_gates
            if (stored := reports.get(gate)) is not None and stored.report.verdict == "fail"
        }

    def _people(self) -> Mapping[ReviewerId, tuple[DeskRole, ...]]:
        return acting_people(self.desk.people(), self.desk.settings.embedded)


def _scope(item: Waiver | Proposal) -> tuple[str, str, str]:
    return (item.gate, item.code, item.report)
