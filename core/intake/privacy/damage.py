"""Redaction that eats the text, or the number that saves a life, is damage and not protection."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.intake.privacy.allow import PLACEHOLDER, crisis_line_nearby
from core.model.dataset import Message

_PHONE_LIKE = re.compile(
    r"PHONE|TEL\b|TELEPHONE|HOTLINE|LIFELINE|FAX|NUMBER|CONTACT", re.IGNORECASE
)
_NOT_LATIN = re.compile(r"[^\W\d_\u0000-\u024f\u1e00-\u1eff]")
_LEAST_PLACEHOLDERS = 3
_LEAST_WORDS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Density:
    """How much of a text is placeholders, whoever put them there."""

    words: int
    characters: int
    placeholders: int
    latin: bool

    def over_redacted(self, share: float) -> bool:
        """Whether at least three placeholders make up more than `share` of the words."""
        return self.placeholders >= _LEAST_PLACEHOLDERS and self.placeholders > share * self.words

    def swollen(self, characters_per_word: float) -> bool:
        """Whether the words of a Latin text of some length are too long to be words."""
        long_enough = self.latin and self.words >= _LEAST_WORDS
        return long_enough and self.characters > characters_per_word * self.words


def density(messages: Sequence[Message]) -> Density:
    """Return the density of all of `messages` together."""
    texts = [message.content for message in messages]
    foreign = sum(len(_NOT_LATIN.findall(text)) for text in texts if not text.isascii())
    characters = sum(map(len, texts))
    return Density(
        words=sum(len(text.split()) for text in texts),
        characters=characters,
        placeholders=sum(1 for text in texts for _ in PLACEHOLDER.finditer(text)),
        latin=foreign * 10 < characters,
    )


def lost_crisis_lines(text: str) -> Iterator[tuple[int, int]]:
    """Yield the phone-like placeholders that stand where a crisis line's number should."""
    for hit in PLACEHOLDER.finditer(text):
        if _PHONE_LIKE.search(hit.group()) and crisis_line_nearby(text, hit.start(), hit.end()):
            yield hit.span()
