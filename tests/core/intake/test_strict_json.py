"""What two parsers could read differently is refused, and the reason has a name."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.intake.strict_json import BadJson, count_keys, decode_strict

_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def code_of(data: bytes) -> str:
    with pytest.raises(BadJson) as caught:
        decode_strict(data)
    return caught.value.code


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b'{"a":1,"a":2}', "line.duplicate_key"),
        (b'{"a" :1, "a" : 2}', "line.duplicate_key"),
        (b'{"a" :1, "a":2}', "line.duplicate_key"),
        (b'{"a":{"b":[{"c":1,"c":1}]}}', "line.duplicate_key"),
        (b'{"\\u0061":1,"a":2}', "line.duplicate_key"),
        (b'{"a":NaN}', "line.number"),
        (b'{"a":-Infinity}', "line.number"),
        (b'{"a":1e999}', "line.number"),
        (b'{"a":' + b"9" * 5000 + b"}", "line.number"),
        (b"[" * 200_000, "line.too_deep"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "line.too_deep"),
        (b'{"a":"\\ud800"}', "line.surrogate"),
        (b'{"\\udfff":1}', "line.surrogate"),
        (b'{"a":"\x00"}', "line.bad_json"),
        (b'{"a":"\xff"}', "line.not_utf8"),
        (b'{"a":"\xed\xa0\x80"}', "line.not_utf8"),
        (b'{"a":1}{"b":2}', "line.bad_json"),
        (b'\xef\xbb\xbf{"a":1}', "line.bad_json"),
        (b"{'a':1}", "line.bad_json"),
        (b'{"a":1,}', "line.bad_json"),
        (b"", "line.bad_json"),
    ],
    ids=lambda value: repr(value[:24]),
)
def test_what_is_not_strict_json_is_refused_by_name(data: bytes, code: str) -> None:
    assert code_of(data) == code


def test_a_colon_inside_a_text_is_not_taken_for_a_key() -> None:
    assert decode_strict(b'{"a":"he said \\"b\\": c"}') == {"a": 'he said "b": c'}


def test_an_escaped_pair_of_surrogates_is_one_character() -> None:
    assert decode_strict(b'{"a":"\\ud83d\\ude00"}') == {"a": "\N{GRINNING FACE}"}


def test_keys_are_counted_at_every_depth() -> None:
    assert count_keys({"a": [{"b": 1}, {"c": {"d": []}}], "e": None}) == 5


@given(_VALUES, st.booleans())
@settings(max_examples=200, deadline=None)
def test_every_json_value_comes_back_as_it_went_in(value: object, ascii_only: bool) -> None:
    data = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8")

    assert decode_strict(data) == value
