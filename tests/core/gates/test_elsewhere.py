"""What other processes sketch is judged as if it had been read here, record by record."""

from __future__ import annotations

import dataclasses
import random
from concurrent.futures import Future, ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest

from core.gates import elsewhere, ray_sketching, sketching
from core.gates.blocks import read_proven
from core.gates.comparison import Comparison
from core.gates.corpus import fetch_shard, open_corpus
from core.gates.duplicates import DuplicatesGate
from core.gates.leakage import LeakageGate
from core.gates.run import run_gates
from core.model.errors import Cancelled, GateError, IntakeError
from tests.builders import a_candidate, a_row, some_rows
from tests.clock import FixedClock
from tests.core.gates.test_planted_leaks import KINDS, POLICY, planted
from tests.core.gates.test_run import Listed, Probe
from tests.file_store import FileStore


@pytest.fixture
def store(tmp_path):
    folder = tmp_path / "bucket"
    folder.mkdir()
    return FileStore(folder)


@pytest.fixture
def candidate(store):
    rows = {
        ("priority", "train"): list(some_rows(30)),
        ("priority", "test"): list(some_rows(8, split="test")),
        ("voice", "val"): list(some_rows(5, family="voice", split="val")),
    }
    for kind in KINDS:
        for row in planted(kind):
            place = row["metadata"]["source_family"], row["metadata"]["split"]
            rows.setdefault(place, []).append(row)
    return a_candidate(store, rows, POLICY)


class FakeRay:
    """Threads behind the few words of Ray that are used; the tasks in `lost` lose their worker."""

    def __init__(self, lost=()):
        self._pool = ThreadPoolExecutor(2)
        self._lost = set(lost)
        self.begun = 0

    def cluster_resources(self):
        return {"CPU": 2.0}

    def remote(self, **options):
        def prepare(task):
            def begin(*given):
                self.begun += 1
                lost = self.begun - 1 in self._lost
                done = self._pool.submit(lose_worker if lost else task, *given)
                return SimpleNamespace(future=lambda: done)

            return SimpleNamespace(remote=begin)

        return prepare

    def shutdown(self):
        self._pool.shutdown(cancel_futures=True)


class WorkerLost(Exception):
    """As Ray says it: an error without a cause."""


def lose_worker(*given):
    raise WorkerLost


@pytest.fixture
def cluster(monkeypatch):
    """A way to sketch on a cluster that loses the workers it is told to lose."""

    def start(lost=()):
        ray = FakeRay(lost)
        monkeypatch.setattr(ray_sketching, "join_cluster", lambda address, workers: ray)
        return ray, ray_sketching.StartsRaySketchers("local")

    return start


@pytest.fixture(autouse=True)
def processes(monkeypatch):
    """Threads stand in for processes, which take seconds to start, except where they are named."""
    real = sketching.ProcessPoolExecutor
    monkeypatch.setattr(sketching, "WORTH_A_POOL", 1)
    monkeypatch.setattr(
        sketching,
        "ProcessPoolExecutor",
        lambda max_workers, **given: ThreadPoolExecutor(max_workers),
    )
    return real


def both(comparison=None):
    shared = comparison or Comparison(POLICY.near_duplicates)
    return DuplicatesGate(POLICY, shared), LeakageGate(POLICY, shared)


def judge(gates, corpus, **given):
    return run_gates(gates, corpus, clock=FixedClock(), **given)


def test_evidence_is_the_same_for_any_number_of_workers_and_any_order_of_shards(
    store, candidate, tmp_path, monkeypatch, processes
):
    straight = judge(both(), open_corpus(store, candidate))
    assert [report.verdict for report in straight] == ["fail", "fail"]
    assert judge(both(), open_corpus(store, candidate, tmp_path / "c"), workers=2) == straight
    shards = list(candidate.shards)
    random.Random(3).shuffle(shards)
    turned = dataclasses.replace(candidate, shards=tuple(shards))
    assert judge(both(), open_corpus(store, turned), workers=3) == straight
    monkeypatch.setattr(sketching, "ProcessPoolExecutor", processes)
    assert judge(both(), open_corpus(store, turned), workers=2) == straight


