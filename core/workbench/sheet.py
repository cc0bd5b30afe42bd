"""The run sheet is computed: every line from evidence, nothing ticked by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from core.model.candidate import Candidate
from core.model.names import Version
from core.model.release import ChecklistLine, LineState
from core.model.waiver import Waiver
from core.release.layout import release_prefix
from core.storage.journal import Entry
from core.workbench import history
from core.workbench.next_steps import NextSteps
from core.workbench.sheet_released import (
    Published,
    access_lines,
    artefact_lines,
    training_lines,
)
from core.workbench.sheet_words import (
    COVERED,
    as_list,
    as_shipped,
    checklist_line,
    coverage_words,
    gate_state,
    gate_words,
    journalled,
    page_of_role,
    sampled,
    waiver_words,
)
from core.workbench.signing import Requirement
from core.workbench.waivers import Waivers

_GATE_LINES = (
    ("4.1", "Privacy gate passes; sampling recorded", ("privacy",)),
    ("4.2", "Provenance gate passes for every shard and record", ("provenance",)),
    ("4.3", "Duplicates and leakage gates pass", ("duplicates", "leakage")),
    ("4.4", "Distribution gate passes; regressions explained", ("distribution",)),
)


@dataclass(frozen=True, slots=True)
class Sheet(NextSteps):
    """The Release 0 checklist of one desk."""

    def lines(self, version: str) -> tuple[ChecklistLine, ...]:
        """Return every line of the checklist for `version`, in order."""
        facts = Published(self.releases, version)
        candidate = self.candidates.current(version) if version else None
        if facts.candidate is not None:
            # Whatever was built later under the same name, this is what was published.
            candidate = self.candidates.get(facts.candidate)
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
                journalled(last),
            )
        yield from access_lines(facts)

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
            state = COVERED.get(found.state, "blocked")
            if found.needs_confirmation:
                state = "blocked"
            gave = [item for item in found.evidence if item.records]
            evidence: list[Mapping[str, object]] = [
                {"key": item.key, "records": item.records} for item in gave[:5]
            ]
            evidence += map(journalled, self._said_of(version, rule.name))
            yield checklist_line(
                f"1.{number}",
                title,
                state,
                coverage_words(found),
                "coverage",
                *evidence,
            )

    def _said_of(self, version: str, family: str) -> Iterator[Entry]:
        """Yield the entries by which a person let a family count, by alias or by waiver."""
        for entry in history.of_type(self.desk.entries(), "alias.confirmed", "family.waived"):
            if entry.event["family"] == family and entry.event.get("version", version) == version:
                yield entry

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
            *map(journalled, history.first_named(self.desk.entries(), version)),
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
            *([facts.named()] if released else [{"prefix": prefix}] if drafted else []),
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
            evidence: list[Mapping[str, object]] = [
                {"key": item["key"], "sha256": item["sha256"]} for item in held if item
            ]
            state, words, page = gate_state(held, waived), gate_words(names, held), "gates"
            mine = [waiver for waiver in waivers if waiver.gate in names]
            words = " ".join((words, *waiver_words(mine)))
            evidence += [{"waiver": waiver.key, "sha256": waiver.sha256} for waiver in mine]
            if names == ("privacy",) and candidate is not None:
                checks = self.pii.states(candidate.digest)
                words = " ".join((words, *sampled(checks)))
                sampling = facts.file("evidence/pii_check-")
                evidence += [sampling] if checks and sampling is not None else []
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
