"""One object, one sequence of bytes."""

from __future__ import annotations

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from core.canonical import NotCanonical, canonical_bytes, decode, document_bytes

keys = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_canonical_bytes_are_those_of_the_standard(value: object) -> None:
    assert canonical_bytes(value) == rfc8785.dumps(value)


@given(values)
def test_decoding_and_encoding_again_changes_nothing(value: object) -> None:
    once = canonical_bytes(value)
    assert canonical_bytes(decode(once)) == once


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (1.5, "canonical.float"),
        ({"ü": 1}, "canonical.key"),
        ({1: 1}, "canonical.key"),
        (2**53 + 1, "canonical.integer"),
        ("\ud800", "canonical.surrogate"),
        ({1, 2}, "canonical.type"),
        ([b"bytes"], "canonical.type"),
    ],
)
def test_what_has_no_canonical_form_is_refused(value: object, code: str) -> None:
    with pytest.raises(NotCanonical) as caught:
        canonical_bytes(value)
    assert caught.value.code == code


def test_a_document_may_hold_finite_floats_only() -> None:
    assert document_bytes({"a": 0.5}) == b'{"a":0.5}'
    with pytest.raises(NotCanonical):
        document_bytes({"a": float("nan")})


@pytest.mark.parametrize("data", [b'{"a":1,"a":2}', b"[NaN]", b"{", b"\xff"])
def test_what_we_did_not_write_is_not_decoded(data: bytes) -> None:
    with pytest.raises(NotCanonical):
        decode(data)
