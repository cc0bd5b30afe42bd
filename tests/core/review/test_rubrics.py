from __future__ import annotations

import pytest

from core.model.errors import PolicyError, ReviewError
from core.review.rubrics import load_rubrics, parse_rubrics
from tests.reviewing import Review

ONE = """
rubrics:
- id: own
  version: "1"
  question: Good?
  scale: [1, 2, 3, 4, 5]
  items:
  - {id: A, name: a, definition: d, anchors: {1: bad, 3: so, 5: good}}
  hard_fails:
  - {id: Z, name: z, text: t}
  verdicts: [accept, reject]
"""


TEAM = ("team_foundation", "team_edge", "team_bias")


def test_the_teams_weighted_sets_stand_beside_ours():
    rubrics = load_rubrics()
    marks = {
        name: [(round(100 * item.weight), item.least) for item in rubrics[name].items]
        for name in TEAM
    }
    assert marks == {
        "team_foundation": [(30, 7), (25, 8), (20, 6), (15, 7), (10, 6)],
        "team_edge": [(40, 8), (30, 9), (20, 7), (10, 8)],
        "team_bias": [(30, 8), (25, 7), (20, 8), (15, 8), (10, 6)],
    }
    for name in TEAM:
        assert rubrics[name].scale == tuple(range(1, 11))
        assert rubrics[name].least_overall == 7.0


@pytest.mark.parametrize(
    ("scores", "verdict", "refused"),
    [
        ({"T1": "7", "T2": "8", "T3": "7", "T4": "7", "T5": "7"}, "accept", ""),
        ({"T1": "6", "T2": "10", "T3": "10", "T4": "10", "T5": "10"}, "accept", "T1"),
        ({"T1": "6", "T2": "10", "T3": "10", "T4": "10", "T5": "10"}, "reject", ""),
        ({"T1": "7", "T2": "na", "T3": "6", "T4": "7", "T5": "6"}, "accept", "verdict"),
    ],
)
def test_a_record_under_a_pass_mark_cannot_be_accepted(simulator, scores, verdict, refused):
    review = Review(simulator, rubric="team_foundation")
    if not refused:
        assert review.rate(0, scores=scores, verdict=verdict)
        return
    with pytest.raises(ReviewError) as caught:
        review.rate(0, scores=scores, verdict=verdict)
    assert (caught.value.code, caught.value.place) == ("review.answer", refused)


def test_both_packaged_rubrics_are_whole():
    rubrics = load_rubrics()
    assert set(rubrics) == {"clinician_qa", "bias_cultural", *TEAM}
    clinician, bias = rubrics["clinician_qa"], rubrics["bias_cultural"]
    assert [item.id for item in clinician.items] == [f"C{n}" for n in range(1, 9)]
    assert [flag.id for flag in clinician.hard_fails] == [f"F{n}" for n in range(1, 10)]
    assert [item.id for item in bias.items] == [f"B{n}" for n in range(1, 9)]
    assert [flag.id for flag in bias.hard_fails] == [f"G{n}" for n in range(1, 6)]
    assert {item.id for item in bias.items if item.unit == "batch"} == {"B8"}
    assert {item.id for item in bias.items if item.needs == "matched_pair"} == {"B2"}
    assert clinician.verdicts == ("accept", "accept_with_edit", "reject", "second_opinion")


def test_a_changed_word_changes_the_digest():
    before = parse_rubrics(ONE.encode())["own"].digest
    after = parse_rubrics(ONE.replace("bad", "poor").encode())["own"].digest
    again = parse_rubrics(ONE.encode())["own"].digest
    assert before == again
    assert before != after


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("rubrics:", "rubrics: ["),
        ("id: Z", "id: A"),
        ("5: good", "4: good"),
        ("[accept, reject]", "[reject]"),
        ("[1, 2, 3, 4, 5]", "[1, 2]"),
        ("definition: d,", "definition: d, weight: 50,"),
        ("definition: d,", "definition: d, least: 6,"),
        ("definition: d,", "definition: d, least: 1,"),
        ("question: Good?", "question: Good?\n  least_overall_tenths: 70"),
        ("[1, 2, 3, 4, 5]", "[5, 4, 3, 2, 1]"),
        ("name: a,", "name: a, weight: 40,"),
        ("definition: d,", ""),
    ],
)
def test_a_rubric_that_is_none_is_refused(old, new):
    with pytest.raises(PolicyError) as caught:
        parse_rubrics(ONE.replace(old, new).encode())
    assert caught.value.code == "policy.rubric"


@pytest.mark.parametrize("weights", [(70, 30), (150, -50), (60, 60), (0, 0)])
def test_weights_that_are_none_are_refused(weights):
    first, second = weights
    anchors = "anchors: {1: bad, 3: so, 5: good}}"
    two = ONE.replace(
        f"definition: d, {anchors}",
        f"definition: d, weight: {first}, {anchors}\n"
        f"  - {{id: B, name: b, definition: d, weight: {second}, {anchors}",
    ).replace("question: Good?", "question: Good?\n  least_overall_tenths: 30")
    assert "id: B" in two
    if weights == (70, 30):
        assert parse_rubrics(two.encode())["own"].least_overall == 3.0
        return
    with pytest.raises(PolicyError) as caught:
        parse_rubrics(two.encode())
    assert caught.value.code == "policy.rubric"
