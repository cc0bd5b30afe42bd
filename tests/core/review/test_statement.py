from __future__ import annotations

import dataclasses

import pytest

from core.canonical import canonical_bytes, document_bytes, sha256_hex
from core.model.errors import NotAllowed, ReviewError
from core.model.names import Digest
from core.model.review import SamplePlan
from core.review.phrases import percent
from core.review.plans import load_plans
from core.review.ratings import StoredRating
from core.review.settlements import Settlement, outcomes, settle, settlement_bytes
from core.review.statement import review_state
from tests.builders import PREFIX
from tests.reviewing import (
    AT,
    BUILDER,
    REVIEWERS,
    SETTLERS,
    Review,
    a_claim,
    a_reader,
    digest_of_rating,
)

FLAG = "F1@1:clara"


@pytest.fixture
def review(simulator):
    return Review(simulator)


def a_large_review(simulator, first, second, defects=(), read=None):
    """A state over a plan in a frame of 12,345, whose ratings are made here, not loaded."""
    review = Review(simulator)
    records = tuple(f"{number:032x}" for number in range(second or first))
    plan = SamplePlan(
        id="p",
        candidate=review.candidate.digest,
        claim=review.claim.id,
        scope="foundation",
        role="clinician",
        rubric=review.rubric.digest,
        seed="s",
        frame=12_345,
        limit=0.05,
        confidence=0.95,
        first=first,
        second=second,
        overlap=0,
        records=records,
    )
    ratings = [
        StoredRating(
            rating=review.a_rating(
                record_id=record_id, verdict="reject" if number in defects else "accept"
            ),
            key=record_id,
            sha256=sha256_hex(record_id.encode()),
            standing=(),
            earlier=(),
        )
        for number, record_id in enumerate(records[: first if read is None else read])
    ]
    people = {"reviewers": REVIEWERS, "settlers": SETTLERS}
    return review_state(plan, ratings, (), review.claim, **people)


def test_the_sentence_is_the_promised_one(simulator):
    state = a_large_review(simulator, 59, 0)
    assert state.state == "ready"
    assert state.sentence == (
        "59 of 59 read, 0 hard fails. With 95 % confidence at most 4.95 % of foundation "
        "(N = 12,345) would fail. A 1 % problem would be missed 55 times in 100."
    )
    assert state.upper == pytest.approx(0.0495076, abs=1e-6)


def test_before_the_end_the_sentence_says_what_remains(simulator):
    state = a_large_review(simulator, 59, 0, read=30)
    assert state.state == "reading"
    assert state.sentence == (
        "30 of 59 read, 0 hard fails. 29 remain to be read. So far, with 95 % confidence at most "
        "9.5 % of foundation (N = 12,345) would fail. A 1 % problem would be missed 74 times in "
        "100."
    )


def test_stage_two_reports_the_plans_claim_and_no_fresh_bound(simulator):
    state = a_large_review(simulator, 63, 113, defects=(5,), read=113)
    assert (state.state, state.planned, state.defects) == ("ready", 113, 1)
    assert state.upper == 0.05
    assert "By the plan fixed beforehand, with 95 % confidence at most 5 % of" in state.sentence
    assert "1 rejected or in need of an edit" in state.sentence


def test_one_defect_in_stage_one_must_be_read_on(simulator):
    state = a_large_review(simulator, 63, 113, defects=(5,), read=63)
    assert (state.state, state.planned, state.read) == ("reading", 113, 63)
    assert "50 remain to be read" in state.sentence


def test_the_second_defect_ends_it_at_once(simulator):
    state = a_large_review(simulator, 63, 113, defects=(5, 9), read=20)
    assert state.state == "failed"
    assert "The plan allows 1" in state.sentence
    assert a_large_review(simulator, 63, 113, defects=(5, 100), read=113).state == "failed"


