"""The same acts from a terminal: one JSON document on stdout, everything else on stderr.

Exit status: 0 done or passed, 1 blocked or failed, 2 wrong usage or settings, 3 outcome
unknown. There is no command to rate or to sign: people do that, at the desk.
"""

from __future__ import annotations

import argparse
import getpass
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.canonical import NotCanonical, decode
from core.logs import configure_logging, log_error
from core.model.errors import Blocked, DeskError, IntakeError
from core.model.names import parse_version
from core.model.signoff import Person
from core.policy.load import load_policy
from core.settings import read_settings
from core.storage.ports import SystemClock, timestamp
from core.workbench import ROOT, Workbench, open_workbench
from core.workbench.anchoring import read_anchor
from core.workbench.leftovers import REASONS
from core.workbench.people import operator

Answer = tuple[Any, bool]
"""What a command prints, and whether it passed."""


class _Show:
    """Progress on stderr, at most one line per whole percent."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, done: int, total: int, message: str) -> None:
        share = f"{done * 100 // total:3d} %" if total else "     "
        line = f"{share}  {message}"
        if line != self._last:
            self._last = line
            sys.stderr.write(line + "\n")


class _Terminal:
    """The workbench as one person uses it from a terminal."""

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self.person: Person = operator(_login(), timestamp(SystemClock().now()))
        self.progress = _Show()

    def probe(self, _: argparse.Namespace) -> Answer:
        report = self.bench.data.probe(self.person)
        checks = [
            {"name": check.name, "ok": check.ok, "detail": check.detail} for check in report.checks
        ]
        return {"ok": report.ok, "checks": checks}, report.ok

    def inventory(self, asked: argparse.Namespace) -> Answer:
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
        if self.bench.data.snapshot() is None:
            self.bench.data.take_inventory(self.person, self.progress)
        document = self.bench.data.coverage_document(asked.version, self.progress)
        return document, True

    def build(self, asked: argparse.Namespace) -> Answer:
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
        digest = self.bench.candidates.find(asked.candidate)
        found = self.bench.releases.blockers(digest)
        rows = [{"code": b.code, "detail": b.detail, "page": b.page} for b in found]
        return rows, not rows

    def publish(self, asked: argparse.Namespace) -> Answer:
        digest = self.bench.candidates.find(asked.candidate)
        if asked.dry_run:
            trial = self.bench.releases.dry_run(digest, self.person)
            blockers = [
                {"code": b.code, "detail": b.detail, "page": b.page} for b in trial.blockers
            ]
            objects = [
                {"key": o.key, "sha256": o.sha256, "bytes": o.size, "kind": o.kind}
                for o in trial.objects
            ]
            return {"blockers": blockers, "objects": objects}, not blockers
        try:
            # Not asked beforehand: a rerun of what is already published finishes and succeeds.
            outcome = self.bench.releases.publish(digest, self.person, self.progress)
        except Blocked:
            blocking = self.bench.releases.blockers(digest, self.person)
            rows = [{"code": b.code, "detail": b.detail, "page": b.page} for b in blocking]
            return {"published": False, "blockers": rows}, False
        return {
            "published": True,
            "version": outcome.version,
            "manifest": outcome.manifest_key,
            "manifest_sha256": outcome.manifest_sha256,
            "smoke": outcome.smoke_passed,
            "locked": None if outcome.lock is None else outcome.lock.locked,
        }, outcome.smoke_passed

    def abandon(self, asked: argparse.Namespace) -> Answer:
        entry = self.bench.leftovers.abandon(asked.version, asked.because, self.person)
        return {
            "abandoned": asked.version,
            "candidate": entry.event["candidate"],
            "journal": entry.seq,
        }, True

    def sweep(self, asked: argparse.Namespace) -> Answer:
        removed = self.bench.leftovers.sweep(asked.remove, self.person) if asked.remove else ()
        left = [
            {"key": o.key, "bytes": o.size, "modified": o.modified, "kept": o.kept}
            for o in self.bench.leftovers.orphans()
        ]
        return {"removed": [o.key for o in removed], "orphans": left}, True

    def verify(self, asked: argparse.Namespace) -> Answer:
        found = self.bench.releases.verify(asked.version, self.progress)
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
        evidence = self.bench.releases.smoke(asked.version, self.person)
        return evidence, bool(evidence["passed"])

    def checklist(self, asked: argparse.Namespace) -> Answer:
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
        whole, sentence = self.bench.audit.verify(tuple(asked.head))
        entries = [json.loads(line) for line in self.bench.audit.export().splitlines()]
        return {"ok": whole, "sentence": sentence, "entries": entries}, whole


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


def _texts(lines: Iterator[bytes]) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = decode(line)
        except NotCanonical:
            row = None
        if not isinstance(row, dict) or not isinstance(row.get("text"), str) or "id" not in row:
            raise IntakeError(
                "terminal.line", 'Each line is {"id": …, "text": "…"}.', place=f"line {number}"
            )
        yield row["id"], row["text"]


def _scan_text() -> int:
    # Imported here: the detectors take seconds to load, and the other commands need none.
    from core.intake.privacy.text import scan_text

    policy = _policy()
    for name, text in _texts(iter(sys.stdin.buffer.readline, b"")):
        spans = [
            {"start": s.start, "end": s.end, "entity": s.entity, "score": round(s.score, 4)}
            for s in scan_text(policy.privacy, text)
        ]
        _print({"id": name, "spans": spans})
    return 0


def _near_duplicates(threshold: float) -> int:
    from core.intake.near import near_duplicate_pairs

    rule = _policy().near_duplicates
    rows = list(_texts(iter(sys.stdin.buffer.readline, b"")))
    for first, second, jaccard in near_duplicate_pairs([t for _, t in rows], rule, threshold):
        _print({"a": rows[first][0], "b": rows[second][0], "jaccard": round(jaccard, 6)})
    return 0


def _policy() -> Any:
    settings = read_settings(os.environ, home=ROOT)
    return load_policy(settings.policy_file, embedded=settings.embedded)


def _print(value: object) -> None:
    # Bytes, because JSON is UTF-8 whatever the terminal's locale says.
    sys.stdout.buffer.write(json.dumps(value, ensure_ascii=False, allow_nan=False).encode() + b"\n")
    sys.stdout.buffer.flush()


def _plain(value: Any, indent: str = "") -> Iterator[str]:
    """Yield a value as lines for a person."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if isinstance(item, (Mapping, list, tuple)) and item:
                yield f"{indent}{key}:"
                yield from _plain(item, indent + "  ")
            else:
                yield f"{indent}{key}: {_word(item)}"
    elif isinstance(value, (list, tuple)):
        for item in value:
            if isinstance(item, Mapping):
                yield indent + "- " + "  ".join(f"{k}={_word(v)}" for k, v in item.items())
            else:
                yield f"{indent}- {_word(item)}"
    else:
        yield f"{indent}{_word(value)}"


