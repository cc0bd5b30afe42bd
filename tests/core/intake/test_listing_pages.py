"""A listing that was killed goes on where it stopped, and starts anew where it may not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.intake.inventory import make_listing
from core.intake.listing_pages import OLDEST_SECONDS, ListingPages
from core.model.dataset import SourceObject
from core.model.errors import Cancelled
from core.storage.ports import ObjectStore
from tests.simulator import Simulator

KEYS = (
    *(f"a/{number:03}.jsonl" for number in range(20)),
    "a b/trailing /c .jsonl",
    "a-b/x",
    "a.b",
    "exports/journal/1.json",
    "q?x#y&z'\".jsonl",
    "心理/：｜⧸ (1).csv",
)
OURS = tuple(key for key in KEYS if not key.startswith("exports/"))


class Counted:
    """A bucket that counts what a listing asked of it."""

    def __init__(self, store: ObjectStore) -> None:
        self.store = store
        self.given = 0

    def list(self, prefix: str, *, start_after: str = "") -> Iterator[SourceObject]:
        for item in self.store.list(prefix, start_after=start_after):
            self.given += 1
            yield item


def filled(store: ObjectStore) -> ObjectStore:
    for key in KEYS:
        store.put_if_absent(key, key.encode())
    return store


def pages(folder: Path, *, now: float = 0.0) -> ListingPages:
    return ListingPages(folder, exclude="exports/", now=now, page=4)


def kill_after(store: ObjectStore, folder: Path, count: int) -> None:
    def stop(done: int, total: int, message: str) -> None:
        if done >= count:
            raise Cancelled("job.cancelled", "stopped")

    with pytest.raises(Cancelled):
        pages(folder).list_all(store, stop)


def test_a_killed_listing_goes_on_after_its_last_page(store: ObjectStore, tmp_path: Path) -> None:
    whole, _ = pages(tmp_path / "whole").list_all(filled(store))
    kill_after(store, tmp_path / "cut", 12)
    counted = Counted(store)

    found, resumed = pages(tmp_path / "cut", now=60.0).list_all(counted)  # type: ignore[arg-type]

    assert resumed
    assert sorted(item.key for item in found) == sorted(OURS)
    assert make_listing(found).digest == make_listing(whole).digest
    # Twelve were kept; four of them were asked for again, and the rest came once.
    assert counted.given <= len(KEYS) - 12 + 4 + 4


def test_a_bucket_that_changed_under_the_last_page_is_listed_anew(
    simulator: Simulator, tmp_path: Path
) -> None:
    filled(simulator)
    kill_after(simulator, tmp_path, 12)
    simulator.put("a/008.jsonl", b"other bytes")

    found, resumed = pages(tmp_path).list_all(simulator)

    assert not resumed
    assert {item.key: item.size for item in found}["a/008.jsonl"] == 11


@pytest.mark.parametrize("age", [OLDEST_SECONDS + 1.0, -5.0])
def test_old_pages_are_not_gone_on_from(simulator: Simulator, tmp_path: Path, age: float) -> None:
    filled(simulator)
    kill_after(simulator, tmp_path, 12)
    found, resumed = pages(tmp_path, now=age).list_all(simulator)
    assert not resumed
    assert [item.key for item in found] == sorted(OURS)


@pytest.mark.parametrize("name", ["00000000.page.gz", "00000001.page.gz"])
def test_a_damaged_or_lost_page_is_not_trusted(
    simulator: Simulator, tmp_path: Path, name: str
) -> None:
    filled(simulator)
    for damage in (bytes.fromhex("1f8b00"), None):
        folder = tmp_path / str(damage)
        kill_after(simulator, folder, 12)
        path = folder / name
        if damage is None:
            path.unlink()
        else:
            path.write_bytes(damage + path.read_bytes()[3:-4])
        found, resumed = pages(folder).list_all(simulator)
        assert not resumed
        assert [item.key for item in found] == sorted(OURS)


def test_forgotten_pages_are_gone(simulator: Simulator, tmp_path: Path) -> None:
    filled(simulator)
    held = pages(tmp_path)
    held.list_all(simulator)
    assert list(tmp_path.iterdir())
    held.forget()
    assert list(tmp_path.iterdir()) == []
