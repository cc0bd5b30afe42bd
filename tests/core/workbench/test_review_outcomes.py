"""What a second person settles is in the next candidate when somebody decides so by name."""

from __future__ import annotations

import json

import pytest

from core.model.errors import GateError, IntakeError, NotAllowed, ReviewError
from tests import road
from tests.clock import FixedClock
from tests.desk import VERSION, a_bare_desk, clean_answers, person_of
from tests.sources import COT, EDGE, PRIORITY, VOICE, a_pair, fill, some_source_rows

CLAIM = "clinician_foundation"
NEXT = "v2026-11-22"
WORDS = "That sounds exhausting. Would you tell me what the nights are like?"
FLAG = {"id": "F2", "turn": 1, "note": "It pushes the person on."}


@pytest.fixture
def bench(simulator, tmp_path):
    rows = [
        a_pair(f"Night {n} was as bad as the others.", f"Just try harder, number {n}.")
        for n in range(6)
    ]
    fill(
        simulator,
        {
            f"{PRIORITY}a.jsonl": rows,
            f"{COT}b.jsonl": some_source_rows(6, seed="cot"),
            f"{VOICE}c.jsonl": some_source_rows(6, seed="voice"),
            f"{EDGE}d.jsonl": some_source_rows(6, seed="edge"),
        },
    )
    found = a_bare_desk(simulator, tmp_path, clock=FixedClock())
    road.decide_sources(found, VERSION)
    return found


def build(bench, version=VERSION, nonce="rain on the roof"):
    """Build a candidate and freeze its samples."""
    candidate = bench.candidates.build(version, person_of(bench, "engineer"), workers=1)
    bench.reviews.freeze(candidate.digest, nonce, person_of(bench, "lead"))
    return candidate


def rows_of(bench, candidate):
    return {
        row["metadata"]["record_id"]: row
        for shard in candidate.shards
        for row in map(json.loads, bench.desk.store.get(shard.key, limit=1 << 24).body.splitlines())
    }


def answer(bench, digest, record, by="clinician-1", **changes):
    person = person_of(bench, by)
    answers = clean_answers(bench, digest, CLAIM, record, person)
    return bench.reviews.submit(digest, CLAIM, record, person, {**answers, **changes})


def flagged(bench, digest, number=0):
    record = bench.reviews.plans(digest)[CLAIM].records[number]
    answer(bench, digest, record, flags=[FLAG], verdict="reject")
    return record


def settle(bench, digest, record, outcome, by="lead", **more):
    return bench.reviews.adjudicate(
        digest, CLAIM, record, outcome, "Read again with care.", person_of(bench, by), **more
    )


def test_flag_fix_and_the_next_candidate_holds_the_edited_bytes(bench):
    first = build(bench)
    record = flagged(bench, first.digest)
    before = rows_of(bench, first)
    settle(bench, first.digest, record, "fix", turn=1, words=WORDS)
    state = bench.reviews.state(first.digest, CLAIM)
    assert (state.open_flags, f"fix {record}" in state.open_points) == (0, True)
    assert rows_of(bench, first) == before

    [item] = bench.outcomes.waiting(VERSION)
    assert (item.outcome, item.record_id, item.turn, item.words) == ("fix", record, 1, WORDS)
    assert bench.outcomes.decide(VERSION, [item], "apply", person_of(bench, "owner")) == 1
    event = bench.desk.entries()[-1].event
    assert (event["type"], event["gate"], event["action"]) == ("finding.decided", "review", "edit")
    assert WORDS not in json.dumps([entry.event for entry in bench.desk.entries()])
    assert bench.candidates.pending_decisions(first.digest) == 1

    second = build(bench)
    after = rows_of(bench, second)
    [new] = set(after) - set(before)
    assert set(before) - set(after) == {record}
    assert all(after[name] == before[name] for name in set(after) & set(before))
    assert [turn["content"] for turn in after[new]["messages"]] == [
        before[record]["messages"][0]["content"],
        WORDS,
    ]
    assert "edit_by_decision" in after[new]["metadata"]["provenance"]["processing_steps"]
    assert bench.outcomes.waiting(VERSION) == ()
    [applied] = bench.outcomes.offered(VERSION)
    assert (applied.decided, applied.applied) == ("edit", True)
    report = bench.review_reports.report(first.digest, CLAIM)
    assert [one["decision"] for one in report["adjudicated"]] == ["fix"]
    assert report["adjudicated"][0]["edits"] == [applied.edit.sha256]


