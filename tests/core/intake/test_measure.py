from __future__ import annotations

import hashlib

import pytest

from core.canonical import NotCanonical, canonical_bytes
from core.intake.language import language_of
from core.intake.measure import content_hash, decode_messages, encode_messages, record_id
from core.intake.tokens import ENCODING, count_tokens
from core.model.dataset import Message


def said(*turns):
    return tuple(Message(role=role, content=content) for role, content in turns)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("I feel that you and the others are not what they say they are", "en"),
        ("Estoy muy cansado y no sé qué hacer cuando mi madre está con los niños", "es"),
        ("Je ne sais pas pour qui je suis dans cette maison avec mes parents", "fr"),
        ("Ich bin nicht müde und habe auch keine Angst, wenn sie da ist", "de"),
        ("Não sei o que fazer quando minha mãe está triste, mas você também", "pt"),
        ("今日はとても良い天気ですね", "ja"),
        ("今天天气真好我们去公园吧", "zh"),
        ("오늘은 날씨가 정말 좋네요", "ko"),
        ("Я не знаю, что мне делать", "ru"),
        ("hello", "und"),
        ("12 34 ?!", "und"),
        ("", "und"),
    ],
)
def test_a_language_is_named_or_left_open(text, language):
    assert language_of(text) == language


def test_tokens_are_exact_and_need_no_network():
    assert ENCODING == "cl100k_base"
    assert count_tokens("hello world") == 2
    assert count_tokens("") == 0
    assert count_tokens("<|endoftext|>") == 7


def test_the_content_hash_is_the_contracts_and_ignores_order_and_case():
    one = said(("user", " Hello "), ("assistant", "World"))
    other = said(("assistant", "world"), ("user", "HELLO"))
    # SHA-256 of "hello world"
    expected = "sha256:b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"
    assert content_hash(one) == content_hash(other) == expected


def test_a_record_id_changes_with_every_character_and_role():
    base = said(("user", "Hello"), ("assistant", "World"))
    others = [
        said(("user", "Hello "), ("assistant", "World")),
        said(("assistant", "Hello"), ("user", "World")),
        said(("user", "World"), ("assistant", "Hello")),
        base[:1],
    ]
    ids = {record_id(messages) for messages in (base, *others)}
    assert len(ids) == 5
    assert all(len(name) == 32 for name in ids)


def test_messages_survive_the_trip_through_their_bytes():
    messages = said(("user", "naïve “quotes” \n \u2028 \x00 🙂"), ("assistant", '"\\'))
    body = encode_messages(messages)
    assert decode_messages(body) == messages
    assert b"\n" not in body
    assert body.startswith(b'[{"role":"user","content":"na\xc3\xafve')


def test_a_record_id_is_that_of_the_canonical_bytes_for_every_character():
    for first in range(0, 0x30000, 0x400):
        letters = [chr(code) for code in range(first, first + 0x400)]
        text = "".join(letter for letter in letters if not "\ud800" <= letter <= "\udfff")
        plain = [{"role": "user", "content": text}]
        expected = hashlib.sha256(canonical_bytes(plain)).hexdigest()[:32]
        assert record_id(said(("user", text))) == expected


def test_a_text_that_is_not_unicode_has_no_record_id():
    with pytest.raises(NotCanonical):
        record_id(said(("user", "half a \ud800 pair")))
