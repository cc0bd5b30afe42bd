"""Texts are folded, squeezed and counted many at a time, compiled, where no rule of Unicode bites.

That is so where every character beyond ASCII folds to itself and joins none before it; any
other text is folded by `core.intake.text` alone. Both give the same bytes.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

import numpy as np

from core.intake.compiled import compiled
from core.intake.text import fold_text, squeeze_text
from core.intake.utf8 import Table, code_at, join_bodies

_CODES: Final = 0x10000


def squeeze_all(texts: Sequence[str]) -> tuple[list[bytes], list[int]]:
    """Return `squeeze_text` of each text as UTF-8, and how many words each text has.

    A word is what white space parts, as `str.split` has it.
    """
    bodies = [text.encode("utf-8", "surrogatepass") for text in texts]
    _, data, bounds = join_bodies(bodies)
    out = np.empty(data.size, np.uint8)
    ends = np.zeros(len(bodies), np.int64)
    words = np.zeros(len(bodies), np.int64)
    _squeeze_all(data, bounds, _stable(), out, ends, words)
    whole = out.tobytes()
    squeezed = [
        whole[start:end] for start, end in zip(bounds.tolist(), ends.tolist(), strict=False)
    ]
    counts: list[int] = words.tolist()
    for place, count in enumerate(counts):
        if count < 0:
            squeezed[place] = squeeze_text(texts[place])
            counts[place] = len(texts[place].split())
    return squeezed, counts


@compiled
def _squeeze(data: Any, at: Any, stop: Any, stable: Any, out: Any) -> Any:
    """Squeeze one text into `out` at the same place; return its end there and its words.

    The words are -1 where a character does not fold to itself.
    """
    end = at
    found = 0
    inside = False
    while at < stop:
        code, width = code_at(data, at)
        # What str.split takes for white space among ASCII.
        if code == 0x20 or 0x09 <= code <= 0x0D or 0x1C <= code <= 0x1F:
            inside = False
            at += 1
            continue
        if code >= 0x80 and not (code < stable.size and stable[code]):
            return end, -1
        if not inside:
            if found:
                out[end] = 0x20
                end += 1
            found += 1
            inside = True
        out[end] = code + 32 if 0x41 <= code <= 0x5A else data[at]
        for place in range(1, width):
            out[end + place] = data[at + place]
        end += width
        at += width
    return end, found


@compiled
def _squeeze_all(data: Any, bounds: Any, stable: Any, out: Any, ends: Any, words: Any) -> Any:
    for text in range(bounds.size - 1):
        ends[text], words[text] = _squeeze(data, bounds[text], bounds[text + 1], stable, out)


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
