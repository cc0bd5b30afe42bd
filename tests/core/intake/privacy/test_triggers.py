"""The quick look opens a window wherever something could stand, and passes over plain talk."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.intake.privacy import build_detector, triggers
from core.intake.privacy.literals import DIGIT, SPELLED, STREET, literals
from tests.builders import a_text
from tests.privacy_rules import a_privacy_rule
from tests.privacy_texts import FOUND_TEXTS

DETECTOR = build_detector(a_privacy_rule())
PLAIN = "I felt calm this morning. Then we walked home: slowly, and I slept."
PIECES = (
    *(text for text, _ in literals()),
    *FOUND_TEXTS,
    *("5", "12 ", "9a 8", " is ", " B7", "Elm", "_", ":", "aa:bb:", "x" * 19, "\n", " ", ".", "é"),
    *("٣", "😀", "İ", "ſ", "K", "\u200b", "ｅ", "the", "feather", "moon_river", "five one two "),
)


@pytest.mark.parametrize(("literal", "flags"), literals())
def test_every_literal_opens_a_window_once_what_it_asks_for_stands_around_it(literal, flags):
    asked = {
        DIGIT: f"{literal} is B7",
        STREET: f"5 Elm {literal}",
        SPELLED: f"{literal} {literal} {literal} {literal} {literal}",
    }.get(flags & (DIGIT | STREET | SPELLED), literal)
    for text in (asked, asked.upper(), f"{PLAIN} {asked}", f"{PLAIN} ({asked}) {PLAIN}"):
        assert triggers.windows(text), text


def test_words_that_only_hold_a_literal_open_nothing():
    for text in (
        "a big instance of tagging along, a stage, a bank handle and a turnkey passage",
        "I posted it, keyed up, captured; the estate was a plateau, the streets a weight.",
        "one two three four, and in for one two",
        PLAIN,
    ):
        assert triggers.windows(text) == (), text


def test_signs_without_words_open_windows_too():
    for text in ("12", "1, 2", "5a 5", "aa:bb:cc", "aa-bb-cc", "::", "x" * 20, "it is 3) 4"):
        assert triggers.windows(f"{PLAIN} {text} {PLAIN}"), text
    for text in ("", "1", "a:b", "x" * 19, "1\n2", "say 1 and then 2"):
        assert triggers.windows(text) == (), text


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=9), st.sampled_from(["", " ", "."]))
def test_windows_are_apart_in_order_inside_the_text_and_end_at_white_space(parts, joint):
    text = joint.join(parts)
    reach = 0
    for start, end in triggers.windows(text):
        assert reach <= start < end <= len(text)
        assert start == 0 or text[start - 1].isspace()
        assert end == len(text) or text[end].isspace()
        reach = end + 1


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=7), st.sampled_from([" ", "\n"]))
def test_whatever_is_put_together_the_windows_lose_nothing(parts, joint):
    text = f"{a_text(1, 6)}{joint}{joint.join(parts)}{joint}{a_text(2, 6)}"
    assert DETECTOR.find(text) == DETECTOR.find(text, everywhere=True)


def test_a_long_text_full_of_triggers_fits():
    text = ("x" * 330 + " 12 ") * 200
    assert triggers.windows(text)
