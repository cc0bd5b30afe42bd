"""The journal keeps one order, loses nothing, repeats nothing, and notices every hand on it."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from core.canonical import NotCanonical, canonical_bytes, decode, sha256_hex
from core.model.errors import Exists, Forbidden, JournalBroken, KeyTaken, OutcomeUnknown
from core.model.names import Digest
from core.storage.journal import EMPTY_HEAD, Journal

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.storage.ports import ObjectStore
    from tests.clock import FixedClock
    from tests.simulator import Simulator

PREFIX = "exports/"


def open_journal(store: ObjectStore, clock: FixedClock) -> Journal:
    return Journal(store, PREFIX, clock, sleep=lambda _: None)


def key(seq: int) -> str:
    return f"exports/journal/{seq:012d}.json"


@pytest.fixture
def journal(simulator: Simulator, clock: FixedClock) -> Journal:
    return open_journal(simulator, clock)


@pytest.fixture
def filled(simulator: Simulator, clock: FixedClock) -> Journal:
    journal = open_journal(simulator, clock)
    for number in range(5):
        journal.append("ann", {"type": "thing.done", "number": number})
        clock.tick()
    return journal


def test_an_empty_journal_has_a_head_of_zeros(journal: Journal) -> None:
    assert journal.replay() == ()
    assert journal.head() == EMPTY_HEAD == "0" * 64
    journal.verify([])
    journal.verify([(0, EMPTY_HEAD)])


def test_entries_are_chained_and_come_back_as_they_were_written(
    store: ObjectStore, clock: FixedClock
) -> None:
    journal = open_journal(store, clock)
    first = journal.append("ann", {"type": "candidate.built", "candidate": "c" * 64})
    clock.tick(60)
    second = journal.append("ben", {"type": "signoff.made", "roles": ("clinician",), "n": 3})
    assert (first.seq, first.prev, first.key) == (1, EMPTY_HEAD, key(1))
    assert (second.seq, second.prev, second.at) == (2, first.digest, "2026-11-21T09:01:00Z")
    assert second.event["roles"] == ["clinician"]
    assert sha256_hex(store.get(second.key, limit=9999).body) == second.digest
    assert open_journal(store, clock).replay() == (first, second) == journal.replay()
    assert journal.head() == second.digest


def test_every_event_gets_an_id_of_its_own(journal: Journal) -> None:
    ids = {str(journal.append("ann", {"type": "x.y"}).event["id"]) for _ in range(5)}
    assert len(ids) == 5
    assert all(ids)


def test_an_event_with_a_known_id_is_not_written_again(journal: Journal) -> None:
    event = {"type": "x.y", "id": "publish-1"}
    first = journal.append("ann", event)
    journal.append("ann", {"type": "other.thing"})
    assert journal.append("ann", event) == first
    assert len(journal.replay()) == 2
    with pytest.raises(KeyTaken):
        journal.append("ann", {**event, "version": "v1"})
    with pytest.raises(KeyTaken):
        journal.append("ben", event)


@pytest.mark.parametrize("event", [{}, {"type": ""}, {"type": 3}, {"type": "a.b", "id": 4}])
def test_an_event_without_a_type_or_with_an_odd_id_is_refused(
    journal: Journal, event: dict[str, object]
) -> None:
    with pytest.raises(NotCanonical):
        journal.append("ann", event)


def test_a_float_has_no_place_in_the_journal(journal: Journal, simulator: Simulator) -> None:
    with pytest.raises(NotCanonical):
        journal.append("ann", {"type": "a.b", "share": 0.5})
    assert simulator.keys() == []


def test_append_after_lands_only_on_the_head_it_was_given(journal: Journal) -> None:
    first = journal.append_after(EMPTY_HEAD, "ann", {"type": "publish.intent"})
    second = journal.append_after(first.digest, "ann", {"type": "publish.intent"})
    with pytest.raises(Exists) as caught:
        journal.append_after(first.digest, "ann", {"type": "publish.intent"})
    assert caught.value.code == "journal.head_moved"
    assert journal.replay() == (first, second)


def test_append_after_loses_to_whoever_takes_the_slot_at_the_last_moment(
    simulator: Simulator, clock: FixedClock, filled: Journal
) -> None:
    other = open_journal(simulator, clock)
    simulator.when(op="put_if_absent", do=lambda: other.append("ben", {"type": "signoff.revoked"}))
    with pytest.raises(Exists):
        filled.append_after(filled.head(), "ann", {"type": "publish.intent"})
    assert [entry.event["type"] for entry in filled.replay()][5:] == ["signoff.revoked"]


@pytest.mark.parametrize("how", ["lost_reply", "retried_reply"])
def test_d7_a_lost_reply_on_an_intent_is_still_our_intent(
    simulator: Simulator, filled: Journal, how: str
) -> None:
    simulator.fail(op="put_if_absent", how=how, times=None)  # type: ignore[arg-type]
    head = filled.head()
    entry = filled.append_after(head, "ann", {"type": "publish.intent", "id": "i"})
    simulator.heal()
    assert filled.append_after(head, "ann", {"type": "publish.intent", "id": "i"}) == entry
    assert len(filled.replay()) == 6


def test_an_append_of_unknown_outcome_may_be_repeated(
    simulator: Simulator, filled: Journal
) -> None:
    filled.replay()
    simulator.fail(op="put_if_absent", how="lost_reply")
    simulator.fail(op="put_if_absent", how="reset", nth=2, times=None)
    simulator.fail(op="get", how="reset", times=None)
    event = {"type": "publish.committed", "id": "c"}
    with pytest.raises(OutcomeUnknown):
        filled.append("ann", event)
    simulator.heal()
    assert filled.append("ann", event).seq == 6
    assert len(filled.replay()) == 6


def test_d10_a_forbidden_append_stops_at_once(simulator: Simulator, journal: Journal) -> None:
    simulator.readonly = True
    with pytest.raises(Forbidden):
        journal.append("ann", {"type": "a.b"})
    assert simulator.count("put_if_absent") == 1


def test_d17_a_clock_that_runs_backwards_leaves_the_order_alone(
    simulator: Simulator, clock: FixedClock, journal: Journal
) -> None:
    for step in (0, -86_400, 3600):
        clock.tick(step)
        journal.append("ann", {"type": "a.b", "step": step})
    entries = open_journal(simulator, clock).replay()
    assert [entry.event["step"] for entry in entries] == [0, -86_400, 3600]
    assert entries[1].at < entries[0].at


def test_a_second_replay_reads_only_what_is_new(
    simulator: Simulator, clock: FixedClock, filled: Journal
) -> None:
    filled.replay()
    open_journal(simulator, clock).append("ben", {"type": "a.b"})
    read_before = simulator.count("get")
    listed_before = simulator.count("list")
    assert len(filled.replay()) == 6
    assert simulator.count("get") == read_before + 1
    assert simulator.count("list") == listed_before + 1


def edit(simulator: Simulator) -> None:
    entry = decode(simulator.body(key(3)))
    entry["actor"] = "eve"
    simulator.put(key(3), canonical_bytes(entry))


def reorder(simulator: Simulator) -> None:
    second, third = simulator.body(key(2)), simulator.body(key(3))
    simulator.put(key(2), third)
    simulator.put(key(3), second)


def insert(simulator: Simulator) -> None:
    bodies = [simulator.body(key(seq)) for seq in (3, 4, 5)]
    for seq, body in zip((4, 5, 6), bodies, strict=True):
        simulator.put(key(seq), body)
    entry = decode(bodies[0])
    entry["event"] = {"type": "signoff.made", "id": "forged"}
    simulator.put(key(3), canonical_bytes(entry))


def drop_middle(simulator: Simulator) -> None:
    simulator.delete(key(3))


def drop_middle_and_close_up(simulator: Simulator) -> None:
    simulator.put(key(3), simulator.body(key(4)))
    simulator.put(key(4), simulator.body(key(5)))
    simulator.delete(key(5))


def drop_tail(simulator: Simulator) -> None:
    simulator.delete(key(5))


def drop_head(simulator: Simulator) -> None:
    simulator.delete(key(1))


def reformat(simulator: Simulator) -> None:
    simulator.put(key(5), simulator.body(key(5)) + b"\n")


def add_a_field(simulator: Simulator) -> None:
    simulator.put(key(5), canonical_bytes({**decode(simulator.body(key(5))), "note": "x"}))


def damage(simulator: Simulator) -> None:
    simulator.put(key(5), b"\xff not json")


def stray(simulator: Simulator) -> None:
    simulator.put("exports/journal/000000000005.json.bak", b"{}")


TAMPERING = [
    edit,
    reorder,
    insert,
    drop_middle,
    drop_middle_and_close_up,
    drop_head,
    reformat,
    add_a_field,
    damage,
    stray,
]


@pytest.mark.parametrize("tamper", TAMPERING)
def test_d45_tampering_is_caught_by_a_fresh_reader(
    simulator: Simulator,
    clock: FixedClock,
    filled: Journal,
    tamper: Callable[[Simulator], None],
) -> None:
    head = filled.replay()[-1]
    tamper(simulator)
    fresh = open_journal(simulator, clock)
    with pytest.raises(JournalBroken):
        fresh.verify([(head.seq, head.digest)])


@pytest.mark.parametrize("tamper", [*TAMPERING, drop_tail])
def test_d45_tampering_is_caught_by_who_saw_the_journal_before(
    simulator: Simulator, filled: Journal, tamper: Callable[[Simulator], None]
) -> None:
    filled.replay()
    tamper(simulator)
    with pytest.raises(JournalBroken):
        filled.verify([])


@pytest.mark.parametrize("tamper", [edit, reorder, insert, drop_middle, drop_head, damage, stray])
def test_d45_the_chain_alone_catches_all_but_the_end(
    simulator: Simulator,
    clock: FixedClock,
    filled: Journal,
    tamper: Callable[[Simulator], None],
) -> None:
    assert len(filled.replay()) == 5
    tamper(simulator)
    with pytest.raises(JournalBroken):
        open_journal(simulator, clock).replay()


def test_d45_a_cut_tail_is_caught_by_an_anchored_head_and_only_by_it(
    simulator: Simulator, clock: FixedClock, filled: Journal
) -> None:
    head = filled.replay()[-1]
    drop_tail(simulator)
    fresh = open_journal(simulator, clock)
    assert len(fresh.replay()) == 4
    with pytest.raises(JournalBroken) as caught:
        fresh.verify([(head.seq, head.digest)])
    assert (caught.value.code, caught.value.place) == ("journal.cut", "5")


def test_d45_the_anchor_of_an_empty_journal_hides_no_other(
    simulator: Simulator, clock: FixedClock, filled: Journal
) -> None:
    """A release from before the first entry vouches for nothing; those after it still count."""
    head = filled.replay()[-1]
    drop_tail(simulator)
    with pytest.raises(JournalBroken):
        open_journal(simulator, clock).verify([(0, Digest("0" * 64)), (head.seq, head.digest)])


def test_d45_a_tail_cut_and_grown_again_is_caught_by_an_anchored_head(
    simulator: Simulator, clock: FixedClock, filled: Journal
) -> None:
    head = filled.replay()[-1]
    drop_tail(simulator)
    open_journal(simulator, clock).append("eve", {"type": "thing.done", "number": 99})
    with pytest.raises(JournalBroken) as caught:
        open_journal(simulator, clock).verify([(head.seq, head.digest)])
    assert (caught.value.code, caught.value.place) == ("journal.replaced", head.key)


def test_d45_a_cut_tail_is_noticed_by_the_next_replay_of_who_saw_it(
    simulator: Simulator, filled: Journal
) -> None:
    filled.replay()
    drop_tail(simulator)
    with pytest.raises(JournalBroken):
        filled.replay()


def test_every_true_anchor_holds(filled: Journal) -> None:
    filled.verify([(entry.seq, entry.digest) for entry in filled.replay()])
    with pytest.raises(JournalBroken):
        filled.verify([(9, filled.head())])
    with pytest.raises(JournalBroken):
        filled.verify([(2, filled.head())])


def strike_at_random(simulator: Simulator) -> None:
    chance = random.Random(46)
    for _ in range(120):
        nth = chance.randrange(1, 400)
        op = chance.choice(["put_if_absent", "put_if_absent", "get", "list"])
        how = chance.choice(["lost_reply", "slow_down", "retried_reply", "error_500", "reset"])
        simulator.fail(op=op, nth=nth, how=how)  # type: ignore[arg-type]


@pytest.mark.parametrize("shared", [False, True])
def test_d46_two_hundred_concurrent_appends_under_faults_land_once_each(
    simulator: Simulator, clock: FixedClock, shared: bool
) -> None:
    strike_at_random(simulator)
    common = open_journal(simulator, clock)
    start = threading.Barrier(4)

    def write(writer: int) -> None:
        journal = common if shared else open_journal(simulator, clock)
        start.wait()
        for number in range(50):
            journal.append(f"writer-{writer}", {"type": "a.b", "number": number})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert simulator.fired > 30
    simulator.heal()
    entries = open_journal(simulator, clock).replay()
    assert [entry.seq for entry in entries] == list(range(1, 201))
    landed = [(entry.actor, entry.event["number"]) for entry in entries]
    expected = {(f"writer-{w}", n) for w in range(4) for n in range(50)}
    assert len(landed) == 200
    assert set(landed) == expected


@pytest.mark.seaweed
def test_d46_two_writers_share_one_journal_on_a_real_server(
    seaweed_store: ObjectStore, clock: FixedClock
) -> None:
    def write(writer: int) -> None:
        journal = Journal(seaweed_store, PREFIX, clock)
        for number in range(10):
            journal.append(f"writer-{writer}", {"type": "a.b", "number": number})

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, range(2)))
    assert len(open_journal(seaweed_store, clock).replay()) == 20