def test_an_edited_record_is_read_again_before_anything_is_signed(bench):
    first = build(bench)
    record = flagged(bench, first.digest)
    settle(bench, first.digest, record, "fix", turn=1, words=WORDS)
    owner = person_of(bench, "owner")
    bench.outcomes.decide(VERSION, bench.outcomes.waiting(VERSION), "apply", owner)
    second = build(bench)
    [new] = set(rows_of(bench, second)) - set(rows_of(bench, first))
    plan = bench.reviews.plans(second.digest)[CLAIM]
    given = {one.rating.record_id for one in bench.reviews.ratings(second.digest, CLAIM)}
    assert new not in given
    for name in plan.records:
        if name != new:
            answer(bench, second.digest, name)
            answer(bench, second.digest, name, "clinician-2")
    state = bench.reviews.state(second.digest, CLAIM)
    assert state.state == "reading"
    beside = new not in plan.records
    assert (f"edited_unread {new}" in state.open_points) == beside
    assert bench.review_reports.report(second.digest, CLAIM)["edited"] == [new] * beside
    answer(bench, second.digest, new, verdict="reject")
    if beside:
        points = bench.reviews.state(second.digest, CLAIM).open_points
        assert f"edited_rejected {new}" in points
    mine = bench.reviews.screen(second.digest, CLAIM, new, person_of(bench, "clinician-1"))
    answer(bench, second.digest, new, supersedes=mine.rating_sha256)
    answer(bench, second.digest, new, "clinician-2")
    assert bench.reviews.state(second.digest, CLAIM).state == "ready"


def test_flag_reject_and_the_next_candidate_lacks_it(bench):
    first = build(bench)
    record = flagged(bench, first.digest)
    settle(bench, first.digest, record, "reject")
    assert f"remove {record}" in bench.reviews.state(first.digest, CLAIM).open_points
    before = rows_of(bench, first)
    [item] = bench.outcomes.waiting(VERSION)
    bench.outcomes.decide(VERSION, [item], "apply", person_of(bench, "owner"))
    second = build(bench)
    after = rows_of(bench, second)
    assert set(before) - set(after) == {record}
    assert all(after[name] == before[name] for name in after)
    assert second.dropped == {"excluded_by_decision": 1}


def test_what_failed_and_left_is_still_counted_and_read_by_nobody(bench):
    first = build(bench)
    plan = bench.reviews.plans(first.digest)[CLAIM]
    record = flagged(bench, first.digest)
    settle(bench, first.digest, record, "reject")
    owner = person_of(bench, "owner")
    bench.outcomes.decide(VERSION, bench.outcomes.waiting(VERSION), "apply", owner)
    second = build(bench)
    again = bench.reviews.plans(second.digest)[CLAIM]
    allowed = 1 if plan.second > plan.first else 0
    if allowed:
        assert (again.attempt, again.gone, again.frame) == (1, (record,), plan.frame)
        state = bench.reviews.state(second.digest, CLAIM)
        assert (state.defects, state.open_flags) == (1, 0)
        assert "left the data still count" in state.sentence
        assert bench.reviews.open_cases(second.digest) == ()
    else:
        assert again.failed == ((1, 1),)
        assert again.confidence > plan.confidence
        assert "second sample" in bench.reviews.state(second.digest, CLAIM).sentence
        page = bench.review_reports.markdown(second.digest, CLAIM)
        assert "The first sample failed with 1 of 1 records read." in page
    reader = person_of(bench, "clinician-2")
    items = bench.reviews.queue(second.digest, CLAIM, reader).items
    assert record not in {item.record_id for item in items}
    for item in items:
        answer(bench, second.digest, item.record_id, "clinician-2")
    assert bench.review_reports.report(second.digest, CLAIM)["sample"] == again.attempt


