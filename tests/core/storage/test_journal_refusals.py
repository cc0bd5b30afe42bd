"""Whatever the journal or a write-once put refuses says which rule, in words, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.canonical import NotCanonical, canonical_bytes, decode, sha256_hex
from core.model.errors import (
    DeskError,
    Exists,
    JournalBroken,
    KeyTaken,
    OutcomeUnknown,
    StorageError,
    TooLarge,
    Transient,
)
from core.storage import journal as journal_module
from core.storage.journal import EMPTY_HEAD, ENTRY_LIMIT, Journal
from core.storage.put_once import put_once

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.clock import FixedClock
    from tests.simulator import Simulator

FOLDER = "exports/journal/"
STOPS = " Publishing stops until this is explained."


def key(seq: int) -> str:
    return f"{FOLDER}{seq:012d}.json"


def open_journal(simulator: Simulator, clock: FixedClock, waits: list[float] | None = None):
    sleep = (lambda _: None) if waits is None else waits.append
    return Journal(simulator, "exports/", clock, sleep=sleep, jitter=lambda: 0.5)


@pytest.fixture
def filled(simulator: Simulator, clock: FixedClock) -> Journal:
    journal = open_journal(simulator, clock)
    for number in range(3):
        journal.append("ann", {"type": "thing.done", "id": f"n{number}"})
    return journal


def said(kind: type[DeskError], act: Callable[[], object]) -> tuple[str, str, str]:
    with pytest.raises(kind) as caught:
        act()
    return caught.value.code, caught.value.sentence, caught.value.place


def a_body(**changes: object) -> bytes:
    entry = {"seq": 1, "prev": EMPTY_HEAD, "at": "t", "actor": "ann",
             "event": {"type": "a.b", "id": "i"}}  # fmt: skip
    return canonical_bytes({**entry, **changes})


ODD = [
    *(a_body(**{name: odd}) for name in ("prev", "at", "actor") for odd in (None, 3, ["x"], {})),
    *(a_body(seq=odd) for odd in ("1", None, True, [1])),
    *(a_body(event=odd) for odd in (None, "x", ["type", "id"])),
    *(a_body(event=odd) for odd in ({}, {"type": "a"}, {"id": "i"}, {"type": 1, "id": "i"},
                                    {"type": "a", "id": 1}, {"type": None, "id": None})),
    canonical_bytes(["seq", "prev", "at", "actor", "event"]),
    canonical_bytes([1, 2, 3, 4, 5]),
    canonical_bytes("seq"),
    canonical_bytes(None),
    canonical_bytes({}),
    a_body(note="more"),
    *(canonical_bytes({k: v for k, v in decode(a_body()).items() if k != name})
      for name in ("seq", "prev", "at", "actor", "event")),
    a_body() + b"\n",
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(ODD)))
def test_d45_what_does_not_have_the_shape_of_an_entry_is_none(
    simulator: Simulator, clock: FixedClock, number: int
) -> None:
    simulator.put(key(1), ODD[number])
    fresh = open_journal(simulator, clock)
    assert said(JournalBroken, fresh.replay) == (
        "journal.shape", "An entry does not have the shape of one." + STOPS, key(1),
    )  # fmt: skip


def test_a_body_of_that_shape_is_an_entry(simulator: Simulator, clock: FixedClock) -> None:
    simulator.put(key(1), a_body())
    (entry,) = open_journal(simulator, clock).replay()
    assert (entry.seq, entry.prev, entry.at, entry.actor) == (1, EMPTY_HEAD, "t", "ann")
    assert (entry.digest, entry.key) == (sha256_hex(a_body()), key(1))


@pytest.mark.parametrize("body", [b"", b"\xff", b"{", b'{"a":1,"a":1}', b'{"seq":NaN}'])
def test_what_is_no_canonical_json_is_no_entry(
    simulator: Simulator, clock: FixedClock, body: bytes
) -> None:
    simulator.put(key(1), body)
    assert said(JournalBroken, open_journal(simulator, clock).replay) == (
        "journal.shape", "An entry is not canonical JSON." + STOPS, key(1),
    )  # fmt: skip


def test_an_object_too_large_for_an_entry_is_none(simulator: Simulator, clock: FixedClock) -> None:
    body = a_body(event={"type": "a.b", "id": "i", "long": "x" * ENTRY_LIMIT})
    simulator.put(key(1), body)
    assert said(JournalBroken, open_journal(simulator, clock).replay) == (
        "journal.shape", "An entry is too large to be one." + STOPS, key(1),
    )  # fmt: skip


def test_an_event_too_large_for_an_entry_is_refused_and_one_that_just_fits_is_not(
    simulator: Simulator, clock: FixedClock
) -> None:
    journal = open_journal(simulator, clock)
    journal.append("ann", {"type": "a.b", "id": "i", "long": ""})
    head = len(simulator.body(key(1)))
    simulator.forget(key(1))
    journal = open_journal(simulator, clock)
    room = ENTRY_LIMIT - head
    event = {"type": "a.b", "id": "i", "long": "x" * (room + 1)}
    assert said(TooLarge, lambda: journal.append("ann", event)) == (
        "journal.too_large", "An entry has at most 1 MiB.", key(1),
    )  # fmt: skip
    assert simulator.keys() == []
    assert journal.append("ann", {**event, "long": "x" * room}).seq == 1
    assert len(open_journal(simulator, clock).replay()) == 1


def test_an_entry_that_goes_missing_between_listing_and_reading_is_a_gap(
    simulator: Simulator, clock: FixedClock, filled: Journal
) -> None:
    simulator.when(op="get", nth=2, do=lambda: simulator.forget(key(2)))
    assert said(JournalBroken, open_journal(simulator, clock).replay) == (
        "journal.gap", "An entry went missing." + STOPS, key(2),
    )  # fmt: skip


def test_each_break_of_the_chain_has_its_code_and_its_place(
    simulator: Simulator, clock: FixedClock, filled: Journal
) -> None:
    bodies = {seq: simulator.body(key(seq)) for seq in (1, 2, 3)}
    second = decode(bodies[2])

    def fresh() -> tuple[str, str, str]:
        return said(JournalBroken, open_journal(simulator, clock).replay)

    link = "An entry does not follow the one before it." + STOPS
    simulator.put(key(2), canonical_bytes({**second, "seq": 3}))
    assert fresh() == ("journal.link", link, key(2))
    simulator.put(key(2), canonical_bytes({**second, "prev": EMPTY_HEAD}))
    assert fresh() == ("journal.link", link, key(2))
    simulator.put(key(2), bodies[2])
    simulator.forget(key(1))
    assert fresh() == (
        "journal.gap", "An entry is missing or does not belong." + STOPS, key(2),
    )  # fmt: skip
    simulator.put(key(1), bodies[1])
    again = {**second, "seq": 4, "prev": sha256_hex(bodies[3])}
    simulator.put(key(4), canonical_bytes(again))
    assert fresh() == (
        "journal.repeated", "An event stands in the journal twice." + STOPS, key(4),
    )  # fmt: skip


def test_who_saw_the_journal_before_is_told_what_became_of_it(
    simulator: Simulator, filled: Journal
) -> None:
    filled.replay()
    third = simulator.body(key(3))
    simulator.put(key(3), third.replace(b"ann", b"eve"))
    assert said(JournalBroken, filled.replay) == (
        "journal.edited", "An entry is not what was read before." + STOPS, key(3),
    )  # fmt: skip
    simulator.forget(key(3))
    assert said(JournalBroken, filled.replay) == (
        "journal.cut", "Entries that were read before are gone." + STOPS, FOLDER,
    )  # fmt: skip


def test_an_anchor_that_does_not_hold_is_told_by_its_number_or_its_key(filled: Journal) -> None:
    head = filled.head()
    for seq in (4, 0, -1):
        assert said(JournalBroken, lambda seq=seq: filled.verify([(seq, head)])) == (
            "journal.cut", "Entries somebody vouched for are gone." + STOPS, str(seq),
        )  # fmt: skip
    assert said(JournalBroken, lambda: filled.verify([(2, head)])) == (
        "journal.replaced", "An entry is not the one vouched for." + STOPS, key(2),
    )  # fmt: skip
    filled.verify([(0, EMPTY_HEAD), (3, head)])


def test_verifying_waits_out_a_server_that_fails_for_a_moment(
    simulator: Simulator, clock: FixedClock, filled: Journal
) -> None:
    waits: list[float] = []
    journal, head = open_journal(simulator, clock, waits), filled.head()
    simulator.fail(op="list", how="slow_down", times=2)
    journal.verify([(3, head)])
    assert len(waits) == 2


def test_a_server_that_fails_on_and_on_is_waited_for_eight_times(
    simulator: Simulator, clock: FixedClock, filled: Journal
) -> None:
    waits: list[float] = []
    journal = open_journal(simulator, clock, waits)
    simulator.fail(op="list", how="slow_down", times=None)
    with pytest.raises(Transient):
        journal.append("ann", {"type": "a.b"})
    assert waits == [pytest.approx(0.05 * 2**n * 0.75) for n in range(1, 9)]


def test_patience_begins_anew_with_every_entry_that_could_be_read(
    simulator: Simulator, clock: FixedClock
) -> None:
    full = open_journal(simulator, clock)
    for number in range(12):
        full.append("ann", {"type": "a.b", "id": str(number)})
    waits: list[float] = []
    slow = open_journal(simulator, clock, waits)
    for nth in range(2, 26, 2):
        simulator.fail(op="get", how="slow_down", nth=nth)
    slow.append("ann", {"type": "a.b", "id": "late"})
    assert waits == [pytest.approx(0.05 * 2 * 0.75)] * 11
    simulator.heal()
    assert len(slow.replay()) == 13


def test_an_id_belongs_to_one_event_of_one_person(filled: Journal) -> None:
    event = {"type": "thing.done", "id": "n1"}
    taken = ("journal.id_taken", "Another event in the journal has this id.", key(2))
    assert said(KeyTaken, lambda: filled.append("ben", event)) == taken
    assert said(KeyTaken, lambda: filled.append("ann", {**event, "more": 1})) == taken
    assert said(KeyTaken, lambda: filled.append_after(filled.head(), "ben", event)) == taken


def test_what_is_no_event_is_refused_in_words(filled: Journal) -> None:
    for event in ({}, {"type": ""}, {"type": 3}, {"type": None}):
        assert said(NotCanonical, lambda event=event: filled.append("ann", event))[:2] == (
            "journal.event", 'An event has a "type".',
        )  # fmt: skip
    assert said(NotCanonical, lambda: filled.append("ann", {"type": "a", "id": 1}))[:2] == (
        "journal.event", 'An event\'s "id" is text.',
    )  # fmt: skip


def test_a_head_that_moved_is_told_before_and_at_the_last_moment(
    simulator: Simulator, clock: FixedClock, filled: Journal
) -> None:
    moved = ("journal.head_moved", "Something was decided meanwhile; look again.", FOLDER)
    event = {"type": "publish.intent", "id": "p"}
    assert said(Exists, lambda: filled.append_after(EMPTY_HEAD, "ann", event)) == moved
    other = open_journal(simulator, clock)
    simulator.when(op="put_if_absent", do=lambda: other.append("ben", {"type": "a.b"}))
    head = filled.head()
    assert said(Exists, lambda: filled.append_after(head, "ann", event)) == moved
    # Landed earlier, after another head: that is no proof that nothing was decided since this one.
    filled.append("ann", event)
    assert said(Exists, lambda: filled.append_after(head, "ann", event)) == moved


def test_a_journal_that_is_always_faster_is_left_alone_after_many_races(
    simulator: Simulator, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "_RACES", 3)
    waits: list[float] = []
    journal, other = open_journal(simulator, clock, waits), open_journal(simulator, clock)
    for nth in (1, 3, 5):
        simulator.when(op="put_if_absent", nth=nth, do=lambda: other.append("ben", {"type": "a.b"}))
    assert said(StorageError, lambda: journal.append("ann", {"type": "c.d"})) == (
        "journal.crowded", "The journal is too busy; try again.", "",
    )  # fmt: skip
    assert waits == [0.01] * 3
    assert len(other.replay()) == 3


def test_an_event_lands_when_a_race_is_lost_and_the_next_one_won(
    simulator: Simulator, clock: FixedClock
) -> None:
    journal, other = open_journal(simulator, clock), open_journal(simulator, clock)
    simulator.when(op="put_if_absent", do=lambda: other.append("ben", {"type": "a.b", "id": "b"}))
    entry = journal.append("ann", {"type": "c.d", "id": "c"})
    assert (entry.seq, entry.prev) == (2, other.replay()[0].digest)
    assert [e.event["id"] for e in journal.replay()] == ["b", "c"]
    assert journal.replay()[1] == entry


# --- A write-once put.

KEY, BODY = "exports/thing", b"the very bytes"
TAKEN = ("storage.key_taken", "Other bytes hold this key for good.", KEY)
UNKNOWN = (
    "storage.outcome_unknown",
    "The bucket did not answer; the write may or may not have landed. Resume to settle it.",
    KEY,
)


def put(simulator: Simulator, waits: list[float] | None = None) -> str:
    sleep = (lambda _: None) if waits is None else waits.append
    return put_once(simulator, KEY, BODY, sleep=sleep, jitter=lambda: 0.5)


@pytest.mark.parametrize("held", [b"other", b"the very bytes and more", b""])
def test_a_key_that_others_hold_is_named(simulator: Simulator, held: bytes) -> None:
    simulator.put(KEY, held)
    assert said(KeyTaken, lambda: put(simulator)) == TAKEN


def test_an_outcome_nobody_knows_is_named_on_each_way_to_it(simulator: Simulator) -> None:
    simulator.fail(op="put_if_absent", how="timeout", times=None)
    waits: list[float] = []
    assert said(OutcomeUnknown, lambda: put(simulator, waits)) == UNKNOWN
    assert waits == [pytest.approx(0.1 * 2**n * 0.75) for n in range(5)]
    simulator.heal()
    simulator.fail(op="put_if_absent", how="timeout")
    simulator.fail(op="get", how="forbidden")
    assert said(OutcomeUnknown, lambda: put(simulator)) == UNKNOWN
    simulator.heal()
    simulator.fail(op="put_if_absent", how="timeout")
    simulator.fail(op="put_if_absent", how="forbidden", nth=2)
    assert said(OutcomeUnknown, lambda: put(simulator)) == UNKNOWN
    assert simulator.keys() == []


def test_bytes_of_another_that_a_late_refusal_uncovers_are_named(simulator: Simulator) -> None:
    simulator.fail(op="put_if_absent", how="timeout")
    simulator.when(op="put_if_absent", nth=2, do=lambda: simulator.put(KEY, b"other"))
    simulator.fail(op="put_if_absent", how="forbidden", nth=2)
    assert said(KeyTaken, lambda: put(simulator)) == TAKEN
