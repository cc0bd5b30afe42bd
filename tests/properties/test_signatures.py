"""The kernel's signatures are datasketch's own, bit for bit, whatever the text."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from datasketch import MinHash
from hypothesis import given, settings
from hypothesis import strategies as st

from core.intake import kernel

_texts = st.lists(
    st.one_of(
        st.text(max_size=400),
        st.lists(
            st.sampled_from(["a", "bb", "don’t", "ÉTÉ", "ﬁne", "今日", "x_y", "9", "ไทย"])
        ).map(" ".join),
    ),
    min_size=1,
    max_size=6,
)


def reference(text: str, *, shingle: int, count: int, seed: int) -> npt.NDArray[np.uint32]:
    """What datasketch makes of the low 32 bits of the same shingle hashes."""
    minhash = MinHash(num_perm=count, seed=seed, scheme="affine32", hashfunc=lambda value: value)
    hashes = [int(value) & 0xFFFFFFFF for value in kernel.shingle_hashes(text, shingle)]
    if hashes:
        minhash.update_batch(hashes)
    return minhash.hashvalues


@settings(max_examples=150, deadline=None)
@given(texts=_texts, seed=st.integers(0, 50), count=st.sampled_from([1, 64, 128]))
def test_signatures_equal_update_batch_bit_for_bit(texts, seed, count):
    signatures, counts = kernel.sketch(texts, shingle=5, count=count, seed=seed)
    for text, signature, shingles in zip(texts, signatures, counts, strict=True):
        assert np.array_equal(signature, reference(text, shingle=5, count=count, seed=seed))
        assert shingles == len(kernel.shingle_hashes(text, 5))


@settings(max_examples=100, deadline=None)
@given(texts=_texts)
def test_a_text_has_the_same_signature_alone_and_in_company(texts):
    together, _ = kernel.sketch(texts, shingle=5, count=128, seed=1)
    for place, text in enumerate(texts):
        alone, _ = kernel.sketch([text], shingle=5, count=128, seed=1)
        assert np.array_equal(alone[0], together[place])


@settings(max_examples=100, deadline=None)
@given(one=st.text(max_size=200), other=st.text(max_size=200))
def test_jaccard_is_that_of_the_shingle_sets(one, other):
    left, right = (set(kernel.shingle_hashes(text, 5).tolist()) for text in (one, other))
    hashes, bounds = kernel.shingle_sets([one, other], 5)
    [similar] = kernel.jaccards(hashes, bounds, np.array([0]), np.array([1]))
    expected = len(left & right) / len(left | right) if left | right else 0.0
    assert similar == expected
