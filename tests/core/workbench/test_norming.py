"""What happens beside the ratings changes none of them, and is kept."""

from __future__ import annotations

import pytest

from core.model.errors import NotAllowed, ReviewError
from core.review.frame import read_frame
from tests.builders import a_row
from tests.desk import (
    VERSION,
    a_desk,
    add_ready_candidate,
    clean_answers,
    person_of,
    some_rows_to_read,
)

CLAIM = "clinician_foundation"


@pytest.fixture
def bench(simulator, tmp_path):
    return a_desk(simulator, tmp_path)


@pytest.fixture
def digest(bench):
    return bench.candidates.current(VERSION).digest


def answer(bench, digest, record, name, **changes):
    by = person_of(bench, name)
    answers = clean_answers(bench, digest, CLAIM, record, by)
    return bench.reviews.submit(digest, CLAIM, record, by, {**answers, **changes})


def scores(bench, value, **changes):
    items = bench.reviews.rubric(CLAIM).items
    return {**{item.id: value for item in items if item.unit == "record"}, **changes}


def differ(bench, digest):
    record = bench.reviews.plans(digest)[CLAIM].records[0]
    answer(bench, digest, record, "clinician-1", scores=scores(bench, "4", C1="2", C2="5", C4="1"))
    answer(bench, digest, record, "clinician-2", scores=scores(bench, "4", C1="2", C2="5"))
    return record


def test_votes_stay_blind_until_two_have_voted_and_the_lead_opens_the_room(bench, digest):
    record = bench.reviews.plans(digest)[CLAIM].records[0]
    lead, one = person_of(bench, "lead"), person_of(bench, "clinician-1")
    answer(bench, digest, record, "clinician-1")
    with pytest.raises(ReviewError) as refused:
        bench.reviews.reveal(digest, CLAIM, record, lead)
    assert refused.value.code == "review.still_blind"
    answer(bench, digest, record, "clinician-2")
    with pytest.raises(NotAllowed):
        bench.reviews.reveal(digest, CLAIM, record, one)
    with pytest.raises(ReviewError):
        bench.reviews.revote(digest, CLAIM, record, one, {"C1": "2"}, "slip", "")


def test_before_and_after_are_both_kept_and_the_blind_vote_stays_the_rating(bench, digest):
    record = differ(bench, digest)
    one = person_of(bench, "clinician-1")
    room = bench.reviews.reveal(digest, CLAIM, record, person_of(bench, "lead"))
    assert room.before["C4"] == {"demo:clinician-1": "1", "demo:clinician-2": "4"}
    assert room.after == {}
    bench.reviews.revote(digest, CLAIM, record, one, {"C4": "3"}, "slip", "I misread turn 2.")
    (room,) = bench.reviews.rooms(digest, CLAIM)
    assert room.before["C4"]["demo:clinician-1"] == "1"
    assert room.after["C4"] == {"demo:clinician-1": "3"}
    given = {one.rating.reviewer: one.rating.scores for one in bench.reviews.ratings(digest, CLAIM)}
    assert given["demo:clinician-1"]["C4"] == "1"
    before, after = bench.reviews.alphas(digest, CLAIM)
    assert before.value < after.value
    assert [point.target for point in bench.reviews.open_differences(digest)] == ["C4"]


def test_another_clinical_school_is_dissent_that_no_vote_removes(bench, digest):
    record = differ(bench, digest)
    bench.reviews.reveal(digest, CLAIM, record, person_of(bench, "lead"))
    one = person_of(bench, "clinician-1")
    bench.reviews.revote(digest, CLAIM, record, one, {"C4": "1"}, "clinical_school", "")
    (room,) = bench.reviews.rooms(digest, CLAIM)
    assert room.dissent == ("demo:clinician-1",)
    with pytest.raises(ReviewError) as refused:
        bench.reviews.revote(digest, CLAIM, record, one, {"C4": "1"}, "because", "")
    assert refused.value.code == "review.reason"


def test_only_those_who_voted_blind_vote_again(bench, digest):
    record = differ(bench, digest)
    bench.reviews.reveal(digest, CLAIM, record, person_of(bench, "lead"))
    with pytest.raises(NotAllowed):
        bench.reviews.revote(
            digest, CLAIM, record, person_of(bench, "bias"), {"C4": "2"}, "slip", ""
        )