def test_two_fails_that_were_removed_are_a_failed_sample_and_the_next_is_of_unread_records(bench):
    first = build(bench)
    names = [flagged(bench, first.digest, number) for number in range(2)]
    for record in names:
        settle(bench, first.digest, record, "reject")
    owner = person_of(bench, "owner")
    bench.outcomes.decide(VERSION, bench.outcomes.waiting(VERSION), "apply", owner)
    second = build(bench)
    plan = bench.reviews.plans(second.digest)[CLAIM]
    assert (plan.attempt, plan.failed) == (2, ((2, 2),))
    assert not set(names) & set(plan.records)
    assert "the first failed with 2 of 2" in bench.reviews.state(second.digest, CLAIM).sentence
    # Frozen again it is the same plan, whatever became of the first sample since.
    assert bench.reviews.freeze(second.digest, "", person_of(bench, "lead"))[0] == plan


def test_a_fail_left_in_a_new_version_blocks_it(bench):
    first = build(bench)
    names = [flagged(bench, first.digest, number) for number in range(2)]
    for record in names:
        settle(bench, first.digest, record, "reject")
    second = build(bench, NEXT, "another nonce")
    plan = bench.reviews.plans(second.digest)[CLAIM]
    assert (plan.attempt, set(plan.left_in)) == (2, set(names))
    points = bench.reviews.state(second.digest, CLAIM).open_points
    assert {f"remove {name}" for name in names} <= set(points)
    assert len(points) == len(set(points))


def test_flag_accept_and_the_record_stands_with_the_dissent(bench):
    first = build(bench)
    record = flagged(bench, first.digest)
    settle(bench, first.digest, record, "accept")
    state = bench.reviews.state(first.digest, CLAIM)
    assert (state.open_flags, state.defects, state.open_points) == (0, 0, ())
    assert any("demo:clinician-1" in dissent for dissent in state.dissents)
    assert bench.outcomes.offered(VERSION) == ()


def test_a_hard_fail_that_was_left_in_is_not_lost_in_the_next_sample(bench):
    first = build(bench)
    record = flagged(bench, first.digest)
    settle(bench, first.digest, record, "reject")
    second = build(bench, NEXT, "another nonce")
    assert record in rows_of(bench, second)
    state = bench.reviews.state(second.digest, CLAIM)
    assert f"remove {record}" in state.open_points
    [item] = bench.outcomes.waiting(NEXT)
    assert item.record_id == record
    owner = person_of(bench, "owner")
    with pytest.raises(GateError) as refused:
        bench.outcomes.decide(NEXT, [item], "leave", owner)
    assert refused.value.code == "finding.reason"
    bench.outcomes.decide(NEXT, [item], "leave", owner, "Another team owns it.")
    assert bench.outcomes.waiting(NEXT) == ()
    assert bench.outcomes.offered(NEXT)[0].decided == "leave"
    assert record in rows_of(bench, build(bench, NEXT))


def test_a_new_version_is_offered_what_the_last_one_settled(bench):
    first = build(bench)
    record = flagged(bench, first.digest)
    settle(bench, first.digest, record, "fix", turn=1, words=WORDS)
    [item] = bench.outcomes.waiting(NEXT)
    bench.outcomes.decide(NEXT, [item], "apply", person_of(bench, "owner"))
    after = rows_of(bench, build(bench, NEXT, "another nonce"))
    assert record not in after
    assert WORDS in str(after)


