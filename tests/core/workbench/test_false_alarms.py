"""A false alarm is decided once, whatever else of its record people have redacted since."""

from __future__ import annotations

from core.gates.corpus import open_corpus
from core.gates.privacy import PrivacyGate
from core.gates.run import run_gate
from core.workbench.candidates import place_of
from tests import road
from tests.builders import a_text
from tests.clock import FixedClock
from tests.desk import VERSION, a_bare_desk, person_of
from tests.sources import COT, EDGE, PRIORITY, VOICE, a_pair, fill, some_source_rows


def judged(bench, candidate):
    gate = PrivacyGate(bench.desk.policy, candidate)
    report = run_gate(gate, open_corpus(bench.desk.store, candidate), clock=FixedClock())
    return [one for one in report.blocking if one.code == "privacy.person"]


def test_a_name_called_none_stays_one_after_another_name_of_the_record_was_redacted(
    simulator, tmp_path
):
    row = a_pair(
        f"{a_text('asks', 2)} Then my brother Kevin Miller cried.",
        f"{a_text('answers', 2)} Then your sister Laura Bennett cried.",
    )
    fill(
        simulator,
        {
            f"{PRIORITY}a.jsonl": [row, *some_source_rows(3)],
            f"{COT}b.jsonl": some_source_rows(3, seed="cot"),
            f"{VOICE}c.jsonl": some_source_rows(3, seed="voice"),
            f"{EDGE}d.jsonl": some_source_rows(3, seed="edge"),
        },
    )
    bench = a_bare_desk(simulator, tmp_path, clock=FixedClock())
    road.decide_sources(bench, VERSION)
    engineer, lead = person_of(bench, "engineer"), person_of(bench, "lead")
    first = bench.candidates.build(VERSION, engineer, workers=1)
    asked, answered = sorted(judged(bench, first), key=lambda one: one.turn)
    assert (asked.turn, answered.turn) == (0, 1)
    for finding, action in ((asked, "false_positive"), (answered, "redact")):
        bench.candidates.decide(
            first.digest,
            gate="privacy",
            code=finding.code,
            action=action,
            reason="read in its context",
            by=lead,
            places=[place_of(finding, action)],
        )
    second = bench.candidates.build(VERSION, engineer, workers=1)
    assert second.digest != first.digest
    assert judged(bench, second) == []
    # Without what was shown, as the first desks decided, it is asked again.
    bench.desk.record(
        lead,
        "finding.decided",
        version=VERSION,
        candidate=first.digest,
        gate="privacy",
        code=asked.code,
        action="false_positive",
        reason="read in its context",
        places=[dict(place_of(asked, "false_positive"))],
    )
    third = bench.candidates.build(VERSION, engineer, workers=1)
    assert [one.turn for one in judged(bench, third)] == [0]
