"""Detection reads a plain form of a text: NFKC, no zero-width characters, plain dashes, and Latin
letters where look-alikes of another script stand among them.

Offsets always lead back to the exact text, so what is hidden by odd characters is found and
replaced whole.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

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
_HIDES, _LOOKS = 1, 2
_MOST_KNOWN = 1 << 15
_LATIN = {
    ord(alike): letter
    for letters, alikes in (
        ("aceopxyijshkmtbABCEHIKMOPTXYSJ", "асеорхуіјѕһкмтьАВСЕНІКМОРТХУЅЈ"),
        ("aoivpnuykABEZHIKMNOPTYX", "αοινρηυγκΑΒΕΖΗΙΚΜΝΟΡΤΥΧ"),
    )
    for letter, alike in zip(letters, alikes, strict=True)
}
"""Cyrillic and Greek letters that are drawn like Latin ones."""
_ALIKE = "[" + "".join(map(chr, _LATIN)) + "]"
_MASKED = re.compile(rf"[A-Za-z0-9@]{_ALIKE}|{_ALIKE}[A-Za-z0-9@]")
_WORD = re.compile(r"[\w@]+")


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
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    same, kinds = _tables()
    known = np.minimum(codes, same.size - 1)
    kind = int(np.bitwise_or.reduce(kinds[known]))
    plain = np.where(codes < same.size, same[known], codes).astype("<u4")
    even = plain.tobytes().decode("utf-32-le", "surrogatepass")
    if bool(kind & _HIDES) or not unicodedata.is_normalized("NFKC", even):
        return _unmasked(_mapped(even))
    whole = Plain(text=even, offsets=None)
    return _unmasked(whole) if kind & _LOOKS else whole


def _mapped(text: str) -> Plain:
    parts = [_BECOMES[character] for character in text]
    shown = "".join(parts)
    # Signs of full width, the commonest by far, become one character each and move nothing.
    if len(shown) == len(text) and all(parts):
        return Plain(text=shown, offsets=None)
    offsets = [place for place, part in enumerate(parts) for _ in part]
    return Plain(text=shown, offsets=tuple(offsets))


class _Becomes(dict[str, str]):
    """What each character becomes, worked out when it is first met.

    `tests/properties/test_plain_form.py` holds it to the rule, character by character.
    """

    def __missing__(self, character: str) -> str:
        normal = unicodedata.normalize("NFKC", character).translate(_SAME)
        if len(self) >= _MOST_KNOWN:
            self.clear()
        self[character] = shown = "" if _ODD.match(character) else normal
        return shown


_BECOMES = _Becomes()


def _unmasked(plain: Plain) -> Plain:
    """Return the same text with look-alikes among Latin letters and digits put in Latin."""
    if not _MASKED.search(plain.text):
        return plain
    shown = _WORD.sub(lambda hit: _latin(hit.group()), plain.text)
    return Plain(text=shown, offsets=plain.offsets)


def _latin(word: str) -> str:
    return word.translate(_LATIN) if _MASKED.search(word) else word


@cache
def _tables() -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return what each character becomes, and whether it hides or looks like something."""
    same = np.arange(0x10000, dtype=np.uint32)
    kinds = np.zeros(0x10000, np.uint8)
    for code, sign in _SAME.items():
        same[code] = ord(sign)
    for code in range(0x10000):
        if _ODD.match(chr(code)):
            kinds[code] = _HIDES
    kinds[list(_LATIN)] = _LOOKS
    # Tags and other variation selectors lie beyond; there all characters share the last kind.
    kinds[0xFFFF] = _HIDES
    return same, kinds
