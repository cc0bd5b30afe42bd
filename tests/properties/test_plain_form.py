"""The plain form of a text is that of its characters, each by itself, and leads back to each."""

from __future__ import annotations

import unicodedata

from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.intake.privacy.plain import _ODD, _SAME, _mapped

TEXTS = st.text(
    st.one_of(
        st.sampled_from("aZ1 ，（Ａ１\u00a0\u200b\ufe0f\U000e0041½ﬁ…ß’–\u0301가ᅡ日\ud83d"),
        st.characters(),
    ),
    max_size=30,
)


@settings(max_examples=300, deadline=None)
@given(TEXTS)
@example("\u200b½")
@example("电话：０１２３，好")
def test_every_character_of_the_plain_form_is_known_by_its_place(text):
    letters, offsets = [], []
    for place, character in enumerate(text):
        if not _ODD.match(character):
            for letter in unicodedata.normalize("NFKC", character).translate(_SAME):
                letters.append(letter)
                offsets.append(place)
    found = _mapped(text)
    assert found.text == "".join(letters)
    for start in range(len(letters)):
        assert found.exact(start, start + 1) == (offsets[start], offsets[start] + 1)
        assert found.exact(start, len(letters)) == (offsets[start], offsets[-1] + 1)
