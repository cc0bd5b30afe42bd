from __future__ import annotations

from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, hypergeom

from core.model.errors import ReviewError
from core.review import bounds


@pytest.mark.parametrize(
    ("limit", "sizes"),
    [
        (0.005, (598, 947, 1258, 1549)),
        (0.01, (299, 473, 628, 773)),
        (0.02, (149, 236, 313, 386)),
        (0.05, (59, 93, 124, 153)),
        (0.10, (29, 46, 61, 76)),
    ],
)
def test_the_smallest_samples_are_the_published_ones(limit, sizes):
    found = tuple(bounds.plan_size(limit, 0.95, allowed) for allowed in range(4))
    assert found == sizes


@pytest.mark.parametrize(
    ("limit", "by_frame"),
    [
        (
            0.01,
            {100: 78, 200: 126, 300: 158, 500: 196, 1000: 238, 2000: 265, 5000: 284, 10000: 291},
        ),
        (0.05, {100: 39, 200: 47, 300: 50, 500: 54, 1000: 56, 2000: 57, 5000: 58, 10000: 59}),
    ],
)
def test_a_small_family_needs_fewer(limit, by_frame):
    found = {frame: bounds.plan_size(limit, 0.95, frame=frame) for frame in by_frame}
    assert found == by_frame


@pytest.mark.parametrize(
    ("defects", "read", "upper"),
    [(0, 59, 0.0495), (0, 30, 0.095), (0, 50, 0.058), (0, 100, 0.030), (0, 299, 0.00997)],
)
def test_the_exact_bound_is_the_published_one(defects, read, upper):
    assert bounds.clopper_pearson_upper(defects, read, 0.95) == pytest.approx(upper, rel=0.02)


@given(read=st.integers(1, 400), data=st.data())
@settings(max_examples=60, deadline=None)
def test_the_exact_bound_is_scipys(read, data):
    defects = data.draw(st.integers(0, read))
    theirs = binomtest(defects, read, alternative="less").proportion_ci(0.95, method="exact").high
    assert bounds.clopper_pearson_upper(defects, read, 0.95) == pytest.approx(theirs)


@given(frame=st.integers(1, 300), data=st.data())
@settings(max_examples=60, deadline=None)
def test_the_finite_bound_is_the_largest_number_not_ruled_out(frame, data):
    read = data.draw(st.integers(1, frame))
    defects = data.draw(st.integers(0, read))
    bad = round(bounds.hypergeometric_upper(defects, read, frame, 0.95) * frame)
    possible = [
        number
        for number in range(defects, frame - (read - defects) + 1)
        if hypergeom.cdf(defects, frame, number, read) > 1 - 0.95
    ]
    assert bad == max(possible)


def test_a_frame_read_to_the_end_leaves_no_doubt():
    assert bounds.hypergeometric_upper(0, 40, 40, 0.95) == 0
    assert bounds.hypergeometric_upper(2, 40, 40, 0.95) == pytest.approx(0.05)


def test_the_quoted_bound_is_the_cautious_one_in_a_large_frame_and_exact_in_a_small_one():
    assert bounds.quoted_upper(0, 59, 12_345, 0.95, 0.05) == pytest.approx(0.0495076, abs=1e-6)
    assert bounds.quoted_upper(0, 58, 5_000, 0.95, 0.05) <= 0.05
    assert bounds.quoted_upper(0, 40, 40, 0.95, 0.05) == 0


def test_a_one_percent_problem_is_missed_55_times_in_100():
    assert bounds.miss_probability(0.01, 59) == pytest.approx(0.5527, abs=1e-4)
    assert bounds.miss_probability(0.01, 59, 12_345) == pytest.approx(0.5504, abs=1e-3)
    assert bounds.miss_probability(0.01, 40, 40) == 0


@pytest.mark.parametrize(
    ("first", "second", "rate", "chance"),
    [
        (59, 0, 0.05, 0.0485),
        (59, 0, 0.005, 0.744),
        (63, 113, 0.05, 0.0496),
        (63, 113, 0.005, 0.91),
        (299, 0, 0.01, 0.0495),
        (319, 580, 0.01, 0.050),
        (319, 580, 0.001, 0.91),
    ],
)
def test_the_double_plan_passes_as_often_as_the_table_says(first, second, rate, chance):
    assert bounds.pass_probability(first, second, rate) == pytest.approx(chance, abs=0.006)


def test_the_default_double_plan_has_a_risk_of_4_96_percent():
    assert bounds.pass_probability(63, 113, 0.05) == pytest.approx(0.0496, abs=5e-5)


@given(frame=st.integers(20, 150), data=st.data())
@settings(max_examples=40, deadline=None)
def test_the_finite_risk_is_that_of_counting_every_case(frame, data):
    second = data.draw(st.integers(3, frame))
    first = data.draw(st.integers(1, second - 1))
    bad = data.draw(st.integers(1, frame))
    clean = frame - bad
    none = comb(clean, first) / comb(frame, first)
    # One bad record among `second`, and it stands in the first part of them.
    one = bad * comb(clean, second - 1) / comb(frame, second) * first / second
    found = bounds.finite_pass_probability(first, second, frame, bad)
    assert found == pytest.approx(none + one)


def test_the_limit_is_taken_as_written():
    assert bounds.least_bad(0.07, 100) == 8
    assert bounds.least_bad(0.29, 100) == 30


@pytest.mark.parametrize(("defects", "read"), [(0, 0), (3, 2), (-1, 5)])
def test_counts_that_cannot_be_are_refused(defects, read):
    with pytest.raises(ReviewError) as caught:
        bounds.clopper_pearson_upper(defects, read, 0.95)
    assert caught.value.code == "review.counts"
