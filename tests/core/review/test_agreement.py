from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.inter_rater import cohens_kappa

from core.review import agreement as ag


def test_the_published_paradox_table():
    table = np.array([[130.0, 9.0], [56.0, 5.0]])
    assert ag.weighted_kappa(table).value == pytest.approx(0.022, abs=5e-4)
    assert ag.gwet_coefficient(table).value == pytest.approx(0.533, abs=1e-3)


def test_a_rare_flag_looks_good_to_one_coefficient_and_bad_to_another():
    pairs = [(0, 0)] * 95 + [(1, 1)] + [(1, 0)] * 2 + [(0, 1)] * 2
    table = ag.table_of(pairs, (0, 1))
    assert ag.raw_agreement(pairs).value == pytest.approx(0.96)
    assert ag.weighted_kappa(table).value == pytest.approx(0.31, abs=5e-3)
    assert ag.krippendorff_alpha(pairs, "nominal").value == pytest.approx(0.32, abs=5e-3)
    assert ag.gwet_coefficient(table).value == pytest.approx(0.96, abs=5e-3)
    assert ag.positive_agreement(1, 2, 2).value == pytest.approx(1 / 3)


def test_without_a_joint_yes_kappa_is_negative():
    pairs = [(0, 0)] * 96 + [(1, 0)] * 2 + [(0, 1)] * 2
    table = ag.table_of(pairs, (0, 1))
    assert ag.weighted_kappa(table).value == pytest.approx(-0.02, abs=1e-3)
    assert ag.gwet_coefficient(table).value == pytest.approx(0.96, abs=5e-3)
    assert ag.positive_agreement(0, 2, 2).value == 0


def test_unanimous_answers_are_explained_in_words():
    table = ag.table_of([(4, 4)] * 50, (1, 2, 3, 4, 5))
    kappa = ag.weighted_kappa(table, ag.quadratic_weights(5))
    alpha = ag.krippendorff_alpha([(4, 4)] * 50, "ordinal")
    assert kappa.value is None
    assert alpha.value is None
    assert kappa.why == alpha.why
    assert kappa.why.startswith("all raters gave the same answer on all 50;")
    assert ag.gwet_coefficient(table).value == pytest.approx(1.0)


def test_nothing_rated_twice_is_explained_too():
    assert ag.raw_agreement([]).value is None
    assert "two people" in ag.krippendorff_alpha([(3,), (4,)], "ordinal").why
    assert ag.weighted_kappa(np.zeros((5, 5))).value is None
    assert "nobody said yes" in ag.positive_agreement(0, 0, 0).why


@pytest.mark.parametrize("seed", range(5))
def test_kappa_is_that_of_statsmodels(seed):
    draw = np.random.default_rng(seed)
    truth = draw.integers(1, 6, 60)
    pairs = [(int(t), int(np.clip(t + draw.integers(-1, 2), 1, 5))) for t in truth]
    table = ag.table_of(pairs, (1, 2, 3, 4, 5))
    quadratic = cohens_kappa(table, weights=(np.arange(5)[:, None] - np.arange(5)) ** 2)
    assert ag.weighted_kappa(table).value == pytest.approx(cohens_kappa(table).kappa)
    assert ag.weighted_kappa(table, ag.quadratic_weights(5)).value == pytest.approx(quadratic.kappa)


# Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), example C: four observers,
# twelve units, missing data.
_OBSERVERS = (
    (1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3),
    (0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0),
)


def test_alpha_is_krippendorffs_own_with_missing_data():
    units = [[row[unit] for row in _OBSERVERS if row[unit]] for unit in range(12)]
    assert ag.krippendorff_alpha(units, "nominal").value == pytest.approx(0.743, abs=1e-3)
    assert ag.krippendorff_alpha(units, "ordinal").value == pytest.approx(0.815, abs=1e-3)


def test_within_one_counts_near_misses():
    pairs = [(1, 1), (2, 3), (5, 3)]
    assert ag.raw_agreement(pairs).value == pytest.approx(1 / 3)
    assert ag.raw_agreement(pairs, within=1).value == pytest.approx(2 / 3)


def test_alpha_of_the_published_nominal_example():
    # Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", section C: 0.743.
    a = [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None]
    b = [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3]
    c = [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None]
    d = [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None]
    units = [[x for x in unit if x is not None] for unit in zip(a, b, c, d, strict=True)]
    assert ag.krippendorff_alpha(units, "nominal").value == pytest.approx(0.743, abs=5e-4)
    # Section D of the same: ordinal 0.815.
    assert ag.krippendorff_alpha(units, "ordinal").value == pytest.approx(0.815, abs=5e-4)


def test_raw_agreement_is_that_of_the_reference():
    pairs = [(4, 4)] * 67 + [(4, 5)] * 33
    assert ag.raw_agreement(pairs).value == pytest.approx(0.67)
    assert ag.raw_agreement(pairs, within=1).value == pytest.approx(1.0)


ABSTRACTORS = np.array([[13.0, 0.0, 0.0], [0.0, 20.0, 7.0], [0.0, 4.0, 56.0]])
"""Two abstractors, 100 patients, three diagnoses (Gwet, Handbook of Inter-Rater Reliability)."""


def test_gwets_own_tables():
    # Gwet 2008, 125 subjects: 118 yes/yes, 5 yes/no, 2 no/yes: kappa -0.0234, AC1 0.9408.
    table = np.array([[118.0, 5.0], [2.0, 0.0]])
    assert ag.weighted_kappa(table).value == pytest.approx(-0.0234, abs=5e-5)
    assert ag.gwet_coefficient(table).value == pytest.approx(0.9408, abs=5e-5)
    assert ag.weighted_kappa(ABSTRACTORS).value == pytest.approx(0.7964094, abs=5e-8)
    assert ag.gwet_coefficient(ABSTRACTORS).value == pytest.approx(0.8493305, abs=5e-8)
    # irrCAC 0.4.4 prints 0.94024 for this table by quadratic weights. By hand: all eleven that
    # differ are neighbours, so (0.9725 - 0.53985) / (1 - 0.53985).
    weighted = ag.gwet_coefficient(ABSTRACTORS, ag.quadratic_weights(3)).value
    assert weighted == pytest.approx(0.94024, abs=5e-6)
    assert weighted == pytest.approx(0.43265 / 0.46015, abs=1e-9)


@pytest.mark.parametrize(
    ("both", "one", "other", "expected"), [(40, 9, 6, 0.842), (80, 10, 5, 0.914), (0, 2, 3, 0.0)]
)
def test_positive_agreement_of_the_tables_that_made_it_known(both, one, other, expected):
    # Cicchetti and Feinstein 1990: kappa 0.70 and 0.32 for the first two, both agreeing in 85 %.
    assert ag.positive_agreement(both, one, other).value == pytest.approx(expected, abs=5e-4)
    table = np.array([[45.0, other], [one, both]])
    assert ag.positive_agreement_of(table) == ag.positive_agreement(both, one, other)