def test_others_are_asked_only_when_there_are_several_workers_and_enough_to_compare(
    store, candidate, monkeypatch
):
    asked = []

    def show(*given):
        asked.append(given)
        return "asked.elsewhere"

    monkeypatch.setattr(elsewhere, "show_shards", show)
    corpus = open_corpus(store, candidate)

    def reasons(gates, corpus=corpus, **given):
        return {report.reason for report in judge(gates, corpus, **given)}

    def progress(done, total, message):
        """Only its identity is looked at."""

    assert reasons(both()) == reasons(both(), workers=1) == {""}
    assert reasons((Probe(),), workers=2) == {""}
    listed = Listed(candidate, list(corpus), candidate.records)
    assert reasons(both(), listed, workers=2) == {""}
    assert asked == []
    gates = (Probe(), *both())
    assert reasons(gates, workers=2, progress=progress) == {"asked.elsewhere"}
    ((trials, its_corpus, pools, workers, its_progress),) = asked
    assert [trial.gate for trial in trials] == list(gates)
    assert (its_corpus, workers, its_progress) == (corpus, 2, progress)
    assert isinstance(pools, sketching.StartsLocalSketchers)
    monkeypatch.setattr(sketching, "WORTH_A_POOL", 1 << 40)
    assert reasons(both(), workers=2) == {""}
    free = SimpleNamespace(worth=0)
    assert reasons(both(), workers=1, pools=free) == {"asked.elsewhere"}
    assert asked[-1][2:4] == (free, 1)


def test_gates_that_do_not_compare_see_every_record_of_the_same_reading(store, candidate):
    probe = Probe()
    reports = judge((probe, *both()), open_corpus(store, candidate), workers=2)
    assert [report.examined for report in reports] == [candidate.records] * 3
    assert probe.seen == candidate.records


def test_gates_that_share_nothing_are_judged_alike(store, candidate):
    apart = (DuplicatesGate(POLICY), LeakageGate(POLICY))
    assert judge(apart, open_corpus(store, candidate), workers=2) == judge(
        both(), open_corpus(store, candidate)
    )


def test_a_cache_that_was_tampered_with_is_not_believed(store, candidate, tmp_path):
    straight = judge(both(), open_corpus(store, candidate))
    cache = tmp_path / "cache"
    cache.mkdir()
    for shard in candidate.shards:
        (cache / shard.sha256).write_bytes(b'{"messages":[],"metadata":{}}\n' * shard.records)
    assert judge(both(), open_corpus(store, candidate, cache), workers=2) == straight


def test_a_shard_that_is_not_the_named_one_is_an_error_for_every_gate(store, candidate):
    shard = candidate.shards[-1]
    body = fetch_shard(store, shard)
    store.put(shard.key, body[:-3] + b"x}\n")
    reports = judge((Probe(), *both()), open_corpus(store, candidate), workers=2)
    assert {(report.verdict, report.reason) for report in reports} == {
        ("error", "gate.shard_digest")
    }


def test_a_row_that_cannot_be_judged_is_an_error_with_its_code(store):
    candidate = a_candidate(store, {("priority", "train"): [a_row(seed=1), b"[]"]}, POLICY)
    reports = judge(both(), open_corpus(store, candidate), workers=2)
    assert {(report.verdict, report.reason) for report in reports} == {("error", "gate.row_shape")}


def test_a_pool_that_breaks_is_an_error_of_the_gates_that_compare_alone(
    store, candidate, monkeypatch
):
    def broken(self, idle):
        self._waiting.popleft()
        raise OSError("no space left where my secret lies")

    monkeypatch.setattr(elsewhere.SketchPool, "take", broken)
    reports = judge((Probe(), *both()), open_corpus(store, candidate), workers=2)
    assert [(report.verdict, report.reason) for report in reports] == [
        ("pass", ""),
        ("error", "OSError"),
        ("error", "OSError"),
    ]


def test_a_cluster_gives_the_same_evidence_and_is_used_however_little_there_is(
    store, candidate, cluster
):
    ray, pools = cluster()
    straight = judge(both(), open_corpus(store, candidate))
    assert judge(both(), open_corpus(store, candidate), workers=1, pools=pools) == straight
    assert ray.begun == len(candidate.shards)


def test_a_worker_lost_for_good_is_an_error_of_the_gates_that_compare_never_a_pass(store, cluster):
    rows = {("priority", "train"): list(some_rows(9)), ("voice", "val"): [a_row(seed="one")]}
    candidate = a_candidate(store, rows, POLICY)
    _, pools = cluster(lost=[len(candidate.shards) - 1])
    reports = judge((Probe(), *both()), open_corpus(store, candidate), pools=pools)
    assert [(report.verdict, report.reason) for report in reports] == [
        ("pass", ""),
        ("error", "BrokenProcessPool"),
        ("error", "BrokenProcessPool"),
    ]


def test_texts_that_find_no_room_here_are_an_error_and_nobody_waits_for_them(
    store, candidate, cluster, monkeypatch
):
    def no_room(part, body, texts):
        raise OSError("no space left where my secret lies")

    _, pools = cluster()
    monkeypatch.setattr(ray_sketching, "_land", no_room)
    reports = judge(both(), open_corpus(store, candidate), pools=pools)
    assert {(report.verdict, report.reason) for report in reports} == {("error", "OSError")}


