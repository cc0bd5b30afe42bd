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
    """Return a demo person who proved who they are this moment."""
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
    """Freeze the samples and let every reviewer accept every record of theirs."""
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