def test_a_single_plan_allows_none(simulator):
    state = a_large_review(simulator, 59, 0, defects=(5,), read=10)
    assert state.state == "failed"
    assert "The plan allows 0" in state.sentence


def test_without_a_plan_nothing_can_be_said():
    people = {"reviewers": REVIEWERS, "settlers": SETTLERS}
    state = review_state(None, (), (), a_claim(), **people)
    assert (state.state, state.upper) == ("not_frozen", None)
    assert "foundation" in state.sentence


def test_an_unread_sample_claims_nothing(review):
    state = review.state()
    assert (state.state, state.read, state.upper) == ("reading", 0, None)
    assert "Nothing can be said about foundation yet." in state.sentence


def test_a_clean_sample_with_its_second_readings_is_ready(review):
    review.read_clean()
    state = review.state()
    assert state.state == "ready"
    assert (state.read, state.planned, state.double_rated) == (review.plan.first,) * 2 + (2,)
    assert state.reviewers == ("clara", "cornelius")
    assert state.open_points == ()


def test_a_missing_second_reading_is_missed(review):
    for number in range(review.plan.first):
        review.rate(number)
    state = review.state()
    assert state.state == "reading"
    assert "2 second readings are missing." in state.sentence


def test_an_open_flag_pauses_everything_until_a_second_person_settles_it(review):
    review.read_clean(2)
    review.flag(2)
    state = review.state()
    assert (state.state, state.open_flags) == ("paused", 1)
    assert state.open_points == (f"flag {review.plan.records[2]} {FLAG}",)
    with pytest.raises(NotAllowed) as caught:
        review.settle(2, "flag", FLAG, "accept", "clara")
    assert caught.value.code == "review.second_person"
    assert review.state().state == "paused"


def test_a_dismissed_flag_leaves_its_dissent_and_its_verdict(review):
    review.read_clean()
    review.flag(4 - 1, "cornelius")
    target = "F1@1:cornelius"
    review.settle(3, "flag", target, "accept", "leander")
    state = review.state()
    assert state.open_flags == 0
    assert state.defects == 1
    assert any(target in dissent and "leander" in dissent for dissent in state.dissents)
    review.settle(3, "difference", "verdict", "accept", "leander")
    state = review.state()
    assert (state.state, state.defects) == ("ready", 0)
    assert any("overruled by leander" in dissent for dissent in state.dissents)


def test_a_confirmed_hard_fail_may_not_ship_even_when_the_plan_would_pass(review):
    review.flag(3)
    review.settle(3, "flag", FLAG, "reject", "leander")
    for number in range(review.plan.second):
        if number != 3:
            review.rate(number)
        if number < 2:
            review.rate(number, "cornelius")
    state = review.state()
    assert (state.read, state.planned, state.defects) == (8, 8, 1)
    assert state.state == "failed"
    assert state.open_points == (f"remove {review.plan.records[3]}",)
    assert "1 hard fail" in state.sentence
    assert "must be excluded or fixed and a new candidate built" in state.sentence


EDIT = Digest("ed" * 32)


def test_a_fix_is_for_the_next_candidate_and_the_hard_fail_counts_here(review):
    review.flag(3)
    review.settle(3, "flag", FLAG, "fix", "leander", edits=(EDIT,))
    for number in range(review.plan.second):
        if number != 3:
            review.rate(number)
        if number < 2:
            review.rate(number, "cornelius")
    state = review.state()
    assert (state.state, state.defects, state.open_flags) == ("failed", 1, 0)
    assert state.open_points == (f"fix {review.plan.records[3]}",)
    assert "1 hard fail" in state.sentence


