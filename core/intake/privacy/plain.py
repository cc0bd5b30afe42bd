"""Detection reads a plain form of a text: NFKC, no zero-width characters, plain dashes.

Offsets always lead back to the exact text, so what is hidden by odd characters is found and
replaced whole.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_SAME = {
    **dict.fromkeys(map(ord, "‐‑‒–—―−﹘﹣－"), "-"),
    **dict.fromkeys(map(ord, "‘’‛ʼ`´"), "'"),
    **dict.fromkeys(map(ord, "“”„‟«»"), '"'),
    **dict.fromkeys(
        [0x0B, 0x0C, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000], " "
    ),
}
_ODD = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """The plain form of one text. `offsets` is None when both have the same offsets.

    Otherwise `offsets[i]` is the exact place that plain character `i` came from.
    """

    text: str
    offsets: tuple[int, ...] | None

    def exact(self, start: int, end: int) -> tuple[int, int]:
        """Return the exact offsets of a plain span that holds at least one character."""
        if self.offsets is None:
            return start, end
        return self.offsets[start], self.offsets[end - 1] + 1


def plain_form(text: str) -> Plain:
    """Return the plain form of `text`."""
    if text.isascii():
        return Plain(text=text, offsets=None)
    even = text.translate(_SAME)
    if not _ODD.search(even) and unicodedata.is_normalized("NFKC", even):
        return Plain(text=even, offsets=None)
    return _mapped(even)


def _mapped(text: str) -> Plain:
    letters: list[str] = []
    offsets: list[int] = []
    for place, character in enumerate(text):
        if _ODD.match(character):
            continue
        for letter in unicodedata.normalize("NFKC", character).translate(_SAME):
            letters.append(letter)
            offsets.append(place)
    return Plain(text="".join(letters), offsets=tuple(offsets))