def _word(value: object) -> str:
    return json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else value


def _workers(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 256:
        raise ValueError
    return number


def _share(text: str) -> float:
    number = float(text)
    if not 0 < number <= 1:
        raise ValueError
    return number


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m core", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    about = {
        "probe": ("what the bucket can do", ()),
        "inventory": ("list the bucket", ()),
        "coverage": ("what each family's objects prove", ("version",)),
        "build": ("read every source into a candidate", ("version",)),
        "gates": ("judge a candidate's shards", ("candidate",)),
        "findings": ("what the gates saw", ("candidate",)),
        "sample": ("the frozen sample plans", ("candidate",)),
        "blockers": ("what stands before publishing", ("candidate",)),
        "publish": ("publish a signed candidate", ("candidate",)),
        "abandon": ("give up a publication that will not be finished", ("version",)),
        "sweep": ("what lies under the releases and belongs to none", ()),
        "verify": ("read a release as a stranger", ("version",)),
        "smoke": ("consume a release as a trainer", ("version",)),
        "checklist": ("the run sheet", ("version",)),
        "journal": ("everything decided, checked", ()),
    }
    for name, (words, places) in about.items():
        command = commands.add_parser(name, help=words)
        for place in places:
            command.add_argument(place, metavar=place.upper())
        command.add_argument("--json", action="store_true", help="one JSON document on stdout")
        if name == "inventory":
            command.add_argument(
                "--from",
                dest="source",
                default="",
                metavar="KEY_OR_PATH",
                help="an S3 Inventory manifest, or a CSV or Parquet table, instead of listing",
            )
        if name == "findings":
            command.add_argument("--gate", default="")
            command.add_argument("--code", default="")
        if name == "publish":
            command.add_argument("--dry-run", action="store_true")
        if name == "abandon":
            command.add_argument("--because", required=True, choices=tuple(REASONS))
        if name == "sweep":
            command.add_argument(
                "--remove", default="", metavar="VERSION", help="delete this version's orphans"
            )
        if name == "journal":
            command.add_argument(
                "--head",
                type=read_anchor,
                action="append",
                default=[],
                metavar="SEQ:DIGEST",
                help="a head that a start-up log names and the journal must still hold",
            )
        if name == "build":
            command.add_argument(
                "--workers", type=_workers, default=None, help="one for each core if absent"
            )
    commands.add_parser("scan-text", help="JSONL of id and text in, spans out")
    near = commands.add_parser("near-duplicates", help="JSONL of id and text in, pairs out")
    near.add_argument("--threshold", type=_share, default=0.8)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    asked = _arguments().parse_args(arguments)
    configure_logging()
    try:
        return _run(asked)
    except DeskError as error:
        failed = error
    except Exception as error:  # noqa: BLE001  a library's words may quote what broke it
        log_error(error, "terminal.broken")
        failed = DeskError(
            "terminal.broken", "The desk itself broke; report the code.", place=type(error).__name__
        )
    sys.stderr.write(f"{failed}\n")
    if getattr(asked, "json", False):
        _print({"error": failed.code, "sentence": failed.sentence, "place": failed.place})
    return failed.exit_status


def _run(asked: argparse.Namespace) -> int:
    if asked.command == "scan-text":
        return _scan_text()
    if asked.command == "near-duplicates":
        return _near_duplicates(asked.threshold)
    if "version" in asked:
        parse_version(asked.version)
    terminal = _Terminal(open_workbench(os.environ, clock=SystemClock()))
    act: Callable[[argparse.Namespace], Answer] = getattr(terminal, asked.command)
    answer, passed = act(asked)
    if asked.json:
        _print(answer)
    else:
        sys.stdout.write("".join(line + "\n" for line in _plain(answer)))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
