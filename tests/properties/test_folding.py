"""The fast ways of folding and sketching give what the plain ways give, for any text."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.intake import kernel
from core.intake.compared import compare_by
from core.intake.folding import fold_dialogues
from core.intake.squeeze import squeeze_joined
from core.intake.text import (
    compared_text,
    digest_dialogue,
    digest_prompt,
    digest_text,
    fold_text,
)
from core.intake.utf8 import join_texts
from core.model.dataset import Message

# Much white space, NUL, letters whose folding changes their number, and what shows nothing.
LETTERS = st.text(
    st.one_of(
        st.sampled_from(" \t\n\r\x0b\x0c\x1c\x1f\x00\x85\u2028\u200b\u0301ßﬁİΣς日ａA1_'"),
        st.characters(),
    ),
    max_size=60,
)
TURNS = st.lists(st.tuples(st.sampled_from(["system", "user", "assistant"]), LETTERS), max_size=6)


@settings(deadline=None)
@given(st.lists(TURNS, max_size=4))
@example([[]])
@example([[("user", ""), ("assistant", " ")], [("assistant", "a"), ("user", "x " * 30)]])
@example([[("user", "a\x00b"), ("assistant", "c")], [], [("system", "x")]])
@example([[("user", "Hi  there \x1d YOU"), ("assistant", "ｆull")]])
@example([[("用户", "a" * 12_345), ("user", " " * 30 + "b" * 24 + " ")]])
def test_dialogues_are_folded_together_as_the_parts_of_each_are(dialogues):
    for turns, folded in zip(dialogues, fold_dialogues(dialogues), strict=True):
        messages = tuple(Message(role=role, content=content) for role, content in turns)
        assert folded.digest == digest_dialogue(messages)
        assert folded.prompt == digest_prompt(messages)
        parts = [" ".join(fold_text(text).split()) for role, text in turns if role != "system"]
        assert folded.text == "\n".join(parts).encode("utf-8", "surrogatepass")
        rule = {"shingle": 3, "count": 32, "seed": 1}
        fast, slow = (
            kernel.sketch([folded.text], **rule),
            kernel.sketch([compared_text(messages)], **rule),
        )
        assert np.array_equal(fast[0], slow[0])
        assert fast[1] == slow[1]


@settings(deadline=None)
@given(st.lists(TURNS, max_size=4))
@example([])
@example([[], [("user", "Hi ， THERE"), ("system", "x")], [("system", "only")]])
def test_turns_that_are_squeezed_already_are_compared_as_whole_dialogues_are(dialogues):
    turns = [turn for dialogue in dialogues for turn in dialogue]
    texts = [content for _, content in turns]
    _, data, bounds = join_texts(texts)
    talks = np.zeros(len(dialogues) + 1, np.int64)
    np.cumsum([len(dialogue) for dialogue in dialogues], out=talks[1:])
    squeezed = squeeze_joined(texts, data, bounds)
    assert compare_by(squeezed, [role for role, _ in turns], talks) == fold_dialogues(dialogues)


@settings(deadline=None)
@given(LETTERS, LETTERS)
def test_plain_and_wide_texts_of_equal_folding_have_equal_digests(one, other):
    squeezed = [" ".join(fold_text(text).split()) for text in (one, other)]
    assert (digest_text(one) == digest_text(other)) == (squeezed[0] == squeezed[1])


@settings(deadline=None)
@given(st.lists(LETTERS, max_size=8))
def test_sets_made_together_are_the_sets_made_one_by_one(texts):
    hashes, bounds = kernel.shingle_sets(texts, 2)
    for place, text in enumerate(texts):
        alone = np.unique(kernel.shingle_hashes(text, 2))
        assert np.array_equal(hashes[bounds[place] : bounds[place + 1]], alone)