def test_a_rejection_outweighs_a_fix_and_of_two_fixes_the_later_one_is_it(review):
    review.flag(0)
    later = Digest("ee" * 32)
    review.settle(0, "flag", FLAG, "fix", "leander", edits=(EDIT,), at="2026-11-21T10:00:00Z")
    review.settle(0, "flag", FLAG, "fix", "celia", edits=(later,), at="2026-11-21T11:00:00Z")
    decided = outcomes(review.settled(), review.loaded(), SETTLERS)
    assert [one.settlement.edits for one in decided.values()] == [(later,)]
    review.settle(0, "flag", FLAG, "reject", "celia", at="2026-11-21T09:30:00Z")
    assert review.state().open_points == (f"remove {review.plan.records[0]}",)


@pytest.mark.parametrize(
    ("decision", "edits", "proposed"),
    [
        ("fix", (), ()),
        ("fix", (EDIT,), ()),
        ("accept", (EDIT,), (EDIT,)),
        ("reject", (EDIT,), (EDIT,)),
        ("confirm", (), ()),
        ("dismiss", (), ()),
    ],
)
def test_an_outcome_that_is_none_is_refused(review, decision, edits, proposed):
    review.flag(0)
    one = dataclasses.replace(a_settlement(review), decision=decision, edits=edits)
    with pytest.raises(ReviewError) as caught:
        settle(
            review.store, PREFIX, one, person=a_reader("leander", "review_lead"),
            claim=review.claim, ratings=review.loaded(), builder=BUILDER, proposed=proposed,
        )  # fmt: skip
    assert caught.value.code == "review.outcome"
    assert review.settled() == ()


def a_settlement(review):
    return Settlement(
        candidate=review.candidate.digest, claim=review.claim.id,
        record_id=review.plan.records[0], kind="flag", target=FLAG, decision="accept",
        reason="Read again.", by="leander", at=AT,
    )  # fmt: skip


@pytest.mark.parametrize(("said", "point"), [("confirm", "remove"), ("dismiss", "")])
def test_what_the_first_desks_settled_means_what_it_meant(review, simulator, said, point):
    review.flag(0)
    one = a_settlement(review)
    body = canonical_bytes(
        {
            "schema": "release-desk/settlement/1",
            **{
                name: getattr(one, name)
                for name in ("candidate", "claim", "record_id", "kind", "target", "reason", "by")
            },
            "at": AT,
            "decision": said,
        }
    )
    folder = f"{PREFIX}reviews/{one.candidate}/settlements/{one.claim}/{one.record_id}/"
    simulator.put(f"{folder}{sha256_hex(body)}.json", body)
    assert review.settled()[0].settlement.decision == said
    state = review.state()
    assert state.open_flags == 0
    assert state.open_points == ((f"{point} {one.record_id}",) if point else ())


def test_a_verdict_nobody_disputes_can_be_fixed_or_rejected_but_not_talked_away(review):
    review.rate(0, verdict="accept_with_edit")
    with pytest.raises(ReviewError) as caught:
        review.settle(0, "verdict", "verdict", "accept", "leander")
    assert caught.value.code == "review.outcome"
    with pytest.raises(NotAllowed):
        review.settle(0, "verdict", "verdict", "reject", "clara")
    review.settle(0, "verdict", "verdict", "fix", "leander", edits=(EDIT,))
    state = review.state()
    assert (state.defects, state.open_points) == (1, ())
    review.settle(0, "verdict", "verdict", "reject", "leander")
    assert review.state().open_points == (f"remove {review.plan.records[0]}",)


def test_a_dismissal_cannot_undo_a_confirmation(review):
    review.flag(0)
    review.settle(0, "flag", FLAG, "accept", "leander")
    review.settle(0, "flag", FLAG, "reject", "celia")
    review.settle(0, "flag", FLAG, "accept", "cornelius")
    assert any(point.startswith("remove ") for point in review.state().open_points)


def test_a_flag_in_the_reserve_pauses_too(review):
    review.read_clean()
    review.flag(review.plan.second - 1)
    assert review.state().state == "paused"


