from __future__ import annotations

import pytest

from core.model.errors import PolicyError
from core.review.rubrics import load_rubrics, parse_rubrics

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


def test_both_packaged_rubrics_are_whole():
    rubrics = load_rubrics()
    assert set(rubrics) == {"clinician_qa", "bias_cultural"}
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
        ("definition: d,", ""),
    ],
)
def test_a_rubric_that_is_none_is_refused(old, new):
    with pytest.raises(PolicyError) as caught:
        parse_rubrics(ONE.replace(old, new).encode())
    assert caught.value.code == "policy.rubric"
