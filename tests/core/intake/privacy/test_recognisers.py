"""Each identifier is found as itself, and what only looks like one is left alone."""

from __future__ import annotations

import pytest

from core.intake.privacy import build_detector
from core.intake.privacy.record_numbers import vin_is_valid
from tests.privacy_rules import a_privacy_rule

DETECTOR = build_detector(a_privacy_rule())

# (entity, text, the part that must go)
FOUND = [
    ("EMAIL_ADDRESS", "mail me at jo.doe+x@example.co.uk thanks", "jo.doe+x@example.co.uk"),
    ("EMAIL_ADDRESS", "MAIL ME AT JO.DOE@EXAMPLE.COM NOW", "JO.DOE@EXAMPLE.COM"),
    ("EMAIL_ADDRESS", "it is jo@ward.hospital-intern", "jo@ward.hospital-intern"),
    ("EMAIL_ADDRESS", "write to jane.doe at gmail dot com ok", "jane.doe at gmail dot com"),
    ("EMAIL_ADDRESS", "jane [at] gmail [dot] com", "jane [at] gmail [dot] com"),
    ("PHONE_NUMBER", "call 555-123-4567 tonight", "555-123-4567"),
    ("PHONE_NUMBER", "call (555) 123-4567 tonight", "(555) 123-4567"),
    ("PHONE_NUMBER", "it is +1 555 123 4567 ok", "+1 555 123 4567"),
    ("PHONE_NUMBER", "so 555.123.4567 it is", "555.123.4567"),
    ("PHONE_NUMBER", "my number is 5551234567", "5551234567"),
    ("PHONE_NUMBER", "text me at 555-1234", "555-1234"),
    ("PHONE_NUMBER", "ring +44 20 7946 0958 please", "+44 20 7946 0958"),
    ("PHONE_NUMBER", "my mobile is 07700 900123", "07700 900123"),
    ("PHONE_NUMBER", "it is 781 1704 office", "781 1704"),
    ("CREDIT_CARD", "Number is 4152488713445952355.", "4152488713445952355"),
    ("STREET_ADDRESS", "my house is on Pod Hollow 1677.", "Pod Hollow 1677"),
    ("STREET_ADDRESS", "we met at 29 Rue de Tanger in May", "29 Rue de Tanger"),
    ("US_SSN", "ssn 123-45-6789", "123-45-6789"),
    ("US_SSN", "my social is 536228471", "536228471"),
    ("CREDIT_CARD", "4111-1111-1111-1111 was declined", "4111-1111-1111-1111"),
    ("IP_ADDRESS", "logged in from 192.168.10.44", "192.168.10.44"),
    ("IP_ADDRESS", "it was 2001:db8::ff00:42:8329", "2001:db8::ff00:42:8329"),
    ("URL", "see http://clinic.example/p/77?id=3.", "http://clinic.example/p/77?id=3"),
    ("URL", "my page janedoetherapy.com has it", "janedoetherapy.com"),
    ("IBAN_CODE", "pay GB82 WEST 1234 5698 7654 32 now", "GB82 WEST 1234 5698 7654 32"),
    ("MRN", "MRN: 00482913 on file", "00482913"),
    ("MRN", "her medical record number is A-884213", "A-884213"),
    ("MRN", "patient ID 987654 was seen", "987654"),
    ("ZIP_CODE", "my zip code is 90210", "90210"),
    ("ZIP_CODE", "in Austin, TX 78701-1234 now", "78701-1234"),
    ("ZIP_CODE", "we live in 60614 these days", "60614"),
    ("ZIP_CODE", "we are in 02139 and alone", "02139"),
    ("ZIP_CODE", "the flat is in SW1A 1AA", "SW1A 1AA"),
    ("STREET_ADDRESS", "I live at 12 Oak Hollow Lane", "12 Oak Hollow Lane"),
    ("STREET_ADDRESS", "i live at 12 oak hollow lane apt 4b", "12 oak hollow lane apt 4b"),
    ("STREET_ADDRESS", "come to 5 N. Main St. Suite 200", "5 N. Main St. Suite 200"),
    ("STREET_ADDRESS", "send it to P.O. Box 4471", "P.O. Box 4471"),
    ("AGE_OVER_89", "grandpa is 93 years old", "93 years old"),
    ("AGE_OVER_89", "a 97-year-old woman", "97-year-old"),
    ("AGE_OVER_89", "she turned 101 and laughed", "101"),
    ("AGE_OVER_89", "a 92yo male", "92yo"),
    ("AGE_OVER_89", "my nana is ninety-four years old", "ninety-four years old"),
    ("LICENSE_PLATE", "his license plate is 8XYZ221", "8XYZ221"),
    ("VIN", "vin 1HGCM82633A004352 on the title", "1HGCM82633A004352"),
    ("ACCOUNT_NUMBER", "account number: 4000 1234 5678", "4000 1234 5678"),
    ("DEVICE_ID", "pacemaker serial no. KX5582014", "KX5582014"),
    ("DEVICE_ID", "the mac is 00:1A:2B:3C:4D:5E", "00:1A:2B:3C:4D:5E"),
    ("US_DRIVER_LICENSE", "driver's license number F25592150094", "F25592150094"),
    ("US_DRIVER_LICENSE", "her driver's license, no. D3572123", "D3572123"),
    ("US_PASSPORT", "passport no. 488839667", "488839667"),
    ("HEALTH_PLAN_ID", "insurance policy number ABC-987654", "ABC-987654"),
    ("HEALTH_PLAN_ID", "Medicare 1EG4-TE5-MK73 card", "1EG4-TE5-MK73"),
    ("DATE_OF_BIRTH", "DOB 02/29/1988", "02/29/1988"),
    ("DATE_OF_BIRTH", "I was born on March 5th, 1990.", "March 5th, 1990"),
    ("DATE_OF_BIRTH", "she was admitted on 12 May 2021", "12 May 2021"),
    ("USERNAME", "I am @sad_panda_99 there", "@sad_panda_99"),
    ("USERNAME", "my username is moonlitriver", "moonlitriver"),
    ("USERNAME", "my instagram is moon_river22", "moon_river22"),
    ("SECRET", "my password is Tr0ub4dor&3 ok", "Tr0ub4dor&3"),
    ("SECRET", "AKIAIOSFODNN7EXAMPLE leaked", "AKIAIOSFODNN7EXAMPLE"),
    ("SECRET", "api_key = 9f8a7b6c5d4e3f2a1b", "9f8a7b6c5d4e3f2a1b"),
    ("SECRET", "ghp_abcdefghijklmnopqrstuvwxyzABCDEFGHIJ", "ghp_abcdefghijklmnopqrst"),
]

