"""A leak of any kind is found wherever it was planted, and the order of the input shows nowhere."""

from __future__ import annotations

import dataclasses
import json
import random
from types import SimpleNamespace

import pytest

from core.gates.corpus import open_corpus, parse_shard
from core.gates.duplicates import DuplicatesGate
from core.gates.leakage import LeakageGate
from core.gates.run import run_gate
from core.model.errors import PolicyError
from core.policy.load import packaged_source, parse_policy
from core.release.proven_gates import _in_force
from tests.builders import a_candidate, a_policy, a_row, a_text, some_rows
from tests.clock import FixedClock
from tests.sources import (
    COT,
    EDGE,
    PRIORITY,
    PROFESSIONAL,
    VOICE,
    a_pair,
    build,
    edited,
    fill,
    long_row,
    rows_of,
    some_source_rows,
)

POLICY = a_policy(splits={"train": 0.5, "val": 0.25, "test": 0.25})


def said(row):
    return row["messages"]


LONG = said(long_row("planted"))
PROMPT = "What can I do when I wake at four and cannot sleep again?"


def planted(kind):
    """(a row of train, its leak in test), by the kind of leak."""
    pairs = {
        "exact": (
            a_row(LONG, source_line=5_001),
            a_row(LONG, split="test", source_line=5_002, group_id="e" * 32),
        ),
        "near": (
            a_row([{"role": "user", "content": f"So, {LONG[0]['content']}"}, LONG[1]]),
            a_row([LONG[0], said(edited(long_row("planted")))[1]], split="test", source_line=5_003),
        ),
        "prompt": (
            a_row(said(a_pair(PROMPT, a_text("one answer"))), source_line=5_004),
            a_row(said(a_pair(PROMPT.upper(), a_text("another"))), split="test", source_line=5_005),
        ),
        "source": (
            a_row(seed="source-one", source_line=5_006),
            a_row(seed="source-two", split="test", source_line=5_006),
        ),
        "group": (
            a_row(seed="group-one", source_line=5_007, group_id="a" * 32),
            a_row(seed="group-two", split="test", source_line=5_008, group_id="a" * 32),
        ),
        "across families": (
            a_row(LONG, family="cot_reasoning", source_line=5_009),
            a_row(LONG, family="voice", split="test", source_line=5_010),
        ),
    }
    return pairs[kind]


KINDS = ("exact", "near", "prompt", "source", "group", "across families")


def corpus_with(simulator, *kinds):
    rows = {
        ("priority", "train"): list(some_rows(20)),
        ("priority", "test"): list(some_rows(8, split="test")),
    }
    for kind in kinds:
        for row in planted(kind):
            place = row["metadata"]["source_family"], row["metadata"]["split"]
            rows.setdefault(place, []).append(row)
    return open_corpus(simulator, a_candidate(simulator, rows, POLICY))


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_leak_is_found_among_clean_records(simulator, kind):
    report = run_gate(LeakageGate(POLICY), corpus_with(simulator, kind), clock=FixedClock())
    assert report.verdict == "fail"
    wanted = {"across families": "holdout_exact"}.get(kind, kind)
    first, second = (row["metadata"]["record_id"] for row in planted(kind))
    found = [f for f in report.findings if f.code == f"leakage.{wanted}"]
    assert [{f.record_id, f.other} for f in found] == [{first, second}]


def test_all_kinds_at_once_are_all_found(simulator):
    report = run_gate(LeakageGate(POLICY), corpus_with(simulator, *KINDS), clock=FixedClock())
    codes = {finding.code for finding in report.findings}
    assert {f"leakage.{kind}" for kind in ("near", "prompt", "source", "group")} <= codes
    assert "leakage.holdout_exact" in codes


class Shuffled:
    """The same records in another order, of shards and within them."""

    def __init__(self, corpus, seed):
        self.candidate, self.expected = corpus.candidate, corpus.expected
        self._records = list(corpus)
        random.Random(seed).shuffle(self._records)

    def __iter__(self):
        return iter(self._records)


