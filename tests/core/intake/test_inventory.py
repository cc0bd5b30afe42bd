"""A listing misses nothing, leaves our own objects out, and is named by what does not age."""

from __future__ import annotations

import dataclasses
import gzip
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from core.intake.inventory import (
    Listing,
    carry_times,
    date_listing,
    listing_key,
    load_listing,
    make_listing,
    store_listing,
    write_listing_snapshot,
)
from core.model.dataset import SourceObject
from core.model.errors import Cancelled, IntakeError, Missing, Transient
from core.storage.duck import open_snapshot
from core.storage.ports import ObjectStore
from tests.clock import FixedClock
from tests.listed import take_listing
from tests.simulator import Simulator

NOW, LATER = "2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"
NASTY = ("a/../b", "a b /c", "｜：？⧸/x", "a\nb", "q?x#y&z", "x.jsonl.jsonl", "'; DROP TABLE--")


def taken(store: ObjectStore) -> Listing:
    return take_listing(store, exclude_prefix="exports/")


def an_object(key: str = "a", **changes: object) -> SourceObject:
    whole = SourceObject(
        key=key, size=3, etag="e", modified=datetime.fromisoformat("2026-01-02"), version_id=None
    )
    return dataclasses.replace(whole, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("count", [0, 1, 1001, 2500])
def test_d18_no_key_is_missed_over_pages(simulator: Simulator, count: int) -> None:
    keys = [f"source/{number:05}" for number in range(count)]
    for key in keys:
        simulator.put(key, b"x")

    listing = taken(simulator)

    assert [item.key for item in listing.objects] == keys
    assert listing.bytes == count


def test_a_listing_is_the_same_from_every_store(store: ObjectStore) -> None:
    store.put_if_absent("gdrive/a.jsonl", b"one")
    store.put_if_absent("voice/b c.txt", b"three")
    store.put_if_absent("exports/journal/000000000000.json", b"{}")

    listing = taken(store)

    assert [(item.key, item.size) for item in listing.objects] == [
        ("gdrive/a.jsonl", 3),
        ("voice/b c.txt", 5),
    ]
    assert listing.bytes == 8
    assert taken(store).digest == listing.digest


def test_our_own_objects_are_left_out_but_not_what_merely_sounds_alike(
    simulator: Simulator,
) -> None:
    for key in ("exports/x", "exports2/x", "my/exports/x"):
        simulator.put(key, b"x")

    assert [item.key for item in taken(simulator).objects] == ["exports2/x", "my/exports/x"]


@pytest.mark.parametrize(
    "changes",
    [{"key": "b"}, {"size": 4}, {"etag": "f"}, {"version_id": "v"}],
    ids=lambda changes: next(iter(changes)),
)
def test_the_digest_changes_with_what_was_listed(changes: dict[str, object]) -> None:
    first = make_listing([an_object()])

    assert make_listing([an_object(**changes)]).digest != first.digest


def test_the_digest_does_not_change_with_dates_or_order() -> None:
    later = datetime.fromisoformat("2026-05-05")
    one = make_listing([an_object("a"), an_object("b")])
    other = make_listing([an_object("b", modified=later), an_object("a", modified=later)])

    assert other.digest == one.digest
    assert [item.key for item in other.objects] == ["a", "b"]


def test_a_key_listed_twice_is_an_error() -> None:
    with pytest.raises(IntakeError) as caught:
        make_listing([an_object("a"), an_object("a", etag="f")])

    assert caught.value.code == "intake.listed_twice"


def test_listing_can_be_told_to_stop(simulator: Simulator) -> None:
    for number in range(1200):
        simulator.put(f"k{number:05}", b"")

    def stop(done: int, total: int, message: str) -> None:
        raise Cancelled("job.cancelled", "Cancelled.")

    with pytest.raises(Cancelled):
        take_listing(simulator, exclude_prefix="exports/", progress=stop)


def test_a_failing_page_is_never_a_shorter_listing(simulator: Simulator) -> None:
    for number in range(1500):
        simulator.put(f"k{number:05}", b"")
    simulator.fail(op="list", how="error_500", nth=1)

    with pytest.raises(Transient):
        taken(simulator)


def test_a_stored_listing_comes_back_whole(simulator: Simulator) -> None:
    for key in NASTY:
        simulator.put(key, key.encode())
    listing = date_listing(taken(simulator), NOW)

    assert store_listing(simulator, "exports/", listing) == listing

    assert listing_key("exports/", listing.digest) in simulator.keys("")
    assert load_listing(simulator, "exports/", listing.digest) == listing


def test_the_first_listing_stored_under_a_digest_stands(
    simulator: Simulator, clock: FixedClock
) -> None:
    first = make_listing([an_object()])
    later = make_listing([an_object(modified=datetime.fromisoformat("2026-03-03"))])
    store_listing(simulator, "exports/", first)

    assert store_listing(simulator, "exports/", later) == first
    assert load_listing(simulator, "exports/", first.digest) == first


def test_another_listing_under_the_name_is_refused(simulator: Simulator) -> None:
    listing, other = make_listing([an_object("a")]), make_listing([an_object("b")])
    store_listing(simulator, "exports/", other)
    stored = simulator.body(listing_key("exports/", other.digest))
    simulator.put(listing_key("exports/", listing.digest), stored)

    for act in (
        lambda: load_listing(simulator, "exports/", listing.digest),
        lambda: store_listing(simulator, "exports/", listing),
    ):
        with pytest.raises(IntakeError) as caught:
            act()
        assert caught.value.code == "intake.listing_damaged"


@pytest.mark.parametrize("damage", [b"", b"not gzip", b"\x1f\x8b\x08\x00cut"])
def test_a_damaged_listing_is_refused(simulator: Simulator, damage: bytes) -> None:
    digest = make_listing([an_object()]).digest
    simulator.put(listing_key("exports/", digest), damage)

    with pytest.raises(IntakeError) as caught:
        load_listing(simulator, "exports/", digest)

    assert caught.value.code == "intake.listing_damaged"


@pytest.mark.parametrize("changes", [{"size": 4}, {"etag": "f"}, {"version_id": "v"}], ids=str)
def test_only_another_version_of_an_object_is_dated_anew(changes: dict[str, object]) -> None:
    former = make_listing(carry_times([an_object("a"), an_object("b"), an_object("c")], None, NOW))
    touched = datetime.fromisoformat("2026-05-05")
    now = [an_object("a", modified=touched), an_object("b", **changes), an_object("d")]

    found = {item.key: item.listed_at for item in carry_times(now, former, LATER)}

    assert found == {"a": NOW, "b": LATER, "d": LATER}


def test_the_times_do_not_change_the_name_of_a_listing() -> None:
    listing = make_listing([an_object("a"), an_object("b")])
    assert make_listing(carry_times(listing.objects, None, NOW)).digest == listing.digest


def test_a_time_that_is_unknown_or_ahead_is_the_listings_own() -> None:
    listing = make_listing([an_object("a"), an_object("b", listed_at=LATER)])
    dated = date_listing(listing, NOW)
    assert [item.listed_at for item in dated.objects] == [NOW, NOW]
    assert dated.digest == listing.digest
    assert [item.listed_at for item in date_listing(dated, LATER).objects] == [NOW, NOW]


def with_first_line(line: bytes, body: bytes) -> bytes:
    _, _, rest = gzip.decompress(body).partition(b"\n")
    return gzip.compress(line + rest)


def test_a_listing_of_the_first_format_is_read_and_one_of_a_later_is_not(
    simulator: Simulator,
) -> None:
    listing = make_listing([an_object("a"), an_object("b")])
    store_listing(simulator, "exports/", listing)
    key = listing_key("exports/", listing.digest)
    stored = simulator.body(key)
    rows = gzip.decompress(stored).replace(b'"listed_at":"",', b"").split(b"\n", 1)[1]
    simulator.put(key, gzip.compress(rows))
    assert load_listing(simulator, "exports/", listing.digest) == listing

    simulator.put(key, with_first_line(b'{"schema":"release-desk/listing/9"}\n', stored))
    with pytest.raises(IntakeError) as caught:
        load_listing(simulator, "exports/", listing.digest)
    assert caught.value.code == "intake.listing_schema"


def test_a_listing_never_stored_is_missing(simulator: Simulator) -> None:
    with pytest.raises(Missing):
        load_listing(simulator, "exports/", make_listing([]).digest)


def test_the_snapshot_holds_every_object_for_queries(tmp_path: Path) -> None:
    moment = datetime.fromisoformat("2026-01-02T03:04:05")
    objects = [
        an_object(key, size=number, modified=moment + timedelta(days=number))
        for number, key in enumerate(NASTY)
    ]
    path = tmp_path / "listing.duckdb"

    write_listing_snapshot(make_listing(objects), path)

    with open_snapshot(path) as connection:
        rows = connection.execute("SELECT * FROM objects ORDER BY key").fetchall()
        names = [column[0] for column in connection.description or []]
    assert names == ["key", "size", "etag", "modified", "version_id"]
    assert [row[0] for row in rows] == sorted(NASTY)
    assert {row[0]: (row[1], row[3]) for row in rows} == {
        item.key: (item.size, item.modified) for item in objects
    }


def test_an_empty_listing_still_has_its_table(tmp_path: Path) -> None:
    write_listing_snapshot(make_listing([]), tmp_path / "listing.duckdb")

    with open_snapshot(tmp_path / "listing.duckdb") as connection:
        assert connection.execute("SELECT count(*) FROM objects").fetchone() == (0,)
