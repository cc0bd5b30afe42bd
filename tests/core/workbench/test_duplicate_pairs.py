"""Of the pairs that the gates named, those that block stand before those that are only noted."""

from __future__ import annotations

from pathlib import Path

from core.canonical import digest_of
from core.model.gate import Finding, GateReport
from core.storage.ports import SystemClock
from core.workbench.duplicates import Duplicates
from tests.desk import VERSION, a_desk, file_report
from tests.simulator import Simulator


def test_pairs_that_block_stand_before_those_that_are_noted(tmp_path: Path) -> None:
    bench = a_desk(Simulator(clock=SystemClock()), tmp_path, passed=False, frozen=False)
    candidate = bench.candidates.current(VERSION)
    assert candidate is not None
    told = (
        ("duplicates", "duplicates.near", (False, False)),
        ("leakage", "leakage.near", (False, True)),
    )
    for gate, code, blocks in told:
        findings = tuple(
            Finding(
                code=code,
                blocking=blocking,
                family="priority",
                shard="s",
                line=number,
                record_id=f"{gate} {number}",
                other=f"other {number}",
            )
            for number, blocking in enumerate(blocks, 1)
        )
        report = GateReport(
            gate=gate,
            candidate=candidate.digest,
            settings=digest_of("settings of the tests"),
            verdict="fail" if any(blocks) else "pass",
            examined=candidate.records,
            expected=candidate.records,
            started_at=bench.desk.now(),
            finished_at=bench.desk.now(),
            findings=findings,
        )
        file_report(bench, candidate, report)
    named = [
        finding.record_id for _, finding in Duplicates(bench.candidates).pairs(candidate.digest)
    ]
    assert named == ["leakage 2", "duplicates 1", "duplicates 2", "leakage 1"]
