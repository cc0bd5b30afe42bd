"""What has been decided is what the journal says, folded in order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from core.storage.journal import Journal
from core.workbench import history
from tests.clock import FixedClock
from tests.simulator import Simulator


def a_journal(simulator: Simulator, clock: FixedClock) -> Journal:
    return Journal(simulator, "exports/", clock)


def test_an_equal_listing_keeps_the_time_it_was_first_seen(
    simulator: Simulator, clock: FixedClock
) -> None:
    journal = a_journal(simulator, clock)
    first = journal.append("p", listing("a"))
    clock.tick(100)
    journal.append("p", listing("b"))
    clock.tick(100)
    journal.append("p", listing("a"))
    snapshot = history.latest_snapshot(journal.replay())
    assert snapshot is not None
    assert (snapshot.listing, snapshot.at) == ("a", first.at)


def listing(name: str) -> dict[str, object]:
    return {"type": "inventory.taken", "listing": name, "objects": 1, "bytes": 2}


def decided(action: str, record: str, reason: str = "why") -> dict[str, object]:
    return {
        "type": "finding.decided",
        "version": "v2026-11-21",
        "candidate": "c",
        "gate": "privacy",
        "code": "privacy.person",
        "action": action,
        "reason": reason,
        "places": [{"record_id": record}],
    }


def test_the_last_decision_about_a_place_stands_and_order_does_not_matter(
    simulator: Simulator, clock: FixedClock
) -> None:
    journal = a_journal(simulator, clock)
    journal.append("p", decided("exclude", "r2"))
    journal.append("p", decided("exclude", "r1"))
    journal.append("q", decided("false_positive", "r2", "a plant"))
    found = history.decisions(journal.replay(), "v2026-11-21")
    assert [(item["record_id"], item["action"], item["by"]) for item in found] == [
        ("r1", "exclude", "p"),
        ("r2", "false_positive", "q"),
    ]
    assert history.decisions(journal.replay(), "v2026-11-22") == ()


def test_the_first_seed_of_a_version_is_the_only_one(
    simulator: Simulator, clock: FixedClock
) -> None:
    journal = a_journal(simulator, clock)
    for seed in ("one", "two"):
        journal.append("p", {"type": "seed.fixed", "version": "v2026-11-21", "seed": seed})
    assert history.seed_of(journal.replay(), "v2026-11-21") == "one"


def test_versions_are_ordered_by_date_and_number(simulator: Simulator, clock: FixedClock) -> None:
    journal = a_journal(simulator, clock)
    for name in ("v2026-11-21.2", "v2026-11-21.10", "v2026-11-20", "v2026-11-21"):
        journal.append("p", {"type": "version.drafted", "version": name})
    assert history.versions(journal.replay()) == (
        "v2026-11-21.10",
        "v2026-11-21.2",
        "v2026-11-21",
        "v2026-11-20",
    )


def test_one_picture_reads_the_journal_once_until_its_own_thread_writes(
    simulator: Simulator, clock: FixedClock
) -> None:
    journal, other = a_journal(simulator, clock), a_journal(simulator, clock)
    journal.append("p", {"type": "a"})
    with journal.moment():
        before = journal.glance()
        other.append("q", {"type": "b"})
        assert journal.glance() == before
        # Whoever asks to know reads it afresh, and so does every other thread.
        assert len(journal.replay()) == 2
        with ThreadPoolExecutor(1) as pool:
            assert len(pool.submit(journal.glance).result()) == 2
        journal.append("p", {"type": "c"})
        assert [entry.event["type"] for entry in journal.glance()] == ["a", "b", "c"]
        other.append("q", {"type": "d"})
    assert len(journal.glance()) == 4
