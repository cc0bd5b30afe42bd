"""A sitting stays its reader's while they read, and is over when they are gone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.review.assigning import HOLD
from tests.desk import VERSION, a_desk, clean_answers, person_of

CLAIM = "clinician_foundation"


@pytest.fixture
def bench(simulator, tmp_path):
    return a_desk(simulator, tmp_path)


@pytest.fixture
def digest(bench):
    return bench.candidates.current(VERSION).digest


@pytest.fixture
def pass_time(bench, monkeypatch):
    """`pass_time(delta)` → the desk's clock stands that much later."""

    def later(delta):
        then = bench.desk.clock.now() + delta
        monkeypatch.setattr(type(bench.desk.clock), "now", lambda self: then)

    return later


def held_from(bench, digest, by):
    items = bench.reviews.queue(digest, CLAIM, by).items
    return {item.record_id for item in items if item.state == "elsewhere"}


def test_a_sitting_is_kept_reserved_while_its_reader_reads(bench, digest, pass_time):
    one, two = person_of(bench, "clinician-1"), person_of(bench, "clinician-2")
    taken = bench.reviews.sitting(digest, CLAIM, one, 40)
    reserved = held_from(bench, digest, two)
    assert reserved <= set(taken.records)
    assert reserved
    for _ in range(3):
        pass_time(HOLD - timedelta(minutes=1))
        assert bench.reviews.sitting_under_way(digest, CLAIM, one) == taken
    assert held_from(bench, digest, two) == reserved


def test_a_sitting_whose_reader_is_gone_is_over_and_holds_nothing(bench, digest, pass_time):
    one, two = person_of(bench, "clinician-1"), person_of(bench, "clinician-2")
    bench.reviews.sitting(digest, CLAIM, one, 40)
    pass_time(HOLD + timedelta(seconds=1))
    assert bench.reviews.sitting_under_way(digest, CLAIM, one) is None
    assert not held_from(bench, digest, two)


def test_ending_a_sitting_gives_back_what_was_not_read(bench, digest):
    one, two = person_of(bench, "clinician-1"), person_of(bench, "clinician-2")
    first = bench.reviews.sitting(digest, CLAIM, one, 40).records[0]
    answers = clean_answers(bench, digest, CLAIM, first, one)
    bench.reviews.submit(digest, CLAIM, first, one, answers)
    bench.reviews.end_sitting(digest, CLAIM, one)
    assert bench.reviews.sitting_under_way(digest, CLAIM, one) is None
    assert held_from(bench, digest, two) <= {first}


def test_last_answers_say_what_can_still_be_undone(bench, digest, pass_time):
    one = person_of(bench, "clinician-1")
    record = bench.reviews.next(digest, CLAIM, one)
    bench.reviews.submit(
        digest, CLAIM, record, one, clean_answers(bench, digest, CLAIM, record, one)
    )
    (found,) = bench.reviews.last_answers(digest, CLAIM, one)
    assert (found.record_id, found.verdict, found.undoable) == (record, "accept", True)
    pass_time(timedelta(minutes=11))
    (found,) = bench.reviews.last_answers(digest, CLAIM, one)
    assert not found.undoable
