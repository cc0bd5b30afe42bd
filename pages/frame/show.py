"""The only place where words from outside reach the screen, always as text.

Markdown and its kin fetch remote images that a record names, and dress a record's own words up
as badges and headings. What is read must be what is signed, byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

import streamlit as st

from core.model.dataset import Message
from core.model.errors import DeskError

SPEAKERS = {"user": "Client", "assistant": "Helper", "system": "System prompt"}
"""Who speaks, by a turn's role, in the words of those who read."""
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|$:<>~&])")


def escape(text: str) -> str:
    """Return `text` so that markdown shows it as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def prose(template: str, **values: object) -> None:
    """Draw our own words; every value is escaped. `template` is never data."""
    safe = {name: escape(str(value)) for name, value in values.items()}
    st.markdown(template.format(**safe))


def quiet(template: str, **values: object) -> None:
    """Draw a secondary line."""
    safe = {name: escape(str(value)) for name, value in values.items()}
    st.caption(template.format(**safe))


def exact(text: str) -> None:
    """Draw text from a record, byte for byte."""
    st.text(text)


def dialogue(messages: tuple[Message, ...]) -> None:
    """Draw a record's turns in exact text, numbered from 1."""
    # One frame with the speaker close above each turn: a frame a turn makes a page of ten lines.
    with st.container(border=True, gap="medium"):
        for number, message in enumerate(messages, 1):
            with st.container(gap=None):
                st.caption(f"{number} · {SPEAKERS[message.role]}")
                st.text(message.content)


def refusal(error: DeskError) -> None:
    """Draw why something was refused, and its code for whoever has to look it up."""
    st.error(escape(error.sentence))
    st.caption(escape(f"{error.code}" + (f" · {error.place}" if error.place else "")))


def attempt(act: Callable[[], object], *, done: str = "") -> bool:
    """Do one act of a person; say how it went. Returns whether it was done.

    For callbacks: the words wait in the session until the page draws them with `outcome`.
    """
    try:
        act()
    except DeskError as error:
        st.session_state["_outcome"] = ("refused", error.sentence, error.code)
        return False
    if done:
        st.session_state["_outcome"] = ("done", done, "")
    return True


def doing(act: Callable[[], object], *, done: str = "") -> Callable[[], None]:
    """Return a callback that attempts `act`."""

    def callback() -> None:
        attempt(act, done=done)

    return callback


def outcome() -> None:
    """Draw how the last act went, once."""
    held = st.session_state.pop("_outcome", None)
    if held is None:
        return
    kind, sentence, code = held
    if kind == "done":
        st.success(escape(sentence))
    else:
        st.error(escape(sentence))
        st.caption(escape(code))


def when(at: str) -> str:
    """Return a stored time as people say it; a text that is no time as it is."""
    try:
        moment = datetime.fromisoformat(at).astimezone(UTC)
    except ValueError:
        return at
    return f"{moment.day} {moment:%b %Y, %H:%M} UTC"


def group(name: str) -> str:
    """Return the name of a group of people as it is written: Muslim, Hindu or Sikh."""
    return " or ".join(one[:1].upper() + one[1:] for one in name.replace("_", " ").split(" or "))


def short(digest: str) -> str:
    """Return the first 12 digits of a digest, enough to tell candidates apart by eye."""
    return digest[:12]


def size(count: int) -> str:
    """Return a number of bytes in the largest unit that keeps it above 1."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"