def test_a_lone_reject_is_no_matter_for_settlement(review):
    review.rate(0, verdict="reject")
    with pytest.raises(ReviewError) as caught:
        review.settle(0, "difference", "verdict", "accept", "leander")
    assert caught.value.code == "review.nothing_to_settle"
    assert review.state().defects == 1


@pytest.mark.parametrize(
    "changes",
    [{"verdict": "second_opinion"}, {"verdict": "accept_with_edit"}, {"verdict": "reject"}],
)
def test_each_kind_of_defect_counts(review, changes):
    review.rate(0, **changes)
    state = review.state()
    assert state.defects == 1
    assert state.planned == 8
    assert state.cannot_judge == (1 if changes["verdict"] == "second_opinion" else 0)


def test_what_one_cannot_judge_another_can(review):
    scores = {**review.a_rating().scores, "C3": "cannot_judge"}
    review.rate(2, scores=scores)
    assert (review.state().defects, review.state().cannot_judge) == (1, 1)
    review.rate(2, "cornelius")
    assert (review.state().defects, review.state().cannot_judge) == (0, 0)


def test_what_nobody_could_judge_fails_the_plan_in_the_end(review):
    for number in range(review.plan.first):
        review.rate(number, verdict="second_opinion" if number in (2, 3) else "accept")
        assert review.state().state == "reading"
    for number in range(2):
        review.rate(number, "cornelius")
    assert review.state().state == "failed"
    assert "2 that could not be judged" in review.state().sentence


def test_two_raters_two_steps_apart_are_an_open_point_until_settled(review):
    review.read_clean(1)
    review.rate(1, scores={**review.a_rating().scores, "C2": "1"})
    review.rate(1, "cornelius", scores={**review.a_rating().scores, "C2": "3", "C3": "3"})
    for number in range(2, review.plan.first):
        review.rate(number)
    state = review.state()
    assert state.state == "reading"
    assert state.open_points == (f"difference {review.plan.records[1]} C2",)
    review.settle(1, "difference", "C2", "accept", "leander")
    state = review.state()
    assert (state.state, state.open_points) == ("ready", ())
    assert any("C2 settled by leander" in dissent for dissent in state.dissents)


def test_one_step_apart_is_no_difference(review):
    review.read_clean(1)
    review.rate(1)
    review.rate(1, "cornelius", scores={**review.a_rating().scores, "C2": "5"})
    assert review.state().open_points == ()


def test_a_verdict_the_raters_dispute_is_a_defect_until_it_is_settled(review):
    review.read_clean(1)
    review.rate(1)
    review.rate(1, "cornelius", verdict="reject")
    state = review.state()
    assert state.defects == 1
    assert f"difference {review.plan.records[1]} verdict" in state.open_points
    with pytest.raises(NotAllowed):
        review.settle(1, "difference", "verdict", "accept", "clara")
    review.settle(1, "difference", "verdict", "accept", "leander")
    assert review.state().defects == 0


def test_a_changed_mind_is_told(review):
    first = review.a_rating(verdict="reject")
    review.submit(first)
    review.rate(0, at="2026-11-21T10:00:00Z", supersedes=digest_of_rating(first))
    assert review.state().dissents == (
        f"verdict {review.plan.records[0]} changed from reject to accept by clara",
    )


def test_ratings_by_invented_reviewers_count_for_nothing(review):
    review.rate(0)
    for number in range(1, review.plan.first):
        review.rate(number, "dr.nobody")
    state = review.state()
    assert state.read == 1
    assert state.state == "reading"
    assert sum("not_a_reviewer" in point for point in state.open_points) == review.plan.first - 1


def test_what_somebody_read_who_has_left_is_read_again_and_their_flag_stands(review):
    review.read_clean()
    review.flag(0, "celia")
    left = [dataclasses.replace(stored, carried=True) for stored in review.loaded()]
    people = {"reviewers": frozenset({"clara"}), "settlers": SETTLERS}
    state = review_state(review.plan, left, (), review.claim, **people)
    # Cornelius's second readings and Celia's are gone; nothing else is in the way for it.
    assert not any("not_a_reviewer" in point for point in state.open_points)
    assert (state.state, state.double_rated, state.open_flags) == ("paused", 0, 1)


