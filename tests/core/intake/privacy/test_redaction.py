"""Redaction replaces what the policy names, counts it, and leaves every other byte alone."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import example, given
from hypothesis import strategies as st

from core.intake.privacy import build_detector, redact, redact_all
from core.intake.privacy.spans import Span
from core.model.dataset import Message
from core.policy.types import EntityRule
from tests.builders import a_text
from tests.privacy_rules import a_privacy_rule
from tests.privacy_texts import FOUND_TEXTS

DETECTOR = build_detector(a_privacy_rule())


def said(*contents: str) -> tuple[Message, ...]:
    roles = ("system", "user", "assistant")
    return tuple(
        Message(role=roles[place % 3], content=content) for place, content in enumerate(contents)
    )


def test_every_role_is_redacted_with_typed_placeholders_at_the_new_offsets():
    before = said(
        "You help jo@example.com.", "My ssn is 123-45-6789, call 555-123-4567.", "Call 988 now."
    )
    after = redact(before, DETECTOR)
    assert [message.content for message in after.messages] == [
        "You help [EMAIL_ADDRESS].",
        "My ssn is [US_SSN], call [PHONE_NUMBER].",
        "Call 988 now.",
    ]
    assert after.status == "scrubbed"
    assert after.redacted_characters == len("jo@example.com" + "123-45-6789" + "555-123-4567")
    assert [after.messages[span.turn].content[span.start : span.end] for span in after.spans] == [
        f"[{span.entity}]" for span in after.spans
    ]


def test_clean_messages_come_back_as_they_were():
    before = said(a_text(1), "Odd\u200b spaces\u00a0and  tabs\tstay — “so”.\r\n", a_text(2))
    after = redact(before, DETECTOR)
    assert after.messages == before
    assert (after.status, after.spans, after.redacted_characters) == ("none_detected", (), 0)


def test_the_text_around_a_replacement_is_untouched_byte_for_byte():
    (message,) = redact(said("“a\u200b”  ssn 123-45-6789\u00a0— é\r\n"), DETECTOR).messages
    assert message.content == "“a\u200b”  ssn [US_SSN]\u00a0— é\r\n"


def test_redacting_twice_changes_nothing():
    before = said(*FOUND_TEXTS, " ".join(FOUND_TEXTS))
    once = redact(before, DETECTOR)
    twice = redact(once.messages, DETECTOR)
    assert once.status == "scrubbed"
    assert twice.messages == once.messages
    assert twice.status == "none_detected"


def test_an_entity_that_is_only_counted_or_below_its_score_stays():
    rule = a_privacy_rule()
    kept = EntityRule(entity="URL", action="count", score=0.5, placeholder="")
    high = EntityRule(entity="ZIP_CODE", action="redact", score=0.95, placeholder="[ZIP]")
    detector = build_detector(replace(rule, entities={"URL": kept, "ZIP_CODE": high}))
    before = said("see www.example.org, zip code 90210")
    assert redact(before, detector).messages == before


def test_what_is_still_found_after_redaction_sends_the_record_to_review():
    class Stubborn:
        rule = DETECTOR.rule

        def find(self, text: str) -> tuple[Span, ...]:
            return ()

        def redactable(self, text: str) -> tuple[Span, ...]:
            return (Span(start=0, end=1, entity="MRN", score=1.0, tier="pattern"),)

    assert redact(said("x y"), Stubborn()).status == "requires_review"  # type: ignore[arg-type]


def test_numbered_placeholders_tell_the_values_of_a_record_apart():
    detector = build_detector(replace(a_privacy_rule(), numbered=True))
    before = said(
        "Mail jo@example.com or 555-123-4567.",
        "Is it Jo@Example.com, or al@example.com?",
        "Yes: 555-123-4567, not [PHONE_NUMBER_7].",
    )
    after = redact(before, detector)
    assert [message.content for message in after.messages] == [
        "Mail [EMAIL_ADDRESS_1] or [PHONE_NUMBER_8].",
        "Is it [EMAIL_ADDRESS_1], or [EMAIL_ADDRESS_2]?",
        "Yes: [PHONE_NUMBER_8], not [PHONE_NUMBER_7].",
    ]
    assert [after.messages[p.turn].content[p.start : p.end] for p in after.spans] == [
        *["[EMAIL_ADDRESS_1]", "[PHONE_NUMBER_8]", "[EMAIL_ADDRESS_1]"],
        *["[EMAIL_ADDRESS_2]", "[PHONE_NUMBER_8]"],
    ]
    assert redact(after.messages, detector).status == "none_detected"
    assert detector.settings() != DETECTOR.settings()


TOGETHER = [
    ("", ""),
    ("nothing here", "nothing there"),
    ("I am 34", "and you?"),
    ("mail jo@example.com", "thanks"),
    ("my number is 555-12", "3-4567 that is it"),
    ("it starts 4155551", "yes, go on", "234 is the rest"),
    ("ｍail ｊｏ＠example.com", "ok"),
    ("睡不好 13812345678", "好"),
    ("x" * 5000 + " ssn 123-45-6789", "a" * 7 + "1"),
]


@given(st.lists(st.sampled_from(TOGETHER) | st.lists(st.text(max_size=40), min_size=1), max_size=8))
@example(TOGETHER)
def test_many_dialogues_at_once_are_redacted_as_each_alone(dialogues):
    talks = [said(*texts) for texts in dialogues]
    assert redact_all(talks, DETECTOR) == [redact(talk, DETECTOR) for talk in talks]
