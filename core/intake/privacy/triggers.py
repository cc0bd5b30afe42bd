"""Only the neighbourhood of a trigger can hold an identifier; the rest needs no second look.

One compiled pass over the characters finds the triggers. Every pattern needs one inside its match
or its context, and every window reaches further than any pattern does, so the windows lose
nothing that the whole text would show.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from core.intake.compiled import compiled
from core.intake.privacy.literals import literals

MARGIN = 160
"""Characters kept on both sides of a trigger, then on to the next white space."""

_DIGIT, _WORD, _LETTER, _HEX, _SPACE, _LINE, _OF_STREET = 1, 2, 4, 8, 16, 32, 64
_COLUMNS = 256
_KNOWN = 0x10000
Table = npt.NDArray[Any]


def windows(text: str) -> tuple[tuple[int, int], ...]:
    """Return the stretches of plain `text` that may hold an identifier, merged, in order."""
    if not text:
        return ()
    if text.isascii():
        codes = np.frombuffer(text.encode("ascii"), np.uint8)
    else:
        wide = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        # What lies beyond the tables is no digit, no letter and no space to any pattern.
        codes = np.minimum(wide, _KNOWN - 1).astype(np.uint16)
    # Every window but the first and the last is at least one margin long on each side.
    places = np.empty((len(text) // MARGIN + 3, 2), np.int64)
    count = _look(codes, *_tables(), MARGIN, places)
    found: list[list[int]] = places[:count].tolist()
    return tuple((start, end) for start, end in found)


LOUD, ENDS_IN_DIGITS = 1, 2
TAIL = 8
"""Characters at the end of a text in which a digit makes it one that `ENDS_IN_DIGITS`."""


def flags_of(texts: Sequence[str]) -> list[int]:
    """Return of each text whether it has a window (`LOUD`) and whether it `ENDS_IN_DIGITS`.

    Many texts cost little more than one. Of a text beyond ASCII both are said to be so.
    """
    plain = [place for place, text in enumerate(texts) if text.isascii()]
    flags = np.full(len(texts), LOUD | ENDS_IN_DIGITS, np.uint8)
    if plain:
        some = [texts[place] for place in plain]
        bounds = np.zeros(len(some) + 1, np.int64)
        np.cumsum([len(text) for text in some], out=bounds[1:])
        codes = np.frombuffer("".join(some).encode("ascii"), np.uint8)
        places = np.empty((int(np.diff(bounds).max()) // MARGIN + 3, 2), np.int64)
        found = np.zeros(len(some), np.uint8)
        _look_all(codes, bounds, *_tables(), MARGIN, places, found)
        flags[plain] = found
    listed: list[int] = flags.tolist()
    return listed


@compiled
def _look(  # noqa: C901 -- one pass over the characters; compiled code cannot call closures
    codes: Any,
    steps: Any,
    columns: Any,
    first: Any,
    items: Any,
    kinds: Any,
    margin: Any,
    places: Any,
) -> Any:
    """Write the windows of one text to `places` and return how many there are."""
    length = codes.size
    count = 0
    state = 0
    run = 0
    digit = -1_000  # where the last digit stands
    gap_plain = True  # nothing but signs and spaces since then
    street_words = 99  # spaces since then, as long as it can be a house number
    waiting_from, waiting_to = 0, -1
    spelled_from, spelled_to, spelled = 0, -1_000, 0
    for at in range(length):
        code = codes[at]
        kind = kinds[code]
        begin = -1
        if kind & 1:
            gap = at - digit - 1
            lettered = gap in (1, 2) and kinds[codes[digit + 1]] & 4
            lettered = lettered and (gap == 1 or codes[at - 1] == 32)
            if gap <= 3 and (gap_plain or lettered):
                begin = digit
            digit, gap_plain, street_words = at, True, 0
        else:
            if kind & 34:
                gap_plain = False
            if street_words < 9:
                if kind & 16:
                    street_words += 1
                elif not kind & 64:
                    street_words = 99
        if (kind & 1 or code == 95) and at <= waiting_to:
            begin = waiting_from if begin < 0 else min(begin, waiting_from)
            waiting_to = -1
        run = run + 1 if kind & 2 or code == 45 else 0
        if run == 20:
            begin = at - 19 if begin < 0 else min(begin, at - 19)
        # Two colons, or pairs of hex digits between colons or hyphens.
        if code == 58 or code == 45:
            pairs = at >= 5 and codes[at - 3] == code and kinds[codes[at - 1]] & 8
            pairs = pairs and kinds[codes[at - 2]] & 8 and kinds[codes[at - 4]] & 8
            if pairs or (code == 58 and at and codes[at - 1] == 58):
                begin = max(0, at - 5) if begin < 0 else min(begin, max(0, at - 5))
        state = steps[state, columns[code if code < 256 else 0]]
        for item in range(first[state], first[state + 1]):
            start = at + 1 - items[item, 0]
            flags = items[item, 1]
            if flags & 1 and start > 0 and kinds[codes[start - 1]] & 2:
                continue
            if flags & 2 and at + 1 < length and kinds[codes[at + 1]] & 2:
                continue
            if flags & 4:
                if at > waiting_to:
                    waiting_from = start
                waiting_to = at + 60
            elif flags & 8:
                if street_words <= 8 and digit >= 0:
                    begin = digit if begin < 0 else min(begin, digit)
            elif flags & 16:
                if start - spelled_to > 3:
                    spelled_from, spelled = start, 0
                spelled += 1
                spelled_to = at + 1
                if spelled >= 5:
                    begin = spelled_from if begin < 0 else min(begin, spelled_from)
            else:
                begin = start if begin < 0 else min(begin, start)
        if begin >= 0:
            low, high = max(0, begin - margin), min(length, at + 1 + margin)
            while count and low <= places[count - 1, 1]:
                low = min(low, places[count - 1, 0])
                high = max(high, places[count - 1, 1])
                count -= 1
            places[count, 0] = low
            places[count, 1] = high
            count += 1
    return _snap(codes, kinds, places, count)


@compiled
def _snap(codes: Any, kinds: Any, places: Any, count: Any) -> Any:
    """Stretch the windows to white space, merge those that meet, and return how many are left."""
    kept = 0
    for number in range(count):
        low, high = places[number, 0], places[number, 1]
        while low > 0 and not kinds[codes[low - 1]] & 16:
            low -= 1
        while high < codes.size and not kinds[codes[high]] & 16:
            high += 1
        if kept and low <= places[kept - 1, 1]:
            places[kept - 1, 1] = max(high, places[kept - 1, 1])
            continue
        places[kept, 0] = low
        places[kept, 1] = high
        kept += 1
    return kept


@compiled
def _look_all(
    codes: Any,
    bounds: Any,
    steps: Any,
    columns: Any,
    first: Any,
    items: Any,
    kinds: Any,
    margin: Any,
    places: Any,
    found: Any,
) -> Any:
    for text in range(bounds.size - 1):
        one = codes[bounds[text] : bounds[text + 1]]
        if _look(one, steps, columns, first, items, kinds, margin, places):
            found[text] = 1
        for at in range(max(0, one.size - 8), one.size):
            if kinds[one[at]] & 1:
                found[text] |= 2
                break


@cache
def _tables() -> tuple[Table, Table, Table, Table, Table]:
    """Return the automaton's steps by state and column, each character's column, where each
    state's items begin, the items (length, flags), and the kinds of characters."""
    children: list[dict[int, int]] = [{}]
    ends: list[list[tuple[int, int]]] = [[]]
    for literal, flags in literals():
        state = 0
        for code in literal.encode("latin-1"):
            if code not in children[state]:
                children.append({})
                ends.append([])
                children[state][code] = len(children) - 1
            state = children[state][code]
        ends[state].append((len(literal), flags))
    steps = np.zeros((len(children), _COLUMNS), np.int32)
    fails = [0] * len(children)
    order = [0]
    for state in order:
        for code in range(_COLUMNS):
            child = children[state].get(code)
            fallback = int(steps[fails[state], code]) if state else 0
            if child is None:
                steps[state, code] = fallback
            else:
                steps[state, code] = child
                fails[child] = fallback
                ends[child] = ends[child] + ends[fallback]
                order.append(child)
    for code in range(_COLUMNS):
        lower = chr(code).lower()
        if lower != chr(code) and len(lower) == 1 and ord(lower) < _COLUMNS:
            steps[:, code] = steps[:, ord(lower)]
    for code in b"\t\n\v\f\r":
        steps[:, code] = steps[:, ord(" ")]
    first = np.zeros(len(ends) + 1, np.int64)
    np.cumsum([len(items) for items in ends], out=first[1:])
    items = np.array([item for held in ends for item in held], np.int64)
    # Few columns differ; a small table stays in the cache.
    unlike, columns = np.unique(steps, axis=1, return_inverse=True)
    return unlike.astype(np.int16), columns.reshape(-1).astype(np.uint8), first, items, _kinds()


def _kinds() -> Table:
    kinds = np.zeros(_KNOWN, np.uint8)
    for code in range(_KNOWN - 1):
        sign = chr(code)
        word = sign.isalnum() or sign == "_"
        kinds[code] = (
            _DIGIT * sign.isdecimal()
            | _WORD * word
            | _LETTER * (sign.isascii() and sign.isalpha())
            | _HEX * (sign in "0123456789abcdefABCDEF")
            | _SPACE * sign.isspace()
            | _LINE * (sign == "\n")
            | _OF_STREET * (word or sign in ".',-")
        )
    return kinds
