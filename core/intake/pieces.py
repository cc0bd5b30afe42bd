"""A text is cut into the pieces of cl100k and their tokens are added up, compiled.

tiktoken cuts a text by one pattern and encodes each piece by itself, so that a piece has the
same number of tokens wherever it stands. Pieces seen before are looked up, byte by byte; the
others are left to tiktoken. Only characters whose class no edition of Unicode has changed are
cut here; a text with any other is left to tiktoken whole.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Any, Final

import numpy as np

from core.intake.compiled import compiled
from core.intake.utf8 import PAD, Table, code_at, eight_at, letters_end

PATTERN: Final = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
    r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)
"""The pattern that is followed here; tiktoken's own must be this one."""

LONGEST: Final = 32
"""The most bytes of a piece worth keeping: four machine words."""

_SLOTS: Final = 1 << 16
_MOST: Final = 1 << 15
# Beyond the first plane there are emoji and rare signs; those texts go to tiktoken.
_CODES: Final = 0x10000
# The compiled code spells these numbers out.
_LETTER, _NUMBER, _SPACE, _LINE_END, _UNSURE = 1, 2, 4, 8, 16
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
# A row of the table is a cache line: four words of the piece, its length, its tokens, two unused.
_ROW: Final = 8
_LENGTH, _TOKENS = 4, 5


class PieceTable:
    """How many tokens pieces have; forgets everything once it is full. Not shared by threads."""

    def __init__(self) -> None:
        self._rows = np.zeros((_SLOTS, _ROW), np.uint64)
        self._held = 0

    def count(self, data: Table, bounds: Table, totals: Table, missing: Table) -> int:
        """Add up the tokens of each text of `data`, UTF-8 cut at `bounds`, into `totals`.

        `data` goes on for `core.intake.utf8.PAD` after the last text.

        A total of -1 says that the text must be counted otherwise. `missing` takes rows of
        (text, start, stop) of pieces not known; their number is returned.
        """
        found: int = _count_all(
            data, bounds, _classes(), _small_classes(), self._rows, totals, missing
        )
        return found

    def learn(self, piece: bytes, count: int) -> None:
        """Keep the number of tokens of a piece."""
        if len(piece) > LONGEST:
            return
        if self._held >= _MOST:
            self._rows[:] = 0
            self._held = 0
        self._held += int(
            _insert(np.frombuffer(piece + PAD, np.uint8), len(piece), self._rows, count)
        )


@compiled
def _kind(data: Any, at: Any, classes: Any) -> Any:
    """Return the class of the character at `at` and how many bytes it has."""
    code, width = code_at(data, at)
    return np.int64(classes[code]) if code < classes.size else np.int64(16), width


@compiled
def _contraction(data: Any, at: Any, stop: Any) -> Any:
    """Return the length of 's 'd 'm 't 'll 've 're at the apostrophe at `at`, or 0."""
    if at + 1 >= stop:
        return 0
    first = data[at + 1] | 0x20
    if first == 0x73 or first == 0x64 or first == 0x6D or first == 0x74:
        return 2
    if at + 2 >= stop:
        return 0
    second = data[at + 2] | 0x20
    if first == 0x6C and second == 0x6C:
        return 3
    return 3 if (first == 0x76 or first == 0x72) and second == 0x65 else 0


@compiled
def _run(data: Any, at: Any, stop: Any, classes: Any, wanted: Any, unwanted: Any) -> Any:
    """Return where the run of characters of these classes ends, or -1 at an unsure one."""
    while at < stop:
        kind, width = _kind(data, at, classes)
        if kind & 16:
            return -1
        if kind & unwanted or (wanted and not kind & wanted):
            return at
        at += width
    return at


@compiled
def _space_end(data: Any, at: Any, stop: Any, classes: Any) -> Any:
    """Return the end of the piece that the white space at `at` makes."""
    end = at
    last = -1  # the end of the last line end in the run
    before = at  # where the run's last character begins
    while end < stop:
        kind, width = _kind(data, end, classes)
        if kind & 16:
            return -1
        if not kind & 4:
            break
        before = end
        end += width
        if kind & 8:
            last = end
    if end == stop:
        return end
    if last >= 0:
        return last
    return before if before > at else end


@compiled
def _digits_end(data: Any, at: Any, stop: Any, classes: Any) -> Any:
    """Return the end of the at most three digits at `at`, or -1 at an unsure character."""
    for _ in range(3):
        if at == stop:
            return at
        kind, width = _kind(data, at, classes)
        if kind & 16:
            return -1
        if not kind & 2:
            return at
        at += width
    return at


@compiled
def _marks_end(data: Any, at: Any, stop: Any, classes: Any) -> Any:
    """Return the end of the marks at `at` and of the line ends after them, or -1."""
    end = _run(data, at, stop, classes, 0, 7)
    return _run(data, end, stop, classes, 8, 0) if end >= 0 else -1


@compiled
def _piece_end(data: Any, at: Any, stop: Any, classes: Any) -> Any:
    """Return where the piece that begins at `at` ends, or -1 when that is not sure."""
    kind, width = _kind(data, at, classes)
    if kind & 1:
        return _run(data, at, stop, classes, 1, 0)
    if kind & 2:
        return _digits_end(data, at, stop, classes)
    if data[at] == 0x27 and _contraction(data, at, stop):
        return at + _contraction(data, at, stop)
    after = at + width
    following = np.int64(4)  # the end of the text stops a run as white space does
    if after < stop:
        following, _ = _kind(data, after, classes)
    if (kind | following) & 16:
        return -1
    if following & 1 and not kind & 8:
        return _run(data, after, stop, classes, 1, 0)
    if not kind & 4:
        return _marks_end(data, at, stop, classes)
    if data[at] == 0x20 and not following & 7:
        return _marks_end(data, after, stop, classes)
    return _space_end(data, at, stop, classes)


