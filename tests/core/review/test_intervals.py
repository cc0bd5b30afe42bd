"""The bootstrap is seeded, agrees with scipy's own, and says in words where it has nothing."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy import stats

from core.model.names import ReviewerId
from core.review import agreement as ag
from core.review.intervals import (
    Interval,
    bootstrap,
    flag_interval,
    item_intervals,
    norming_due,
)
from tests.reviewing import Review


def some_pairs(count=80):
    draw = np.random.default_rng(7)
    truth = draw.integers(1, 6, count)
    return [(int(t), int(np.clip(t + draw.integers(-1, 2), 1, 5))) for t in truth]


def stacked(pairs):
    return np.array([ag.table_of([pair], (1, 2, 3, 4, 5)) for pair in pairs])


def kappa(table):
    return ag.weighted_kappa(table, ag.quadratic_weights(5))


def test_the_interval_is_that_of_scipys_bootstrap():
    pairs = some_pairs()
    mine = bootstrap(stacked(pairs), kappa, "seed", times=2000)
    one, other = np.array(pairs).T

    def statistic(left, right):
        table = ag.table_of(list(zip(left, right, strict=True)), (1, 2, 3, 4, 5))
        return kappa(table).value

    theirs = stats.bootstrap(
        (one, other),
        statistic,
        paired=True,
        vectorized=False,
        method="percentile",
        n_resamples=2000,
        rng=np.random.default_rng(1),
    ).confidence_interval
    assert mine.low == pytest.approx(theirs.low, abs=0.02)
    assert mine.high == pytest.approx(theirs.high, abs=0.02)
    assert mine.low < kappa(stacked(pairs).sum(axis=0)).value < mine.high


def test_the_same_seed_gives_the_same_interval_and_another_another():
    tables = stacked(some_pairs())
    assert bootstrap(tables, kappa, "seed") == bootstrap(tables, kappa, "seed")
    assert bootstrap(tables, kappa, "seed") != bootstrap(tables, kappa, "other")


def test_where_there_is_no_interval_words_say_why():
    assert "fewer than 10" in bootstrap(stacked(some_pairs(9)), kappa, "s").why
    unanimous = bootstrap(stacked([(4, 4)] * 50), kappa, "s")
    assert unanimous.low is None
    assert "no spread" in unanimous.why


def test_every_question_rated_twice_has_its_intervals(simulator):
    review = Review(simulator)
    base = review.a_rating(0)
    ratings = [
        dataclasses.replace(
            base,
            record_id=f"{number:032x}",
            reviewer=ReviewerId(name),
            scores={"C1": str(pair[place]), "C2": "na"},
        )
        for number, pair in enumerate(some_pairs(60))
        for place, name in enumerate(("clara", "cornelius"))
    ]
    found = item_intervals(ratings, "seed")
    assert set(found) == {"C1", "C2"}
    assert found["C1"]["alpha_ordinal"].low < found["C1"]["alpha_ordinal"].high
    assert found["C2"]["alpha_ordinal"].low is None
    weak = {"C1": {"alpha_ordinal": Interval(low=0.1, high=0.5)}}
    assert norming_due(weak, ["C1", "C2"]) == ("C1",)
    assert norming_due(found, ["C2"]) == ()


def test_the_interval_of_positive_agreement_is_that_of_scipys_bootstrap():
    cells = [(1, 1)] * 8 + [(1, 0)] * 4 + [(0, 1)] * 3 + [(0, 0)] * 45
    tables = np.array([ag.table_of([pair], (0, 1)) for pair in cells])
    ours = bootstrap(tables, ag.positive_agreement_of, "a seed", times=4000)
    one, other = np.array(cells).T

    def joined(first, second, axis=-1):
        return 2 * (first & second).sum(axis) / (first.sum(axis) + second.sum(axis))

    theirs = stats.bootstrap(
        (one, other), joined, paired=True, method="percentile", n_resamples=4000, random_state=1,
    ).confidence_interval  # fmt: skip
    assert ours.low == pytest.approx(theirs.low, abs=0.03)
    assert ours.high == pytest.approx(theirs.high, abs=0.03)
    assert ours.low < 16 / 23 < ours.high


def test_flags_of_too_few_records_have_no_interval(simulator):
    review = Review(simulator)
    review.read_clean()
    found = flag_interval([one.rating for one in review.loaded()], "a seed")
    assert (found.low, found.high) == (None, None)
    assert "fewer than 10" in found.why
