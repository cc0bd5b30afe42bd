from __future__ import annotations

import dataclasses

from core.gates.corpus import open_corpus
from core.gates.duplicates import DuplicatesGate
from core.gates.run import run_gate
from tests.builders import a_candidate, a_policy, a_row, a_text, some_families, some_rows
from tests.sources import edited, long_row

POLICY = a_policy()


def judge(store, clock, rows, policy=POLICY):
    candidate = a_candidate(store, rows, policy)
    return run_gate(DuplicatesGate(policy), open_corpus(store, candidate), clock=clock)


def codes(report):
    return [(finding.code, finding.blocking) for finding in report.findings]


def said(row):
    return row["messages"]


def shouted(row):
    return [{**message, "content": message["content"].upper()} for message in row["messages"]]


def single(*names):
    return a_policy(
        families=tuple(
            dataclasses.replace(
                rule, near_duplicates="one_per_cluster" if rule.name in names else "together"
            )
            for rule in some_families()
        )
    )


def test_distinct_records_pass_and_are_counted(simulator, clock):
    report = judge(simulator, clock, {("priority", "train"): 30, ("voice", "test"): 5})
    assert report.verdict == "pass"
    assert report.findings == ()
    assert report.measures["records"] == report.examined == 35
    assert report.measures["exact_groups"] == report.measures["near_pairs"] == 0


def test_the_same_dialogue_twice_blocks_whatever_its_row_says(simulator, clock):
    row = a_row(seed="one")
    copy = a_row(shouted(row), family="voice", source_line=9, content_hash="sha256:" + "0" * 64)
    report = judge(
        simulator, clock, {("priority", "train"): [row, *some_rows(3)], ("voice", "test"): [copy]}
    )
    assert report.verdict == "fail"
    [finding] = report.findings
    assert (finding.code, finding.blocking) == ("duplicates.exact", True)
    assert finding.family == "voice"
    assert finding.record_id == copy["metadata"]["record_id"]
    assert finding.other == row["metadata"]["record_id"]


def test_another_system_prompt_does_not_hide_a_copy(simulator, clock):
    row = a_row(seed="one")
    copy = a_row([{"role": "system", "content": "You are kind."}, *said(row)], source_line=2)
    report = judge(simulator, clock, {("priority", "train"): [row, copy]})
    assert codes(report) == [("duplicates.exact", True)]


def test_an_id_used_twice_blocks(simulator, clock):
    one = a_row(seed="one")
    other = a_row(seed="two", source_line=2, record_id=one["metadata"]["record_id"])
    report = judge(simulator, clock, {("priority", "train"): [one, other]})
    assert codes(report) == [("duplicates.record_id", True)]


def test_near_duplicates_of_one_split_are_counted_and_let_through(simulator, clock):
    row = long_row("near")
    rows = [a_row(said(row)), a_row(said(edited(row)), source_line=2), a_row(seed="far")]
    report = judge(simulator, clock, {("priority", "train"): rows})
    assert report.verdict == "pass"
    [finding] = report.findings
    assert (finding.code, finding.blocking) == ("duplicates.near", False)
    assert finding.other == rows[0]["metadata"]["record_id"]
    assert 0.8 <= float(finding.detail) < 1
    assert report.measures["near_pairs"] == 1
    assert report.measures["clusters_by_size"] == {"2": 1}
    assert report.measures["pairs_by_family"] == {"priority x priority": 1}
    assert 0 <= report.measures["expected_missed"] < 0.002


def test_near_duplicates_block_in_a_family_that_keeps_one_per_cluster(simulator, clock):
    row = long_row("near")
    rows = {
        ("priority", "train"): [a_row(said(row))],
        ("voice", "train"): [a_row(said(edited(row)), family="voice")],
    }
    assert judge(simulator, clock, rows, single("voice")).verdict == "fail"
    assert judge(simulator, clock, rows, single("priority")).verdict == "pass"


def test_near_duplicates_across_splits_are_left_to_the_leakage_gate(simulator, clock):
    row = long_row("near")
    report = judge(
        simulator,
        clock,
        {
            ("priority", "train"): [a_row(said(row))],
            ("priority", "test"): [a_row(said(edited(row)), split="test", source_line=2)],
        },
    )
    assert report.findings == ()
    assert report.measures["pairs_by_family"] == {"priority x priority": 1}


def test_a_capped_comparison_says_so(simulator, clock):
    base = a_text("template", sentences=30)
    rows = [
        a_row(
            [
                {"role": "user", "content": f"question number{n}"},
                {"role": "assistant", "content": f"{base} and then number{n}"},
            ],
            source_line=n + 1,
        )
        for n in range(20)
    ]
    policy = a_policy(near_duplicates={"bucket_cap": 4})
    report = judge(simulator, clock, {("priority", "train"): rows}, policy)
    assert report.measures["capped_buckets"] > 0
    assert ("duplicates.capped", False) in codes(report)
    assert report.measures["largest_bucket"] == 20
    assert report.measures["clusters_by_size"] == {"20": 1}


def test_settings_name_everything_that_changes_the_verdict():
    plain = DuplicatesGate(POLICY).settings()
    assert plain == DuplicatesGate(a_policy()).settings()
    for other in (a_policy(near_duplicates={"threshold": 0.9}), single("voice")):
        assert DuplicatesGate(other).settings() != plain