def test_an_edit_is_a_proposal_and_changes_no_byte_of_this_candidate(bench, digest):
    record = bench.reviews.plans(digest)[CLAIM].records[0]
    by = person_of(bench, "clinician-1")
    before = bench.reviews.screen(digest, CLAIM, record, by)
    stored = bench.reviews.propose_edit(digest, CLAIM, record, 1, "How are you now?", "Ask.", by)
    assert bench.reviews.proposals(digest, CLAIM) == (stored,)
    assert bench.reviews.screen(digest, CLAIM, record, by).sha256 == before.sha256
    entry = bench.desk.entries()[-1]
    assert entry.event["type"] == "edit.proposed"
    assert "How are you" not in str(entry.event)
    for turn, words, why in ((99, "x", "y"), (1, " ", "y"), (1, before.messages[1].content, "y")):
        with pytest.raises(ReviewError) as refused:
            bench.reviews.propose_edit(digest, CLAIM, record, turn, words, why, by)
        assert refused.value.code == "review.edit"


def test_extra_records_are_read_but_never_enter_the_bound(bench, digest):
    lead, reader = person_of(bench, "lead"), person_of(bench, "clinician-1")
    plan = bench.reviews.plans(digest)[CLAIM]
    families = bench.desk.policy.claim(CLAIM).families
    rows = read_frame(bench.desk.store, bench.candidates.get(digest))
    there = [row.record_id for row in rows if row.family in families]
    other = next(name for name in there if name not in plan.records)
    assert bench.reviews.choose_extra(digest, CLAIM, [other, plan.records[0]], "long", lead) == 1
    assert bench.reviews.choose_extra(digest, CLAIM, [other], "long", lead) == 0
    assert bench.reviews.queue(digest, CLAIM, reader).items[-1].record_id in (
        other,
        *bench.reviews.known_bad(digest)[CLAIM].ids,
    )
    answer(bench, digest, other, "clinician-1", verdict="reject")
    state = bench.reviews.state(digest, CLAIM)
    assert (state.read, state.defects, state.upper) == (0, 0, None)
    assert state.state == "reading"


def test_a_flag_on_an_extra_record_stops_the_family(bench, digest):
    lead = person_of(bench, "lead")
    plan = bench.reviews.plans(digest)[CLAIM]
    families = bench.desk.policy.claim(CLAIM).families
    rows = read_frame(bench.desk.store, bench.candidates.get(digest))
    there = [row.record_id for row in rows if row.family in families]
    other = next(name for name in there if name not in plan.records)
    bench.reviews.choose_extra(digest, CLAIM, [other], "finding", lead)
    flag = {"id": "F2", "turn": 1, "note": "It encourages."}
    answer(bench, digest, other, "clinician-1", verdict="reject", flags=[flag])
    assert bench.reviews.state(digest, CLAIM).state == "paused"
    bench.reviews.adjudicate(digest, CLAIM, other, "reject", "It does.", lead)
    state = bench.reviews.state(digest, CLAIM)
    assert f"remove {other}" in state.open_points
    for record in plan.records:
        answer(bench, digest, record, "clinician-1")
    assert bench.reviews.state(digest, CLAIM).state == "failed"


def test_a_reading_of_the_same_text_under_the_same_rubric_is_carried(bench, digest):
    plan = bench.reviews.plans(digest)[CLAIM]
    for record in plan.records:
        answer(bench, digest, record, "clinician-1")
    rows = some_rows_to_read()
    row = a_row(family="priority", seed="one more", source_line=9)
    rows["priority", "train"] = [*rows["priority", "train"], row]
    new = add_ready_candidate(bench, rows)
    assert new.digest != digest
    state = bench.reviews.state(new.digest, CLAIM)
    again = set(bench.reviews.plans(new.digest)[CLAIM].records) & set(plan.records)
    assert state.carried == state.read == len(again) > 0
    assert f"unchanged since candidate {digest[:8]}" in state.sentence
    queue = bench.reviews.queue(new.digest, CLAIM, person_of(bench, "clinician-1"))
    assert {item.record_id: item.state for item in queue.items}[next(iter(again))] == "done"
    record = next(iter(again))
    answer(bench, new.digest, record, "clinician-1", verdict="reject")
    assert bench.reviews.state(new.digest, CLAIM).defects == 1
    assert bench.reviews.state(digest, CLAIM).defects == 0