def test_a_rubric_edited_after_ratings_makes_them_stale(review):
    review.read_clean()
    edited = dataclasses.replace(review.plan, rubric=sha256_hex(b"edited"))
    people = {"reviewers": REVIEWERS, "settlers": SETTLERS}
    state = review_state(edited, review.loaded(), (), review.claim, **people)
    assert (state.state, state.read) == ("stale", 0)
    assert all(point.startswith("review.stale") for point in state.open_points)


def test_a_sample_edited_after_ratings_makes_them_stale(review):
    review.read_clean()
    others = [name for name in review.records if name not in review.plan.records]
    edited = dataclasses.replace(review.plan, records=tuple(others[:8]))
    people = {"reviewers": REVIEWERS, "settlers": SETTLERS}
    state = review_state(edited, review.loaded(), (), review.claim, **people)
    assert (state.state, state.read) == ("stale", 0)


def test_a_settlement_put_by_hand_by_the_raiser_counts_for_nothing(review, simulator):
    review.flag(0)
    key = review.settle(0, "flag", FLAG, "accept", "leander")
    own = dataclasses.replace(review.settled()[0].settlement, by="clara")
    body = settlement_bytes(own)
    simulator.forget(key)
    simulator.put(f"{key.rpartition('/')[0]}/{sha256_hex(body)}.json", body)
    assert review.settled()[0].settlement.by == "clara"
    assert review.state().state == "paused"


def test_an_edited_settlement_is_noticed(review, simulator):
    review.flag(0)
    key = review.settle(0, "flag", FLAG, "reject", "leander")
    edited = dataclasses.replace(review.settled()[0].settlement, decision="accept")
    simulator.put(key, settlement_bytes(edited))
    with pytest.raises(ReviewError) as caught:
        review.settled()
    assert caught.value.code == "review.settlement_broken"


@pytest.mark.parametrize(
    ("kind", "target"), [("flag", "F2@1:clara"), ("flag", "F1@1:celia"), ("difference", "C1")]
)
def test_what_nobody_raised_cannot_be_settled(review, kind, target):
    review.flag(0)
    with pytest.raises(ReviewError) as caught:
        review.settle(0, kind, target, "accept", "leander")
    assert caught.value.code == "review.nothing_to_settle"


def test_agreement_travels_with_the_state_and_is_plain_data(review):
    review.read_clean()
    agreement = review.state().agreement
    assert agreement["double_rated"] == 2
    assert agreement["items"]["C1"]["raw"] == 1.0
    assert "same answer on all 2" in agreement["items"]["C1"]["undefined"]["kappa_quadratic"]
    assert document_bytes(agreement)


def test_a_frame_read_to_the_end_says_so(simulator):
    review = Review(simulator, size=3)
    assert (review.plan.frame, review.plan.first) == (3, 2)
    plan = dataclasses.replace(review.plan, first=3, second=0, records=sorted(review.records))
    people = {"reviewers": REVIEWERS, "settlers": SETTLERS}
    review.plan = dataclasses.replace(plan, records=tuple(plan.records))
    review.read_clean()
    state = review_state(review.plan, review.loaded(), (), review.claim, **people)
    assert state.upper == 0
    assert "Every one of the 3 was read." in state.sentence


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.95, "95 %"), (0.0495, "4.95 %"), (0.095, "9.5 %"), (0.0, "0 %"), (0.35, "35 %")],
)
def test_percentages_are_written_as_people_write_them(share, text):
    assert percent(share) == text


def test_the_state_is_that_of_the_frozen_plan(review, simulator):
    found = load_plans(simulator, PREFIX, review.candidate.digest)
    assert found[review.claim.id] == review.plan
