"""What hides an identifier does not hide it from the pattern tier, or is written down as a gap."""

from __future__ import annotations

import json

import pytest

from core.intake.privacy import build_detector, redact
from core.model.dataset import Message
from tests.privacy_rules import a_privacy_rule

DETECTOR = build_detector(a_privacy_rule())

# (what hides it, text, the part that must go)
HIDDEN = [
    ("zero-width", "ssn 123\u200b-45\u200b-6789 ok", "123\u200b-45\u200b-6789"),
    ("full-width", "call ５５５-１２３-４５６７ now", "５５５-１２３-４５６７"),
    ("JSON", json.dumps({"note": "mail jo@example.com"}), "jo@example.com"),
    ("escaped JSON", json.dumps(json.dumps({"n": "ssn 123-45-6789"})), "123-45-6789"),
    ("code block", "```python\nuser = 'jo@example.com'\n```", "jo@example.com"),
    ("inline code", "run `curl https://jo.example.com/x?id=7`", "https://jo.example.com/x?id=7"),
    ("URL", "https://clinic.example/find?mail=jo@example.com", "jo@example.com"),
    ("upper case", "MY ADDRESS IS 12 OAK HOLLOW LANE", "12 OAK HOLLOW LANE"),
    ("lower case", "my address is 12 oak hollow lane", "12 oak hollow lane"),
    ("at and dot", "write jane at gmail dot com please", "jane at gmail dot com"),
    ("brackets", "jane (at) gmail (dot) com", "jane (at) gmail (dot) com"),
    ("line break", "call me:\n415-555-1234\nplease", "415-555-1234"),
    ("homoglyphs in an e-mail", "write jаne.doe@exаmple.com now", "jаne.doe@exаmple.com"),
    ("a table", "| name | phone |\n|---|---|\n| jo | 415-555-1234 |", "415-555-1234"),
    (
        "digits in words",
        "call five five five one two three four five six seven",
        "five five five one two three four five six seven",
    ),
    ("letters for digits", "call 555-l23-45O7 tonight", "555-l23-45O7"),
    ("homoglyphs in a word", "my pаssword is hunter22!", "hunter22!"),
    ("letter by letter", "it is j o at e x a m p l e dot c o m", "j o at e x a m p l e dot c o m"),
]
# Not found today; strict, so that whoever closes a gap must take it off this list.
GAPS = [
    ("digits in words of another language", "llama al cinco cinco cinco uno dos tres", "cinco"),
    ("base64", "it is NDE1LTU1NS0xMjM0 in disguise", "NDE1LTU1NS0xMjM0"),
]


def covered(text: str, value: str) -> bool:
    start = text.index(value)
    return any(
        span.start <= start and start + len(value) <= span.end and DETECTOR.action(span) == "redact"
        for span in DETECTOR.find(text)
    )


@pytest.mark.parametrize(("how", "text", "value"), HIDDEN, ids=[row[0] for row in HIDDEN])
def test_a_hidden_identifier_is_found_whole(how: str, text: str, value: str) -> None:
    assert covered(text, value)


@pytest.mark.parametrize(("how", "text", "value"), GAPS, ids=[row[0] for row in GAPS])
@pytest.mark.xfail(strict=True, reason="a known gap, named in the README")
def test_a_gap(how: str, text: str, value: str) -> None:
    assert covered(text, value)


def test_an_identifier_whose_words_stand_in_another_turn_is_found_by_its_form() -> None:
    messages = [
        Message(role="user", content="my phone number is"),
        Message(role="user", content="415-555-1234"),
        Message(role="assistant", content="Thank you."),
    ]
    redacted = redact(messages, DETECTOR)
    assert "1234" not in redacted.messages[1].content
    assert redacted.status == "scrubbed"


def said(*contents: str) -> list[Message]:
    return [
        Message(role="user" if place % 2 == 0 else "assistant", content=content)
        for place, content in enumerate(contents)
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("it is 123-45", "-6789, my social security number"),
        ("call me: 415-555", "1234 is the rest"),
        ("my card is 4111 1111 1111 ", "1111, take it"),
        ("(415) 555", " 1234"),
    ],
)
def test_a_number_cut_in_two_goes_from_both_turns(before: str, after: str) -> None:
    for messages in (
        [Message(role="user", content=before), Message(role="user", content=after)],
        said(before, "Yes, go on.", after),
    ):
        redacted = redact(messages, DETECTOR)
        left = [message.content for message in redacted.messages]
        assert not any(character.isdigit() for text in left for character in text), left
        assert redacted.status == "scrubbed"
        places = [redacted.messages[p.turn].content[p.start : p.end] for p in redacted.spans]
        assert places == [f"[{place.entity}]" for place in redacted.spans]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("I slept 3", "4 hours at most"),
        ("He was born in 1985", "2003 was the year it broke"),
        ("I rate it 10", "10 out of 10, really"),
        ("we tried 12", "100 times"),
        ("Text 988", "741741 works too"),
    ],
)
def test_numbers_that_end_and_begin_turns_are_not_joined_by_mistake(before, after) -> None:
    messages = said(before, "Go on.", after)
    assert redact(messages, DETECTOR).messages == tuple(messages)
