"""The releases that once went out are recreated here, and each is blocked by name.

Letters are those of the product's list of historic failures; every text is written for the test.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

import pytest

from core.canonical import sha256_hex
from core.gates.corpus import open_corpus
from core.gates.distribution import DistributionGate
from core.gates.duplicates import DuplicatesGate
from core.gates.evidence import encode_report, load_reports
from core.gates.gate import Gate, settings_digest
from core.gates.leakage import LeakageGate
from core.gates.listed import stored_listing
from core.gates.provenance import ProvenanceGate
from core.gates.run import run_gate, run_gates
from core.intake.compile import compile_candidate
from core.intake.inventory import store_listing
from core.model.candidate import Candidate
from core.model.errors import GateError
from core.model.gate import GateReport
from core.model.names import Version
from core.model.progress import silent
from tests.builders import (
    LICENCE,
    PREFIX,
    SNAPSHOT_AT,
    a_candidate,
    a_policy,
    a_row,
    a_text,
    change_candidate,
    some_messages,
    some_rows,
)
from tests.clock import FixedClock
from tests.listed import take_listing
from tests.simulator import Simulator

POLICY = a_policy()


def judge(simulator: Simulator, candidate: Candidate) -> dict[str, GateReport]:
    """The reports of every gate that needs no language model."""
    routing = simulator.get(candidate.routing_key, limit=1 << 20).body
    gates: tuple[Gate, ...] = (
        ProvenanceGate(
            POLICY,
            candidate,
            routing=routing,
            listing=stored_listing(simulator, PREFIX, candidate),
        ),
        DuplicatesGate(POLICY),
        LeakageGate(POLICY),
        DistributionGate(POLICY, candidate),
    )
    reports = run_gates(gates, open_corpus(simulator, candidate), clock=FixedClock())
    return {report.gate: report for report in reports}


def blocking(report: GateReport) -> set[str]:
    return {finding.code for finding in report.blocking}


# (a) user turns are stringified source records, assistant turns are one constant

PLACEHOLDER = "[This is where the assistant would answer with care and understanding.]"


def stringified_release(*, with_metadata: bool) -> list[Any]:
    records = [
        {"source": "forum", "id": number, "text": a_text(number), "score": number % 7}
        for number in range(618)
    ]
    dialogues = [
        [
            {"role": "user", "content": json.dumps(record) if with_metadata else str(record)},
            {"role": "assistant", "content": PLACEHOLDER},
        ]
        for record in records
    ]
    if not with_metadata:
        return [{"messages": dialogue, "metadata": {"split": "train"}} for dialogue in dialogues]
    return [a_row(dialogue, source_line=n) for n, dialogue in enumerate(dialogues, 1)]


@pytest.mark.parametrize("with_metadata", [True, False])
def test_a_stringified_records_and_a_constant_reply_are_blocked(with_metadata, simulator):
    rows = stringified_release(with_metadata=with_metadata)
    reports = judge(simulator, a_candidate(simulator, {("priority", "train"): rows}))
    assert reports["distribution"].verdict == "fail"
    assert {"distribution.stringified", "distribution.constant_reply"} <= blocking(
        reports["distribution"]
    )
    assert reports["distribution"].examined == 618


def test_a_rows_without_provenance_are_blocked_by_name_and_not_by_a_crash(simulator):
    rows = stringified_release(with_metadata=False)
    reports = judge(simulator, a_candidate(simulator, {("priority", "train"): rows}))
    assert reports["provenance"].verdict == "fail"
    assert {"provenance.row_schema", "provenance.source_unknown"} <= blocking(reports["provenance"])


# (b) a name redactor that took nearly every word, and the crisis lines with them


def over_eager(text: str) -> str:
    """What a name pattern with the wrong flag made of ordinary sentences."""
    words = text.split()
    return " ".join("[NAME_REDACTED]" if number % 3 else word for number, word in enumerate(words))


def test_b_text_destroyed_by_a_redactor_is_blocked(simulator):
    dialogues = [
        [{**message, "content": over_eager(message["content"])} for message in some_messages(n)]
        for n in range(40)
    ]
    rows = [
        a_row(dialogue, source_line=n, pii_status="scrubbed")
        for n, dialogue in enumerate(dialogues, 1)
    ]
    report = judge(simulator, a_candidate(simulator, {("priority", "train"): rows}))["distribution"]
    assert report.verdict == "fail"
    assert "distribution.over_redacted" in blocking(report)
    assert report.measures["damage"]["priority"]["alarms"]["distribution.over_redacted"][
        "records"
    ] == len(rows)


def test_b_words_longer_than_any_language_has_are_blocked_without_any_placeholder(simulator):
    glued = [
        [{**message, "content": message["content"].replace(" ", "_")} for message in dialogue]
        for dialogue in (some_messages(n) for n in range(20))
    ]
    rows = [a_row(dialogue, source_line=n) for n, dialogue in enumerate(glued, 1)]
    report = judge(simulator, a_candidate(simulator, {("priority", "train"): rows}))["distribution"]
    assert "distribution.over_redacted" in blocking(report)


def test_b_crisis_lines_that_were_deleted_are_blocked(simulator):
    from core.gates.privacy import PrivacyGate

    lost = "If you are thinking of suicide, call the crisis lifeline at [PHONE_REDACTED] today."
    dialogues = [
        [
            {"role": "user", "content": a_text(number)},
            {"role": "assistant", "content": f"{a_text(f'reply {number}')} {lost}"},
        ]
        for number in range(3)
    ]
    dialogues += [
        [{**message, "content": over_eager(message["content"])} for message in some_messages(0)]
    ]
    rows = [a_row(dialogue, source_line=n) for n, dialogue in enumerate(dialogues, 1)]
    candidate = a_candidate(simulator, {("priority", "train"): rows})
    gate = PrivacyGate(POLICY, candidate)
    report = run_gate(gate, open_corpus(simulator, candidate), clock=FixedClock())
    assert {"privacy.crisis_line_removed", "privacy.over_redacted"} <= blocking(report)


# (d) gates that pass on a demo record, an empty file, or "assumed"


def test_d_a_demo_record_does_not_speak_for_the_candidate(simulator):
    demo = a_candidate(simulator, {("priority", "train"): 1})
    claimed = change_candidate(
        simulator,
        demo,
        shards=(dataclasses.replace(demo.shards[0], records=618),),
        records=618,
    )
    for report in judge(simulator, claimed).values():
        assert (report.verdict, report.reason) == ("error", "gate.shard_records")


def test_d_a_demo_record_beside_a_claim_of_more_is_incomplete(simulator):
    demo = a_candidate(simulator, {("priority", "train"): 1})
    for report in judge(simulator, change_candidate(simulator, demo, records=618)).values():
        assert (report.verdict, report.reason) == ("error", "gate.incomplete")


@pytest.mark.parametrize("rows", [{("priority", "train"): []}, {}])
def test_d_an_empty_file_proves_nothing(rows, simulator):
    for report in judge(simulator, a_candidate(simulator, rows)).values():
        assert (report.verdict, report.reason) == ("error", "gate.examined_nothing")


@pytest.mark.parametrize(
    "changes",
    [
        {"reason": "passed (assumed)"},
        {"examined": 1, "expected": 618},
        {"examined": 0, "expected": 0},
    ],
)
def test_d_a_pass_that_somebody_wrote_by_hand_is_refused(changes, simulator):
    candidate = a_candidate(simulator)
    report = GateReport(
        gate="provenance",
        candidate=candidate.digest,
        settings=settings_digest(ProvenanceGate(POLICY, candidate)),
        verdict="pass",
        examined=candidate.records,
        expected=candidate.records,
    )
    body = encode_report(dataclasses.replace(report, **changes))
    key = f"{PREFIX}evidence/{candidate.digest}/provenance-{sha256_hex(body)}.json"
    simulator.put(key, body)
    with pytest.raises(GateError) as caught:
        load_reports(simulator, PREFIX, candidate.digest)
    assert caught.value.code == "gate.evidence_contradicts_itself"


# (f) the same transcript in two families and two splits


def twice(change: Sequence[dict[str, str]]) -> dict[tuple[str, Any], list[Any]]:
    """One transcript in the priority family's train split, and `change` in the edge test."""
    transcript = some_messages("the transcript", turns=8)
    return {
        ("priority", "train"): [*some_rows(20), a_row(transcript, source_line=999)],
        ("edge_cases", "test"): [
            *some_rows(20, family="edge_cases", split="test"),
            a_row(change or transcript, family="edge_cases", split="test", source_line=999),
        ],
    }