@compiled
def _plain_end(data: Any, at: Any, stop: Any, small: Any) -> Any:
    """Return what `_piece_end` does where only ASCII decides, and otherwise -2.

    Nearly every piece ends here: by one look-up a byte, letters by eight at a time.
    `tests/properties/test_tokens.py` holds both to tiktoken.
    """
    kind = small[data[at]]
    if kind & 18:
        return -2
    after = at if kind & 1 else at + 1
    if not kind & 1:
        if data[at] == 0x27 and _contraction(data, at, stop):
            return at + _contraction(data, at, stop)
        following = small[data[after]] if after < stop else np.uint8(4)
        if kind & 8 or not following & 1:
            if following & 16 or (kind & 4 and (data[at] != 0x20 or following & 6)):
                return -2
            while after < stop and not small[data[after]] & 23:
                after += 1
            while after < stop and small[data[after]] & 8:
                after += 1
            return after if after == stop or not small[data[after]] & 16 else -2
    after = letters_end(data, after, stop)
    return after if after == stop or not small[data[after]] & 16 else -2


@compiled
def _word(data: Any, at: Any, stop: Any) -> Any:
    """Return up to eight bytes as one number; the piece's length tells zero bytes from none."""
    if stop - at >= 8:
        return eight_at(data, at)
    if stop <= at:
        return np.uint64(0)
    return eight_at(data, at) & ((np.uint64(1) << np.uint64(8 * (stop - at))) - np.uint64(1))


@compiled
def _slot(data: Any, at: Any, stop: Any, rows: Any) -> Any:
    """Return the slot that holds these bytes, or else the empty one where they belong."""
    first = _word(data, at, stop)
    length = np.uint64(stop - at)
    value = (first ^ (first >> np.uint64(31))) * _MULTIPLIER
    if stop - at <= 8:
        slot = np.int64(((value ^ (value >> np.uint64(32))) * _MULTIPLIER) >> np.uint64(48))
        while rows[slot, _LENGTH] and (rows[slot, 0] != first or rows[slot, _LENGTH] != length):
            slot = (slot + 1) & 0xFFFF
        return slot
    second = _word(data, at + 8, stop)
    third = _word(data, at + 16, stop)
    fourth = _word(data, at + 24, stop)
    value = (value ^ (value >> np.uint64(29))) * _MULTIPLIER + second
    value = (value ^ (value >> np.uint64(30))) * _MULTIPLIER + third
    value = (value ^ (value >> np.uint64(31))) * _MULTIPLIER + fourth
    slot = np.int64(((value ^ (value >> np.uint64(32))) * _MULTIPLIER) >> np.uint64(48))
    while rows[slot, _LENGTH]:
        if (
            rows[slot, 0] == first
            and rows[slot, _LENGTH] == length
            and rows[slot, 1] == second
            and rows[slot, 2] == third
            and rows[slot, 3] == fourth
        ):
            return slot
        slot = (slot + 1) & 0xFFFF
    return slot


@compiled
def _insert(piece: Any, length: Any, rows: Any, count: Any) -> Any:
    slot = _slot(piece, 0, length, rows)
    if rows[slot, _LENGTH]:
        return 0
    for word in range(4):
        rows[slot, word] = _word(piece, 8 * word, length)
    rows[slot, _TOKENS] = count
    rows[slot, _LENGTH] = length
    return 1


@compiled
def _count_all(
    data: Any, bounds: Any, classes: Any, small: Any, rows: Any, totals: Any, missing: Any
) -> Any:
    missed = 0
    for text in range(bounds.size - 1):
        at, stop = bounds[text], bounds[text + 1]
        total = np.int64(0)
        while at < stop:
            end = _plain_end(data, at, stop, small)
            if end == -2:
                end = _piece_end(data, at, stop, classes)
            if end < 0 or missed >= missing.shape[0]:
                total = np.int64(-1)
                break
            known = np.uint64(0)
            if end - at <= LONGEST:
                slot = _slot(data, at, end, rows)
                if rows[slot, _LENGTH]:
                    known = rows[slot, _TOKENS]
            if known:
                total += np.int64(known)
            else:
                missing[missed, 0] = text
                missing[missed, 1] = at
                missing[missed, 2] = end
                missed += 1
            at = end
        totals[text] = total
    return missed


@cache
def _classes() -> Table:
    """Class every character of the first plane; what Unicode 3.2 had otherwise is unsure."""
    classes = np.full(_CODES, _UNSURE, np.uint8)
    for code in range(_CODES):
        sign = chr(code)
        now = unicodedata.category(sign)
        # U+017F is an s where case is ignored, as it is after an apostrophe.
        if now[0] != unicodedata.ucd_3_2_0.category(sign)[0] or now in ("Cn", "Cs", "Co"):
            continue
        classes[code] = {"L": _LETTER, "N": _NUMBER}.get(now[0], 0)
    for code in (0x09, 0x0B, 0x0C, 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B)):
        classes[code] = _SPACE
    for code in (0x2028, 0x2029, 0x202F, 0x205F, 0x3000):
        classes[code] = _SPACE
    classes[0x0A] = classes[0x0D] = _SPACE | _LINE_END
    classes[0x017F] = classes[0x180E] = _UNSURE
    return classes


@cache
def _small_classes() -> Table:
    """Class every byte: as the character it is, or as unsure when it is a part of one."""
    small = np.full(256, _UNSURE, np.uint8)
    small[:128] = _classes()[:128]
    return small
