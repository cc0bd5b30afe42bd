"""Asking fewer regions about fewer digits finds the same numbers as Presidio's own recogniser."""

from __future__ import annotations

from functools import cache

from hypothesis import example, given, settings
from hypothesis import strategies as st
from presidio_analyzer.predefined_recognizers import PhoneRecognizer

from core.intake.privacy.national_phones import NationalPhoneRecognizer
from core.intake.privacy.recognisers import REGIONS

PARTS = [
    "555-123-4567", "(212) 555 0143", "+44 20 7946 0958", "07700 900123", "020 7946 0958", "0171",
    "8 1 2", "1234", "12/05/2019", "10:30", "2012-01-02 08:00", "$3,000", "+", "(", ")", "x12",
    "ext. 5", "a", "Z9", "650 253 0000 / 650 253 0001", "16/03 03:05", "1", "23", "110", "116117",
    " ", "  ", "-", ".", ",", "/", "\n", "pp. ", "é", "८", "９１", "%", "€", "call ", " or ", ";",
    "0049 30 123456", "12345678", "1800 801 920", "+1", "4155552671", "08-123 456 78",
]  # fmt: skip
TEXTS = st.one_of(
    st.lists(st.sampled_from(PARTS), max_size=14).map("".join),
    st.text(alphabet="0123456789 +-()./x,;:a\n", max_size=60),
)


@cache
def _plain() -> PhoneRecognizer:
    return PhoneRecognizer(supported_regions=REGIONS, leniency=1)


@cache
def _fast() -> NationalPhoneRecognizer:
    return NationalPhoneRecognizer(REGIONS)


@settings(max_examples=500, deadline=None)
@given(TEXTS)
@example("")
@example("ring 650 253 0000 / 650 253 0001 or 030 123456, 3 of 12")
@example("at 2012-01-02 08:00 and then 2012-01-02 ")
def test_the_same_numbers_are_found_as_by_asking_every_region(text):
    asked = ["PHONE_NUMBER"]
    expected = [(hit.start, hit.end, hit.score) for hit in _plain().analyze(text, asked, None)]
    assert [
        (hit.start, hit.end, hit.score) for hit in _fast().analyze(text, asked, None)
    ] == expected


def test_a_text_too_long_to_be_sure_of_is_read_the_plain_way():
    text = "so 1 of 2 " * 500 + "ring 212 555 0143 now"
    (hit,) = _fast().analyze(text, ["PHONE_NUMBER"], None)
    assert text[hit.start : hit.end] == "212 555 0143"