def test_f_the_same_transcript_in_two_families_and_splits_is_blocked(simulator):
    reports = judge(simulator, a_candidate(simulator, twice([])))
    assert blocking(reports["leakage"]) >= {"leakage.holdout_exact", "leakage.holdout_prompt"}
    assert "duplicates.exact" in blocking(reports["duplicates"])
    assert "provenance.record_id_repeated" in blocking(reports["provenance"])


def test_f_neither_case_nor_a_system_prompt_hides_the_copy(simulator):
    transcript = some_messages("the transcript", turns=8)
    disguised = [
        {"role": "system", "content": "You are a helpful listener."},
        *({**message, "content": f"  {message['content'].upper()} "} for message in transcript),
    ]
    reports = judge(simulator, a_candidate(simulator, twice(disguised)))
    assert "leakage.holdout_exact" in blocking(reports["leakage"])
    assert "duplicates.exact" in blocking(reports["duplicates"])


def test_f_a_few_changed_words_do_not_hide_the_copy(simulator):
    transcript = some_messages("the transcript", turns=8)
    edited = [*transcript[:-1], {**transcript[-1], "content": transcript[-1]["content"] + " Yes."}]
    reports = judge(simulator, a_candidate(simulator, twice(edited)))
    assert "leakage.holdout_near" in blocking(reports["leakage"])


