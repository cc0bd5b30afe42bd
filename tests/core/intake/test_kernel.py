from __future__ import annotations

import re
import unicodedata

import numpy as np
import pytest
from datasketch import LeanMinHash

from core.intake import kernel
from core.intake.text import compared_text, digest_dialogue, digest_prompt, fold_text
from core.model.dataset import Message
from tests.builders import a_text


def shingles(text: str) -> list[int]:
    return kernel.shingle_hashes(text, 5).tolist()


def said(*turns: tuple[str, str]) -> tuple[Message, ...]:
    return tuple(Message(role=role, content=content) for role, content in turns)


@pytest.mark.parametrize("seed", range(5))
def test_there_is_one_shingle_for_every_five_words_in_a_row(seed):
    text = a_text(seed, sentences=3)
    words = re.findall(r"\w+", text.lower())
    grams = [" ".join(words[start : start + 5]) for start in range(len(words) - 4)]
    hashes = shingles(text)
    assert len(hashes) == len(grams)
    assert len(set(hashes)) == len(set(grams))


def test_the_same_five_words_have_the_same_hash_wherever_they_stand():
    assert (
        shingles("one two three four five")[0] == shingles("zero One, TWO three four five six")[1]
    )


def test_a_text_of_fewer_than_five_words_is_one_shingle():
    assert len(shingles("I feel low")) == 1
    assert shingles("I feel low") != shingles("I feel")
    assert shingles("I feel low") != shingles("low feel I")


def test_a_text_without_a_word_has_no_shingle():
    signatures, counts = kernel.sketch(["", "  \n", "?! … 🙂"], shingle=5, count=128, seed=1)
    assert counts.tolist() == [0, 0, 0]
    assert (signatures == 0xFFFFFFFF).all()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Don't you see what I mean here", "DON’T you see what I mean here"),
        ("the ﬁrst ﬂoor of this house", "the first floor of this house"),
        (
            "straße und häuser in der stadt",
            unicodedata.normalize("NFD", "STRASSE und Häuser in der Stadt"),
        ),
        ("I have been sad since last week", "I have been s\u200bad since\u00ad last week"),
        ("ｗｉｄｅ letters are still the same letters", "wide letters are still the same letters"),
    ],
)
def test_writing_the_same_words_differently_changes_nothing(one, other):
    assert shingles(one) == shingles(other)


@pytest.mark.parametrize(
    "text", ["今日はとても良い天気ですね", "今天天气真好我们去公园吧", "วันนี้อากาศดีมาก"]
)
def test_unspaced_scripts_are_cut_by_character(text):
    letters = [letter for letter in fold_text(text) if unicodedata.category(letter)[0] in "LNM"]
    assert len(shingles(text)) == len(letters) - 4


def test_a_few_foreign_letters_do_not_cut_an_english_text_by_character():
    assert len(shingles("my teacher said 頑張って to me before every exam")) == 10 - 5


def test_signatures_load_into_datasketch_and_estimate_the_similarity():
    one = a_text("base", sentences=12)
    other = one.replace(a_text("base", sentences=12).split(". ")[3], "Something else was said")
    signatures, _ = kernel.sketch([one, other], shingle=5, count=128, seed=1)
    left, right = (
        LeanMinHash(seed=1, hashvalues=signature, scheme=kernel.SCHEME) for signature in signatures
    )
    hashes, bounds = kernel.shingle_sets([one, other], 5)
    [exact] = kernel.jaccards(hashes, bounds, np.array([0]), np.array([1]))
    assert 0.5 < exact < 1
    assert abs(left.jaccard(right) - exact) < 0.16


def test_the_compared_text_leaves_the_system_prompt_out():
    messages = said(("system", "You are kind."), ("user", "Hello"), ("assistant", "Welcome"))
    assert compared_text(messages) == "Hello\nWelcome"


def test_a_dialogue_digest_keeps_order_and_roles_and_ignores_case_and_space():
    plain = said(("user", "Hello there"), ("assistant", "Welcome"))
    assert digest_dialogue(plain) == digest_dialogue(
        said(("system", "Any prompt"), ("user", " HELLO\n there "), ("assistant", "welcome"))
    )
    different = [
        said(("assistant", "Welcome"), ("user", "Hello there")),
        said(("assistant", "Hello there"), ("user", "Welcome")),
        said(("user", "Hello"), ("assistant", "there Welcome")),
        said(("user", "Hello there?"), ("assistant", "Welcome")),
        said(("user", "Hello thereassistant:7:Welcome")),
    ]
    digests = {digest_dialogue(messages) for messages in [plain, *different]}
    assert len(digests) == 1 + len(different)


def test_the_prompt_is_the_first_user_turn_folded():
    one = said(("assistant", "Hi"), ("user", "I need  HELP"), ("user", "now"))
    assert digest_prompt(one) == digest_prompt(said(("user", "i need help")))
    assert digest_prompt(said(("assistant", "Hi"))) == b""
    assert digest_prompt(said(("user", "   "))) == b""
