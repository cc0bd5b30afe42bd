"""The run sheet is computed: every line from evidence, nothing ticked by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from core.model.candidate import Candidate
from core.model.names import Version
from core.model.release import ChecklistLine, LineState
from core.model.signoff import Person
from core.model.waiver import Waiver
from core.release.layout import release_prefix
from core.workbench import history
from core.workbench.candidates import Candidates
from core.workbench.data import Data
from core.workbench.desk import Desk
from core.workbench.pii_checks import PiiChecks
from core.workbench.releases import Releases
from core.workbench.review_outcomes import ReviewOutcomes
from core.workbench.reviews import Reviews
from core.workbench.sheet_words import (
    Published,
    artefact_lines,
    as_list,
    as_shipped,
    checklist_line,
    coverage_words,
    evidence_state,
    gate_state,
    gate_words,
    page_of_role,
    sampled,
    smoke_evidence,
    smoke_words,
    training_lines,
    waiver_words,
)
from core.workbench.signing import Requirement, Signing
from core.workbench.sources import Sources
from core.workbench.waivers import Waivers

_COVERED: Mapping[str, LineState] = {
    "present": "done",
    "present_by_alias": "done",
    "waived": "waived",
}
_GATE_LINES = (
    ("4.1", "Privacy gate passes; sampling recorded", ("privacy",)),
    ("4.2", "Provenance gate passes for every shard and record", ("provenance",)),
    ("4.3", "Duplicates and leakage gates pass", ("duplicates", "leakage")),
    ("4.4", "Distribution gate passes; regressions explained", ("distribution",)),
)


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
class Sheet:
    """The Release 0 checklist of one desk."""

    desk: Desk
    data: Data
    candidates: Candidates
    reviews: Reviews
    signing: Signing
    releases: Releases
    pii: PiiChecks

    def lines(self, version: str) -> tuple[ChecklistLine, ...]:
        """Return every line of the checklist for `version`, in order."""
        candidate = self.candidates.current(version) if version else None
        facts = Published(self.releases, version)
        return (
            *self._access(version, facts),
            *self._families(version),
            *self._version(version, facts),
            *artefact_lines(facts),
            *self._gates(candidate, facts),
            *self._reviews(candidate),
            *training_lines(facts),
        )

    def _access(self, version: str, facts: Published) -> Iterator[ChecklistLine]:
        entries = self.desk.entries()
        probes = list(history.of_type(entries, "probe.finished"))
        if not probes:
            yield checklist_line(
                "0.1",
                "S3 access to the canonical bucket",
                "not_started",
                "The bucket has not been probed yet; listing it does that.",
                "coverage",
            )
        else:
            last = probes[-1]
            failed = ", ".join(str(name) for name in as_list(last.event["failed"]))
            good = last.event["ok"] is True
            why = (
                "List, get, conditional put and read-back succeeded."
                if good
                else f"Failed: {failed}."
            )
            yield checklist_line(
                "0.1",
                "S3 access to the canonical bucket",
                "done" if good else "blocked",
                why,
                "coverage",
                {"journal": last.seq, "at": last.at, "by": last.actor},
            )
        smoke = facts.smoke
        yield checklist_line(
            "0.2",
            "S3-first: training reads from S3, local is a cache",
            evidence_state(smoke),
            smoke_words(smoke),
            "releases",
            *smoke_evidence(smoke),
        )
        secrets = facts.secrets
        yield checklist_line(
            "0.3",
            "No secrets committed or printed",
            evidence_state(secrets),
            "The release's own files were searched for key-shaped text."
            if secrets is not None
            else "Searched when the release is verified.",
            "releases",
            *([secrets] if secrets else []),
        )

    def _families(self, version: str) -> Iterator[ChecklistLine]:
        snapshot = self.data.snapshot()
        rules = [rule for rule in self.desk.policy.families if rule.required]
        coverage = self.data.coverage(version) if snapshot is not None else None
        for number, rule in enumerate(rules, 1):
            title = f"Family present: {rule.title} (stage {rule.stage})"
            if coverage is None:
                yield checklist_line(
                    f"1.{number}",
                    title,
                    "not_started",
                    "The bucket has not been listed yet.",
                    "coverage",
                )
                continue
            found = coverage.families[rule.name]
            state = _COVERED.get(found.state, "blocked")
            if found.needs_confirmation:
                state = "blocked"
            evidence = [{"key": item.key, "records": item.records} for item in found.evidence[:5]]
            yield checklist_line(
                f"1.{number}",
                title,
                state,
                coverage_words(found),
                "coverage",
                *evidence,
            )

    def _version(self, version: str, facts: Published) -> Iterator[ChecklistLine]:
        released = facts.manifest is not None
        drafted = version in self.data.versions() if version else False
        state: LineState = "done" if drafted else "not_started"
        yield checklist_line(
            "2.1",
            "Version picked",
            state,
            f"{version} is {'released' if released else 'in draft'}."
            if drafted
            else "No version has been picked.",
            "run_sheet",
        )
        prefix = release_prefix(self.desk.prefix, Version(version)) if drafted else ""
        yield checklist_line(
            "2.2",
            "Release prefix written down",
            state,
            f"It {'stands' if released else 'will stand'} at {prefix}"
            if drafted
            else "Follows from the version.",
            "run_sheet",
            *([{"prefix": prefix}] if drafted else []),
        )

    def _gates(self, candidate: Candidate | None, facts: Published) -> Iterator[ChecklistLine]:
        """Judge by the evidence that counts now; of a release, by the evidence it shipped."""
        shipped = facts.shipped_gates()
        reports = self.candidates.reports(candidate.digest) if candidate and not shipped else {}
        waived = facts.waived_gates()
        waivers: tuple[Waiver, ...] = ()
        if candidate is not None and not shipped:
            desk_waivers = Waivers(self.desk, self.candidates)
            waivers = desk_waivers.in_force(candidate.digest)
            open_gates = desk_waivers.unproven_gates(candidate.digest, reports)
            waived = frozenset(self.desk.policy.required_gates) - frozenset(open_gates)
        for number, title, names in _GATE_LINES:
            if shipped:
                held = [shipped.get(name) for name in names]
            else:
                held = [as_shipped(reports.get(name)) for name in names]
            evidence = [{"key": item["key"], "sha256": item["sha256"]} for item in held if item]
            state, words, page = gate_state(held, waived), gate_words(names, held), "gates"
            mine = [waiver for waiver in waivers if waiver.gate in names]
            words = " ".join((words, *waiver_words(mine)))
            evidence += [{"waiver": waiver.key, "sha256": waiver.sha256} for waiver in mine]
            if names == ("privacy",) and candidate is not None:
                checks = self.pii.states(candidate.digest)
                words = " ".join((words, *sampled(checks)))
                unread = any(check.state != "done" for check in checks.values())
                if state == "done" and unread and not shipped:
                    state, page = "blocked", "pii_check"
            yield checklist_line(number, title, state, words, page, *evidence)

    def _reviews(self, candidate: Candidate | None) -> Iterator[ChecklistLine]:
        if candidate is None:
            for number, rule in enumerate(self.desk.policy.signoffs, 1):
                yield checklist_line(
                    f"5.{number}",
                    rule.title,
                    "not_started",
                    "There is no candidate to sign.",
                    "run_sheet",
                )
            return
        states = self.reviews.states(candidate.digest)
        for number, wanted in enumerate(self.signing.requirements(candidate.digest), 1):
            yield self._requirement(f"5.{number}", wanted, states)

    def _requirement(
        self, number: str, wanted: Requirement, states: Mapping[str, object]
    ) -> ChecklistLine:
        page = page_of_role(wanted.role) if wanted.claim else "publish"
        given = wanted.signoff
        if given is not None and given.decision == "approve":
            return checklist_line(
                number,
                wanted.title,
                "done",
                f"Signed by {given.reviewer}.",
                page,
                {"key": given.key, "sha256": given.sha256, "at": given.at},
            )
        if given is not None:
            return checklist_line(
                number,
                wanted.title,
                "blocked",
                f"Refused by {given.reviewer}; a refusal stands until a new candidate.",
                page,
                {"key": given.key, "sha256": given.sha256, "at": given.at},
            )
        state = states.get(wanted.claim) if wanted.claim else None
        sentence = getattr(state, "sentence", "")
        open_state: LineState = "blocked" if sentence else "not_started"
        return checklist_line(number, wanted.title, open_state, sentence or "Not signed yet.", page)

    def next_step(self, version: str, person: Person) -> NextStep:
        """Return the one thing that would bring `version` on, and who can do it."""
        title, text, page, role = self._next(version)
        mine = role in person.roles or (role == "anyone")
        return NextStep(title=title, text=text, page=page, role=role, mine=mine)

    def _next(self, version: str) -> tuple[str, str, str, str]:
        owner = "release_owner"
        if not version or version not in self.data.versions():
            return ("Pick a version", "Name the release you are preparing.", "run_sheet", owner)
        if Published(self.releases, version).manifest is not None:
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
            if rule.required and found.state not in _COVERED:
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
