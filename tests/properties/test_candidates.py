"""Whatever the sources hold, a build balances, parts nothing akin, and has one digest."""

from __future__ import annotations

import dataclasses
import random
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.canonical import sha256_hex
from core.gates.corpus import open_corpus
from core.gates.duplicates import DuplicatesGate
from core.gates.leakage import LeakageGate
from core.gates.run import run_gates
from core.intake.books import check_books
from core.intake.compile import decode_candidate, encode_candidate
from core.intake.text import fold_text
from core.model.candidate import Candidate
from core.model.errors import IntakeError
from tests.builders import a_candidate, a_policy, some_families
from tests.clock import FixedClock
from tests.simulator import Simulator
from tests.sources import COT, EDGE, PRIORITY, VOICE, a_pair, build, edited, fill, long_row, rows_of

_row = st.one_of(
    st.integers(0, 8).map(lambda n: long_row(f"long-{n}")),
    st.tuples(st.integers(0, 8), st.integers(0, 2)).map(
        lambda pick: edited(long_row(f"long-{pick[0]}"), word=f"word{pick[1]}")
    ),
    st.tuples(st.integers(0, 5), st.integers(0, 5)).map(
        lambda pick: a_pair(f"A prompt that others ask as well: {pick[0]}", f"Reply {pick[1]}")
    ),
    st.tuples(st.integers(0, 3), st.text("ab", min_size=1, max_size=4)).map(
        lambda pick: {**a_pair(f"Ask {pick[1]}", f"Say {pick[1]}"), "id": f"c{pick[0]}"}
    ),
    st.sampled_from([b"{broken", b"[]", b'{"chosen":"a","rejected":"b"}']),
)
_bucket = st.dictionaries(
    st.sampled_from(
        [f"{prefix}{name}.jsonl" for prefix in (PRIORITY, COT, EDGE, VOICE) for name in "ab"]
    ),
    st.lists(_row, max_size=10),
    max_size=5,
)
POLICY = a_policy(
    splits={"train": 0.5, "val": 0.25, "test": 0.25},
    families=tuple(
        dataclasses.replace(
            rule,
            test_only=rule.name == "voice",
            near_duplicates="one_per_cluster" if rule.name == "cot_reasoning" else "together",
        )
        for rule in some_families()
    ),
)


def built(bucket: dict, order: list[str]) -> tuple[Simulator, Candidate | None]:
    store = Simulator()
    fill(store, {key: bucket[key] for key in order})
    try:
        return store, build(store, POLICY)
    except IntakeError as error:
        if error.code != "intake.nothing_to_ship":
            raise
        return store, None


@settings(max_examples=15, deadline=None)
@given(bucket=_bucket, seed=st.integers(0, 99))
def test_a_build_balances_leaks_nothing_and_ignores_order(bucket, seed):
    store, candidate = built(bucket, sorted(bucket))
    order = sorted(bucket)
    random.Random(seed).shuffle(order)
    assert built(bucket, order)[1] == candidate
    if candidate is None:
        return
    check_books(candidate)
    assert candidate.rows == sum(len(rows) or 1 for rows in bucket.values())
    gates = (DuplicatesGate(POLICY), LeakageGate(POLICY))
    for report in run_gates(gates, open_corpus(store, candidate), clock=FixedClock()):
        assert report.verdict == "pass", report
    splits = defaultdict(set)
    for row in rows_of(store, candidate.shards):
        asked = next(m["content"] for m in row["messages"] if m["role"] == "user")
        for name in ("group_id", "cluster_id"):
            splits[name, row["metadata"][name]].add(row["metadata"]["split"])
        splits["prompt", fold_text(asked)].add(row["metadata"]["split"])
        if row["metadata"]["source_family"] == "voice":
            assert row["metadata"]["split"] == "test"
    assert all(len(found) == 1 for found in splits.values())


OTHER = {
    "version": "v2026-11-22",
    "policy": sha256_hex(b"other"),
    "scan_settings": sha256_hex(b"other"),
    "snapshot": sha256_hex(b"other"),
    "snapshot_at": "2026-11-22T00:00:00Z",
    "shards": (),
    "routing_key": "exports/routing/other.json",
    "routing_sha256": sha256_hex(b"other"),
    "sources": (),
    "rejections": {"line.bad": 1},
    "dropped": {"exact_duplicate": 1},
    "families": {},
    "exclusions": None,
    "decisions": ({"action": "exclude"},),
    "rows": 1,
    "records": 1,
}


@pytest.mark.parametrize(
    "name", [field.name for field in dataclasses.fields(Candidate) if field.name != "digest"]
)
def test_the_digest_follows_every_field(simulator, name):
    from core.model.candidate import Exclusion

    candidate = a_candidate(simulator)
    value = (Exclusion(scope="x", reason="y"),) if name == "exclusions" else OTHER[name]
    other = dataclasses.replace(candidate, **{name: value})
    assert encode_candidate(other) != encode_candidate(candidate)
    again = decode_candidate(encode_candidate(other))
    assert dataclasses.replace(again, digest=candidate.digest) == other
    assert again.digest == sha256_hex(encode_candidate(other)) != candidate.digest


@settings(max_examples=200, deadline=None)
@given(body=st.binary(max_size=200))
def test_no_bytes_crash_the_decoder(body):
    with pytest.raises(IntakeError):
        decode_candidate(body)
