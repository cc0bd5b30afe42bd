"""Whatever a build drops is reported with the record that stands for it."""

from __future__ import annotations

import dataclasses

import pytest

from core.intake.dropped import dropped_prefix, load_dropped
from core.model.errors import IntakeError
from tests.builders import PREFIX, a_policy, some_families
from tests.sources import COT, PRIORITY, build, edited, fill, long_row, some_source_rows

SINGLE = a_policy(
    families=tuple(
        dataclasses.replace(
            rule, near_duplicates="one_per_cluster" if rule.name == "cot_reasoning" else "together"
        )
        for rule in some_families()
    )
)


def fill_with_copies(store):
    row = long_row("one")
    fill(
        store,
        {
            f"{PRIORITY}a.jsonl": [row, *some_source_rows(3)],
            f"{COT}b.jsonl": [row, edited(row), *some_source_rows(2, seed="cot")],
        },
    )


def test_copies_and_near_copies_are_named_with_the_record_kept_instead(simulator):
    fill_with_copies(simulator)
    candidate = build(simulator, SINGLE)
    exact, near = load_dropped(simulator, PREFIX, candidate)
    assert (exact.reason, exact.similarity) == ("exact_duplicate", "1.0000")
    assert (exact.source_key, exact.line) == (f"{COT}b.jsonl", 1)
    assert exact.record_id == exact.kept
    assert (exact.kept_family, exact.kept_source_key, exact.kept_line) == (
        "priority",
        f"{PRIORITY}a.jsonl",
        1,
    )
    assert (near.reason, near.line, near.kept) == ("near_duplicate", 2, exact.kept)
    assert 0.8 <= float(near.similarity) < 1
    assert candidate.dropped == {"exact_duplicate": 1, "near_duplicate": 1}


def test_a_person_s_exclusion_names_no_other_record(simulator):
    fill(simulator, {f"{PRIORITY}a.jsonl": some_source_rows(5)})
    first = build(simulator)
    assert load_dropped(simulator, PREFIX, first) == ()
    [shard] = [shard for shard in first.shards if shard.split == "train"]
    record_id = simulator.get(shard.key, limit=1 << 20).body.split(b'"record_id":"')[1][:32]
    decision = {"action": "exclude", "record_id": record_id.decode(), "gate": "g", "code": "c"}
    second = build(simulator, decisions=[decision])
    [gone] = load_dropped(simulator, PREFIX, second)
    assert (gone.record_id, gone.reason) == (record_id.decode(), "excluded_by_decision")
    assert gone.kept == gone.similarity == ""


def test_a_rebuild_writes_the_same_report_and_a_changed_one_is_refused(simulator):
    fill_with_copies(simulator)
    candidate = build(simulator, SINGLE)
    assert build(simulator, SINGLE).digest == candidate.digest
    [found] = simulator.list(dropped_prefix(PREFIX, candidate.digest))
    body = simulator.get(found.key, limit=1 << 20).body
    simulator.put(found.key, body.replace(b"near_duplicate", b"near_duplicatE"))
    with pytest.raises(IntakeError, match=r"candidate\.dropped_altered"):
        load_dropped(simulator, PREFIX, candidate)


def test_a_candidate_of_an_older_desk_has_no_report(simulator):
    fill_with_copies(simulator)
    candidate = build(simulator, SINGLE)
    other = dataclasses.replace(candidate, digest="f" * 64)
    assert load_dropped(simulator, PREFIX, other) is None
