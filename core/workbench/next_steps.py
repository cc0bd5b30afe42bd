"""The one thing that would bring a version on, and who can do it, computed like the run sheet."""

from __future__ import annotations

from dataclasses import dataclass

from core.model.candidate import Candidate
from core.model.signoff import Person
from core.workbench.candidates import Candidates
from core.workbench.data import Data
from core.workbench.desk import Desk
from core.workbench.pii_checks import PiiChecks
from core.workbench.releases import Releases
from core.workbench.review_outcomes import ReviewOutcomes
from core.workbench.reviews import Reviews
from core.workbench.sheet_words import COVERED, page_of_role
from core.workbench.signing import Signing
from core.workbench.sources import Sources
from core.workbench.waivers import Waivers

_RELEASED = (
    "Released",
    "Training can read it. Verify it again, or read its notes.",
    "releases",
    "anyone",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """What comes next, for whom, and where. `mine` says whether the reader can do it."""

    title: str
    text: str
    page: str
    role: str
    mine: bool


@dataclass(frozen=True, slots=True)
class NextSteps:
    """What comes next for each version of one desk."""

    desk: Desk
    data: Data
    candidates: Candidates
    reviews: Reviews
    signing: Signing
    releases: Releases
    pii: PiiChecks

    def next_step(self, version: str, person: Person) -> NextStep:
        """Return the one thing that would bring `version` on, and who can do it."""
        title, text, page, role = self._next(version)
        mine = role in person.roles or (role == "anyone")
        return NextStep(title=title, text=text, page=page, role=role, mine=mine)

    def _next(self, version: str) -> tuple[str, str, str, str]:
        owner = "release_owner"
        if not version or version not in self.data.versions():
            return ("Pick a version", "Name the release you are preparing.", "run_sheet", owner)
        if self.releases.manifest_or_none(version) is not None:
            return _RELEASED
        snapshot = self.data.snapshot()
        if snapshot is None:
            return ("List the bucket", "Read the inventory into the desk.", "coverage", owner)
        coverage = self.data.coverage(version)
        undecided = Sources(self.desk, self.data).undecided_families()
        for rule in self.desk.policy.families:
            found = coverage.families[rule.name]
            if found.needs_confirmation:
                return (
                    f"Confirm an alias for {rule.title}",
                    (
                        "Its data lie under another prefix than the policy's. Look, then confirm "
                        "by name."
                    ),
                    "coverage",
                    owner,
                )
            if rule.required and found.state not in COVERED:
                return (
                    f"{rule.title} is {found.state}",
                    "Bring data, or waive the family by name.",
                    "coverage",
                    owner,
                )
            if found.records and rule.name in undecided:
                return (
                    f"Decide about {rule.title}",
                    (
                        "No source enters a release without a named person's decision on its "
                        "rights and licence."
                    ),
                    "coverage",
                    owner,
                )
        return self._next_candidate(version)

    def _next_candidate(self, version: str) -> tuple[str, str, str, str]:
        owner = "release_owner"
        candidate = self.candidates.current(version)
        if candidate is None:
            return ("Build the candidate", "Read every source into shards.", "gates", owner)
        if self.candidates.pending_decisions(candidate.digest):
            return (
                "Build again",
                "Decisions taken since the last build wait to be applied.",
                "gates",
                owner,
            )
        reports = self.candidates.reports(candidate.digest)
        required = self.desk.policy.required_gates
        if any(reports.get(name) is None for name in required):
            return ("Run the gates", "Five checks over the exact bytes.", "gates", owner)
        failed = Waivers(self.desk, self.candidates).unproven_gates(candidate.digest, reports)
        if failed:
            return (
                f"Look at what the {failed[0]} gate found",
                "Decide about its findings; the decisions go into the next candidate.",
                "findings",
                owner,
            )
        return self._next_review(candidate)

    def _next_review(self, candidate: Candidate) -> tuple[str, str, str, str]:
        digest = candidate.digest
        plans = self.reviews.plans(digest)
        if any(claim.id not in plans for claim in self.desk.policy.claims):
            return (
                "Freeze the samples",
                "Fix which records get read, before anyone sees one.",
                "adjudication",
                "review_lead",
            )
        for check in self.pii.states(digest).values():
            if check.state != "done":
                family = self.desk.policy.family(check.family).title
                reader = "review_lead" if check.state == "not_frozen" else "clinician"
                title = f"Read {family} for anybody who could be identified"
                return (title, check.sentence, "pii_check", reader)
        for claim, state in self.reviews.states(digest).items():
            rule = self.desk.policy.claim(claim)
            if state.state == "paused":
                return (
                    f"Settle the flags in {rule.title}",
                    state.sentence,
                    "adjudication",
                    "review_lead",
                )
            outcomes = ReviewOutcomes(self.desk, self.candidates, self.reviews)
            if state.state == "failed" and outcomes.waiting(candidate.version):
                return (
                    "Decide what the next candidate takes up",
                    "A second person fixed or rejected records: apply that, then build again.",
                    "adjudication",
                    "release_owner",
                )
            if state.state != "ready":
                return (rule.title, state.sentence, page_of_role(rule.role), rule.role)
        for wanted in self.signing.requirements(digest):
            if wanted.signoff is None:
                page = page_of_role(wanted.role) if wanted.claim else "publish"
                return (wanted.title, "Read the statement and sign it by name.", page, wanted.role)
        return (
            "Publish",
            "Nothing should stand in the way now: try the dry run first.",
            "publish",
            "release_owner",
        )
