"""Verdicts: every way a gate can be fooled into a pass ends in error or fail (D20 to D23)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import pytest

from core.gates.corpus import open_corpus
from core.gates.run import run_gate, run_gates
from core.gates.trial import STORED_PER_CODE
from core.model.candidate import Candidate
from core.model.dataset import ShippedRecord
from core.model.errors import Cancelled, GateError
from core.model.gate import Finding
from tests.builders import a_candidate, row_bytes, some_rows
from tests.clock import FixedClock
from tests.simulator import Simulator

SECRET = "my telephone number is on the fridge"


@dataclass
class Probe:
    """A gate that does what a test tells it to."""

    name: str = "probe"
    raises_at: int = 0
    raises: Exception | None = None
    concluding: Exception | None = None
    blocks_at: int = 0
    notes_at: int = 0
    told: Mapping[str, object] = field(default_factory=dict)
    bound: Mapping[str, object] = field(default_factory=dict)
    seen: int = 0
    concluded: bool = False

    def settings(self) -> Mapping[str, object]:
        return self.bound

    def examine(self, record: ShippedRecord) -> Iterable[Finding]:
        self.seen += 1
        if self.raises is not None and self.seen == self.raises_at:
            raise self.raises
        found = []
        if self.seen == self.blocks_at:
            found.append(Finding(code="probe.bad", blocking=True, record_id=record.record_id))
        if self.seen == self.notes_at:
            found.append(Finding(code="probe.note", blocking=False))
        return found

    def conclude(self) -> Iterator[Finding]:
        self.concluded = True
        if self.concluding is not None:
            raise self.concluding
        yield from ()

    def measures(self) -> Mapping[str, object]:
        return self.told


@dataclass
class Listed:
    """A corpus of given records that says what it likes about how many there are."""

    candidate: Candidate
    records: list[ShippedRecord]
    expected: int

    def __iter__(self) -> Iterator[ShippedRecord]:
        return iter(self.records)


@pytest.fixture
def candidate(simulator: Simulator) -> Candidate:
    return a_candidate(simulator, {("priority", "train"): 6, ("edge_cases", "test"): 3})


def judge(gate: Probe, simulator: Simulator, candidate: Candidate):
    return run_gate(gate, open_corpus(simulator, candidate), clock=FixedClock())


def test_a_gate_that_examined_everything_and_found_nothing_passes(simulator, candidate):
    report = judge(Probe(told={"share": 0.5}), simulator, candidate)
    assert (report.verdict, report.reason) == ("pass", "")
    assert report.examined == report.expected == 9
    assert report.candidate == candidate.digest
    assert report.measures["share"] == 0.5
    assert report.started_at == "2026-11-21T09:00:00Z"


def test_one_blocking_finding_fails_and_a_note_does_not(simulator, candidate):
    assert judge(Probe(notes_at=4), simulator, candidate).verdict == "pass"
    report = judge(Probe(blocks_at=9), simulator, candidate)
    assert report.verdict == "fail"
    assert [finding.code for finding in report.blocking] == ["probe.bad"]


@pytest.mark.parametrize("at", [1, 5, 9])
def test_d20_a_gate_that_raises_on_any_record_is_an_error_without_its_words(
    at, simulator, candidate
):
    report = judge(Probe(raises_at=at, raises=KeyError(SECRET)), simulator, candidate)
    assert (report.verdict, report.reason) == ("error", "KeyError")
    assert report.examined == at - 1
    assert SECRET not in repr(report)


def test_d20_a_gate_that_raises_while_concluding_is_an_error(simulator, candidate):
    report = judge(Probe(concluding=RuntimeError(SECRET)), simulator, candidate)
    assert (report.verdict, report.reason, report.examined) == ("error", "RuntimeError", 9)
    assert SECRET not in repr(report)


def test_d20_a_fail_followed_by_an_exception_is_an_error_that_keeps_its_findings(
    simulator, candidate
):
    gate = Probe(blocks_at=2, raises_at=5, raises=ValueError(SECRET))
    report = judge(gate, simulator, candidate)
    assert report.verdict == "error"
    assert [finding.code for finding in report.findings] == ["probe.bad"]


def test_our_own_errors_are_named_by_their_code(simulator, candidate):
    gate = Probe(raises_at=1, raises=GateError("privacy.canary_missed", "The canary is gone."))
    assert judge(gate, simulator, candidate).reason == "privacy.canary_missed"


def test_one_gate_that_raises_does_not_stop_the_others(simulator, candidate):
    broken, sound = Probe(name="broken", raises_at=1, raises=OSError()), Probe(name="sound")
    reports = run_gates((broken, sound), open_corpus(simulator, candidate), clock=FixedClock())
    assert [report.verdict for report in reports] == ["error", "pass"]
    assert (broken.seen, sound.seen) == (1, 9)


def test_cancelling_ends_everything_and_leaves_no_verdict(simulator, candidate):
    cancelled = Cancelled("job.cancelled", "Cancelled.")
    for gate in (Probe(raises_at=2, raises=cancelled), Probe(concluding=cancelled)):
        with pytest.raises(Cancelled):
            judge(gate, simulator, candidate)

    def progress(done: int, total: int, message: str) -> None:
        raise cancelled

    with pytest.raises(Cancelled):
        run_gate(Probe(), open_corpus(simulator, candidate), clock=FixedClock(), progress=progress)


@pytest.mark.parametrize(("given", "expected"), [(8, 9), (9, 8), (1, 9)])
def test_d21_a_corpus_that_is_not_as_long_as_expected_is_incomplete(
    given, expected, simulator, candidate
):
    records = list(open_corpus(simulator, candidate))[:given]
    report = run_gate(Probe(), Listed(candidate, records, expected), clock=FixedClock())
    assert (report.verdict, report.reason) == ("error", "gate.incomplete")


def test_d21_a_gate_is_not_asked_to_conclude_over_a_part(simulator, candidate):
    gate = Probe()
    records = list(open_corpus(simulator, candidate))[:4]
    run_gate(gate, Listed(candidate, records, 9), clock=FixedClock())
    assert not gate.concluded


@pytest.mark.parametrize("expected", [0, 9])
def test_d22_nothing_examined_is_an_error_with_its_own_code(expected, candidate):
    report = run_gate(Probe(), Listed(candidate, [], expected), clock=FixedClock())
    assert (report.verdict, report.reason) == ("error", "gate.examined_nothing")


def test_a_store_that_breaks_halfway_makes_every_gate_an_error(simulator, candidate):
    simulator.fail(op="get", nth=2, how="error_500")
    reports = run_gates((Probe(), Probe()), open_corpus(simulator, candidate), clock=FixedClock())
    assert {report.verdict for report in reports} == {"error"}
    assert {report.reason for report in reports} == {"storage.transient"}
    assert all(0 < report.examined < 9 for report in reports)


def test_measures_that_have_no_encoding_are_an_error(simulator, candidate):
    for told in ({"mean": float("nan")}, {"when": object()}, {"ключ": 1}):
        report = judge(Probe(told=told), simulator, candidate)
        assert report.verdict == "error"
        assert report.reason.startswith("canonical.")


def test_a_gate_without_readable_settings_is_an_error(simulator, candidate):
    report = judge(Probe(bound={"limit": float("inf")}), simulator, candidate)
    assert (report.verdict, report.reason) == ("error", "canonical.float")


def test_something_that_is_no_finding_is_an_error(simulator, candidate):
    class Sloppy(Probe):
        def examine(self, record):
            return ["provenance.missing"]

    assert judge(Sloppy(), simulator, candidate).reason == "gate.bad_finding"


def test_a_gate_that_answers_nothing_at_all_is_an_error(simulator, candidate):
    class Silent(Probe):
        def examine(self, record):
            return None

    assert judge(Silent(), simulator, candidate).verdict == "error"


def test_d23_other_settings_are_another_digest(simulator, candidate):
    one, two, three = (
        judge(Probe(bound={"limit": limit}), simulator, candidate).settings
        for limit in (0.5, 0.6, 0.5)
    )
    assert one == three != two


def test_a_million_findings_are_counted_and_only_the_first_are_stored(simulator, candidate):
    class Loud(Probe):
        def examine(self, record):
            return [Finding(code="probe.loud", blocking=True)] * 1000

    report = judge(Loud(), simulator, candidate)
    assert report.verdict == "fail"
    assert len(report.findings) == STORED_PER_CODE
    assert report.measures["findings"]["probe.loud"] == {
        "blocking": 9000,
        "noted": 0,
        "stored": STORED_PER_CODE,
    }


def test_progress_reaches_the_end_and_names_no_text(simulator, candidate):
    told: list[tuple[int, int, str]] = []
    run_gate(
        Probe(),
        open_corpus(simulator, candidate),
        clock=FixedClock(),
        progress=lambda done, total, message: told.append((done, total, message)),
    )
    assert (9, 9, "priority train") in told


def test_progress_is_told_every_250_records_at_the_end_and_gate_by_gate(simulator, candidate):
    records = list(open_corpus(simulator, candidate))
    edge, plain = (
        next(one for one in records if one.shard.family == family)
        for family in ("edge_cases", "priority")
    )
    many = [plain] * 600
    many[249] = edge
    told: list[tuple[int, int, str]] = []
    reports = run_gates(
        (Probe(name="one"), Probe(name="two")),
        Listed(candidate, many, 600),
        clock=FixedClock(),
        progress=lambda done, total, message: told.append((done, total, message)),
    )
    assert [report.verdict for report in reports] == ["pass", "pass"]
    assert [(done, total) for done, total, _ in told] == [
        (250, 600), (500, 600), (600, 600), (0, 2), (1, 2),
    ]  # fmt: skip
    assert told[3:] == [(0, 2, "concluding one"), (1, 2, "concluding two")]
    assert [message for *_, message in told[:3]] == [
        "edge_cases test", "priority train", "priority train",
    ]  # fmt: skip


def test_without_gates_nothing_is_read(simulator, candidate):
    simulator.fail(op="get", how="forbidden", times=None)
    assert run_gates((), open_corpus(simulator, candidate), clock=FixedClock()) == ()
    assert simulator.fired == 0


def test_a_gate_sees_each_line_once_and_in_its_exact_bytes(simulator):
    rows = some_rows(5)
    seen: list[bytes] = []

    class Keeper(Probe):
        def examine(self, record):
            seen.append(record.raw)
            return ()

    judge(Keeper(), simulator, a_candidate(simulator, {("priority", "train"): rows}))
    assert sorted(seen) == sorted(row_bytes(row).rstrip(b"\n") for row in rows)
