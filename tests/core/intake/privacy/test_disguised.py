"""Digits in words and letters for digits are numbers; counting aloud is not."""

from __future__ import annotations

import pytest

from core.intake.privacy import build_detector
from core.intake.privacy.disguised import is_spelled_number, spelled_digits
from tests.privacy_rules import a_privacy_rule

DETECTOR = build_detector(a_privacy_rule())


@pytest.mark.parametrize(
    ("text", "entity", "value"),
    [
        (
            "call five five five one two three four five six seven tonight",
            "PHONE_NUMBER",
            "five five five one two three four five six seven",
        ),
        (
            "It is Four-One-Five, five five five, oh one double two.",
            "PHONE_NUMBER",
            "Four-One-Five, five five five, oh one double two",
        ),
        ("call 555-l23-45O7 tonight", "PHONE_NUMBER", "555-l23-45O7"),
        ("it is (4l5) 555-O123", "PHONE_NUMBER", "(4l5) 555-O123"),
        ("they have l23-45-67O9 on file", "US_SSN", "l23-45-67O9"),
        (
            "my social security number is one two three four five six seven eight nine",
            "US_SSN",
            "one two three four five six seven eight nine",
        ),
        ("it is j o at e x a m p l e dot c o m", "EMAIL_ADDRESS", "j o at e x a m p l e dot c o m"),
        ("my pаssword is hunter22!", "SECRET", "hunter22!"),
        ("mail jo at gmаil dot cоm", "EMAIL_ADDRESS", "jo at gmаil dot cоm"),
    ],
)
def test_what_is_spelled_out_is_found_whole(text: str, entity: str, value: str) -> None:
    (span,) = DETECTOR.find(text)
    assert (span.entity, text[span.start : span.end]) == (entity, value)
    assert DETECTOR.action(span) == "redact"


@pytest.mark.parametrize(
    "text",
    [
        "Count with me: one two three four five six seven eight nine.",
        "Slowly down from nine: nine, eight, seven, six, five, four, three, two, one, zero.",
        "In for one two three four, out for one two three four, and again.",
        "one two three four one two three four one two three four",
        "one, two, three, three, two, one, one, two, three",
        "no no no no no no no, oh oh oh oh oh oh oh",
        "He has one or two, three at most, and four five times a week.",
        "Το πρωί ένιωσα καλά. Сегодня мне легче.",
        "I rate it 5 or 6, he says 7 or 8, we are at 555 by now",
    ],
)
def test_counting_and_other_scripts_are_left_alone(text: str) -> None:
    assert DETECTOR.find(text) == ()


def test_double_and_triple_repeat_the_next_digit() -> None:
    assert spelled_digits("double two, triple five, oh") == [2, 2, 5, 5, 5, 0]
    assert is_spelled_number("four one five triple five double two")
    assert not is_spelled_number("four one five")
