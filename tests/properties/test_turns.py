"""Rows read the short way are read as the long way reads them, or refused for the same reason."""

from __future__ import annotations

import json

from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.intake.strict_json import BadJson, _decode_slowly, decode_strict
from core.intake.turns import BadTurns, _any_messages, is_record_text, messages_of

TEXTS = st.one_of(
    st.sampled_from(
        ["", " ", "\u3000\n", "a\x00b", "\x00", " x ", "\ud83d", '{"role": "user"}', '"[1]"', "[1]"]
    ),
    st.text(max_size=8),
)
VALUES = st.one_of(
    TEXTS, st.none(), st.integers(), st.booleans(), st.lists(TEXTS, max_size=2),
    st.sampled_from(["system", "user", "assistant", "User", "human", "tool"]),
)  # fmt: skip
FIELDS = st.sampled_from(["role", "content", "from", "value", "name", "user", "assistant", "Role"])
SOUND = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user", "assistant"]), "content": TEXTS},
    optional={"name": VALUES},
)
TURNS = st.lists(
    st.one_of(SOUND, SOUND, st.dictionaries(FIELDS, VALUES, max_size=3), VALUES), max_size=5
)


def _told(read, turns):
    try:
        return read(turns)
    except BadTurns as error:
        return error.code, error.fields


@settings(max_examples=400, deadline=None)
@given(TURNS)
@example([{"role": "user", "content": "a"}, {"role": "assistant", "content": " "}])
@example([{"role": "user", "content": "a", "text": 1}, {"content": "b", "role": "assistant"}])
def test_turns_are_the_same_by_either_way(turns):
    if turns and all(isinstance(turn, list) for turn in turns):
        return
    assert _told(messages_of, turns) == _told(_any_messages, turns)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet='{["a \n\u3000\x00:', max_size=6))
def test_no_record_begins_with_anything_but_a_sign_or_white_space(text):
    if is_record_text(text):
        assert text[0] in '"{[' or text[0].isspace()


JSON = st.recursive(
    st.one_of(st.none(), st.integers(), st.sampled_from(["", "a:b", '":', "x", "\\"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(st.tuples(st.sampled_from(["a", "b", ":", 'q"', "a\\"]), inner), max_size=3).map(
            dict
        ),
    ),
    max_leaves=12,
)


@settings(max_examples=400, deadline=None)
@given(JSON, st.sampled_from([(",", ":"), (", ", ": "), (" ,", "\t:")]), st.integers(0, 6))
@example({"a": [{"a": {"a": 1}}]}, (",", ":"), 0)
def test_a_lost_key_is_seen_however_deep_it_lies(value, separators, twice):
    body = json.dumps(value, separators=separators).encode()
    # A key said twice: the same bytes again before the place of the n-th opening brace's end.
    places = [place for place, sign in enumerate(body) if sign == ord("{")]
    if places and twice:
        place = places[twice % len(places)] + 1
        body = body[:place] + b'"a":0,' + body[place:]
    try:
        expected = _decode_slowly(body)
    except BadJson as error:
        expected = error.code
    try:
        found = decode_strict(body)
    except BadJson as error:
        found = error.code
    assert found == expected
