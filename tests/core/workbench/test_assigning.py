"""Every reader has a list of their own; no place in it is given twice, and nothing is lost."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest

from core.model.errors import NotAllowed, ReviewError
from core.model.names import Digest
from core.review.assigning import HOLD, NOT_NOW, Wanted, interleave, sitting_size
from core.workbench.reviews import assigning
from tests.desk import VERSION, a_desk, clean_answers, person_of

CLAIM = "clinician_foundation"


@pytest.fixture
def bench(simulator, tmp_path):
    return a_desk(simulator, tmp_path)


@pytest.fixture
def digest(bench):
    return bench.candidates.current(VERSION).digest


def answer(bench, digest, record, by, **changes):
    answers = clean_answers(bench, digest, CLAIM, record, by)
    return bench.reviews.submit(digest, CLAIM, record, by, {**answers, **changes})


def states(bench, digest, by):
    return {item.record_id: item.state for item in bench.reviews.queue(digest, CLAIM, by).items}


def planted(bench, digest):
    return bench.reviews.known_bad(Digest(digest))[CLAIM].ids


def test_two_readers_are_never_given_the_same_place_of_a_record(bench, digest):
    one, two = person_of(bench, "clinician-1"), person_of(bench, "clinician-2")
    mine = bench.reviews.sitting(digest, CLAIM, one, 14).records
    theirs = bench.reviews.sitting(digest, CLAIM, two, 60).records
    assert len(mine) == 2
    shared = set(mine) & set(theirs)
    assert shared <= set(planted(bench, digest))
    assert all(states(bench, digest, two)[record] == "elsewhere" for record in set(mine) - shared)


def test_a_reservation_runs_out(bench, digest, monkeypatch):
    one, two = person_of(bench, "clinician-1"), person_of(bench, "clinician-2")
    record = bench.reviews.next(digest, CLAIM, one)
    assert record not in planted(bench, digest)
    assert bench.reviews.reserve(digest, CLAIM, record, two) is False
    later = bench.desk.clock.now() + HOLD + timedelta(seconds=1)
    monkeypatch.setattr(type(bench.desk.clock), "now", lambda self: later)
    assert bench.reviews.reserve(digest, CLAIM, record, two) is True


def test_the_next_record_is_one_not_yet_answered_until_nothing_is_left(bench, digest):
    reader = person_of(bench, "clinician-1")
    seen = []
    while (record := bench.reviews.next(digest, CLAIM, reader)) is not None:
        seen.append(record)
        answer(bench, digest, record, reader)
    plan = bench.reviews.plans(digest)[CLAIM]
    assert sorted(seen) == sorted((*plan.records, *planted(bench, digest)))
    assert bench.reviews.state(digest, CLAIM).state == "ready"
    assert bench.reviews.state(digest, CLAIM).known_bad["found"] == 0
    assert bench.reviews.queue(digest, CLAIM, reader).current is None
    assert len(bench.reviews.ratings(digest, CLAIM)) == len(plan.records)


def test_a_record_begun_comes_first(bench, digest):
    reader = person_of(bench, "clinician-1")
    last = bench.reviews.queue(digest, CLAIM, reader).items[-1].record_id
    bench.reviews.save_draft(
        digest, CLAIM, last, reader, {"note": "half a", "supersedes": ""}, tab="t", seq=1,
        based_on=0,
    )  # fmt: skip
    assert bench.reviews.next(digest, CLAIM, reader) == last


@pytest.mark.parametrize("reason", list(NOT_NOW))
def test_not_now_gives_a_record_to_others_and_not_again_to_oneself(bench, digest, reason):
    one, two = person_of(bench, "clinician-1"), person_of(bench, "clinician-2")
    record = bench.reviews.next(digest, CLAIM, one)
    bench.reviews.not_now(digest, CLAIM, record, one, reason)
    assert states(bench, digest, one)[record] == "later"
    assert bench.reviews.next(digest, CLAIM, one) != record
    assert bench.reviews.reserve(digest, CLAIM, record, two) is True
    bench.reviews.release(digest, CLAIM, record, two)
    answer(bench, digest, record, one)
    assert states(bench, digest, one)[record] == "done"


def test_a_reason_nobody_offered_is_refused(bench, digest):
    reader = person_of(bench, "clinician-1")
    record = bench.reviews.next(digest, CLAIM, reader)
    with pytest.raises(ReviewError) as refused:
        bench.reviews.not_now(digest, CLAIM, record, reader, "lazy")
    assert refused.value.code == "review.not_now"


def test_undo_brings_the_answers_back_and_both_stay_on_record(bench, digest, monkeypatch):
    reader = person_of(bench, "clinician-1")
    record = bench.reviews.next(digest, CLAIM, reader)
    first = answer(bench, digest, record, reader, verdict="reject", note="too harsh")
    screen = bench.reviews.undo(digest, CLAIM, record, reader)
    assert screen.draft["verdict"] == "reject"
    assert screen.draft["note"] == "too harsh"
    assert states(bench, digest, reader)[record] == "draft"
    assert bench.reviews.state(digest, CLAIM).defects == 1
    again = {**screen.draft, "verdict": "accept", "shown_sha256": screen.sha256}
    bench.reviews.submit(digest, CLAIM, record, reader, again)
    (stored,) = bench.reviews.ratings(digest, CLAIM)
    assert (stored.rating.verdict, stored.earlier) == ("accept", ("reject",))
    assert first.verdict == "reject"
    late = bench.desk.clock.now() + timedelta(minutes=11)
    monkeypatch.setattr(type(bench.desk.clock), "now", lambda self: late)
    with pytest.raises(ReviewError) as refused:
        bench.reviews.undo(digest, CLAIM, record, reader)
    assert refused.value.code == "review.undo_late"


def test_a_flag_on_a_known_bad_record_stops_no_family(bench, digest):
    reader = person_of(bench, "clinician-1")
    (record,) = planted(bench, digest)
    flag = {"id": "F5", "turn": 3, "note": "It tells them to stop."}
    answer(bench, digest, record, reader, verdict="reject", flags=[flag])
    state = bench.reviews.state(digest, CLAIM)
    assert bench.reviews.open_flags(digest) == ()
    assert (state.read, state.open_flags, state.known_bad["found"]) == (0, 0, 1)
    assert states(bench, digest, reader)[record] == "done"


def test_a_known_bad_record_looks_like_any_other_to_its_reader(bench, digest):
    reader = person_of(bench, "clinician-1")
    (invented,) = planted(bench, digest)
    plan = bench.reviews.plans(digest)[CLAIM]
    one = bench.reviews.screen(digest, CLAIM, invented, reader)
    other = bench.reviews.screen(digest, CLAIM, plan.records[0], reader)
    same = ("draft", "draft_version", "rating", "rating_sha256", "must_judge")
    assert [getattr(one, name) for name in same] == [getattr(other, name) for name in same]
    assert one.family in bench.desk.policy.claim(CLAIM).families
    assert len(one.record_id) == len(other.record_id)


def test_whoever_built_the_candidate_is_given_nothing(bench, digest):
    reader = person_of(bench, "clinician-1")
    bench.desk.record(
        reader,
        "candidate.built",
        version=VERSION,
        candidate=digest,
        policy=bench.desk.policy.digest,
        listing="",
        records=1,
    )
    with pytest.raises(NotAllowed) as refused:
        bench.reviews.next(digest, CLAIM, reader)
    assert refused.value.code == "review.builder"


def test_twenty_minutes_are_filled_by_measured_time_once_there_is_some(bench, digest):
    reader = person_of(bench, "clinician-1")
    assert bench.reviews.minutes_each(digest, CLAIM) == (7.0, False)
    assert sitting_size(20, 7.0) == 2
    assert sitting_size(5, 7.0) == 1
    with pytest.raises(ReviewError):
        bench.reviews.sitting(digest, CLAIM, reader, 0)


def test_hard_records_do_not_come_in_a_row_while_there_are_others():
    light, heavy = [f"l{number}" for number in range(9)], ["h0", "h1", "h2"]
    assert interleave([*heavy, *light], set(heavy)) == [
        *("l0", "l1", "l2", "h0", "l3", "l4", "l5", "h1", "l6", "l7", "l8", "h2")
    ]
    assert interleave(["h0", "l0", "h1"], {"h0", "h1"}) == ["l0", "h0", "h1"]
    assert interleave(["h0", "h1"], {"h0", "h1"}) == ["h0", "h1"]


def test_a_warm_up_is_compared_and_kept_nowhere(bench, digest):
    reader = person_of(bench, "clinician-1")
    before = [entry.key for entry in bench.desk.store.list("")]
    first = bench.reviews.warm_ups(CLAIM, reader)[0]
    scores = {item.id: "1" for item in bench.reviews.rubric(CLAIM).items}
    found = bench.reviews.answer_warm_up(
        CLAIM, first.id, reader, {"scores": scores, "verdict": "reject", "flags": []}
    )
    assert "verdict" in found.differs
    assert found.why
    assert first.id not in [one.id for one in bench.reviews.warm_ups(CLAIM, reader)]
    assert [entry.key for entry in bench.desk.store.list("")] == before


def test_ten_readers_at_once_lose_no_rating_and_share_no_place(bench, digest):
    desk = bench.reviews._assignments()
    wanted = [Wanted(record_id=f"r{n}", needs=1 + (n < 5), readers=frozenset()) for n in range(40)]
    given: dict[str, list[str]] = {}
    now = bench.desk.clock.now()

    def read(name: str) -> None:
        mine = []
        for _ in range(4):
            held = set(mine)
            rest = [want for want in wanted if want.record_id not in held]
            mine += desk.take(("c", "claim"), name, rest, count=1, now=now)
        given[name] = mine

    threads = [threading.Thread(target=read, args=(f"reader{n}",)) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = {want.record_id: 0 for want in wanted}
    for records in given.values():
        assert len(records) == len(set(records)) == 4
        for record in records:
            counts[record] += 1
    assert all(counts[want.record_id] <= want.needs for want in wanted)
    assert sum(counts.values()) == 40


@pytest.mark.parametrize(("age", "waits"), [(2.0, False), (60.0, True)])
def test_while_one_asks_the_bucket_others_go_on_with_what_was_known_a_moment_ago(
    bench, digest, age, waits
):
    reader = person_of(bench, "clinician-1")
    before = bench.reviews.queue(digest, CLAIM, reader)
    kept = bench.desk.memory["lately"]
    kept[digest, CLAIM] = (time.monotonic() - age, kept[digest, CLAIM][1])
    seen = []
    asks = threading.Thread(
        target=lambda: seen.append(bench.reviews.queue(digest, CLAIM, reader)), daemon=True
    )
    with assigning._ASKING:
        asks.start()
        asks.join(0.3 if waits else 20)
        assert asks.is_alive() is waits
    asks.join(20)
    assert seen == [before]
