"""A finding's place is pointed out in words and by an excerpt, always as text."""

from __future__ import annotations

import streamlit as st

from core.model.dataset import Message
from core.model.gate import Finding
from pages.frame import show

AROUND = 160
"""Characters shown on either side of what was found."""


def where(finding: Finding) -> str:
    """Return a finding's place inside its record in words; turns count from 1."""
    if finding.turn < 0:
        return "the whole record" if finding.record_id else ""
    turn = f"turn {finding.turn + 1}"
    if finding.start < 0:
        return turn
    return f"{turn}, characters {finding.start + 1} to {finding.end}"


def excerpt(messages: tuple[Message, ...], finding: Finding) -> tuple[str, str, str] | None:
    """Return what stands before, inside and after the finding's span, or None without one."""
    if not 0 <= finding.turn < len(messages) or not 0 <= finding.start < finding.end:
        return None
    text = messages[finding.turn].content
    if finding.end > len(text):
        return None
    before = text[max(0, finding.start - AROUND) : finding.start]
    after = text[finding.end : finding.end + AROUND]
    return (
        ("… " if finding.start > AROUND else "") + before,
        text[finding.start : finding.end],
        after + (" …" if finding.end + AROUND < len(text) else ""),
    )


def draw_passage(messages: tuple[Message, ...], finding: Finding) -> bool:
    """Draw the passage a finding points at; return whether there is one."""
    pieces = excerpt(messages, finding)
    if pieces is None:
        return False
    before, found, after = pieces
    with st.container(border=True):
        show.quiet(
            "{role}, {where}; what was found stands in double brackets",
            role=messages[finding.turn].role,
            where=where(finding),
        )
        show.exact(f"{before}⟦{found}⟧{after}")
    return True
