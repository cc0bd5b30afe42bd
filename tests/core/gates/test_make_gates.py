"""All five gates together, over one candidate, in one reading."""

from __future__ import annotations

import pytest

from core.gates import GATE_NAMES, make_gates
from core.gates.corpus import open_corpus
from core.gates.evidence import decide, load_reports, settings_digest, store_report
from core.gates.listed import stored_listing
from core.gates.run import run_gates
from core.model.candidate import Candidate
from core.model.gate import GateReport
from tests.builders import PREFIX, a_candidate, a_policy, a_row, some_rows
from tests.clock import FixedClock
from tests.simulator import Simulator

POLICY = a_policy()
ROWS = {("priority", "train"): 12, ("priority", "test"): 3, ("edge_cases", "test"): 4}


def judge(simulator: Simulator, candidate: Candidate) -> tuple[GateReport, ...]:
    routing = simulator.get(candidate.routing_key, limit=1 << 20).body
    listing = stored_listing(simulator, PREFIX, candidate)
    gates = make_gates(POLICY, candidate, routing=routing, listing=listing)
    return run_gates(gates, open_corpus(simulator, candidate), clock=FixedClock())


def test_a_sound_candidate_passes_every_gate_and_its_evidence_counts(simulator):
    candidate = a_candidate(simulator, ROWS, POLICY)
    reports = judge(simulator, candidate)
    assert {report.gate: (report.verdict, report.reason) for report in reports} == dict.fromkeys(
        GATE_NAMES, ("pass", "")
    )
    for report in reports:
        store_report(simulator, PREFIX, report)
    stored = load_reports(simulator, PREFIX, candidate.digest)
    for gate in make_gates(POLICY, candidate):
        found = decide(stored, gate.name, settings_digest(gate), candidate=candidate.digest)
        assert found is not None
        assert found.report.verdict == "pass"


def test_the_gates_of_another_policy_do_not_count_that_evidence(simulator):
    candidate = a_candidate(simulator, ROWS, POLICY)
    stored = [store_report(simulator, PREFIX, report) for report in judge(simulator, candidate)]
    stricter = a_policy(
        privacy={"redaction_share": 0.01},
        intake={"rejected_share": 0.0},
        near_duplicates={"threshold": 0.5},
        distribution={"alike_share": 0.01},
    )
    for gate in make_gates(stricter, candidate):
        assert decide(stored, gate.name, settings_digest(gate)) is None


@pytest.mark.parametrize("name", GATE_NAMES)
def test_every_gate_can_fail(name, simulator):
    transcript = a_row()["messages"]
    faults = {
        "privacy": [a_row(seed="odd", pii_status="requires_review")],
        "provenance": [a_row(seed="odd", content_hash="sha256:" + "0" * 64)],
        "duplicates": [a_row(transcript), a_row(transcript, source_line=2)],
        "leakage": [],
        "distribution": [a_row(seed="odd", tokens=1)],
    }
    first = some_rows(5)[0]
    test_rows = [a_row(first["messages"], split="test", source_line=77)]
    rows = {
        ("priority", "train"): [*some_rows(5), *faults[name]],
        ("priority", "test"): test_rows if name == "leakage" else some_rows(2, split="test"),
    }
    verdicts = {r.gate: r.verdict for r in judge(simulator, a_candidate(simulator, rows, POLICY))}
    assert verdicts[name] == "fail"


def test_no_gate_passes_when_nothing_is_there(simulator):
    for report in judge(simulator, a_candidate(simulator, {("priority", "train"): []}, POLICY)):
        assert (report.verdict, report.reason) == ("error", "gate.examined_nothing")
