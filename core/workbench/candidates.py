"""Building a candidate, judging it, and deciding what its findings mean for the next one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.gates import GATE_NAMES, make_gates
from core.gates.corpus import open_corpus
from core.gates.evidence import decide, load_reports, store_report
from core.gates.run import run_gates
from core.intake.document import load_candidate
from core.model.candidate import Candidate
from core.model.errors import GateError, IntakeError
from core.model.gate import Finding, StoredReport
from core.model.names import Digest, Version, parse_digest_prefix, parse_version
from core.model.personal import entity_of
from core.model.progress import Progress, silent
from core.model.shown import turn_digests
from core.model.signoff import Person
from core.review.frame import find_records
from core.workbench import history
from core.workbench.data import Data
from core.workbench.decided_edits import decided_edits
from core.workbench.desk import Desk
from core.workbench.fingerprint import judging_fingerprint

if TYPE_CHECKING:
    from core.gates.sketching import StartsSketchers

ACTIONS = ("exclude", "exclude_group", "redact", "false_positive", "allow", "explain")
"""What a person may decide about a finding. Each takes effect in the next candidate."""
_MOST_SHOWN = 1 << 19


@dataclass(frozen=True, slots=True)
class Candidates:
    """The candidates of one desk and their gates."""

    desk: Desk
    data: Data

    def build(
        self, version: str, by: Person, progress: Progress = silent, *, workers: int | None = None
    ) -> Candidate:
        """List the bucket, read every source, and store what would ship as a candidate.

        A listing that came from a file is built from as it is, until the bucket is listed.
        Without `workers` there is one for each core.
        """
        # Imported here because its kernels and detectors take seconds to load.
        from core.intake.compile import compile_candidate
        from core.intake.ray_pool import RayPools
        from core.intake.scan_all import workers_for_this_machine

        desk = self.desk
        desk.require(by, "release_owner")
        name = self.data.draft(parse_version(version), by)
        held = self.data.snapshot()
        if held is not None and held.taken_from:
            snapshot = held
        else:
            snapshot = self.data.take_inventory(by, progress)
        self.data.policy_stored()
        entries = desk.entries()
        # Families have names, prefixes have their own: the longest prefix wins, then the family.
        sources = {**history.prefix_decisions(entries), **history.source_decisions(entries)}
        decisions = history.decisions(entries, name)
        candidate = compile_candidate(
            desk.store,
            listing=self.data.listing(),
            snapshot_at=snapshot.at,
            policy=desk.policy,
            version=name,
            confirmed=history.confirmed_aliases(entries),
            waived=history.waived_families(entries, name),
            licences={f: d.licence_tag for f, d in sources.items() if d.decision == "keep"},
            refused={f: d.decision for f, d in sources.items() if d.decision != "keep"},
            decisions=decisions,
            edits=decided_edits(desk.store, desk.prefix, decisions),
            prefix=desk.prefix,
            workers=workers or workers_for_this_machine(),
            pools=RayPools(address) if (address := self.desk.settings.ray_address) else None,
            connect=desk.connect,
            progress=progress,
        )
        desk.record(
            by,
            "candidate.built",
            version=name,
            candidate=candidate.digest,
            policy=desk.policy.digest,
            listing=snapshot.listing,
            records=candidate.records,
        )
        return candidate

    def find(self, text: str) -> Digest:
        """Return the built candidate whose digest starts with `text` (8 hex digits or more).

        Raises:
            IntakeError: none, or more than one, does.
        """
        start = parse_digest_prefix(text)
        found = {
            item.candidate
            for item in history.built(self.desk.entries())
            if item.candidate.startswith(start)
        }
        if len(found) != 1:
            code = "candidate.ambiguous" if found else "candidate.unknown"
            raise IntakeError(code, "That digest names no single candidate.", place=start)
        return found.pop()

    def get(self, digest: str) -> Candidate:
        """Return a stored candidate, re-hashed."""
        kept = self.desk.memory.setdefault("candidates", {})
        assert isinstance(kept, dict)
        if digest not in kept:
            kept[digest] = load_candidate(self.desk.store, self.desk.prefix, Digest(digest))
        candidate: Candidate = kept[digest]
        return candidate

    def history(self, version: str) -> tuple[history.Built, ...]:
        """Return every candidate built for `version`, oldest first."""
        return history.built(self.desk.entries(), version)

    def current(self, version: str) -> Candidate | None:
        """Return the newest candidate built for `version`, or None."""
        found = history.built(self.desk.entries(), version)
        return self.get(found[-1].candidate) if found else None

    def run_gates(
        self,
        digest: str,
        by: Person,
        progress: Progress = silent,
        *,
        say: Callable[[str], None] = lambda name: None,
    ) -> Mapping[str, StoredReport]:
        """Run every gate over the stored shards; store and journal each report.

        A gate that has already failed on this candidate under these settings is not run
        again: the fail stands.
        """
        desk = self.desk
        desk.require(by, "release_owner", "review_lead")
        candidate = self.get(digest)
        standing = self.reports(digest)
        if all(_final(held) for held in standing.values()):
            return {name: held for name, held in standing.items() if held is not None}
        progress(0, 0, "loading the detectors")
        gates = self._gates(candidate)
        open_gates = [gate for gate in gates if not _final(standing[gate.name])]
        # Imported here because it loads what reads sources.
        from core.intake.scan_all import workers_for_this_machine

        corpus = open_corpus(desk.store, candidate, desk.workspace / "shards")
        for report in run_gates(
            open_gates,
            corpus,
            clock=desk.clock,
            progress=progress,
            workers=workers_for_this_machine(),
            pools=self._sketchers(),
        ):
            stored = store_report(desk.store, desk.prefix, report)
            say(report.gate)
            desk.record(
                by,
                "gate.finished",
                candidate=candidate.digest,
                gate=report.gate,
                verdict=report.verdict,
                evidence=stored.sha256,
                settings=report.settings,
                fingerprint=self._fingerprint(candidate),
            )
        return {name: held for name, held in self.reports(digest).items() if held is not None}

    def _sketchers(self) -> StartsSketchers | None:
        """Return where records are compared: on the named cluster, or None for this machine."""
        address = self.desk.settings.ray_address
        if not address:
            return None
        # Imported here because it loads what compares, which is compiled.
        from core.gates.ray_sketching import StartsRaySketchers

        return StartsRaySketchers(address)

    def reports(self, digest: str) -> Mapping[str, StoredReport | None]:
        """Return the report that counts for each gate of this candidate, None where absent."""
        candidate = self.get(digest)
        fingerprint = self._fingerprint(candidate)
        settings = {
            str(entry.event["gate"]): Digest(str(entry.event["settings"]))
            for entry in history.of_type(self.desk.entries(), "gate.finished")
            if (entry.event["candidate"], entry.event.get("fingerprint")) == (digest, fingerprint)
        }
        stored = load_reports(self.desk.store, self.desk.prefix, candidate.digest)
        return {
            name: decide(stored, name, settings[name], candidate=candidate.digest)
            if name in settings
            else None
            for name in GATE_NAMES
        }

    def _fingerprint(self, candidate: Candidate) -> Digest:
        return judging_fingerprint(
            self.desk.policy, candidate.digest, self._previous_release(candidate)
        )

    def _gates(self, candidate: Candidate) -> Sequence[Any]:
        # Imported here because it loads what reads listings.
        from core.gates.listed import stored_listing

        routing = self.desk.store.get(candidate.routing_key, limit=1 << 22).body
        return make_gates(
            self.desk.policy,
            candidate,
            routing=routing,
            listing=stored_listing(self.desk.store, self.desk.prefix, candidate),
            baseline=self._baseline(candidate),
            compared_with=self.why_compared(candidate.version),
            scratch=self.desk.workspace / "scratch",
        )

    def earlier_releases(self, version: str) -> Mapping[Version, Digest]:
        """Return {version: candidate} of every other release, the newest first."""
        committed = [
            entry.event
            for entry in history.of_type(self.desk.entries(), "publish.committed")
            if entry.event["version"] != version
        ]
        return {
            Version(str(event["version"])): Digest(str(event["candidate"]))
            for event in reversed(committed)
        }

    def baseline_version(self, version: str) -> Version | None:
        """Return the release `version` is compared with: the one chosen, else the newest."""
        earlier = self.earlier_releases(version)
        chosen = [
            Version(str(entry.event["release"]))
            for entry in history.of_type(self.desk.entries(), "baseline.chosen")
            if entry.event["version"] == version and entry.event["release"] in earlier
        ]
        return chosen[-1] if chosen else next(iter(earlier), None)

    def why_compared(self, version: str) -> Mapping[str, str]:
        """Return the release `version` is compared with, why, and who chose it; empty if none."""
        release = self.baseline_version(version)
        if release is None:
            return {}
        chosen = [
            entry
            for entry in history.of_type(self.desk.entries(), "baseline.chosen")
            if entry.event["version"] == version and entry.event["release"] == release
        ]
        if not chosen:
            return {"release": release, "reason": "The newest release before it.", "by": ""}
        event = chosen[-1].event
        return {"release": release, "reason": str(event["reason"]), "by": chosen[-1].actor}

    def choose_baseline(self, version: str, release: str, reason: str, by: Person) -> None:
        """Compare `version` with another earlier release than the newest, for a stated reason.

        Verdicts reached against another release no longer count for it.

        Raises:
            GateError: `gate.baseline_unknown`, or `finding.reason` when no reason is given.
            ReviewError: `review.private_text` when the reason holds something private.
        """
        # Imported here because it loads the detectors, which takes seconds.
        from core.workbench.private_text import refuse_private

        self.desk.require(by, "release_owner", "review_lead")
        if release not in self.earlier_releases(version):
            raise GateError("gate.baseline_unknown", "That is no earlier release.")
        if len(reason.strip()) < 3:
            raise GateError("finding.reason", "Say in a few words why.")
        # The reason stands in the evidence, which ships.
        refuse_private(self.desk.policy, reason)
        self.desk.record(
            by, "baseline.chosen", version=version, release=release, reason=reason.strip()[:500]
        )

    def _previous_release(self, candidate: Candidate) -> Digest | None:
        """Return the candidate of the release this one is compared with, if any."""
        release = self.baseline_version(candidate.version)
        return None if release is None else self.earlier_releases(candidate.version)[release]

    def baseline(self, digest: str) -> Mapping[str, Any] | None:
        """Return the distribution measures a candidate is compared with, or None."""
        return self._baseline(self.get(digest))

    def decisions(self, version: str) -> tuple[Mapping[str, str], ...]:
        """Return the standing decisions on findings for `version`, one mapping per place."""
        return history.decisions(self.desk.entries(), version)

    def _baseline(self, candidate: Candidate) -> Mapping[str, Any] | None:
        """Return the distribution measures of the release before this version, if any."""
        digest = self._previous_release(candidate)
        if digest is None:
            return None
        stored = load_reports(self.desk.store, self.desk.prefix, digest)
        passed = [
            held.report
            for held in stored
            if held.report.gate == "distribution" and held.report.verdict == "pass"
        ]
        return passed[-1].measures if passed else None

    def findings(
        self, digest: str, *, gate: str = "", code: str = ""
    ) -> tuple[tuple[str, Finding], ...]:
        """Return (gate, finding) of the reports that count, filtered."""
        return tuple(
            (name, finding)
            for name, held in self.reports(digest).items()
            if held is not None and gate in ("", name)
            for finding in held.report.findings
            if code in ("", finding.code)
        )

    def decide(
        self,
        digest: str,
        *,
        gate: str,
        code: str,
        action: str,
        reason: str,
        by: Person,
        places: Sequence[Mapping[str, str]] | None = None,
    ) -> int:
        """Decide what findings of one code mean for the next candidate of this version.

        `places` (record_id, turn, start, end, or scope) picks some; None takes every blocking
        finding of the code. Returns how many places were decided. Verdicts do not change.

        Raises:
            NotAllowed: `by` does not decide here.
            GateError: `finding.action`, `finding.reason`, `finding.absent`.
            ReviewError: `review.private_text` when the reason holds something private.
        """
        desk = self.desk
        desk.require(by, "release_owner", "review_lead")
        if action not in ACTIONS:
            raise GateError("finding.action", "That is not something one can decide here.")
        if len(reason.strip()) < 3:
            raise GateError("finding.reason", "Say in a few words why.")
        # The reason stands in the journal and in the next candidate for good.
        from core.workbench.private_text import refuse_private

        refuse_private(desk.policy, reason)
        candidate = self.get(digest)
        if places is None:
            found = self.findings(digest, gate=gate, code=code)
            places = [place_of(finding, action) for _, finding in found if finding.blocking]
        if action == "redact" and (
            gate != "privacy"
            or entity_of(code) is None
            or any(not place.get("end", "-1").isdecimal() for place in places)
        ):
            raise GateError("finding.action", "Only words that stand somewhere can be redacted.")
        if (gate, action) == ("privacy", "false_positive"):
            places = self._with_what_was_shown(candidate, places)
        unique = {json.dumps(place, sort_keys=True): dict(place) for place in places}
        if not unique:
            raise GateError("finding.absent", "No such finding is open on this candidate.")
        desk.record(
            by,
            "finding.decided",
            version=candidate.version,
            candidate=candidate.digest,
            gate=gate,
            code=code,
            action=action,
            reason=reason.strip()[:500],
            places=[unique[key] for key in sorted(unique)],
        )
        return len(unique)

    def _with_what_was_shown(
        self, candidate: Candidate, places: Sequence[Mapping[str, str]]
    ) -> Sequence[Mapping[str, str]]:
        """Return the places with digests of the turns that were read, for `core.gates.dismissals`.

        Where they are too many to keep, none is: then the alarm is asked again, and nothing worse.
        """
        records = find_records(
            self.desk.store, candidate, {place.get("record_id", "") for place in places}
        )
        shown = {name: " ".join(turn_digests(found.messages)) for name, found in records.items()}
        if sum(len(shown[place["record_id"]]) for place in places) > _MOST_SHOWN:
            return places
        return [{**place, "shown": shown[place["record_id"]]} for place in places]

    def values_of(self, digest: str, findings: Sequence[Finding]) -> tuple[Mapping[str, str], ...]:
        """Return the places of an `allow` decision: digests of the values, never the values.

        Raises:
            GateError: `finding.absent` for a finding that points at no text.
            ReviewError: a record cannot be read as it would ship.
        """
        # Imported here because its package loads the detectors, which takes seconds.
        from core.intake.privacy.values import value_digest

        if any(finding.turn < 0 or finding.start < 0 for finding in findings):
            raise GateError("finding.absent", "Only what stands somewhere can be allowed.")
        records = find_records(
            self.desk.store,
            self.get(digest),
            {finding.record_id for finding in findings},
            families={finding.family for finding in findings},
        )
        values = {
            value_digest(
                finding.code,
                records[finding.record_id]
                .messages[finding.turn]
                .content[finding.start : finding.end],
            )
            for finding in findings
        }
        return tuple({"scope": str(value)} for value in sorted(values))

    def pending_decisions(self, digest: str) -> int:
        """Return how many decisions the version holds that this candidate was built without."""
        candidate = self.get(digest)
        standing = history.decisions(self.desk.entries(), candidate.version)
        held = {json.dumps(dict(item), sort_keys=True) for item in candidate.decisions}
        return sum(json.dumps(dict(item), sort_keys=True) not in held for item in standing)


def _final(stored: StoredReport | None) -> bool:
    return stored is not None and stored.report.verdict in ("pass", "fail")


def place_of(finding: Finding, action: str) -> Mapping[str, str]:
    """Return what a decision of this kind about `finding` names: scope, record, or span."""
    if action == "explain":
        return {"scope": finding.detail or finding.family}
    if action in ("exclude", "exclude_group"):
        return {"record_id": finding.record_id}
    return {
        "record_id": finding.record_id,
        "turn": str(finding.turn),
        "start": str(finding.start),
        "end": str(finding.end),
    }
