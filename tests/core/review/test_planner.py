"""A planner's numbers are the reference's, and a simulated plan errs as often as it says."""

from __future__ import annotations

import numpy as np
import pytest

from core.model.errors import ReviewError
from core.review.bounds import finite_pass_probability, least_bad
from core.review.planner import double_plan, outlook


def test_the_double_plans_are_those_of_the_reference():
    assert double_plan(0.05, 0.95, None) == (63, 113)
    assert double_plan(0.01, 0.95, None) == (319, 580)


def test_a_small_frame_needs_fewer_and_a_tiny_one_has_no_second_stage():
    first, second = double_plan(0.05, 0.95, 300)
    assert first < 63 < second < 113
    assert double_plan(0.05, 0.95, 12) == (12, 0)


@pytest.mark.parametrize(
    ("limit", "confidence", "frame"),
    [(0.05, 0.95, 300), (0.05, 0.95, 2000), (0.1, 0.9, 150), (0.02, 0.95, 1000)],
)
def test_a_simulated_plan_passes_a_bad_family_as_seldom_as_it_claims(limit, confidence, frame):
    first, second = double_plan(limit, confidence, frame)
    bad = least_bad(limit, frame)
    dice = np.random.default_rng(20261122)
    trials = 20_000
    in_first = dice.hypergeometric(bad, frame - bad, first, trials)
    left = bad - in_first
    later = dice.hypergeometric(left, frame - first - left, second - first)
    passed = ((in_first == 0) | ((in_first == 1) & (later == 0))).mean()
    claimed = finite_pass_probability(first, second, frame, bad)
    noise = 4 * np.sqrt(claimed * (1 - claimed) / trials)
    assert passed == pytest.approx(claimed, abs=noise)
    assert claimed <= 1 - confidence


def test_the_outlook_says_hours_bounds_and_what_would_be_missed():
    found = outlook(0.05, 0.95, frame=None, minutes_each=6, overlap=50, sensitivity=0.9)
    assert (found.first, found.second, found.single, found.single_imperfect) == (63, 113, 59, 66)
    assert found.hours == pytest.approx((63 + 50) * 0.1)
    assert found.hours_at_most == pytest.approx((113 + 50) * 0.1)
    assert found.bound_if_clean == pytest.approx(1 - 0.05 ** (1 / 63))
    chances = dict(found.passes)
    assert chances[0.05] == pytest.approx(0.0496, abs=1e-4)
    assert chances[0.005] == pytest.approx(0.91, abs=0.005)
    assert dict(found.misses)[0.01] == pytest.approx(0.99**63)


@pytest.mark.parametrize("limit", [0.0, 1.0])
def test_numbers_that_are_no_claim_are_refused(limit):
    with pytest.raises(ReviewError) as refused:
        outlook(limit, 0.95, frame=None)
    assert refused.value.code == "review.no_plan"
