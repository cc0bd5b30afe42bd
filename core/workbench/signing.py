"""What must be signed, by whom, in which words; and the signing of it."""

from __future__ import annotations

from dataclasses import dataclass

from core.model.candidate import Candidate
from core.model.errors import NotAllowed, ReviewError
from core.model.names import Digest
from core.model.signoff import ROLES, Decision, DeskRole, Person, Signoff
from core.policy.types import SignoffRule
from core.review.keys import EVENT as KEY_EVENT
from core.review.signing import ReviewBasis, SignoffRequest, changed_since, is_stale, revoke, sign
from core.review.signoffs import GIVEN, LoadedSignoffs, load_signoffs, read_signoff
from core.workbench import history
from core.workbench.bias import known_gaps
from core.workbench.candidates import Candidates
from core.workbench.desk import Desk
from core.workbench.private_text import refuse_private
from core.workbench.reviews import Reviews
from core.workbench.sealing import signing_desk
from core.workbench.waivers import Waivers


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """A sign-off this candidate needs, and the one that stands, if any."""

    id: str
    title: str
    role: DeskRole
    claim: str
    signoff: Signoff | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningSheet:
    """What is about to be signed. Empty `problems`: an approval would be accepted now."""

    requirement: str
    title: str
    role: DeskRole
    sentence: str
    candidate: Digest
    exceptions: tuple[str, ...]
    dissents: tuple[str, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BelievedKey:
    """A registered signing key whose seals count here; `by` and `at` as its registration says."""

    id: str
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class Signing:
    """The sign-offs of one desk."""

    desk: Desk
    candidates: Candidates
    reviews: Reviews

    def unlisted_keys(self) -> tuple[BelievedKey, ...]:
        """Return the keys that are believed for being registered in the bucket and no more.

        None on the demo's bucket, which is this machine's own, and none where the settings list
        the keys that count: then nobody who writes to the bucket can add one.
        """
        settings = self.desk.settings
        if settings.embedded or settings.trusted_keys:
            return ()
        believed = self.desk.signing_keys()
        found: dict[str, BelievedKey] = {}
        for entry in history.of_type(self.desk.entries(), KEY_EVENT):
            name = str(entry.event.get("key_id", ""))
            if name in believed:
                found.setdefault(name, BelievedKey(id=name, by=entry.actor, at=entry.at))
        return tuple(found.values())

    def load(self, digest: str) -> LoadedSignoffs:
        """Return every sign-off of this candidate that verifies, and every fault."""
        entries = self.desk.entries()
        return load_signoffs(
            self.desk.store, self.desk.prefix, entries, Digest(digest), self.desk.signing_keys()
        )

    def requirements(self, digest: str) -> tuple[Requirement, ...]:
        """Return what must be signed, each with the sign-off that stands."""
        loaded = self.load(digest).signoffs
        return tuple(
            Requirement(
                id=rule.id,
                title=rule.title,
                role=rule.role,
                claim=rule.claim,
                signoff=_standing(rule, loaded),
            )
            for rule in self.desk.policy.signoffs
        )

    def stale(self, digest: str) -> tuple[Signoff, ...]:
        """Return the approvals that something they rest on has changed under."""
        found = []
        for signoff in self.load(digest).signoffs:
            rule = self._rule(signoff.requirement)
            basis = self._basis(rule, digest)
            # A refusal stands whatever changed: only a new candidate answers it.
            approved = signoff.decision == "approve" and not signoff.revoked
            if basis is not None and approved and is_stale(signoff, basis):
                found.append(signoff)
        return tuple(found)

    def changed_since(self, digest: str, signoff: Signoff) -> tuple[str, ...]:
        """Name what has changed since a reviewer signed; nothing of a release decision."""
        basis = self._basis(self._rule(signoff.requirement), digest)
        return changed_since(signoff, basis) if basis is not None else ()

    def elsewhere(self, digest: str) -> tuple[Signoff, ...]:
        """Return the sign-offs of the version's other candidates: they are why this one's lack.

        Only those that verify for their own candidate; none of them counts for this one.
        """
        entries = self.desk.entries()
        version = self.candidates.get(digest).version
        others = {item.candidate for item in history.built(entries, version)} - {Digest(digest)}
        signed = {entry.event.get("candidate") for entry in history.of_type(entries, GIVEN)}
        return tuple(
            signoff for other in sorted(others & signed) for signoff in self.load(other).signoffs
        )

    def sheet(self, digest: str, requirement: str, by: Person) -> SigningSheet:
        """Return the words to sign, and what still stands in the way of an approval."""
        self.desk.require(by, *ROLES)
        rule = self._rule(requirement)
        candidate = self.candidates.get(digest)
        basis = self._basis(rule, digest)
        problems: list[str] = []
        if not by.holds(rule.role):
            problems.append(f"This is signed by a {rule.role.replace('_', ' ')}.")
        if by.id in history.builders(self.desk.entries(), digest):
            problems.append("You built this candidate; somebody else has to sign it.")
        if rule.claim:
            if basis is None:
                problems.append("The sample is not frozen yet.")
            elif basis.state.state != "ready":
                problems.append("The review is not finished, or did not pass.")
        else:
            problems += self._before_decision(digest)
        return SigningSheet(
            requirement=rule.id,
            title=rule.title,
            role=rule.role,
            sentence=basis.state.sentence if basis else self._decision_words(candidate, rule),
            candidate=candidate.digest,
            exceptions=(
                *(f"{item.scope}: {item.reason}" for item in candidate.exclusions),
                *self._gaps(digest, rule),
            ),
            dissents=basis.state.dissents if basis else (),
            problems=tuple(problems),
        )

    def sign(
        self, digest: str, requirement: str, decision: Decision, typed_name: str, by: Person
    ) -> Signoff:
        """Sign one decision over one candidate, in one's own name."""
        desk = self.desk
        rule = self._rule(requirement)
        desk.require(by, rule.role)
        candidate = self.candidates.get(digest)
        if by.id in history.builders(desk.entries(), digest):
            raise NotAllowed("signoff.builder", "You built this candidate; somebody else signs it.")
        if not rule.claim and decision == "approve":
            open_points = self._before_decision(digest)
            if open_points:
                raise ReviewError("signoff.not_ready", open_points[0], place=rule.id)
        reports = self.candidates.reports(digest)
        request = SignoffRequest(
            version=candidate.version,
            candidate=candidate.digest,
            requirement=rule,
            decision=decision,
            evidence={gate: held.sha256 for gate, held in reports.items() if held is not None},
            basis=self._basis(rule, digest),
            builder=self.reviews.builder(digest, by),
            statement="" if rule.claim else self._decision_words(candidate, rule),
            exceptions=(
                *sorted({item.scope for item in candidate.exclusions}),
                *self._gaps(digest, rule),
            ),
        )
        return sign(
            request,
            person=by,
            typed_name=typed_name,
            desk=signing_desk(desk, by),
            given=self.load(digest).signoffs,
        )

    def receipt(self, signoff: Signoff) -> bytes:
        """Return the signed envelope exactly as it is stored, for its signer to keep."""
        return read_signoff(self.desk.store, signoff.key)

    def revoke(self, digest: str, sha256: str, reason: str, by: Person) -> None:
        """Journal that a sign-off no longer counts."""
        self.desk.require(by, "clinician", "bias_reviewer", "review_lead", "release_owner")
        refuse_private(self.desk.policy, reason)
        for signoff in self.load(digest).signoffs:
            if signoff.sha256 == sha256:
                revoke(signoff, person=by, reason=reason, journal=self.desk.journal)
                return
        raise ReviewError("signoff.unknown", "There is no such sign-off.", place=sha256)

    def _rule(self, requirement: str) -> SignoffRule:
        for rule in self.desk.policy.signoffs:
            if rule.id == requirement:
                return rule
        raise ReviewError("signoff.unknown", "The policy asks for no such sign-off.")

    def _basis(self, rule: SignoffRule, digest: str) -> ReviewBasis | None:
        plan = self.reviews.plans(digest).get(rule.claim) if rule.claim else None
        if plan is None:
            return None
        return ReviewBasis(
            plan=plan,
            state=self.reviews.states(digest)[rule.claim],
            ratings=self.reviews.ratings(digest, rule.claim),
            settlements=self.reviews.settlements(digest, rule.claim),
            acts=self.reviews.acts(digest, rule.claim),
            known_bad=self.reviews.known_bad_answers(digest, rule.claim),
        )

    def _before_decision(self, digest: str) -> list[str]:
        """The release decision comes last: gates have passed and every review is signed."""
        reports = self.candidates.reports(digest)
        open_gates = Waivers(self.desk, self.candidates).unproven_gates(digest, reports)
        problems = [f"The {gate} gate has not passed." for gate in open_gates]
        for wanted in self.requirements(digest):
            approved = wanted.signoff is not None and wanted.signoff.decision == "approve"
            if wanted.claim and not approved:
                problems.append(f"{wanted.title} is not signed.")
        return problems

    def _gaps(self, digest: str, rule: SignoffRule) -> tuple[str, ...]:
        """What reviewers of this claim, or for the decision of any, wrote down as missing."""
        claims = [rule.claim] if rule.claim else [one.id for one in self.desk.policy.claims]
        entries = self.desk.entries()
        return tuple(gap for claim in claims for gap in known_gaps(entries, digest, claim))

    def _decision_words(self, candidate: Candidate, rule: SignoffRule) -> str:
        if rule.claim:
            return "No sample is frozen yet, so there is nothing to state."
        families = ", ".join(name for name, found in sorted(candidate.families.items()) if found)
        left_out = "; ".join(f"{item.scope}: {item.reason}" for item in candidate.exclusions)
        return (
            f"Release {candidate.version} with {candidate.records:,} records of {families}. "
            f"Known exclusions: {left_out or 'none'}."
        )


def _standing(rule: SignoffRule, signoffs: tuple[Signoff, ...]) -> Signoff | None:
    """A refusal stands before an approval; a revoked sign-off does not stand at all."""
    mine = [item for item in signoffs if item.requirement == rule.id and not item.revoked]
    refused = [item for item in mine if item.decision == "refuse"]
    chosen = refused or mine
    return max(chosen, key=lambda item: (item.at, item.sha256)) if chosen else None
