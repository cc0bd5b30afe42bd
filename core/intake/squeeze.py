"""Texts are folded, squeezed and counted many at a time, compiled, where no rule of Unicode bites.

That is so where what every character beyond ASCII folds to depends on no other beside it; any
other text is folded by `core.intake.text` alone. Both give the same bytes, which
`tests/properties/test_squeeze.py` holds, for every character and for pairs of them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np

from core.intake.compiled import compiled
from core.intake.text import fold_text, squeeze_text
from core.intake.utf8 import Table, code_at

_CODES: Final = 0x10000
# Kinds of characters above any number of bytes.
_ITSELF, _WHITE = np.uint8(8), np.uint8(9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Squeezed:
    """Texts in the form in which they are compared: `data[starts[n]:ends[n]]` is UTF-8.

    `words` says how many words each text has. A word is what white space parts, as `str.split`
    has it.
    """

    data: Table
    starts: Table
    ends: Table
    words: Table


def squeeze_joined(texts: Sequence[str], data: Table, bounds: Table) -> Squeezed:
    """Return `squeeze_text` of each text as UTF-8, and how many words each has.

    The texts are those that `core.intake.utf8.join_texts` has joined into `data`.
    """
    out = np.empty(data.size, np.uint8)
    starts = bounds[:-1].copy()
    ends = np.zeros(len(texts), np.int64)
    words = np.zeros(len(texts), np.int64)
    _squeeze_all(data, bounds, _small(), *_folds(), out, ends, words)
    odd = np.flatnonzero(words < 0).tolist()
    bodies = [squeeze_text(texts[place]) for place in odd]
    at = out.size
    for place, body in zip(odd, bodies, strict=True):
        starts[place], ends[place] = at, at + len(body)
        words[place] = len(texts[place].split())
        at += len(body)
    if odd:
        out = np.concatenate([out, np.frombuffer(b"".join(bodies), np.uint8)])
    return Squeezed(data=out, starts=starts, ends=ends, words=words)


@compiled
def _squeeze(data: Any, at: Any, stop: Any, small: Any, kinds: Any, mapped: Any, out: Any) -> Any:
    """Squeeze one text into `out` at the same place; return its end there and its words.

    The words are -1 where what a character becomes is not sure.
    """
    begin = end = at
    found = 0
    last = np.uint8(0x20)
    while at < stop:
        folded = small[data[at]]
        if folded != 0xFF:
            out[end] = folded
            end += (folded != 0x20) | (last != 0x20)
            found += (folded != 0x20) & (last == 0x20)
            last = folded
            at += 1
            continue
        code, width = code_at(data, at)
        kind = kinds[code] if code < kinds.size else np.uint8(0)
        if kind == 0:
            return end, -1
        at += width
        if kind == _WHITE:
            out[end] = 0x20
            end += last != 0x20
            last = np.uint8(0x20)
            continue
        found += last == 0x20
        last = np.uint8(0xFF)
        if kind == _ITSELF:
            for place in range(at - width, at):
                out[end] = data[place]
                end += 1
            continue
        become = mapped[code]
        for _ in range(kind):
            out[end] = become & np.uint32(0xFF)
            become >>= np.uint32(8)
            end += 1
    if end > begin and out[end - 1] == 0x20:
        end -= 1
    return end, found


@compiled
def _squeeze_all(
    data: Any, bounds: Any, small: Any, kinds: Any, mapped: Any, out: Any, ends: Any, words: Any
) -> Any:
    for text in range(bounds.size - 1):
        ends[text], words[text] = _squeeze(
            data, bounds[text], bounds[text + 1], small, kinds, mapped, out
        )


@cache
def _small() -> Table:
    """Return what each ASCII byte becomes: a small letter, one kind of space; 255 for the rest."""
    small = np.full(256, 0xFF, np.uint8)
    for code in range(0x80):
        small[code] = 0x20 if chr(code).isspace() else ord(chr(code).lower())
    return small


@cache
def _folds() -> tuple[Table, Table]:
    """Return by character its kind and the bytes of what it becomes, the first the lowest.

    The kind is how many bytes those are, or `_ITSELF`, or `_WHITE`, or 0 where that may depend on
    what stands beside it. A sign that becomes others, such as a full stop of full width or a
    capital letter, is known when each of these keeps to itself and they need no more room.
    """
    kinds = np.zeros(_CODES, np.uint8)
    mapped = np.zeros(_CODES, np.uint32)
    stable = {chr(code) for code in np.flatnonzero(_stable()).tolist()}
    alone = stable | {chr(code) for code in range(0x21, 0x7F)}
    for code in range(0x80, _CODES):
        sign = chr(code)
        if sign in stable:
            kinds[code] = _ITSELF
        elif 0xD800 <= code <= 0xDFFF:
            continue
        elif sign.isspace():
            kinds[code] = _WHITE if fold_text(sign).isspace() else 0
        elif unicodedata.category(sign) in _MAPPED and alone.issuperset(folded := fold_text(sign)):
            body = folded.encode()
            if 0 < len(body) <= len(sign.encode()):
                kinds[code] = len(body)
                mapped[code] = int.from_bytes(body, "little")
    return kinds, mapped


@cache
def _stable() -> Table:
    """Mark the characters that fold to themselves whatever stands before them."""
    stable = np.zeros(_CODES, np.bool_)
    for code in range(0x80, _CODES):
        sign = chr(code)
        # Letters with a case of their own, marks, jamo and white space follow rules of their own.
        if unicodedata.category(sign) not in _PLAIN or 0x1100 <= code <= 0x11FF:
            continue
        stable[code] = fold_text(sign) == sign and unicodedata.is_normalized("NFKC", "a" + sign)
    return stable


_PLAIN: Final = frozenset({"Ll", "Lo", "Nd", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sc", "So"})
# Signs of full width, capital letters and the like may become others; no mark, no jamo does.
_MAPPED: Final = _PLAIN | {"Lu"}
