"""A second build asks and writes little, and gives the candidate that a first one would."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from core.canonical import sha256_hex
from core.intake import near
from core.intake.inventory import carry_times, make_listing
from core.intake.packed_digests import PackedDigests
from core.intake.words import words_of
from tests.builders import PREFIX, SNAPSHOT_AT, a_policy
from tests.file_store import LISTED, FileStore
from tests.sources import (
    COT,
    PRIORITY,
    build,
    edited,
    fill,
    listing_of,
    long_row,
    rows_of,
    some_source_rows,
)

HELD = "/features/"
LATER = "2027-01-01T00:00:00Z"


class Counting(FileStore):
    """A bucket that notes what is asked of it."""

    def __init__(self, folder):
        super().__init__(folder)
        object.__setattr__(self, "asked", [])

    def get(self, key, **more):
        self.asked.append(("get", key))
        return super().get(key, **more)

    def list(self, prefix, **more):
        self.asked.append(("list", prefix))
        for item in super().list(prefix, **more):
            # When it was put, as a server says: the newest of a cache is looked at first.
            written = self._path(item.key).stat().st_mtime_ns // 1000
            yield replace(item, modified=LISTED + timedelta(microseconds=written % 10**12))

    def head_bytes(self, key, count):
        self.asked.append(("head", key))
        return super().head_bytes(key, count)

    def put_if_absent(self, key, body):
        self.asked.append(("put", key))
        super().put_if_absent(key, body)


def some_objects(count=10):
    objects = {f"{PRIORITY}{n}.jsonl": some_source_rows(6, seed=f"p{n}") for n in range(count)}
    alike = long_row("alike")
    objects |= {f"{PRIORITY}alike.jsonl": [alike, edited(alike), edited(alike, word="other")]}
    return objects | {f"{COT}a.jsonl": some_source_rows(12, seed="cot")}


def asked(store, verb, part):
    return [key for what, key in store.asked if what == verb and part in key]


def excluding(record_id):
    return [{"action": "exclude", "record_id": record_id, "by": "lead", "reason": "asked"}]


def a_record_of(store, candidate, family):
    shard = next(s for s in candidate.shards if s.family == family)
    line = store.get(shard.key, limit=1 << 24).body.splitlines()[0]
    return json.loads(line)["metadata"]["record_id"]


@pytest.fixture
def store(tmp_path):
    bucket = Counting(tmp_path)
    fill(bucket, some_objects())
    return bucket


@pytest.fixture
def first(store):
    candidate = build(store)
    store.asked.clear()
    return candidate


def uncached(tmp_path_factory, objects, **more):
    other = FileStore(tmp_path_factory.mktemp("uncached"))
    fill(other, objects)
    return build(other, **more)


def test_what_did_not_change_is_neither_looked_up_one_by_one_nor_written(store, first):
    assert build(store) == first
    assert asked(store, "get", "/by-version/") == asked(store, "head", HELD) == []
    assert asked(store, "get", ".parquet") == asked(store, "put", HELD) == []
    assert asked(store, "put", "/shards/") == []


def test_what_a_build_asks_for_does_not_grow_with_the_bucket(tmp_path_factory):
    counts = []
    for objects in (10, 40):
        bucket = Counting(tmp_path_factory.mktemp("grown"))
        fill(bucket, some_objects(objects))
        build(bucket)
        bucket.asked.clear()
        build(bucket)
        counts.append(len(bucket.asked))
    assert counts[0] == counts[1]


def test_similarities_are_measured_once(store, first, monkeypatch):
    assert first.dropped == {}
    compared = []
    compare = near._compare
    monkeypatch.setattr(
        near, "_compare", lambda low, *more: compared.append(len(low)) or compare(low, *more)
    )
    assert build(store) == first
    assert compared == [0]
    for item in list(store.list(PREFIX)):
        if "/pairs/" in item.key:
            store.delete(item.key)
    assert build(store) == first
    assert compared == [0, 3]


def test_columns_of_what_is_no_longer_used_are_left_behind(store, first, tmp_path_factory):
    """Blocks of many builds are written together again, and none of it shows in the candidate."""
    objects = some_objects()
    for change in range(12):
        objects[f"{PRIORITY}{change % 10}.jsonl"] = some_source_rows(6, seed=f"again{change}")
        fill(store, objects)
        last = build(store)
    assert last.digest == uncached(tmp_path_factory, objects).digest
    store.asked.clear()
    assert build(store) == last
    blocks = [key for key in asked(store, "get", "/columns/") if key.endswith(".arrow")]
    assert 1 <= len(set(blocks)) <= 9
    assert asked(store, "get", ".parquet") == []


def test_blocks_of_a_format_not_known_here_are_passed_over(store, first):
    [key] = [k.key for k in store.list(PREFIX) if "/columns/" in k.key and ".arrow" in k.key]
    [index] = [k.key for k in store.list(PREFIX) if "/columns/index/" in k.key]
    table = pa.ipc.open_file(store.get(key, limit=1 << 30).body).read_all()
    file = io.BytesIO()
    # The same columns, wrongly filled, under the name of a later format.
    lines = pa.array([7] * len(table), pa.int64())
    table = table.set_column(table.schema.get_field_index("line"), table.field("line"), lines)
    later = table.replace_schema_metadata({"schema": "release-desk/columns/9"})
    with pa.ipc.new_file(file, later.schema) as writer:
        writer.write_table(later)
    digest = sha256_hex(file.getvalue())
    store.put(key.replace(Path(key).stem, digest), file.getvalue())
    named = store.get(index, limit=1 << 30).body.replace(Path(key).stem.encode(), digest.encode())
    store.put(index.replace(Path(index).stem, sha256_hex(named)), named)
    store.delete(index)
    store.asked.clear()
    assert build(store) == first
    assert digest in str(asked(store, "get", "/columns/"))
    assert len(set(asked(store, "get", ".parquet"))) == len(some_objects())


def test_texts_that_are_damaged_are_made_again_when_they_are_asked_for(
    store, first, tmp_path_factory
):
    for item in list(store.list(PREFIX)):
        if item.key.endswith(".parquet"):
            store.put(item.key, b"PAR1 no more")
    assert build(store) == first
    decisions = excluding(a_record_of(store, first, "cot_reasoning"))
    second = build(store, decisions=decisions)
    assert second.digest == uncached(tmp_path_factory, some_objects(), decisions=decisions).digest


def test_a_decided_redaction_reads_the_one_source_it_is_about(store, first, tmp_path_factory):
    record = a_record_of(store, first, "cot_reasoning")
    decision = {
        "action": "redact", "gate": "privacy", "code": "privacy.person", "record_id": record,
        "turn": "0", "start": "0", "end": "4", "by": "lead", "reason": "asked",
    }  # fmt: skip
    second = build(store, decisions=[decision])
    assert len(set(asked(store, "get", ".parquet"))) <= 2
    assert second.digest != first.digest
    fresh = uncached(tmp_path_factory, some_objects(), decisions=[decision])
    assert second.digest == fresh.digest
    # The columns that are kept are those of the features, not of what people decided.
    assert build(store) == first


def test_only_the_shards_that_a_decision_touches_are_written(store, first, tmp_path_factory):
    decisions = excluding(a_record_of(store, first, "cot_reasoning"))
    second = build(store, decisions=decisions)
    assert len(asked(store, "put", "/shards/")) == 1
    assert second.digest == uncached(tmp_path_factory, some_objects(), decisions=decisions).digest


def test_one_changed_object_is_the_only_one_looked_up_and_the_digest_is_a_fresh_builds(
    store, first, tmp_path_factory
):
    changed = some_objects() | {f"{PRIORITY}3.jsonl": some_source_rows(5, seed="p3")}
    fill(store, changed)
    second = build(store)
    assert len(set(asked(store, "get", "/by-version/"))) == 1
    assert second.digest == uncached(tmp_path_factory, changed).digest != first.digest


@pytest.mark.parametrize("part", ["/index/", "/rendered/", "/by-version/", "/columns/", "/pairs/"])
@pytest.mark.parametrize("damage", [b"", b"{}", b"\xff\x00", b'{"schema":"release-desk/other/9"}'])
def test_a_damaged_cache_is_passed_over(store, first, part, damage):
    keys = [item.key for item in store.list(PREFIX) if part in item.key]
    assert keys
    for key in keys:
        store.put(key, damage)
    assert build(store) == first


def test_a_shard_that_is_gone_or_cut_short_is_not_taken_from_the_cache(store, first):
    shard = first.shards[0]
    body = store.get(shard.key, limit=1 << 24).body
    store.delete(shard.key)
    assert build(store) == first
    assert store.get(shard.key, limit=1 << 24).body == body


def test_a_new_listing_dates_anew_only_the_rows_of_what_changed(store, first, tmp_path_factory):
    """Whoever builds from the stored listing, with no cache at all, gives the same candidate."""
    former = make_listing(carry_times(listing_of(store).objects, None, SNAPSHOT_AT))
    changed = some_objects() | {f"{PRIORITY}3.jsonl": some_source_rows(6, seed="other")}
    fill(store, changed)
    now = make_listing(carry_times(listing_of(store).objects, former, LATER))
    later = build(store, listing=now, snapshot_at=LATER)
    dates = {
        (row["metadata"]["source_key"], row["metadata"]["provenance"]["processed_at"])
        for row in rows_of(store, later.shards)
    }
    assert dates == {
        (key, LATER if key == f"{PRIORITY}3.jsonl" else SNAPSHOT_AT) for key in changed
    }
    cot = [[s.sha256 for s in c.shards if s.family == "cot_reasoning"] for c in (first, later)]
    assert cot[0] == cot[1]
    fresh = uncached(tmp_path_factory, changed, listing=now, snapshot_at=LATER)
    assert fresh.digest == later.digest


def test_another_time_writes_other_shards_where_no_listing_says_since_when(store, first):
    later = build(store, snapshot_at=LATER)
    assert {s.sha256 for s in later.shards}.isdisjoint(s.sha256 for s in first.shards)


def test_rows_that_are_gone_are_made_again_though_the_index_names_them(store, first):
    gone = [item.key for item in store.list(PREFIX) if item.key.endswith(".parquet")]
    for key in gone[:3]:
        store.delete(key)
    assert build(store) == first
    assert len(set(asked(store, "get", "/by-version/"))) == 3


def test_packed_digests_give_back_what_they_took_empty_ones_too():
    taken = [b"", b"ab", b"", b"cd"]
    packed = PackedDigests(6, 2)
    packed.fill(1, pa.chunked_array([pa.array(taken), pa.array([None], pa.binary())]))
    assert list(packed) == [packed[n] for n in range(len(packed))] == [b"", *taken, b""]
    packed.fill_hex(2, pa.chunked_array([["x:6162", "x:6364"]]), 2)
    assert list(packed)[2:4] == [b"ab", b"cd"]
    for wrong in (
        lambda: packed.fill(0, pa.chunked_array([[b"abc"]])),
        lambda: packed.fill_hex(0, pa.chunked_array([["abc"]])),
        lambda: packed.fill_hex(0, pa.chunked_array([["zzzz"]])),
    ):
        with pytest.raises(ValueError):
            wrong()
    with pytest.raises(IndexError):
        packed[6]


def test_a_changed_object_touches_only_the_shards_it_is_in(tmp_path_factory):
    """Cells of several shards are cut by source, so the others stand as they were."""
    policy = a_policy(intake={"shard_bytes": 40_000})
    store = Counting(tmp_path_factory.mktemp("cut"))
    objects = {f"{PRIORITY}{n:03}.jsonl": some_source_rows(8, seed=f"c{n}") for n in range(40)}
    fill(store, objects)
    first = build(store, policy)
    sources = [{r["metadata"]["source_key"] for r in rows_of(store, [s])} for s in first.shards]
    assert len([s for s in first.shards if s.split == "train"]) > 8
    assert all(shard.size <= 40_000 for shard in first.shards)
    changed = f"{PRIORITY}007.jsonl"
    fill(store, {changed: some_source_rows(8, seed="another")})
    store.asked.clear()
    second = build(store, policy)
    stand = {shard.sha256 for shard in second.shards}
    touched = [
        keys for shard, keys in zip(first.shards, sources, strict=True) if shard.sha256 not in stand
    ]
    assert any(changed in keys for keys in touched)
    assert len(first.shards) > 3 * len(touched)
    assert len(asked(store, "put", "/shards/")) <= len(touched) + 2
    objects[changed] = some_source_rows(8, seed="another")
    assert second.digest == uncached(tmp_path_factory, objects, policy=policy).digest


def test_a_column_of_words_gives_back_what_it_took():
    words = words_of(["en", "zh", "en"])
    assert (words.to_list(), words[1], len(words)) == (["en", "zh", "en"], "zh", 3)
    assert words.is_word("en").tolist() == [True, False, True]
    assert not words.is_word("fr").any()
    assert words_of([]).to_list() == []
