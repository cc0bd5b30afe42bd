"""Crisis lines, clinical measures and doses win over every span, and each use is counted."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import core.intake.privacy.allow as allow_module
from core.intake.privacy import build_detector
from core.intake.privacy.allow import AllowList
from tests.privacy_rules import a_privacy_rule

TABLE = tomllib.loads(
    Path(allow_module.__file__).with_name("allow.toml").read_text(encoding="utf-8")
)
SPELLINGS = [spelling for line in TABLE["line"] for spelling in line["spellings"]]
DETECTOR = build_detector(a_privacy_rule())


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize(
    "sentence", ["If it gets worse, call {} or text a friend.", "My therapist gave me {}."]
)
def test_no_spelling_of_a_crisis_line_is_ever_flagged(spelling, sentence):
    assert DETECTOR.find(sentence.format(spelling)) == ()


@pytest.mark.parametrize(
    "text",
    [
        "1 (800) 273-8255",
        "(800) 273-8255",
        "800.273.8255",
        "+1 800 273 8255",
        "18002738255",
        "1-800-273-talk",
        "116123",
        "1800-656-4673",
        "13-11-14",
    ],
)
def test_other_ways_of_writing_a_line_are_allowed_too(text):
    assert DETECTOR.find(f"Please call {text} right now.") == ()


def test_a_private_number_beside_a_crisis_line_is_still_found():
    text = "Call 988. My own number is 555-123-4567."
    (span,) = DETECTOR.find(text)
    assert text[span.start : span.end] == "555-123-4567"


def test_a_house_number_like_a_crisis_line_is_still_an_address():
    text = "I live at 988 Maple Hollow Road."
    assert [span.entity for span in DETECTOR.find(text)] == ["STREET_ADDRESS"]


def test_digits_inside_a_longer_number_are_no_crisis_line():
    text = "my number is 988-555-0123"
    assert [span.entity for span in DETECTOR.find(text)] == ["PHONE_NUMBER"]


def test_a_local_line_that_is_named_as_one_stays():
    assert DETECTOR.find("The county crisis line is 503-555-0188, day and night.") == ()
    assert DETECTOR.find("If you feel suicidal call 1-888-555-0188 right away.") == ()


def test_a_persons_number_after_talk_of_a_hotline_goes():
    text = "I rang the hotline and gave them my cell, 503-555-0188."
    assert [span.entity for span in DETECTOR.find(text)] == ["PHONE_NUMBER"]


def test_public_help_sites_stay():
    assert DETECTOR.find("See https://988lifeline.org/chat or www.rainn.org.") == ()


def test_uses_are_counted_by_entry():
    detector = build_detector(a_privacy_rule())
    detector.find("Call 1-800-273-8255 or 1-866-488-7386, yes, 1-800-273-8255.")
    assert detector.uses["US: 988 Suicide and Crisis Lifeline"] >= 2
    assert detector.uses["US: The Trevor Project"] >= 1


def test_the_policy_may_allow_more_and_its_digest_says_so():
    detector = build_detector(a_privacy_rule(allow=("503-555-0188",)))
    assert detector.find("ring 503-555-0188 any time") == ()
    assert AllowList(("503-555-0188",)).digest != AllowList().digest


@pytest.mark.parametrize(
    "text", ["[PHONE]", "<PERSON>", "[NAME_REDACTED]", "{{EMAIL}}", "[PHONE_REDACTED]", "[AGE_1]"]
)
def test_a_placeholder_is_never_detected(text):
    assert DETECTOR.find(f"my username is {text} and my mrn {text}, call {text}") == ()
