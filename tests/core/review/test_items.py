"""Each question fails by its own mark, and a weighted set also by its weighted mean."""

from __future__ import annotations

import pytest

from core.review.bounds import clopper_pearson_upper
from core.review.items import OVERALL, item_bounds, overall
from core.review.rubrics import load_rubrics
from tests.reviewing import Review, a_claim

TEAM = load_rubrics()["team_foundation"]
GOOD = {"T1": "8", "T2": "9", "T3": "8", "T4": "8", "T5": "8"}


@pytest.fixture
def review(simulator):
    return Review(simulator, rubric="team_foundation")


def bounds(review, *scores, **claim):
    ratings = [review.a_rating(number, scores=one) for number, one in enumerate(scores)]
    found = item_bounds(ratings, a_claim(**claim), 40_000, TEAM)
    return {one.item: one for one in found}


def test_a_score_under_its_own_pass_mark_is_low_on_a_scale_of_ten(review):
    # T2 passes from 8, T3 from 6: a 7 fails the one and passes the other.
    found = bounds(review, GOOD, {**GOOD, "T2": "7", "T3": "7"}, {**GOOD, "T3": "5"})
    assert {name: one.low for name, one in found.items()} == {
        "T1": 0, "T2": 1, "T3": 1, "T4": 0, "T5": 0, OVERALL: 0,
    }  # fmt: skip
    assert (found["T2"].fails_at, found["T3"].fails_at) == (7, 5)
    assert found["T2"].upper == pytest.approx(clopper_pearson_upper(1, 3, 0.9))


def test_the_weighted_mean_fails_by_itself_though_every_mark_is_met(review):
    # 0.30 x 7 + 0.25 x 8 + 0.20 x 6 + 0.15 x 7 + 0.10 x 6 = 6.95.
    marks = {"T1": "7", "T2": "8", "T3": "6", "T4": "7", "T5": "6"}
    assert overall(review.a_rating(scores=marks), TEAM) == 6.95
    found = bounds(review, marks, GOOD, limited_items=(OVERALL,), item_limit=0.1)
    assert [name for name, one in found.items() if one.low] == [OVERALL]
    assert found[OVERALL].breached
    just = {**marks, "T5": "7"}
    assert overall(review.a_rating(scores=dict.fromkeys(marks, "7")), TEAM) == 7.0
    assert bounds(review, just)[OVERALL].low == 0


def test_what_is_not_applicable_weighs_nothing(review):
    scores = {**GOOD, "T1": "na", "T2": "cannot_judge"}
    assert overall(review.a_rating(scores=scores), TEAM) == 8.0
    assert overall(review.a_rating(scores=dict.fromkeys(GOOD, "na")), TEAM) is None
    assert OVERALL not in bounds(review, dict.fromkeys(GOOD, "na"))


def test_the_state_and_the_report_use_the_claims_own_rubric(review):
    review.rate(0, scores={**GOOD, "T2": "7"}, verdict="reject")
    items = review.state().items
    assert items["T2"]["low"] == 1
    assert items["T2"]["fails_at"] == 7
    assert OVERALL in items
    # Ours has five steps and no marks: 2 fails, as before.
    assert item_bounds([], a_claim(), 10, load_rubrics()["clinician_qa"]) == ()
