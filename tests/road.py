"""The road as a person walks it, through the workbench: decisions, build, gates, review, signing.

Tests drive this with test identities; nothing here is reachable from a terminal command.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from core.model.candidate import Candidate
from core.model.gate import StoredReport
from core.model.signoff import Person
from core.workbench import Workbench


def person(bench: Workbench, identity: str) -> Person:
    """Return somebody who proved who they are this moment.

    On the demo bucket that is a demo person; anywhere else the person of the roster with the
    same name, as the identity provider would name them.
    """
    if not bench.desk.settings.embedded:
        wanted = f"test:{identity.removeprefix('demo:')}"
        rule = next(rule for rule in bench.desk.people() if rule.id == wanted)
        known = bench.identify(rule.issuer, rule.subject, bench.desk.now())
        assert known is not None
        return known
    found = next(item for item in bench.demo_people() if item.id == identity)
    return replace(found, auth_time=bench.desk.now())


def decide_sources(bench: Workbench, version: str) -> None:
    """Confirm every alias that waits and keep every family."""
    owner = person(bench, "demo:engineer")
    if bench.data.snapshot() is None:
        bench.data.take_inventory(owner)
    for found in bench.data.coverage(version).families.values():
        for alias in found.needs_confirmation:
            bench.data.confirm_alias(found.name, alias, owner)
        bench.data.decide_source(
            found.name, "keep", "cleared", "synthetic", "written for a test", owner
        )


def build_and_judge(bench: Workbench, version: str) -> tuple[Candidate, Mapping[str, StoredReport]]:
    """Build and run the gates once."""
    owner = person(bench, "demo:engineer")
    candidate = bench.candidates.build(version, owner)
    return candidate, bench.candidates.run_gates(candidate.digest, owner)


def exclude_blocking(bench: Workbench, digest: str) -> int:
    """Leave out, in the next candidate, every record a blocking finding is about."""
    owner = person(bench, "demo:engineer")
    decided = 0
    for gate, code in sorted(
        {(g, f.code) for g, f in bench.candidates.findings(digest) if f.blocking and f.record_id}
    ):
        decided += bench.candidates.decide(
            digest, gate=gate, code=code, action="exclude", reason="not ours to ship", by=owner
        )
    return decided


def explain_ranges(bench: Workbench, digest: str) -> int:
    """Explain every breach of an expected range by name."""
    owner = person(bench, "demo:engineer")
    decided = 0
    for code in sorted(
        {
            f.code
            for g, f in bench.candidates.findings(digest, gate="distribution")
            if f.blocking and f.code in ("distribution.out_of_range", "distribution.drift")
        }
    ):
        decided += bench.candidates.decide(
            digest,
            gate="distribution",
            code=code,
            action="explain",
            reason="expected of this test data",
            by=owner,
        )
    return decided


def rate_all(bench: Workbench, digest: str, *, score: str = "4") -> None:
    """Freeze the samples; every reader accepts every record of theirs and finds nobody named."""
    bench.reviews.freeze(digest, "a nonce of this test", person(bench, "demo:lead"))
    readers = {"clinician": "demo:clinician-1", "bias_reviewer": "demo:bias"}
    for claim in bench.desk.policy.claims:
        reader = person(bench, readers[claim.role])
        rubric = bench.reviews.rubric(claim.id)
        for item in bench.reviews.queue(digest, claim.id, reader).items:
            screen = bench.reviews.screen(digest, claim.id, item.record_id, reader)
            bench.reviews.submit(
                digest,
                claim.id,
                item.record_id,
                reader,
                {
                    "scores": {q.id: score for q in rubric.items if q.unit == "record"},
                    "verdict": "accept",
                    "flags": [],
                    "note": "",
                    "shown_sha256": screen.sha256,
                    "seconds": 60,
                },
            )
    read_for_names(bench, digest)


def read_for_names(bench: Workbench, digest: str, identity: str = "demo:clinician-1") -> None:
    """Let one reader find nobody in every record of the frozen PII samples."""
    reader = person(bench, identity)
    for family in bench.pii.families(digest):
        while (record_id := bench.pii.next_record(digest, family, reader)) is not None:
            record = bench.pii.record(digest, family, record_id, reader)
            bench.pii.answer(
                digest, family, record_id, reader, "nobody", shown_sha256=record.sha256, seconds=30
            )


def sign_all(bench: Workbench, digest: str) -> None:
    """Sign everything the policy asks for, each by its own person."""
    signers = {
        "clinician_foundation": "demo:clinician-1",
        "clinician_edge": "demo:clinician-1",
        "bias_foundation": "demo:bias",
        "release_decision": "demo:owner",
    }
    for wanted in bench.signing.requirements(digest):
        signer = person(bench, signers[wanted.id])
        bench.signing.sign(digest, wanted.id, "approve", signer.name, signer)


def build_until_passed(
    bench: Workbench, version: str, *, rounds: int = 5
) -> tuple[Candidate, Mapping[str, StoredReport]]:
    """Build, leave out what blocks, explain what is unusual, and build again until all pass."""
    for _ in range(rounds):
        candidate, reports = build_and_judge(bench, version)
        if all(held.report.verdict == "pass" for held in reports.values()):
            return candidate, reports
        wrong = {n: held.report.reason for n, held in reports.items() if held.report.reason}
        assert not wrong, wrong
        decided = exclude_blocking(bench, candidate.digest)
        decided += explain_ranges(bench, candidate.digest)
        assert decided, {
            (gate, finding.code, finding.detail)
            for gate, finding in bench.candidates.findings(candidate.digest)
            if finding.blocking
        }
    raise AssertionError(f"the gates still block after {rounds} rounds")


def walk_to_rated(bench: Workbench, version: str) -> Candidate:
    """Walk the road up to a candidate whose gates pass and whose samples are read."""
    decide_sources(bench, version)
    candidate, _ = build_until_passed(bench, version)
    rate_all(bench, candidate.digest)
    return candidate
