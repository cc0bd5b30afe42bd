"""People are found by two witnesses; words that are also names, and famous authors, are not."""

from __future__ import annotations

import pytest

from core.intake.privacy.names import HIGH, POSSIBLE, NameFinder, model_identity
from core.intake.privacy.text import scan_text
from tests.builders import a_text
from tests.privacy_rules import a_privacy_rule

FINDER = NameFinder()


def people(text: str, score: float = HIGH) -> list[str]:
    (spans,) = FINDER.find([text])
    return [
        text[span.start : span.end]
        for span in spans
        if span.entity == "PERSON" and span.score >= score
    ]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Yesterday my husband Michael left me.", "Michael"),
        ("yesterday my husband michael left me", "michael"),
        ("My name is Zorblax and I hurt.", "Zorblax"),
        ("hi, i'm sarah and i need help", "sarah"),
        ("I told my sister Grace about it.", "Grace"),
        ("Then Dr. Patel said no.", "Patel"),
        ("I saw Margaret Thompson at the store.", "Margaret Thompson"),
        ("My friend Will's car broke down.", "Will"),
        ("She is married to\u200b Rob\u200bert Johnson now.", "Rob\u200bert Johnson"),
    ],
)
def test_a_name_is_found_with_confidence(text, name):
    assert people(text) == [name]


@pytest.mark.parametrize(
    "text",
    [
        "I will hope for joy and grace in May.",
        "Beck and Rogers wrote about it, and so did Gottman and Linehan.",
        "Try CBT, DBT or EMDR on Monday. God knows. I take Zoloft.",
        "The therapist said [NAME] and <PERSON> were there.",
        "My mom called me and my doctor is nice.",
        "i feel so sad and my friend is happy for me",
    ],
)
def test_words_authors_and_placeholders_are_no_people(text):
    assert people(text, POSSIBLE) == []


def test_a_relative_who_shares_an_authors_name_is_a_person():
    assert people("Last year my husband Ellis left.") == ["Ellis"]


def test_offsets_belong_to_their_text_in_a_batch():
    texts = ["nothing here", "Then my brother Kevin Miller cried.", "my wife Laura Miller stayed"]
    found = FINDER.find(texts)
    assert [
        [text[s.start : s.end] for s in spans] for text, spans in zip(texts, found, strict=True)
    ] == [
        [],
        ["Kevin Miller"],
        ["Laura Miller"],
    ]


def test_the_model_reads_only_sentences_that_may_hold_a_name():
    finder = NameFinder()
    finder.find([a_text(1, 50) + " Then my brother Kevin cried. " + a_text(2, 50)])
    assert 0 < finder.candidate_characters < 0.05 * finder.characters


def test_the_model_is_named_by_version_and_digest():
    identity = model_identity()
    assert identity["model_version"] == "3.8.0"
    assert len(identity["model_sha256"]) == 64
    assert FINDER.settings()["gazetteer_sha256"]


def test_scan_text_shows_both_tiers_apart_from_one_another():
    text = "My brother Kevin Miller has the number 555-123-4567 and lives in Boston."
    spans = scan_text(a_privacy_rule(), text)
    assert [(span.entity, text[span.start : span.end]) for span in spans] == [
        ("PERSON", "Kevin Miller"),
        ("PHONE_NUMBER", "555-123-4567"),
        ("LOCATION", "Boston"),
    ]
