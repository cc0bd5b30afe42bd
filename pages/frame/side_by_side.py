"""Two records beside each other, turn by turn, with what differs in double brackets.

Both are drawn as text. White space is kept in what stands still; a difference is one of words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import zip_longest

import streamlit as st

from core.model.dataset import Message
from pages.frame import show

_PIECE = re.compile(r"\S+|\s+")
# Beyond this many words the comparison would take seconds: alike runs are then found roughly.
_EXACT_WORDS = 2_000


def marked(one: str, other: str) -> tuple[str, str]:
    """Return both texts with the words that only one of them has in ⟦double brackets⟧."""
    left, right = _PIECE.findall(one), _PIECE.findall(other)
    matcher = SequenceMatcher(
        None,
        [piece if piece.strip() else " " for piece in left],
        [piece if piece.strip() else " " for piece in right],
        autojunk=max(len(left), len(right)) > 2 * _EXACT_WORDS,
    )
    lines: tuple[list[str], list[str]] = ([], [])
    for kind, from_left, to_left, from_right, to_right in matcher.get_opcodes():
        runs = "".join(left[from_left:to_left]), "".join(right[from_right:to_right])
        for line, run in zip(lines, runs, strict=True):
            line.append(run if kind == "equal" or not run.strip() else _bracketed(run))
    return "".join(lines[0]), "".join(lines[1])


def _bracketed(run: str) -> str:
    inner = run.strip()
    start = run.index(inner)
    return f"{run[:start]}⟦{inner}⟧{run[start + len(inner) :]}"


def draw_pair(one: Sequence[Message], other: Sequence[Message], names: tuple[str, str]) -> None:
    """Draw two dialogues in two columns; `names` says which is which."""
    for column, name in zip(st.columns(2), names, strict=True):
        with column:
            show.prose("**{name}**", name=name)
    for number, (left, right) in enumerate(zip_longest(one, other), 1):
        texts = marked(left.content if left else "", right.content if right else "")
        for column, message, text in zip(st.columns(2), (left, right), texts, strict=True):
            with column, st.container(border=True):
                if message is None:
                    show.quiet("{number} · no such turn", number=number)
                else:
                    show.quiet("{number} · {role}", number=number, role=show.SPEAKERS[message.role])
                    show.exact(text)