def test_an_edit_of_a_text_that_changed_is_refused_until_it_is_taken_back(bench, simulator):
    first = build(bench)
    record = flagged(bench, first.digest)
    settle(bench, first.digest, record, "fix", turn=1, words=WORDS)
    owner = person_of(bench, "owner")
    [item] = bench.outcomes.waiting(VERSION)
    bench.outcomes.decide(VERSION, [item], "apply", owner)
    key = f"{PRIORITY}a.jsonl"
    body = simulator.body(key)
    simulator.put(key, body.replace(b"as the others", b"as all of the others"))
    with pytest.raises(IntakeError) as refused:
        bench.candidates.build(VERSION, person_of(bench, "engineer"), workers=1)
    assert (refused.value.code, refused.value.place) == ("intake.edit_stale", f"{record}:1")
    bench.outcomes.decide(VERSION, [item], "leave", owner, "The source was corrected.")
    assert WORDS not in str(rows_of(bench, build(bench)))


def test_only_a_second_person_with_a_reason_decides(bench):
    first = build(bench)
    record = flagged(bench, first.digest)
    lead = person_of(bench, "lead")
    with pytest.raises(NotAllowed) as own:
        settle(bench, first.digest, record, "accept", by="clinician-1")
    assert own.value.code == "review.second_person"
    for outcome, reason, code in (
        ("maybe", "Because.", "review.outcome"),
        ("accept", " ", "review.reason"),
        ("fix", "Because.", "review.edit"),
    ):
        with pytest.raises(ReviewError) as refused:
            bench.reviews.adjudicate(first.digest, CLAIM, record, outcome, reason, lead)
        assert refused.value.code == code
    with pytest.raises(ReviewError) as refused:
        settle(bench, first.digest, record, "fix", turn=1, words="Write to jo@example.com.")
    assert refused.value.code == "review.private_text"
    assert len(bench.reviews.open_cases(first.digest)) == 1
    assert bench.reviews.settlements(first.digest, CLAIM) == ()


def test_a_verdict_against_a_record_waits_for_a_word_about_the_next_candidate(bench):
    first = build(bench)
    record = bench.reviews.plans(first.digest)[CLAIM].records[0]
    answer(bench, first.digest, record, verdict="accept_with_edit")
    [case] = bench.reviews.open_cases(first.digest)
    assert (case.record_id, case.stops, case.flags) == (record, False, ())
    assert case.open_to("demo:lead")
    assert not case.open_to("demo:clinician-1")
    by = person_of(bench, "clinician-1")
    proposal = bench.reviews.propose_edit(first.digest, CLAIM, record, 1, WORDS, "Kinder.", by)
    settle(bench, first.digest, record, "fix", edits=[proposal.sha256])
    assert bench.reviews.open_cases(first.digest) == ()
    assert [item.words for item in bench.outcomes.waiting(VERSION)] == [WORDS]


def test_a_difference_of_readers_is_one_case_with_its_flags(bench):
    first = build(bench)
    record = flagged(bench, first.digest)
    answer(bench, first.digest, record, "clinician-2")
    [case] = bench.reviews.open_cases(first.digest)
    assert case.differences == ("verdict",)
    assert case.answers["verdict"] == {"demo:clinician-1": "reject", "demo:clinician-2": "accept"}
    assert case.open_to("demo:clinician-2")
    settled = settle(bench, first.digest, record, "accept")
    assert {one.kind for one in settled} == {"flag", "difference"}
    assert bench.reviews.open_cases(first.digest) == ()
    assert bench.reviews.state(first.digest, CLAIM).defects == 0


def test_an_auditor_decides_nothing(bench):
    first = build(bench)
    record = flagged(bench, first.digest)
    settle(bench, first.digest, record, "reject")
    items = bench.outcomes.waiting(VERSION)
    with pytest.raises(NotAllowed):
        bench.outcomes.decide(VERSION, items, "apply", person_of(bench, "clinician-2"))
    with pytest.raises(GateError) as refused:
        bench.outcomes.decide(VERSION, items, "forget", person_of(bench, "owner"))
    assert refused.value.code == "finding.action"
    with pytest.raises(GateError) as refused:
        bench.outcomes.decide(VERSION, [], "apply", person_of(bench, "owner"))
    assert refused.value.code == "finding.absent"