CLEAN = [
    "I take 50 mg of sertraline and 0.5 mg of lorazepam twice a day.",
    "She scored 14 on the PHQ-9, then GAD-7 score of 12 out of 21.",
    "I have been awake 24/7 since 2019, about 3 years and 6 months.",
    "From 2015 - 2019 we fought 2-3 times a week, 90% of it about money.",
    "I am 34 years old, my son is 9 and my mother is 71.",
    "It cost $1,200 and I walked 10,000 steps in 95 minutes.",
    "I waited.The end.So it goes.Life is hard.Is it me.Just that.",
    "My blood pressure was 120/80 and my pulse 72 bpm at 10:30 am.",
    "We talked for 45 minutes at 7:15 in room 12 on the 3rd floor.",
    "My password is always on my mind and my plate is full.",
    "The insurance plan is bad, the record is broken, and I lost my license.",
    "I was born in 1985 and my birthday is coming.",
    "Last Tuesday, two weeks ago, in March, I felt 100 percent better.",
    "He is 6'2 and 220 pounds; she ran 5 miles in 50 minutes.",
    "Step 1: breathe in for 4, hold for 7, out for 8. Repeat 3 or 4 times.",
    "It is a one way street and I drive the same road at 5 every day.",
    "She read 94 pages, then 96 more, and it was 98 degrees outside.",
    "I gave it 110 and turned 30 this year.",
    "They feel unable to handle issues, and login issues, and a password issue 7.",
    "She is at home on Effexor Xr 150, and I live on 12 eggs. It cost 45000.",
    "DSM-5 and ICD-10 list F41.1; see chapter 12, pages 100-120.",
]


@pytest.mark.parametrize(("entity", "text", "value"), FOUND)
def test_an_identifier_is_found_whole_and_by_its_name(entity, text, value):
    place = text.index(value)
    acted_on = [
        span
        for span in DETECTOR.find(text)
        if span.start <= place
        and place + len(value) <= span.end
        and DETECTOR.action(span) == "redact"
    ]
    assert [span.entity for span in acted_on] == [entity]


@pytest.mark.parametrize("text", CLEAN)
def test_ordinary_therapy_talk_is_left_alone(text):
    acted_on = [span for span in DETECTOR.find(text) if DETECTOR.action(span) is not None]
    assert [(span.entity, text[span.start : span.end]) for span in acted_on] == []


def test_a_span_over_an_identifier_does_not_eat_the_words_around_it():
    text = "well, call 555-123-4567 and ask"
    (span,) = DETECTOR.find(text)
    assert text[span.start : span.end] == "555-123-4567"


def test_a_vin_with_a_wrong_check_digit_and_no_context_is_no_vin():
    assert vin_is_valid("1M8GDM9AXKP042788")
    assert not vin_is_valid("1M8GDM9A1KP042788")


def test_a_private_key_is_one_secret_from_begin_to_end():
    body = "\n".join("QUJD" * 16 for _ in range(12))
    text = f"here: -----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY----- ok"
    (span,) = DETECTOR.find(text)
    assert (span.entity, text[: span.start], text[span.end :]) == ("SECRET", "here: ", " ok")


@pytest.mark.parametrize(
    ("hidden", "value"),
    [
        ("call 5\u200b55-1\u200d23-45\u206067 now", "5\u200b55-1\u200d23-45\u206067"),
        ("call ５５５-１２３-４５６７ now", "５５５-１２３-４５６７"),
        ("call 555\u2011123\u20114567 now", "555\u2011123\u20114567"),
        ("write jo\u200b@exa\u00admple.com now", "jo\u200b@exa\u00admple.com"),
        ("ssn 𝟏𝟐𝟑-𝟒𝟓-𝟔𝟕𝟖𝟗 ok", "𝟏𝟐𝟑-𝟒𝟓-𝟔𝟕𝟖𝟗"),
    ],
)
def test_odd_characters_hide_nothing_and_offsets_fit_the_exact_text(hidden, value):
    (span,) = DETECTOR.find(hidden)
    assert hidden[span.start : span.end] == value


def test_an_identifier_inside_json_inside_text_is_found():
    text = '{"role": "user", "content": "ssn 123-45-6789, mail jo@example.com"}'
    assert [span.entity for span in DETECTOR.find(text)] == ["US_SSN", "EMAIL_ADDRESS"]
