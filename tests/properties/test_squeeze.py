from __future__ import annotations

import string
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from core.intake.language import _read_slowly, languages_of
from core.intake.measure import measure_records
from core.intake.privacy import Redacted
from core.intake.squeeze import _folds, squeeze_joined
from core.intake.text import squeeze_text
from core.intake.utf8 import join_texts
from core.model.dataset import Conversation, Message
from tests.builders import a_policy

# Letters that fold apart or together, marks that join what stands before them, odd white space.
TRICKY = "aZ z1_'’…éÉßİſǅñ我가ᅡᆨ，？（Ａ１ÉΣςЖΌÅ½ﾞ\u0301\u200b\u00a0\u2028\u3000\x1c\x85\n\t🙂"
texts = st.one_of(st.text(alphabet=TRICKY, max_size=30), st.text(max_size=30))
WORDS = "the and you de la it's c'est der ich não muy para non l'una x9 _under 'quoted' rock'n'roll"
RULE = a_policy().near_duplicates


def squeeze_all(some):
    """Each text squeezed, and how many words it has, as measuring has them made together."""
    _, data, bounds = join_texts(some)
    found = squeeze_joined(some, data, bounds)
    whole = found.data.tobytes()
    places = zip(found.starts.tolist(), found.ends.tolist(), strict=True)
    return [whole[start:end] for start, end in places], found.words.tolist()


@settings(max_examples=300, deadline=None)
@given(st.lists(texts, max_size=6))
def test_squeezing_many_texts_is_squeezing_each(some):
    squeezed, words = squeeze_all(some)
    assert squeezed == [squeeze_text(text) for text in some]
    assert words == [len(text.split()) for text in some]


def test_every_character_of_the_first_plane_is_squeezed_as_it_folds():
    signs = [chr(code) for code in range(0x10000) if not 0xD800 <= code <= 0xDFFF]
    some = [
        f"{before}{sign}{after}"
        for before, after in (("a", "b "), (" ", "A"), ("我", "é"))
        for sign in signs
    ]
    squeezed, words = squeeze_all(some)
    wrong = [
        text
        for text, found, count in zip(some, squeezed, words, strict=True)
        if found != squeeze_text(text) or count != len(text.split())
    ]
    assert wrong == []


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.lists(
            st.sampled_from([*WORDS.split(), *string.punctuation, "12", "\n"]), max_size=30
        ).map(" ".join),
        max_size=5,
    )
)
def test_a_language_is_the_same_by_either_way(some):
    assert languages_of(some) == [_read_slowly(text.lower()) for text in some]


def test_signs_of_full_width_and_capitals_are_folded_in_the_compiled_pass():
    kinds, _ = _folds()
    assert all(kinds[ord(sign)] for sign in "，。？！：（）；\u00a0\u3000\u2028ÉЖΣĐ…")
    # What may join its neighbour, or needs more room than it has, is left to the plain way.
    assert not any(kinds[ord(sign)] for sign in "\u0301\u200bᅡ´İ½")


def test_quotes_and_dashes_do_not_change_a_language():
    text = "I don't know what you have — but they can't \N{LEFT DOUBLE QUOTATION MARK}feel\u201d it"
    assert languages_of([text, text.replace("'", "’"), text * 400]) == ["en", "en", "en"]


def test_a_record_is_measured_the_same_beside_others():
    contents = ["Hello there", "naïve — 我很难过", "", "It's 1234 o'clock\n\nnow", "ΣΑΣ ß ﬁne"]
    records = [
        (
            Conversation(line=n, shape="messages", messages=messages),
            Redacted(
                messages=messages, spans=(), status="none_detected", redacted_characters=0
            ),
        )
        for n, messages in enumerate(
            (Message(role="system", content=one), Message(role="user", content=two),
             Message(role="assistant", content=one + two))
            for one, two in product(contents, contents)
        )
    ]  # fmt: skip
    assert measure_records(records, RULE) == [
        row for record in records for row in measure_records([record], RULE)
    ]