# (h) 14 % of rows lost in parsing with no word


def build(simulator: Simulator, lines: Sequence[str]) -> Candidate:
    """The candidate that a real build makes of one source object."""
    simulator.put("gdrive/processed/priority/data.jsonl", "\n".join(lines).encode())
    listing = take_listing(simulator, exclude_prefix=PREFIX, progress=silent)
    store_listing(simulator, PREFIX, listing)
    return compile_candidate(
        simulator,
        listing=listing,
        snapshot_at=SNAPSHOT_AT,
        policy=POLICY,
        version=Version("v2026-11-21"),
        licences={"priority": LICENCE},
        prefix=PREFIX,
    )


def test_h_rows_lost_in_parsing_are_counted_and_block(simulator):
    whole = [json.dumps({"messages": some_messages(number)}) for number in range(86)]
    cut = [json.dumps({"messages": some_messages(f"cut {n}")})[:60] for n in range(14)]
    candidate = build(simulator, [*whole, *cut])
    assert (candidate.rows, candidate.records) == (100, 86)
    report = judge(simulator, candidate)["provenance"]
    assert blocking(report) == {"provenance.rows_lost"}
    assert report.measures["rows_lost"][0]["rejected"] == 14


def test_h_the_same_source_read_whole_passes(simulator):
    lines = [json.dumps({"messages": some_messages(number)}) for number in range(100)]
    reports = judge(simulator, build(simulator, lines))
    assert {name: report.verdict for name, report in reports.items()} == dict.fromkeys(
        reports, "pass"
    )


def test_h_rows_that_nobody_counted_block(simulator):
    sound = a_candidate(simulator, {("priority", "train"): 86})
    candidate = change_candidate(simulator, sound, rows=100)
    assert "provenance.books" in blocking(judge(simulator, candidate)["provenance"])
