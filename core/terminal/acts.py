"""Each command is one act of the workbench and the document that tells of it."""

from __future__ import annotations

import argparse
import getpass
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from core.model.errors import Blocked, ReleaseError
from core.model.release import Blocker
from core.model.signoff import Person
from core.release.receipt import RECEIPT_LIMIT, Receipt, read_receipt
from core.storage.ports import SystemClock, timestamp
from core.terminal.printing import Show
from core.workbench import Workbench
from core.workbench.people import operator

Answer = tuple[Any, bool]
"""What a command prints, and whether it passed."""


class Terminal:
    """The workbench as one person uses it from a terminal."""

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self.person: Person = operator(_login(), timestamp(SystemClock().now()))
        self.progress = Show()

    def probe(self, _: argparse.Namespace) -> Answer:
        """Try what the bucket can do."""
        report = self.bench.data.probe(self.person)
        checks = [
            {"name": check.name, "ok": check.ok, "detail": check.detail} for check in report.checks
        ]
        return {"ok": report.ok, "checks": checks}, report.ok

    def inventory(self, asked: argparse.Namespace) -> Answer:
        """List the bucket, or read a listing."""
        # What lies on this machine is meant before a key of the same name.
        path = Path(asked.source) if asked.source else None
        here = path is not None and path.is_file()
        found = self.bench.data.take_inventory(
            self.person,
            self.progress,
            from_key="" if here else asked.source,
            from_path=path if here else None,
        )
        return {"objects": found.objects, "bytes": found.bytes, "snapshot": found.listing}, True

    def coverage(self, asked: argparse.Namespace) -> Answer:
        """Tell what each family's objects prove."""
        if self.bench.data.snapshot() is None:
            self.bench.data.take_inventory(self.person, self.progress)
        document = self.bench.data.coverage_document(asked.version, self.progress)
        return document, True

    def build(self, asked: argparse.Namespace) -> Answer:
        """Read every source into a candidate."""
        candidate = self.bench.candidates.build(
            asked.version, self.person, self.progress, workers=asked.workers
        )
        shards = [
            {
                "key": shard.key,
                "sha256": shard.sha256,
                "bytes": shard.size,
                "records": shard.records,
                "family": shard.family,
                "split": shard.split,
            }
            for shard in candidate.shards
        ]
        return {
            "candidate": candidate.digest,
            "version": candidate.version,
            "records": candidate.records,
            "rows": candidate.rows,
            "rejections": dict(candidate.rejections),
            "dropped": dict(candidate.dropped),
            "families": {name: dict(found) for name, found in candidate.families.items()},
            "exclusions": [
                {"scope": item.scope, "reason": item.reason} for item in candidate.exclusions
            ],
            "shards": shards,
        }, True

    def gates(self, asked: argparse.Namespace) -> Answer:
        """Judge a candidate's shards."""
        digest = self.bench.candidates.find(asked.candidate)
        reports = self.bench.candidates.run_gates(digest, self.person, self.progress)
        gates = {}
        blocking = []
        for name, stored in reports.items():
            report = stored.report
            gates[name] = {
                "verdict": report.verdict,
                "reason": report.reason,
                "examined": report.examined,
                "expected": report.expected,
                "measures": report.measures,
                "findings": _counted(finding.code for finding in report.findings),
            }
            blocking += [
                {"gate": name, "code": code, "count": count}
                for code, count in _counted(f.code for f in report.blocking).items()
            ]
            if report.verdict == "error":
                blocking.append({"gate": name, "code": report.reason or "error", "count": 1})
        required = set(self.bench.desk.policy.required_gates)
        passed = {name for name, stored in reports.items() if stored.report.verdict == "pass"}
        return {"gates": gates, "blocking": blocking}, bool(required) and required <= passed

    def findings(self, asked: argparse.Namespace) -> Answer:
        """Tell what the gates saw."""
        digest = self.bench.candidates.find(asked.candidate)
        found = self.bench.candidates.findings(digest, gate=asked.gate, code=asked.code)
        rows = [
            {
                "gate": gate,
                "code": finding.code,
                "blocking": finding.blocking,
                "family": finding.family,
                "shard": finding.shard,
                "line": finding.line,
                "record_id": finding.record_id,
                "turn": finding.turn,
                "start": finding.start,
                "end": finding.end,
                "other": finding.other,
                "detail": finding.detail,
            }
            for gate, finding in found
        ]
        return rows, True

    def sample(self, asked: argparse.Namespace) -> Answer:
        """Tell the frozen sample plans."""
        digest = self.bench.candidates.find(asked.candidate)
        reviews = self.bench.reviews
        plans = reviews.plans(digest)
        return {
            claim: {
                "id": plan.id,
                "scope": plan.scope,
                "frame": plan.frame,
                "limit": plan.limit,
                "confidence": plan.confidence,
                "first": plan.first,
                "second": plan.second,
                "overlap": plan.overlap,
                "seed": plan.seed,
                "attempt": plan.attempt,
                "records": list(reviews.listed(digest, claim)),
                "in_rank_order": reviews.read_to_the_end(digest, claim),
            }
            for claim, plan in plans.items()
        }, True

    def blockers(self, asked: argparse.Namespace) -> Answer:
        """Tell what stands before publishing."""
        digest = self.bench.candidates.find(asked.candidate)
        found = self.bench.releases.blockers(digest)
        return _told(found), not found

    def publish(self, asked: argparse.Namespace) -> Answer:
        """Publish a signed candidate, or tell what would be written."""
        digest = self.bench.candidates.find(asked.candidate)
        if asked.dry_run:
            trial = self.bench.releases.dry_run(digest, self.person)
            objects = [
                {"key": o.key, "sha256": o.sha256, "bytes": o.size, "kind": o.kind}
                for o in trial.objects
            ]
            return {"blockers": _told(trial.blockers), "objects": objects}, not trial.blockers
        try:
            # Not asked beforehand: a rerun of what is already published finishes and succeeds.
            outcome = self.bench.releases.publish(digest, self.person, self.progress)
        except Blocked:
            blocking = self.bench.releases.blockers(digest, self.person)
            return {"published": False, "blockers": _told(blocking)}, False
        return {
            "published": True,
            "version": outcome.version,
            "manifest": outcome.manifest_key,
            "manifest_sha256": outcome.manifest_sha256,
            "smoke": outcome.smoke_passed,
            "locked": None if outcome.lock is None else outcome.lock.locked,
        }, outcome.smoke_passed

    def abandon(self, asked: argparse.Namespace) -> Answer:
        """Give up a publication."""
        entry = self.bench.leftovers.abandon(asked.version, asked.because, self.person)
        return {
            "abandoned": asked.version,
            "candidate": entry.event["candidate"],
            "journal": entry.seq,
        }, True

    def sweep(self, asked: argparse.Namespace) -> Answer:
        """Tell, and on request remove, what belongs to no release."""
        removed = self.bench.leftovers.sweep(asked.remove, self.person) if asked.remove else ()
        left = [
            {"key": o.key, "bytes": o.size, "modified": o.modified, "kept": o.kept}
            for o in self.bench.leftovers.orphans()
        ]
        return {"removed": [o.key for o in removed], "orphans": left}, True

    def verify(self, asked: argparse.Namespace) -> Answer:
        """Read a release as a stranger, and hold it against a receipt if one is given."""
        receipt = None if asked.receipt is None else _receipt_in(asked.receipt)
        found = self.bench.releases.verify(asked.version, self.progress, receipt=receipt)
        return {
            "version": found.version,
            "ok": not found.faults,
            "manifest_sha256": found.manifest_sha256,
            "files": found.files,
            "records": found.records,
            "bytes": found.bytes,
            "faults": list(found.faults),
            "withdrawn": found.withdrawn,
        }, not found.faults

    def smoke(self, asked: argparse.Namespace) -> Answer:
        """Consume a release as a trainer."""
        evidence = self.bench.releases.smoke(asked.version, self.person)
        return evidence, bool(evidence["passed"])

    def checklist(self, asked: argparse.Namespace) -> Answer:
        """Tell the run sheet."""
        lines = self.bench.sheet.lines(asked.version)
        rows = [
            {
                "id": line.id,
                "title": line.title,
                "state": line.state,
                "why": line.why,
                "page": line.page,
                "evidence": [dict(item) for item in line.evidence],
            }
            for line in lines
        ]
        return {"version": asked.version, "lines": rows}, all(
            line.state in ("done", "waived") for line in lines
        )

    def journal(self, asked: argparse.Namespace) -> Answer:
        """Tell everything decided, checked."""
        whole, sentence = self.bench.audit.verify(tuple(asked.head))
        entries = [json.loads(line) for line in self.bench.audit.export().splitlines()]
        return {"ok": whole, "sentence": sentence, "entries": entries}, whole


def _told(blockers: Iterable[Blocker]) -> list[dict[str, str]]:
    return [{"code": one.code, "detail": one.detail, "page": one.page} for one in blockers]


def _receipt_in(path: Path) -> Receipt:
    try:
        with path.open("rb") as held:
            return read_receipt(held.read(RECEIPT_LIMIT))
    except OSError:
        raise ReleaseError(
            "release.receipt_unreadable", "The receipt's file cannot be read.", place=path.name
        ) from None


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def _counted(codes: Iterator[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for code in codes:
        found[code] = found.get(code, 0) + 1
    return dict(sorted(found.items()))