def test_a_cluster_that_cannot_be_joined_judges_nothing(store, candidate, monkeypatch):
    def no_cluster(address, workers):
        raise IntakeError("intake.no_cluster", "The cluster cannot be joined.")

    monkeypatch.setattr(ray_sketching, "join_cluster", no_cluster)
    pools = ray_sketching.StartsRaySketchers("head:1")
    with pytest.raises(IntakeError, match=r"intake\.no_cluster"):
        judge(both(), open_corpus(store, candidate), pools=pools)


def test_cancelling_leaves_no_report(store, candidate):
    def cancel(done, total, message):
        raise Cancelled("job.cancelled", "Cancelled.")

    with pytest.raises(Cancelled):
        judge(both(), open_corpus(store, candidate), workers=2, progress=cancel)


def test_a_comparison_that_failed_on_a_record_fails_every_gate_that_shares_it(
    store, candidate, monkeypatch
):
    comparison = Comparison(POLICY.near_duplicates)
    real = comparison.add

    def add(number, record):
        if number == 5:
            monkeypatch.setattr(comparison._sketcher, "_file", None)
        real(number, record)

    monkeypatch.setattr(comparison, "add", add)
    reports = judge(both(comparison), open_corpus(store, candidate))
    assert [report.verdict for report in reports] == ["error", "error"]
    assert reports[1].reason == "gate.comparison_broken"


def test_a_record_shown_out_of_turn_is_refused(store, candidate):
    comparison = Comparison(POLICY.near_duplicates)
    first, second, *_ = open_corpus(store, candidate)
    comparison.add(0, first)
    comparison.add(0, first)
    with pytest.raises(GateError, match=r"gate\.comparison_broken"):
        comparison.add(2, second)
    assert comparison.records == 1


def test_the_texts_are_gone_once_they_were_compared(store, candidate, tmp_path):
    scratch = tmp_path / "scratch"
    comparison = Comparison(POLICY.near_duplicates, scratch=scratch)
    judge(both(comparison), open_corpus(store, candidate), workers=2)
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda body: body[:-1], "gate.shard_records"),
        (lambda body: body + b"{}\n", "gate.shard_records"),
        (lambda body: body.replace(b"the", b"thx", 1), "gate.shard_digest"),
    ],
)
def test_lines_read_from_a_file_are_proven_at_the_end(change, code, store, candidate, tmp_path):
    shard = candidate.shards[0]
    body = fetch_shard(store, shard)
    path = tmp_path / "lines"
    path.write_bytes(body)
    assert b"".join(block for _, block in read_proven(path, shard)) == body
    path.write_bytes(change(body))
    with pytest.raises(GateError) as caught:
        list(read_proven(path, shard))
    assert caught.value.code == code


def test_a_record_id_that_is_no_id_and_a_line_beyond_all_bounds_do_no_harm(store):
    rows = [
        a_row(seed="one", record_id="my name", source_line=10**30),
        a_row(seed="two", record_id=["x"], source_line=10**30, source_key="other"),
        a_row(seed="three", source_line=True, group_id=7),
    ]
    candidate = a_candidate(store, {("priority", "train"): rows}, POLICY)
    comparison = Comparison(POLICY.near_duplicates)
    reports = judge(both(comparison), open_corpus(store, candidate))
    assert [report.verdict for report in reports] == ["pass", "pass"]
    assert "my name" not in repr(reports)
    assert np.count_nonzero(comparison.table.keys["record_id"] != b"") == 1


class SlowFirst:
    """Sketches the first shard it is given only when it is let; the others at once."""

    workers = 2

    def __init__(self):
        self.first = Future()
        self.given = []

    def submit(self, lines, shard, texts):
        self.given.append(shard)
        if len(self.given) == 1:
            return self.first
        done = Future()
        done.set_result(shard)
        return done

    def shutdown(self):
        pass


def test_small_shards_go_on_being_sketched_beside_a_large_one(store, candidate):
    sketchers = SlowFirst()
    pool = elsewhere.SketchPool(
        open_corpus(store, candidate), Comparison(POLICY.near_duplicates), sketchers
    )
    for shard in candidate.shards:
        pool.submit(shard, fetch_shard(store, shard))
        pool.wait(lambda: pytest.fail("there was room for another"))
        assert not pool.ready
    assert len(candidate.shards) > sketchers.workers + 1
    sketchers.first.set_result(candidate.shards[0])
    taken = []
    while pool.ready:
        taken.append(pool.take(lambda: None))
    assert taken == list(candidate.shards)
