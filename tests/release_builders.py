"""A whole, publishable set of inputs in any store, so that a test changes only what it is about."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import Any

from core.canonical import canonical_bytes, digest_of, document_bytes, sha256_hex
from core.model.candidate import Candidate
from core.model.dataset import Split
from core.model.gate import Finding, GateReport, StoredReport
from core.model.names import Digest, ReviewerId
from core.model.review import ReviewState
from core.model.signoff import Signoff
from core.policy.types import Policy, SignoffRule
from core.release.facts import Facts
from core.release.inputs import IncludedFile, ReleaseInputs, ReviewEvidence
from core.storage.journal import Journal
from core.storage.ports import Clock, ObjectStore, timestamp
from tests.builders import PREFIX, a_candidate, a_policy, put, seal, some_people
from tests.clock import FixedClock

SIGNERS = {
    "clinical-foundation": "clara",
    "clinical-edge": "clara",
    "bias-foundation": "beatrix",
    "release-decision": "olympia",
}
PUBLISHER = ReviewerId("paula")
BUILDER = ReviewerId("bruno")
ROWS: Mapping[tuple[str, Split], int] = {
    ("priority", "train"): 4,
    ("priority", "test"): 2,
    ("edge_cases", "train"): 3,
}


def no_wait(seconds: float) -> None:
    """Tests do not wait."""


def a_report(
    store: ObjectStore, candidate: Candidate, gate: str, /, **changes: Any
) -> StoredReport:
    """A stored report of one gate that examined everything and passed."""
    report = GateReport(
        gate=gate,
        candidate=candidate.digest,
        settings=digest_of(f"settings of {gate}"),
        verdict="pass",
        examined=candidate.records,
        expected=candidate.records,
    )
    report = dataclasses.replace(report, **changes)
    body = document_bytes(json.loads(json.dumps(dataclasses.asdict(report))))
    sha256 = sha256_hex(body)
    key = f"{PREFIX}evidence/{candidate.digest}/{gate}-{sha256}.json"
    put(store, key, body)
    return StoredReport(report=report, key=key, sha256=sha256)


def a_blocking_finding(code: str = "distribution.range") -> Finding:
    """One thing that stops a release."""
    return Finding(code=code, blocking=True)


def a_signoff(
    store: ObjectStore, candidate: Candidate, rule: SignoffRule, /, **changes: Any
) -> Signoff:
    """A stored approval of `rule` by the person who signs it in these tests."""
    who = changes.get("reviewer", SIGNERS[rule.id])
    body = canonical_bytes({"requirement": rule.id, "by": who, "candidate": candidate.digest})
    sha256 = sha256_hex(body)
    key = f"{PREFIX}signoffs/{candidate.digest}/{rule.id}-{sha256}.json"
    put(store, key, body)
    fields: dict[str, Any] = {
        "id": sha256[:16],
        "requirement": rule.id,
        "candidate": candidate.digest,
        "role": rule.role,
        "reviewer": ReviewerId(who),
        "decision": "approve",
        "statement": {},
        "key": key,
        "sha256": sha256,
        "at": "2026-11-21T08:00:00Z",
    }
    return Signoff(**{**fields, **changes})


def a_review_state(claim: str, **changes: Any) -> ReviewState:
    """A claim that was read as planned and may be signed."""
    fields: dict[str, Any] = {
        "claim": claim,
        "scope": claim,
        "role": "clinician",
        "state": "ready",
        "frame": 7,
        "planned": 4,
        "read": 4,
        "defects": 0,
        "cannot_judge": 0,
        "double_rated": 2,
        "open_flags": 0,
        "limit": 0.5,
        "confidence": 0.9,
        "upper": 0.43766,
        "sentence": f"4 of 4 read for {claim}, 0 hard fails.",
        "reviewers": (ReviewerId("clara"), ReviewerId("cornelius")),
        "open_points": (),
        "dissents": ("One reviewer would have asked about sleep.",),
    }
    return ReviewState(**{**fields, **changes})


def some_facts(store: ObjectStore, candidate: Candidate, policy: Policy, **changes: Any) -> Facts:
    """Facts with which nothing is missing."""
    claims = [rule.claim for rule in policy.signoffs if rule.claim]
    fields: dict[str, Any] = {
        "candidate": candidate,
        "at": "2026-11-21T09:00:00Z",
        "required_gates": policy.required_gates,
        "reports": {name: a_report(store, candidate, name) for name in policy.required_gates},
        "reviews": {claim: a_review_state(claim) for claim in claims},
        "open_flags": (),
        "signoffs": tuple(a_signoff(store, candidate, rule) for rule in policy.signoffs),
        "signoff_faults": (),
        "people": {ReviewerId(person.id): person.roles for person in some_people()},
        "builder": BUILDER,
        "publisher": None,
        "waivers": (),
        "waived_families": {},
        "unconfirmed_aliases": (),
        "current_policy": policy.digest,
        "probe_ok": True,
        "journal_ok": True,
        "version_taken": False,
        "embedded": False,
    }
    return Facts(**{**fields, **changes})


def some_inputs(
    store: ObjectStore,
    *,
    clock: Clock | None = None,
    rows: Any = None,
    policy: Policy | None = None,
    version: str = "v2026-11-21",
    candidate: Candidate | None = None,
    gather: Callable[[Facts], Facts] = lambda facts: facts,
    seed_store: ObjectStore | None = None,
    **changes: Any,
) -> ReleaseInputs:
    """Inputs that publish; `gather` may change the facts each time they are asked for."""
    policy, clock = policy or a_policy(), clock or FixedClock()
    seeded = seed_store or store
    candidate = candidate or a_candidate(seeded, rows or ROWS, policy, version=version)
    facts = some_facts(seeded, candidate, policy)
    body, _ = seal(candidate)
    reviews = tuple(_review_evidence(state) for state in facts.reviews.values())
    fields: dict[str, Any] = {
        "store": store,
        "fresh_store": lambda: store,
        "journal": Journal(store, PREFIX, clock, sleep=no_wait),
        "clock": clock,
        "exports": PREFIX,
        "candidate": candidate,
        "candidate_key": f"{PREFIX}candidates/{candidate.digest}.json",
        "read_candidate": _decoder(body, candidate),
        "policy": policy,
        "gather_facts": lambda: gather(dataclasses.replace(facts, at=timestamp(clock.now()))),
        "publisher": PUBLISHER,
        "desk": "release-desk/0.1",
        "reviews": reviews,
        "included": (IncludedFile(name="coverage", body=b'{"families":{}}'),),
        "find_private": lambda text: ("EMAIL_ADDRESS",) if "@" in text else (),
        "sleep": no_wait,
    }
    return ReleaseInputs(**{**fields, **changes})


def _decoder(body: bytes, candidate: Candidate) -> Callable[[bytes], Candidate | None]:
    """Decodes exactly the bytes the builders stored."""

    def read(held: bytes) -> Candidate | None:
        return candidate if held == body else None

    return read


def _review_evidence(state: ReviewState) -> ReviewEvidence:
    return ReviewEvidence(
        state=state,
        title=state.claim.replace("-", " "),
        rubric_id="clinician",
        rubric_version="0.1",
        rubric=Digest(digest_of("rubric")),
        plan=Digest(digest_of(state.claim)),
        exceptions=("Two records were set aside.",),
        summary=canonical_bytes({"claim": state.claim, "read": state.read}),
    )


def event_types(inputs: ReleaseInputs) -> list[str]:
    """The types of every event in the journal, in order."""
    fresh = Journal(inputs.store, PREFIX, inputs.clock, sleep=no_wait)
    return [str(entry.event["type"]) for entry in fresh.replay()]
