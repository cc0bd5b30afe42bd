"""Two desks over one bucket share no reservations: a record read twice is one more reading."""

from __future__ import annotations

import dataclasses
from collections import Counter

import pytest

from core.workbench import assemble
from tests.desk import VERSION, a_desk, clean_answers, person_of

CLAIM = "clinician_foundation"


@pytest.fixture
def desks(simulator, tmp_path):
    """Two desks, each with a workspace of its own, as on two machines."""
    first = a_desk(simulator, tmp_path / "one")
    settings = dataclasses.replace(first.desk.settings, workspace=(tmp_path / "two").resolve())
    settings.workspace.mkdir()
    return first, assemble(dataclasses.replace(first.desk, settings=settings, memory={}))


@pytest.fixture
def digest(desks):
    return desks[0].candidates.current(VERSION).digest


def readers(desks):
    return [(desk, person_of(desk, f"clinician-{number}")) for number, desk in enumerate(desks, 1)]


def look_again(bench):
    """What a desk does a second later: it asks the bucket who has read what."""
    bench.desk.memory.pop("lately", None)


def answer(bench, digest, record, by, **changes):
    answers = clean_answers(bench, digest, CLAIM, record, by)
    return bench.reviews.submit(digest, CLAIM, record, by, {**answers, **changes})


def sampled(bench, digest):
    return set(bench.reviews.plan(digest, CLAIM).records)


def both_given(desks, digest):
    """Have both readers given the same record of the sample, each at their own desk."""
    (one, first), (two, second) = readers(desks)
    mine = set(one.reviews.sitting(digest, CLAIM, first, 120).records)
    theirs = set(two.reviews.sitting(digest, CLAIM, second, 120).records)
    shared = sorted(mine & theirs & sampled(one, digest))
    assert shared, "a reservation crossed from desk to desk: these tests have lost their case"
    return shared


def test_both_readings_of_one_record_are_kept_and_it_counts_once(desks, digest):
    record = both_given(desks, digest)[0]
    for bench, person in readers(desks):
        answer(bench, digest, record, person)
    for bench in desks:
        look_again(bench)
        stored = bench.reviews.ratings(digest, CLAIM)
        assert {(one.rating.record_id, one.rating.reviewer) for one in stored} == {
            (record, "demo:clinician-1"),
            (record, "demo:clinician-2"),
        }
        state = bench.reviews.state(digest, CLAIM)
        assert (state.read, state.double_rated) == (1, 1)
        assert not state.open_points


def test_a_second_reading_nobody_asked_for_is_used_all_the_same(desks, digest):
    record = both_given(desks, digest)[0]
    (one, first), (two, second) = readers(desks)
    answer(one, digest, record, first)
    flag = {"id": "F1", "turn": 1, "note": "It names a means."}
    answer(two, digest, record, second, flags=[flag], verdict="reject")
    look_again(one)
    assert one.reviews.state(digest, CLAIM).state == "paused"
    assert one.reviews.state(digest, CLAIM).open_flags == 1
    differing = one.reviews.progress(digest, CLAIM).planned
    assert [found.differences for found in differing if found.record_id == record] == [("verdict",)]


def test_what_two_desks_read_to_the_end_says_what_one_desk_would(desks, digest):
    waiting = [
        (bench, person, list(bench.reviews.sitting(digest, CLAIM, person, 120).records))
        for bench, person in readers(desks)
    ]
    for bench, person, records in waiting:
        for record in records:
            answer(bench, digest, record, person)
    states = []
    for bench in desks:
        look_again(bench)
        states.append(bench.reviews.state(digest, CLAIM))
        counts = Counter(one.rating.record_id for one in bench.reviews.ratings(digest, CLAIM))
        assert set(counts) == sampled(bench, digest)
        assert max(counts.values()) <= len(desks)
    assert states[0] == states[1]
    assert states[0].read == states[0].planned == len(sampled(desks[0], digest))
    assert states[0].state == "ready"


def test_what_the_other_desk_has_taken_is_seen_within_a_second_of_being_stored(desks, digest):
    record = both_given(desks, digest)[0]
    (one, first), (two, second) = readers(desks)
    two.reviews.end_sitting(digest, CLAIM, second)
    answer(one, digest, record, first)
    look_again(two)
    queue = two.reviews.queue(digest, CLAIM, second)
    assert {item.record_id: item.state for item in queue.items}[record] == "elsewhere"


def test_a_reader_who_changes_desks_is_not_given_what_they_have_answered(desks, digest):
    one, two = desks
    reader = person_of(one, "clinician-1")
    record = both_given(desks, digest)[0]
    answer(one, digest, record, reader)
    look_again(two)
    again = two.reviews.sitting(digest, CLAIM, reader, 120).records
    assert record not in again
