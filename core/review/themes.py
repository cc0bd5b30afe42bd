"""A content card says what kind of material comes before any of it is shown; never its words.

Word lists find the themes. They warn; they decide nothing else, and a record without a theme is
not a record without hard content.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

from core.model.dataset import Message
from core.model.errors import PolicyError

MOST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """One kind of material in a record, at an intensity from 1 to 3."""

    id: str
    title: str
    intensity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Word:
    """A phrase in lower case; `pattern` confirms that it stands as whole words."""

    start: str
    pattern: re.Pattern[str]
    theme: str
    title: str
    intensity: int


def themes_of(messages: Sequence[Message]) -> tuple[Theme, ...]:
    """Return what the turns of a record speak of, the most intense first."""
    text = "\n".join(message.content for message in messages).lower().replace("’", "'")
    found: dict[str, Theme] = {}
    for word in _words():
        held = found.get(word.theme)
        if held is not None and held.intensity >= word.intensity:
            continue
        # Looking for the plain words first costs a tenth of running every pattern.
        if word.start in text and word.pattern.search(text):
            found[word.theme] = Theme(id=word.theme, title=word.title, intensity=word.intensity)
    return tuple(sorted(found.values(), key=lambda theme: (-theme.intensity, theme.title)))


def intensity_of(themes: Sequence[Theme]) -> int:
    """Return the highest intensity, 0 where nothing was found."""
    return max((theme.intensity for theme in themes), default=0)


@cache
def _words() -> tuple[_Word, ...]:
    return parse_themes((resources.files("core.policy") / "themes.yaml").read_bytes())


def parse_themes(source: bytes) -> tuple[_Word, ...]:
    """Return every word of a theme list; raise `PolicyError` `policy.themes` for another file."""
    try:
        document = yaml.safe_load(source)
        if document["schema_version"] != 1:
            raise ValueError
        words = [word for entry in document["themes"] for word in _theme(entry)]
    except (yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise PolicyError("policy.themes", "The list of themes cannot be read.") from error
    return tuple(words)


def _theme(entry: Mapping[str, Any]) -> list[_Word]:
    return [
        _word(str(phrase).lower(), int(level), str(entry["id"]), str(entry["title"]))
        for level, phrases in entry["words"].items()
        for phrase in phrases
        if 1 <= int(level) <= MOST
    ]


def _word(phrase: str, level: int, theme: str, title: str) -> _Word:
    parts = [re.escape(part) for part in phrase.split("*")]
    return _Word(
        start=phrase.split("*")[0],
        pattern=re.compile(r"(?<!\w)" + r"\w*".join(parts) + r"(?!\w)"),
        theme=theme,
        title=title,
        intensity=level,
    )
