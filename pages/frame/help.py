"""Each page has a few words of help, in one file, a click away and never in the way."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import streamlit as st

from core.model.signoff import Person
from pages.frame import show

SOURCE = Path(__file__).with_name("help.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageHelp:
    """What a page is for. `first` is role → what to do first, with "others" for the rest."""

    about: str
    first: Mapping[str, str]
    words: Mapping[str, str]
    blocked: str


@cache
def page_helps() -> Mapping[str, PageHelp]:
    """Return the help of every page, by the name of its file."""
    return {
        name: PageHelp(**found) for name, found in tomllib.loads(SOURCE.read_text("utf-8")).items()
    }


def first_for(found: PageHelp, person: Person) -> tuple[str, ...]:
    """Return what to do first for each of a person's roles that acts on the page."""
    mine = dict.fromkeys(found.first[role] for role in person.roles if role in found.first)
    return tuple(mine) or (found.first["others"],)


def draw_help(page: str, title: str, person: Person) -> None:
    """Draw the button that opens the help of a page."""
    found = page_helps()[page]
    with st.popover(f"Help: {title}", icon=":material/help:", type="tertiary"):
        show.prose("{about}", about=found.about)
        for words in first_for(found, person):
            show.prose("**For you, first.** {words}", words=words)
        for word, meaning in found.words.items():
            show.prose("**{word}**: {meaning}", word=word, meaning=meaning)
        show.prose("**When blocked.** {words}", words=found.blocked)
