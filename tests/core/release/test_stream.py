"""The order of rows follows from manifest, phase and seed, and a stream goes on exactly."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.model.errors import ReleaseError
from core.model.release import ReleaseFile
from core.release import proven
from core.release.consume import open_release
from core.release.publish import publish_release
from core.release.stream import Lane, Order, RowStream
from tests.builders import PREFIX, a_row
from tests.release_builders import no_wait, some_inputs

ROWS = {
    ("priority", "train"): [a_row(seed=f"p{n}", source_line=n + 1) for n in range(12)],
    ("priority", "test"): 2,
    ("edge_cases", "train"): [
        a_row(family="edge_cases", seed=f"e{n}", source_line=n + 1) for n in range(3)
    ],
}


@pytest.fixture
def release(simulator):
    publish_release(some_inputs(simulator, rows=ROWS))
    return open_release(simulator, "latest", exports=PREFIX, sleep=no_wait)


def names(rows):
    return [row["metadata"]["record_id"] for row in rows]


def families(rows):
    return Counter(row["metadata"]["source_family"] for row in rows)


def both(release):
    return {
        "every row": lambda **more: release.iterate("train", **more),
        "mix": lambda **more: release.mix("train", "curriculum", rows=40, **more),
    }


@pytest.mark.parametrize("way", ["every row", "mix"])
@pytest.mark.parametrize("seed", [None, 7])
@pytest.mark.parametrize("worker", [(0, 1), (1, 3)])
def test_a_stream_stopped_after_any_row_goes_on_exactly_there(release, way, seed, worker):
    make = both(release)[way]
    whole = names(make(seed=seed, worker=worker))
    for stop in range(len(whole) + 1):
        first = make(seed=seed, worker=worker)
        before = [next(first)["metadata"]["record_id"] for _ in range(stop)]
        again = make(seed=seed, worker=worker, start=first.position)
        assert before + names(again) == whole


@pytest.mark.parametrize("way", ["every row", "mix"])
def test_workers_together_give_what_one_gives_alone(release, way):
    make = both(release)[way]
    alone = names(make(seed=3))
    parts = [names(make(seed=3, worker=(n, 4))) for n in range(4)]
    assert [parts[n % 4][n // 4] for n in range(len(alone))] == alone


def test_a_seed_and_an_epoch_change_the_order_and_nothing_else(release):
    orders = [names(release.iterate("train", seed=s, epoch=e)) for s, e in ((1, 0), (2, 0), (1, 1))]
    assert orders[0] == names(release.iterate("train", seed=1))
    assert len({tuple(order) for order in orders}) == 3
    assert len({frozenset(order) for order in orders}) == 1


def test_a_mix_keeps_the_shares_of_the_phase_at_every_row(release):
    weights = release.weights("curriculum")
    seen = Counter()
    for number, row in enumerate(release.mix("train", "curriculum", rows=200), 1):
        seen[row["metadata"]["source_family"]] += 1
        for family, weight in weights.items():
            assert abs(seen[family] - number * weight) < 1
    assert sum(seen.values()) == 200


def test_a_family_that_runs_out_starts_over_and_gives_each_row_once_a_turn(release):
    drawn = [
        row["metadata"]["record_id"]
        for row in release.mix("train", "curriculum", rows=200, seed=5)
        if row["metadata"]["source_family"] == "edge_cases"
    ]
    turns = [drawn[n : n + 3] for n in range(0, len(drawn) - 2, 3)]
    assert len(turns) > 3
    assert all(len(set(turn)) == 3 for turn in turns)
    assert len({tuple(turn) for turn in turns}) > 1


def test_a_mix_draws_as_many_rows_as_there_are_by_default_and_only_from_what_a_split_holds(release):
    assert sum(families(release.mix("train", "curriculum")).values()) == 15
    assert families(release.mix("test", "curriculum", rows=5)) == {"priority": 5}
    with pytest.raises(ReleaseError, match=r"release\.nothing_to_mix"):
        release.mix("val", "curriculum", rows=1)


@pytest.mark.parametrize(
    "change",
    [
        {"manifest": "0" * 64},
        {"split": "test"},
        {"phase": "dessert"},
        {"mixed": False},
        {"draws": 41},
        {"seed": 8},
        {"epoch": 1},
        {"worker": [0, 2]},
        {"schema": "release-desk/position/2"},
        {"drawn": {"priority": 1}},
        {"drawn": {"priority": -1, "edge_cases": 0}},
        {"drawn": {"priority": 41, "edge_cases": 0}},
        {"drawn": {"priority": True, "edge_cases": 0}},
        {"drawn": None},
        {"more": 1},
    ],
)
def test_a_position_of_another_stream_is_refused(release, change):
    stream = release.mix("train", "curriculum", rows=40, seed=7)
    next(stream)
    told = {**json.loads(stream.position), **change}
    with pytest.raises(ReleaseError, match=r"release\.position"):
        release.mix("train", "curriculum", rows=40, seed=7, start=json.dumps(told))


@pytest.mark.parametrize("text", ["", "x", "[]", "1"])
def test_what_is_no_position_is_refused(release, text):
    with pytest.raises(ReleaseError, match=r"release\.position"):
        release.iterate("train", start=text)


def test_a_large_shard_waits_in_a_file_and_reads_the_same(release, monkeypatch):
    before = names(release.iterate("train", seed=2))
    monkeypatch.setattr(proven, "IN_MEMORY", 100)
    assert names(release.iterate("train", seed=2)) == before


@given(
    weights=st.lists(st.integers(1, 999), min_size=1, max_size=6),
    draws=st.integers(0, 60),
    stop=st.integers(0, 60),
)
@settings(max_examples=25, deadline=None)
def test_which_family_comes_next_never_depends_on_where_one_began(weights, draws, stop):
    def stream():
        lanes = [
            Lane(name=f"f{n}", weight=weight / 1000, shards=(shard(n),))
            for n, weight in enumerate(weights)
        ]
        order = Order(
            manifest="0" * 64,
            split="train",
            phase="p",
            mixed=True,
            draws=draws,
            seed=None,
            epoch=0,
            worker=(0, 1),
        )
        return RowStream(order, lanes, told)

    whole = [row["metadata"]["source_family"] for row in stream()]
    first = stream()
    head = [row["metadata"]["source_family"] for row, _ in zip(first, range(stop), strict=False)]
    rest = stream()
    rest.load_state_dict(json.loads(first.position))
    # zip takes one row more than it gives when the range ends first.
    taken = first.state_dict()["drawn"]
    assert head == whole[: len(head)]
    assert [r["metadata"]["source_family"] for r in rest] == whole[sum(taken.values()) :]
    assert Counter(whole[: sum(taken.values())]) == {k: v for k, v in taken.items() if v}


def shard(number):
    return ReleaseFile(
        key=f"f{number}",
        sha256="0" * 64,
        size=1,
        kind="shard",
        records=2,
        family=f"f{number}",
        split="train",
    )


def told(file):
    rows = [json.dumps(a_row(seed=str(n))).replace("priority", file.family) for n in range(2)]
    return proven.ProvenShard("\n".join(rows).encode())
