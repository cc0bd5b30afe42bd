"""The simulator, moto and SeaweedFS answer the same questions alike, or the difference is here."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends

from core.model.errors import Changed, Exists, Missing, StorageError, TooLarge

if TYPE_CHECKING:
    from core.storage.ports import ObjectStore
    from core.storage.s3 import S3Store
    from tests.simulator import Simulator

ODD_KEYS = [
    "plain.jsonl",
    "with space.jsonl",
    "two  spaces .jsonl",
    "trailing space ",
    "ünïcödé/ключ/鍵.jsonl",
    "hash#fragment.jsonl",
    "query?x=1&y=2.jsonl",
    "plus+percent%20percent%zz.jsonl",
    "quote'and\"double.jsonl",
    "semi;colon,comma=equals@at.jsonl",
    "angle<b>bold</b>.jsonl",
    "dots..in.name/...three",
    "emoji-🙂.jsonl",
    "brackets[1]{2}(3).jsonl",
    "tilde~bar|caret^.jsonl",
]


def test_what_is_put_is_what_is_got(store: ObjectStore) -> None:
    store.put_if_absent("a/b", b"first bytes")
    held = store.get("a/b", limit=100)
    assert held.body == b"first bytes"
    assert held.etag
    assert '"' not in held.etag
    assert b"".join(store.stream("a/b")) == b"first bytes"


def test_an_empty_object_is_an_object(store: ObjectStore) -> None:
    store.put_if_absent("empty", b"")
    assert store.get("empty", limit=0).body == b""
    assert list(store.stream("empty")) == []
    assert store.head_bytes("empty", 10) == b""


def test_a_listing_says_key_size_etag_and_naive_utc(store: ObjectStore) -> None:
    store.put_if_absent("p/one", b"12345")
    [found] = list(store.list("p/"))
    assert (found.key, found.size) == ("p/one", 5)
    assert found.etag == store.get("p/one", limit=9).etag
    assert found.modified.tzinfo is None
    server = store.server_time().replace(tzinfo=None)
    assert abs(found.modified - server) < timedelta(minutes=5)


def test_a_listing_keeps_to_its_prefix_in_key_order_after_a_start(store: ObjectStore) -> None:
    for key in ("p/c", "p/a", "q/a", "p/b", "p0"):
        store.put_if_absent(key, b"x")
    assert [found.key for found in store.list("p/")] == ["p/a", "p/b", "p/c"]
    assert [found.key for found in store.list("p/", start_after="p/a")] == ["p/b", "p/c"]
    assert list(store.list("nothing/")) == []


@pytest.mark.parametrize("key", ODD_KEYS)
def test_d30_an_odd_key_survives_put_list_get_copy_and_delete(store: ObjectStore, key: str) -> None:
    source = f"odd/{key}"
    store.put_if_absent(source, b"odd bytes")
    assert [found.key for found in store.list("odd/")] == [source]
    assert [found.key for found in store.list(source)] == [source]
    assert store.get(source, limit=99).body == b"odd bytes"
    with pytest.raises(Exists):
        store.put_if_absent(source, b"other")
    store.copy(source, f"copied/{key}")
    assert store.get(f"copied/{key}", limit=99).body == b"odd bytes"
    assert store.was_ever(source)
    store.delete(source)
    assert list(store.list("odd/")) == []


def test_d30_a_backslash_survives_the_simulator_and_moto(
    simulator: Simulator, moto_store: S3Store
) -> None:
    for store in (simulator, moto_store):
        store.put_if_absent("odd/back\\slash", b"x")
        assert [found.key for found in store.list("odd/")] == ["odd/back\\slash"]


@pytest.mark.seaweed
def test_d30_seaweed_turns_a_backslash_into_a_slash(seaweed_store: S3Store) -> None:
    # Its own habit, recorded so that nobody builds a key on it.
    seaweed_store.put_if_absent("odd/back\\slash", b"x")
    assert [found.key for found in seaweed_store.list("odd/")] == ["odd/back/slash"]


def test_a_second_put_if_absent_is_refused_and_changes_nothing(store: ObjectStore) -> None:
    store.put_if_absent("once", b"first")
    with pytest.raises(Exists) as caught:
        store.put_if_absent("once", b"second")
    assert (caught.value.code, caught.value.place) == ("storage.exists", "once")
    assert store.get("once", limit=99).body == b"first"


def test_of_eight_writers_at_once_exactly_one_wins(store: ObjectStore) -> None:
    start = threading.Barrier(8)

    def write(number: int) -> str:
        start.wait()
        try:
            store.put_if_absent("race", b"writer %d" % number)
        except Exists:
            return "lost"
        return "won"

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(write, range(8)))
    assert results.count("won") == 1
    assert store.get("race", limit=99).body == b"writer %d" % results.index("won")


def test_put_if_match_replaces_only_what_was_seen(store: ObjectStore) -> None:
    store.put_if_absent("pointer", b"one")
    seen = store.get("pointer", limit=99).etag
    store.put_if_match("pointer", b"two", seen)
    with pytest.raises(Changed):
        store.put_if_match("pointer", b"three", seen)
    assert store.get("pointer", limit=99).body == b"two"
    with pytest.raises((Missing, Changed)):
        store.put_if_match("nowhere", b"x", seen)


def test_d19_a_read_pinned_to_an_etag_refuses_another_version(store: ObjectStore) -> None:
    store.put_if_absent("source", b"listed")
    [listed] = list(store.list("source"))
    assert b"".join(store.stream("source", if_match=listed.etag)) == b"listed"
    store.put_if_match("source", b"overwritten", listed.etag)
    with pytest.raises(Changed):
        list(store.stream("source", if_match=listed.etag))
    with pytest.raises(Changed):
        store.get("source", limit=99, if_match=listed.etag)


def test_an_absent_key_is_missing_for_every_reader(store: ObjectStore) -> None:
    with pytest.raises(Missing):
        store.get("absent", limit=9)
    with pytest.raises(Missing):
        list(store.stream("absent"))
    with pytest.raises(Missing):
        store.head_bytes("absent", 9)
    with pytest.raises(Missing):
        store.copy("absent", "target")
    assert not store.was_ever("absent")


def test_a_reader_with_a_limit_stops_before_a_large_object(store: ObjectStore) -> None:
    store.put_if_absent("large", b"x" * 101)
    with pytest.raises(TooLarge):
        store.get("large", limit=100)
    assert len(store.get("large", limit=101).body) == 101


def test_head_bytes_gives_the_beginning_or_all_there_is(store: ObjectStore) -> None:
    store.put_if_absent("head", b"0123456789")
    assert store.head_bytes("head", 4) == b"0123"
    assert store.head_bytes("head", 400) == b"0123456789"
    assert store.head_bytes("head", 0) == b""


def test_a_stream_comes_in_blocks_of_at_most_a_mebibyte(store: ObjectStore) -> None:
    body = bytes(range(256)) * 10_000
    store.put_if_absent("blocks", body)
    blocks = list(store.stream("blocks"))
    assert b"".join(blocks) == body
    assert max(len(block) for block in blocks) <= 1 << 20
    assert len(blocks) == 3


def test_a_copy_holds_the_same_bytes_and_replaces(store: ObjectStore) -> None:
    store.put_if_absent("from", b"original")
    store.put_if_absent("to", b"corrupt")
    store.copy("from", "to")
    assert store.get("to", limit=99).body == b"original"


def test_deleting_twice_is_no_error(store: ObjectStore) -> None:
    store.put_if_absent("gone", b"x")
    store.delete("gone")
    store.delete("gone")
    with pytest.raises(Missing):
        store.get("gone", limit=9)


def test_the_server_says_what_time_it_is(store: ObjectStore, simulator: Simulator) -> None:
    expected = simulator.clock.now() if store is simulator else datetime.now(UTC)
    assert abs(store.server_time() - expected) < timedelta(minutes=5)
    assert store.server_time().tzinfo is UTC


def test_was_ever_tells_a_key_from_one_that_merely_begins_like_it(store: ObjectStore) -> None:
    store.put_if_absent("releases/v1.2", b"x")
    assert not store.was_ever("releases/v1")
    assert store.was_ever("releases/v1.2")


def test_a_version_deleted_from_moto_stays_known_where_versioned(moto_store: S3Store) -> None:
    moto_store.enable_versions()
    _keeps_deleted_versions(moto_store)


@pytest.mark.seaweed
def test_a_version_deleted_from_seaweed_stays_known_where_versioned(seaweed_store: S3Store) -> None:
    seaweed_store.enable_versions()
    _keeps_deleted_versions(seaweed_store)


def test_a_version_deleted_from_the_simulator_stays_known(simulator: Simulator) -> None:
    _keeps_deleted_versions(simulator)
    simulator.versioned = False
    simulator.put_if_absent("plain", b"x")
    simulator.delete("plain")
    assert not simulator.was_ever("plain")


def _keeps_deleted_versions(store: ObjectStore) -> None:
    store.put_if_absent("manifest", b"first")
    first = store.get("manifest", limit=99)
    assert first.version_id
    store.delete("manifest")
    with pytest.raises(Missing):
        store.get("manifest", limit=99)
    assert store.was_ever("manifest")
    # Absent is not "never existed": the condition holds again over a delete marker.
    store.put_if_absent("manifest", b"second")
    assert store.get("manifest", limit=99).body == b"second"
    assert b"".join(store.stream("manifest", version_id=first.version_id)) == b"first"


def test_a_wrong_checksum_is_refused_by_the_simulator(simulator: Simulator) -> None:
    _refuses_wrong_checksum(simulator)


@pytest.mark.seaweed
def test_a_wrong_checksum_is_refused_by_seaweed(seaweed_store: S3Store) -> None:
    _refuses_wrong_checksum(seaweed_store)


def _refuses_wrong_checksum(store: Simulator | S3Store) -> None:
    with pytest.raises(StorageError) as caught:
        store.put_with_wrong_checksum("wrong")
    assert caught.value.code == "storage.bad_digest"
    with pytest.raises(Missing):
        store.get("wrong", limit=99)


def test_a_wrong_checksum_is_not_refused_by_moto(moto_store: S3Store) -> None:
    moto_store.put_with_wrong_checksum("wrong")
    assert moto_store.get("wrong", limit=99).body == b"these bytes"


@pytest.mark.parametrize("count", [1000, 1001, 2500])
def test_d18_no_key_is_lost_between_pages_of_the_simulator(
    simulator: Simulator, count: int
) -> None:
    _lists_all(simulator, count)


@pytest.mark.parametrize("count", [1001, 2500])
def test_d18_no_key_is_lost_between_pages_of_moto(moto_store: S3Store, count: int) -> None:
    # Seeded behind the server's back: 2,500 puts over HTTP take a quarter of a minute.
    backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
    keys = _many_keys(count)
    for key in keys:
        backend.put_object(moto_store.bucket, key, b"x")
    assert [item.key for item in moto_store.list("many/")] == sorted(keys)


@pytest.mark.seaweed
def test_d18_no_key_is_lost_between_pages_of_seaweed(seaweed_store: S3Store) -> None:
    _lists_all(seaweed_store, 1001)


def _lists_all(store: ObjectStore, count: int) -> None:
    keys = _many_keys(count)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: store.put_if_absent(key, b"x"), keys))
    assert [item.key for item in store.list("many/")] == sorted(keys)


def _many_keys(count: int) -> list[str]:
    return [f"many/{number % 7} ü/{number:05d}.jsonl" for number in range(count)]


def test_a_bucket_without_object_lock_says_so_and_retains_nothing(
    simulator: Simulator, moto_store: S3Store
) -> None:
    simulator.object_lock = False
    for store in (simulator, moto_store):
        store.put_if_absent("kept", b"bytes")
        assert store.can_lock() is False
        with pytest.raises(StorageError):
            store.retain("kept", datetime.now(UTC) + timedelta(days=2))


@pytest.mark.seaweed
def test_seaweed_without_object_lock_says_so(seaweed_store: S3Store) -> None:
    assert seaweed_store.can_lock() is False


def test_a_retained_version_cannot_be_removed_and_is_not_shortened(
    simulator: Simulator, locking_store: S3Store
) -> None:
    today = datetime.now(UTC).replace(microsecond=0)
    later, latest = today + timedelta(days=2), today + timedelta(days=3)
    for store in (simulator, locking_store):
        store.put_if_absent("kept", b"bytes")
        store.put_if_absent("free", b"bytes")
        assert store.can_lock() is True
        store.retain("kept", later)
        store.retain("kept", later)
        store.retain("kept", latest)
        # An earlier date than the one that stands asks for nothing.
        store.retain("kept", later)
        assert store.get("kept", limit=99).body == b"bytes"
        with pytest.raises(Missing):
            store.retain("nowhere", later)
    assert simulator.retained("kept") == latest
    assert simulator.retained("free") is None
    client = locking_store._client
    [kept] = client.list_object_versions(Bucket=locking_store.bucket, Prefix="kept")["Versions"]
    found = client.head_object(Bucket=locking_store.bucket, Key="kept", VersionId=kept["VersionId"])
    assert (found["ObjectLockMode"], found["ObjectLockRetainUntilDate"]) == ("GOVERNANCE", latest)
    with pytest.raises(client.exceptions.ClientError):
        client.delete_object(Bucket=locking_store.bucket, Key="kept", VersionId=kept["VersionId"])


def test_a_server_that_takes_a_retention_and_forgets_it_is_found_out(
    locking_store: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    locking_store.put_if_absent("kept", b"bytes")
    monkeypatch.setattr(locking_store._client, "put_object_retention", lambda **asked: {})
    with pytest.raises(StorageError) as caught:
        locking_store.retain("kept", datetime.now(UTC) + timedelta(days=2))
    assert caught.value.code == "storage.not_retained"
