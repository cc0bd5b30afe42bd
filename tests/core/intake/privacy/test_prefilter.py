"""The quick look never passes over a text in which a trigger stands."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.intake.privacy import triggers
from core.intake.privacy.prefilter import worth_reading
from tests.builders import a_text

PIECES = (
    *triggers.LITERALS,
    *(literal.upper() for literal in triggers.LITERALS),
    *(
        "5 Elm Street",
        "12 ",
        "0",
        "9a 8",
        "site.com",
        "a.ORG",
        "x.de",
        ". com",
        "ab:cd:",
        "::",
        ":",
    ),
    *("a" * 19, "A" * 20, "x-_" * 7, "the", "feather", "\n", " ", ".", "é", "％", "İ", "ſ", "K"),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=8), st.sampled_from(["", " ", "."]))
def test_what_is_passed_over_holds_no_trigger(parts: list[str], joint: str) -> None:
    text = joint.join(parts)
    [worth] = worth_reading([text])
    assert worth or triggers.windows(text) == ()


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.characters(max_codepoint=127), max_size=60))
def test_neither_does_any_other_text(text: str) -> None:
    [worth] = worth_reading([text])
    assert worth or triggers.windows(text) == ()


@pytest.mark.parametrize("literal", triggers.LITERALS)
def test_every_literal_is_seen_anywhere(literal: str) -> None:
    for text in (literal, f"so {literal}", f"{literal} so", f"pa{literal}", literal.upper()):
        assert worth_reading([text]) == [True]


def test_plain_talk_is_passed_over_and_neighbours_do_not_matter() -> None:
    plain = "I felt calm this morning. Then we walked home: slowly, and I slept."
    assert worth_reading([]) == []
    assert worth_reading(["", plain, "call 5", plain, "a.", "com", ":", ":"]) == [
        *[False, False, True, False],
        *[False, False, False, False],
    ]


def test_texts_of_all_kinds_agree_with_the_full_look() -> None:
    dice = random.Random(3)
    texts = [
        a_text(number, 2)[: dice.randrange(200)] + dice.choice(PIECES) for number in range(500)
    ]
    for text, worth in zip(texts, worth_reading(texts), strict=True):
        assert worth or triggers.windows(text) == ()
