"""Bytes that are not the candidate's are never judged."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from core.canonical import sha256_hex
from core.gates.corpus import open_corpus, parse_line, read_shard
from core.gates.evidence import load_reports, store_report
from core.gates.run import run_gate
from core.model.errors import DeskError, GateError
from tests.builders import PREFIX, a_candidate, a_row, a_shard, change_candidate, row_bytes
from tests.clock import FixedClock
from tests.core.gates.test_run import Probe
from tests.simulator import Simulator


@pytest.fixture
def candidate(simulator: Simulator):
    return a_candidate(simulator, {("priority", "train"): 6, ("edge_cases", "test"): 3})


def code_of(simulator, candidate) -> str:
    with pytest.raises(DeskError) as caught:
        list(open_corpus(simulator, candidate))
    return caught.value.code


def test_it_yields_every_record_of_every_shard_with_its_place(simulator, candidate):
    records = list(open_corpus(simulator, candidate))
    assert len(records) == 9
    assert {(record.family, record.shard.split) for record in records} == {
        ("priority", "train"),
        ("edge_cases", "test"),
    }
    assert [record.line for record in records if record.family == "priority"] == [*range(1, 7)]


def test_it_can_be_read_again_and_reads_the_store_each_time(simulator, candidate):
    corpus = open_corpus(simulator, candidate)
    assert list(corpus) == list(corpus)
    simulator.put(candidate.shards[0].key, b"other bytes")
    with pytest.raises(GateError):
        list(corpus)


def test_d11_one_flipped_byte_is_another_shard(simulator, candidate):
    simulator.fail(op="get", nth=1, how="flip_byte")
    assert code_of(simulator, candidate) == "gate.shard_digest"


def test_d12_a_short_body_gives_no_record(simulator, candidate):
    simulator.fail(op="get", nth=1, how="silent_short_body")
    with pytest.raises(GateError) as caught:
        next(iter(open_corpus(simulator, candidate)))
    assert caught.value.code == "gate.shard_size"


def test_a_longer_object_under_the_shards_key_is_refused(simulator, candidate):
    shard = candidate.shards[0]
    simulator.put(shard.key, simulator.get(shard.key, limit=shard.size).body + b"{}\n")
    assert code_of(simulator, candidate) == "storage.too_large"


def test_a_shard_that_is_gone_is_an_error_and_no_pass(simulator, candidate):
    simulator.delete(candidate.shards[0].key)
    report = run_gate(Probe(), open_corpus(simulator, candidate), clock=FixedClock())
    assert report.verdict == "error"
    assert report.reason


@pytest.mark.parametrize("stated", [0, 5, 7])
def test_the_number_of_lines_is_the_stated_one(stated, simulator, candidate):
    shards = tuple(
        dataclasses.replace(shard, records=stated) if shard.family == "priority" else shard
        for shard in candidate.shards
    )
    other = change_candidate(simulator, candidate, shards=shards)
    assert code_of(simulator, other) == "gate.shard_records"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"", "gate.row_not_json"),
        (b"{", "gate.row_not_json"),
        (b"\xff\xfe", "gate.row_not_json"),
        (b'{"messages":[],"messages":[]}', "gate.row_not_json"),
        (b'{"messages":[],"metadata":{"tokens":NaN}}', "gate.row_not_json"),
        (b"[" * 100_000, "gate.row_not_json"),
        (b"[]", "gate.row_shape"),
        (b'{"metadata":{}}', "gate.row_shape"),
        (b'{"messages":"hello"}', "gate.row_shape"),
        (b'{"messages":[{"role":"user"}]}', "gate.row_shape"),
        (b'{"messages":[{"role":"user","content":null}]}', "gate.row_shape"),
        (b'{"messages":["hello"]}', "gate.row_shape"),
        (b'{"messages":[{"role":"user","content":"\\ud83d"}]}', "gate.row_text"),
    ],
)
def test_a_line_that_cannot_be_judged_is_refused_by_place(line, code, simulator):
    candidate = a_candidate(simulator, {("priority", "train"): [line]})
    with pytest.raises(GateError) as caught:
        list(open_corpus(simulator, candidate))
    assert caught.value.code == code
    assert caught.value.place == f"{candidate.shards[0].key}:1"


def test_a_row_without_any_metadata_is_still_a_record(simulator):
    shard = a_shard(simulator, [])
    record = parse_line(b'{"messages":[{"role":"client","content":"hm"}]}', shard, 1)
    assert (record.metadata, record.messages[0].role) == ({}, "client")


def test_the_cache_holds_only_what_was_proven_and_is_proven_again(
    simulator, candidate, tmp_path: Path
):
    list(open_corpus(simulator, candidate, tmp_path))
    shard = candidate.shards[0]
    assert (tmp_path / shard.sha256).stat().st_size == shard.size
    whole = simulator.get(shard.key, limit=shard.size).body
    (tmp_path / shard.sha256).write_bytes(b"x" * shard.size)
    assert read_shard(simulator, shard, tmp_path) == whole


def test_the_cache_spares_the_store_when_a_single_record_is_shown(
    simulator, candidate, tmp_path: Path
):
    shard = candidate.shards[0]
    whole = read_shard(simulator, shard, tmp_path)
    simulator.delete(shard.key)
    assert read_shard(simulator, shard, tmp_path) == whole


def test_an_empty_shard_is_no_record_at_all(simulator):
    candidate = a_candidate(simulator, {("priority", "train"): []})
    report = run_gate(Probe(), open_corpus(simulator, candidate), clock=FixedClock())
    assert (report.verdict, report.reason) == ("error", "gate.examined_nothing")


def test_a_shard_whose_last_line_is_cut_off_is_refused(simulator):
    shard = a_shard(simulator, [a_row()])
    body = row_bytes(a_row())[:-1]
    simulator.put(shard.key, body)
    cut = dataclasses.replace(shard, size=len(body), sha256=sha256_hex(body))
    candidate = a_candidate(simulator, {("priority", "train"): 1}, shards=(cut,))
    assert code_of(simulator, candidate) == "gate.shard_records"


def test_every_store_gives_the_same_records_and_evidence(store):
    candidate = a_candidate(store, {("priority", "train"): 6, ("edge_cases", "test"): 3})
    report = run_gate(Probe(), open_corpus(store, candidate), clock=FixedClock())
    assert (report.verdict, report.examined) == ("pass", 9)
    stored = store_report(store, PREFIX, report)
    assert load_reports(store, PREFIX, candidate.digest) == (stored,)
