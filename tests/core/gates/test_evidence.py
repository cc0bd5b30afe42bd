"""What counts: a fail for good, an error until a rerun, nothing for anything else (D23, D24)."""

from __future__ import annotations

import dataclasses

import pytest

from core.canonical import decode, digest_of, document_bytes, sha256_hex
from core.gates.corpus import open_corpus
from core.gates.evidence import (
    decide,
    decode_report,
    encode_report,
    load_reports,
    settings_digest,
    store_report,
)
from core.gates.run import run_gate
from core.model.errors import GateError
from core.model.gate import Finding, GateReport, StoredReport
from tests.builders import PREFIX, a_candidate
from tests.clock import FixedClock
from tests.core.gates.test_run import Probe
from tests.simulator import Simulator

SETTINGS = settings_digest(Probe())
HERE, ELSEWHERE = digest_of("this candidate"), digest_of("another candidate")


def a_report(verdict: str = "pass", *, at: str = "09:00:00", **changes) -> GateReport:
    bad = (Finding(code="probe.bad", blocking=True, detail="3 of 4"),)
    report = GateReport(
        gate="probe",
        candidate=HERE,
        settings=SETTINGS,
        verdict=verdict,  # type: ignore[arg-type]
        examined=4,
        expected=4,
        findings=bad if verdict == "fail" else (),
        reason="OSError" if verdict == "error" else "",
        measures={"mean": 1.5, "families": {"priority": {"train": 4}}},
        started_at="2026-11-21T09:00:00Z",
        finished_at=f"2026-11-21T{at}Z",
    )
    return dataclasses.replace(report, **changes)


def kept(*reports: GateReport) -> list[StoredReport]:
    return [
        StoredReport(report=report, key="", sha256=sha256_hex(encode_report(report)))
        for report in reports
    ]


def counting(*reports: GateReport) -> str | None:
    found = decide(kept(*reports), "probe", SETTINGS, candidate=HERE)
    return None if found is None else found.report.verdict


def test_a_report_comes_back_from_the_store_as_it_went(simulator: Simulator):
    candidate = a_candidate(simulator)
    report = run_gate(Probe(blocks_at=2), open_corpus(simulator, candidate), clock=FixedClock())
    stored = store_report(simulator, PREFIX, report)
    assert stored.key == f"{PREFIX}evidence/{candidate.digest}/probe-{stored.sha256}.json"
    assert load_reports(simulator, PREFIX, candidate.digest) == (stored,)
    assert stored.report == report


@pytest.mark.parametrize("verdict", ["pass", "fail", "error"])
def test_bytes_and_report_are_the_same_thing(verdict):
    report = a_report(verdict)
    assert decode_report(encode_report(report)) == report
    assert decode(encode_report(report))["schema"] == "release-desk/evidence/1"


def test_d23_no_report_is_no_pass():
    assert counting() is None


def test_d23_a_pass_for_another_candidate_does_not_count():
    assert counting(a_report(candidate=ELSEWHERE)) is None


def test_d23_a_pass_for_other_settings_does_not_count():
    assert counting(a_report(settings=digest_of("other settings"))) is None


def test_d23_a_pass_of_another_gate_does_not_count():
    assert counting(a_report(gate="provenance")) is None


def test_d24_a_pass_beside_a_fail_does_not_count_in_either_order():
    assert counting(a_report("fail", at="09:00:01"), a_report("pass", at="09:00:02")) == "fail"
    assert counting(a_report("pass", at="09:00:01"), a_report("fail", at="09:00:02")) == "fail"


def test_d24_a_pass_then_an_error_is_an_error():
    assert counting(a_report("pass", at="09:00:01"), a_report("error", at="09:00:02")) == "error"


def test_d24_an_error_and_a_pass_of_the_same_second_is_an_error():
    assert counting(a_report("pass"), a_report("error")) == "error"
    assert counting(a_report("error"), a_report("pass")) == "error"


def test_an_error_may_be_rerun():
    assert counting(a_report("error", at="09:00:01"), a_report("pass", at="09:00:02")) == "pass"


def test_a_fail_stays_a_fail_after_an_error_and_a_pass():
    assert (
        counting(
            a_report("fail", at="09:00:01"),
            a_report("error", at="09:00:02"),
            a_report("pass", at="09:00:03"),
        )
        == "fail"
    )


def test_reports_of_two_candidates_are_never_weighed_together():
    with pytest.raises(GateError) as caught:
        decide(kept(a_report(), a_report(candidate=ELSEWHERE)), "probe", SETTINGS)
    assert caught.value.code == "gate.mixed_evidence"


@pytest.mark.parametrize(
    "changes",
    [
        {"examined": 1, "expected": 618},
        {"examined": 0, "expected": 0},
        {"reason": "assumed"},
        {"findings": (Finding(code="probe.bad", blocking=True),)},
        {"verdict": "fail"},
        {"verdict": "error"},
    ],
)
def test_a_written_verdict_that_its_own_numbers_refute_is_refused(changes):
    body = encode_report(dataclasses.replace(a_report(), **changes))
    with pytest.raises(GateError) as caught:
        decode_report(body)
    assert caught.value.code == "gate.evidence_contradicts_itself"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'{"schema":"release-desk/evidence/1"}',
        document_bytes({"schema": "release-desk/evidence/2"}),
        encode_report(a_report()).replace(b'"examined":4', b'"examined":"4"'),
        encode_report(a_report())[:-20],
        encode_report(a_report("waived")),
    ],
)
def test_what_is_no_report_is_refused(body):
    with pytest.raises(GateError) as caught:
        decode_report(body)
    assert caught.value.code == "gate.evidence_unreadable"


def test_a_report_under_a_name_that_is_not_its_digest_is_refused(simulator):
    stored = store_report(simulator, PREFIX, a_report("pass"))
    simulator.put(stored.key, encode_report(a_report("pass", examined=5, expected=5)))
    with pytest.raises(GateError) as caught:
        load_reports(simulator, PREFIX, HERE)
    assert caught.value.code == "gate.evidence_altered"


def test_a_report_moved_to_another_candidate_is_refused(simulator):
    body = encode_report(a_report(candidate=ELSEWHERE))
    simulator.put(f"{PREFIX}evidence/{HERE}/probe-{sha256_hex(body)}.json", body)
    with pytest.raises(GateError) as caught:
        load_reports(simulator, PREFIX, HERE)
    assert caught.value.code == "gate.evidence_altered"


def test_settings_bind_the_gate_its_settings_and_its_libraries(monkeypatch):
    from core.gates import gate

    digest = settings_digest(Probe())
    assert settings_digest(Probe(name="other")) != digest
    assert settings_digest(Probe(bound={"limit": 1})) != digest
    monkeypatch.setattr(gate, "library_versions", lambda: {"spacy": "another"})
    assert settings_digest(Probe()) != digest
