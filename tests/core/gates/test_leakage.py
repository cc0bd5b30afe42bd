from __future__ import annotations

import pytest

from core.gates.corpus import open_corpus
from core.gates.leakage import LeakageGate
from core.gates.run import run_gate
from core.intake.compile import load_candidate
from tests.builders import PREFIX, a_candidate, a_policy, a_row, a_text, some_families, some_rows
from tests.sources import (
    COT,
    EDGE,
    PRIORITY,
    a_pair,
    build,
    edited,
    fill,
    long_row,
    some_source_rows,
)

POLICY = a_policy()


def judge(store, clock, rows, policy=POLICY):
    candidate = a_candidate(store, rows, policy)
    return run_gate(LeakageGate(policy), open_corpus(store, candidate), clock=clock)


def codes(report):
    assert all(finding.blocking for finding in report.findings)
    return [finding.code for finding in report.findings]


def said(row):
    return row["messages"]


def pair(prompt, reply):
    return a_pair(prompt, reply)["messages"]


def test_splits_without_anything_in_common_pass(simulator, clock):
    rows = {("priority", "train"): 20, ("priority", "val"): 5, ("voice", "test"): 5}
    for (family, split), count in list(rows.items()):
        rows[family, split] = [
            a_row(
                family=family,
                split=split,
                seed=n,
                source_key=f"{family}/{split}",
                source_line=n + 1,
            )
            for n in range(count)
        ]
    report = judge(simulator, clock, rows)
    assert report.verdict == "pass"
    assert report.measures["records_by_split"] == {"test": 5, "train": 20, "val": 5}
    assert report.measures["groups_checked"]["exact"] == 30
    assert sum(report.measures["leaks"].values()) == 0


@pytest.mark.parametrize(("family", "word"), [("priority", ""), ("edge_cases", "holdout_")])
def test_a_copy_in_two_splits_blocks(simulator, clock, family, word):
    row = a_row(seed="one", family="cot_reasoning")
    copy = a_row(said(row), family=family, split="test", source_line=7, group_id="c" * 32)
    report = judge(
        simulator,
        clock,
        {
            ("cot_reasoning", "train"): [row, *some_rows(3, family="voice")],
            (family, "test"): [copy],
        },
    )
    assert report.verdict == "fail"
    assert set(codes(report)) == {f"leakage.{word}exact", f"leakage.{word}prompt"}
    exact = report.findings[0]
    assert exact.family == family
    assert exact.other == row["metadata"]["record_id"]
    assert report.measures["leaks_by_splits"]["exact"] == {"train | test": 1}


@pytest.mark.parametrize(("family", "code"), [("priority", "near"), ("voice", "holdout_near")])
def test_a_near_copy_in_two_splits_blocks(simulator, clock, family, code):
    row = long_row("near")
    other = edited(row)
    other["messages"][0]["content"] = "Well " + other["messages"][0]["content"]
    report = judge(
        simulator,
        clock,
        {
            ("priority", "train"): [a_row(said(row))],
            (family, "val"): [a_row(said(other), family=family, split="val", source_line=2)],
        },
    )
    assert codes(report) == [f"leakage.{code}"]
    assert 0.8 <= float(report.findings[0].detail) < 1


def test_a_near_copy_is_judged_by_every_split_its_copies_stand_in(simulator, clock):
    row, other = long_row("near"), edited(long_row("near"))
    rows = {
        ("priority", "train"): [a_row(said(other), source_line=1), a_row(said(row), source_line=2)],
        ("priority", "test"): [a_row(said(row), split="test", source_line=3)],
    }
    report = judge(simulator, clock, rows)
    assert report.measures["leaks"]["near"] == 1
    assert report.measures["leaks"]["exact"] == 1


def test_one_prompt_in_two_splits_blocks(simulator, clock):
    report = judge(
        simulator,
        clock,
        {
            ("priority", "train"): [a_row(pair("How do I sleep through a night?", a_text(1)))],
            ("priority", "test"): [
                a_row(
                    pair("how do  I SLEEP through a night?", a_text(2)), split="test", source_line=2
                )
            ],
        },
    )
    assert codes(report) == ["leakage.prompt"]


def test_one_source_line_in_two_splits_blocks(simulator, clock):
    report = judge(
        simulator,
        clock,
        {
            ("voice", "train"): [a_row(seed=1, family="voice", source_line=5)],
            ("voice", "val"): [a_row(seed=2, family="voice", split="val", source_line=5)],
        },
    )
    assert codes(report) == ["leakage.holdout_source"]


def test_one_group_in_two_splits_blocks(simulator, clock):
    report = judge(
        simulator,
        clock,
        {
            ("priority", "train"): [a_row(seed=1, group_id="a" * 32)],
            ("priority", "test"): [a_row(seed=2, split="test", source_line=2, group_id="a" * 32)],
        },
    )
    assert codes(report) == ["leakage.group"]


def test_a_holdout_leak_does_not_hide_behind_another(simulator, clock):
    row = a_row(seed="one", source_line=1)
    held = a_row(said(row), family="edge_cases", source_line=2)
    leak = a_row(said(row), family="priority", split="test", source_line=3)
    report = judge(
        simulator,
        clock,
        {
            ("priority", "train"): [row],
            ("edge_cases", "train"): [held],
            ("priority", "test"): [leak],
        },
    )
    assert "leakage.holdout_exact" in codes(report)
    [exact] = [finding for finding in report.findings if finding.code == "leakage.holdout_exact"]
    assert exact.record_id == leak["metadata"]["record_id"]


def test_rows_that_hide_their_origin_are_still_compared_by_their_text(simulator, clock):
    row = a_row(seed="one", group_id=..., source_line=...)
    copy = a_row(said(row), split="test", group_id=..., source_line=...)
    report = judge(simulator, clock, {("priority", "train"): [row], ("priority", "test"): [copy]})
    assert "leakage.exact" in codes(report)


def test_a_candidate_that_compile_built_does_not_leak(simulator, clock):
    rows = [long_row(f"n{number}") for number in range(25)]
    fill(
        simulator,
        {
            f"{PRIORITY}a.jsonl": [*rows, *some_source_rows(40)],
            f"{COT}b.jsonl": [edited(row) for row in rows] + rows[:5],
            f"{EDGE}c.jsonl": [
                a_pair(f"A prompt that two replies share: {n // 2}", a_text(n)) for n in range(40)
            ],
        },
    )
    policy = a_policy(splits={"train": 0.6, "val": 0.2, "test": 0.2})
    built = build(simulator, policy)
    candidate = load_candidate(simulator, PREFIX, built.digest)
    report = run_gate(LeakageGate(policy), open_corpus(simulator, candidate), clock=clock)
    assert report.verdict == "pass"
    assert report.measures["near_pairs_of_texts"] >= 25
    assert set(report.measures["records_by_split"]) == {"train", "val", "test"}


def test_settings_name_the_held_out_families():
    plain = LeakageGate(POLICY).settings()
    assert plain["holdout_sensitive"] == ["edge_cases", "voice"]
    other = a_policy(families=some_families(holdout_sensitive=True))
    assert LeakageGate(other).settings() != plain


def test_a_greeting_is_no_prompt(simulator, clock):
    report = judge(
        simulator,
        clock,
        {
            ("priority", "train"): [a_row(pair("Hi, how are you?", a_text(1)))],
            ("priority", "test"): [
                a_row(pair("Hi, how are you?", a_text(2)), split="test", source_line=2)
            ],
        },
    )
    assert codes(report) == []