@pytest.mark.parametrize("gate", [LeakageGate, DuplicatesGate])
def test_shuffled_input_gives_identical_evidence(simulator, gate):
    corpus = corpus_with(simulator, *KINDS)
    straight = run_gate(gate(POLICY), corpus, clock=FixedClock())
    for seed in range(4):
        turned = run_gate(gate(POLICY), Shuffled(corpus, seed), clock=FixedClock())
        assert turned == straight


def sources():
    row, near = long_row("spread"), edited(long_row("spread"))
    user, assistant = (message["content"] for message in said(row))
    return {
        f"{PRIORITY}a.jsonl": [row, *some_source_rows(30)],
        f"{COT}b.jsonl": [{"prompt": user, "response": assistant}, near],
        f"{PROFESSIONAL}c.json": json.dumps(
            [{"conversation": [{"human": user}, {"ai": "Something else entirely is said here."}]}]
        ).encode(),
        f"{VOICE}d.jsonl": [
            {"dialogue": f"User: {user}\nAssistant: Yet another answer, told in a line."},
            *some_source_rows(10, seed="voice"),
        ],
        f"{EDGE}e.jsonl": some_source_rows(10, seed="edge"),
    }


def test_the_build_puts_what_is_akin_into_one_split_across_families_and_shapes(simulator):
    fill(simulator, sources())
    candidate = build(simulator, POLICY)
    akin = [
        row["metadata"]
        for row in rows_of(simulator, candidate.shards)
        if row["messages"][0]["content"] == said(long_row("spread"))[0]["content"]
    ]
    assert len({row["source_family"] for row in akin}) >= 3
    assert len({row["group_id"] for row in akin}) == len({row["split"] for row in akin}) == 1
    corpus = open_corpus(simulator, candidate)
    assert run_gate(LeakageGate(POLICY), corpus, clock=FixedClock()).verdict == "pass"


def test_rows_moved_out_of_their_group_after_the_build_are_found(simulator):
    fill(simulator, sources())
    candidate = build(simulator, POLICY)
    records = [
        record
        for shard in candidate.shards
        for record in parse_shard(simulator.get(shard.key, limit=1 << 24).body, shard)
    ]
    text = said(long_row("spread"))[0]["content"]
    moved = next(record for record in records if record.messages[0].content == text)
    other = next(s for s in ("train", "val", "test") if s != moved.shard.split)
    elsewhere = dataclasses.replace(moved, shard=dataclasses.replace(moved.shard, split=other))

    class Moved:
        expected = len(records)

        def __iter__(self):
            return iter([elsewhere if record is moved else record for record in records])

    corpus = Moved()
    corpus.candidate = candidate
    report = run_gate(LeakageGate(POLICY), corpus, clock=FixedClock())
    assert {finding.code for finding in report.findings} & {
        f"leakage.{holdout}{kind}" for holdout in ("", "holdout_") for kind in ("group", "prompt")
    }


@pytest.mark.parametrize("name", ["release0", "demo"])
@pytest.mark.parametrize("kind", ["exact", "near", "prompt", "source", "group"])
def test_no_waiver_covers_a_leak_from_a_held_out_family(name, kind):
    policy = parse_policy(packaged_source(name))
    people = {"a": ("release_owner",), "b": ("auditor",)}
    facts = SimpleNamespace(
        candidate=SimpleNamespace(digest="c"), at="2026", people=people, builder="z"
    )

    def waiver(code):
        return SimpleNamespace(
            candidate="c",
            expires_at="2027",
            code=code,
            gate="leakage",
            signers=(("a", "release_owner"), ("b", "auditor")),
            revoked=False,
        )

    assert not _in_force(waiver(f"leakage.holdout_{kind}"), facts, policy)
    assert _in_force(waiver(f"leakage.{kind}"), facts, policy)


def test_a_policy_that_lets_held_out_leaks_be_waived_is_refused():
    source = packaged_source("release0").decode()
    assert source.count('    "leakage.holdout_*",\n') == 1
    with pytest.raises(PolicyError, match=r"policy\.holdout_waivable"):
        parse_policy(source.replace('    "leakage.holdout_*",\n', "").encode())
