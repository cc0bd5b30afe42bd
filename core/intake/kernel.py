"""Shingles, signatures and Jaccard similarity, compiled, with datasketch's own bits.

A word is a run of letters, digits, marks and underscores of the folded text. A shingle is the
64-bit hash of `n` words in a row; its low 32 bits are what datasketch is given. A text with
fewer words is one shingle. Where most letters belong to a script written without spaces,
each letter counts as a word. `tests/properties` holds the signatures to
`MinHash.update_batch`, bit by bit.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, TypeVar

import numba
import numpy as np
import numpy.typing as npt
from datasketch import MinHash

from core.intake.text import fold_text

SCHEME = "affine32"

Signatures = npt.NDArray[np.uint32]
Hashes = npt.NDArray[np.uint64]
Indices = npt.NDArray[np.int64]
Codes = npt.NDArray[Any]

_Function = TypeVar("_Function", bound=Callable[..., Any])

_SEPARATOR, _LETTER, _UNSPACED = 0, 1, 2
_TABLE_SIZE = 0x33480
_UNSPACED_RANGES = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x3040, 0x30FF),  # kana
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),  # Han
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x33479),
)
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_FNV_PRIME = np.uint64(0x100000001B3)
_FNV_START = np.uint64(0xCBF29CE484222325)


def compiled(function: _Function) -> _Function:
    """Compile without the interpreter lock; keep the result on disk where a disk allows it."""
    try:
        compiled = numba.njit(nogil=True, cache=True)(function)
    except RuntimeError:  # numba finds no writable place for its cache
        compiled = numba.njit(nogil=True)(function)
    return compiled  # type: ignore[no-any-return]


@compiled
def _mix64(value: Any) -> Any:
    value ^= value >> np.uint64(33)
    value *= np.uint64(0xFF51AFD7ED558CCD)
    value ^= value >> np.uint64(33)
    value *= np.uint64(0xC4CEB9FE1A85EC53)
    value ^= value >> np.uint64(33)
    return value


@compiled
def _mix32(value: Any) -> Any:
    value = np.uint32(value ^ (value >> np.uint32(16)))
    value = np.uint32(value * np.uint32(0x85EBCA6B))
    value = np.uint32(value ^ (value >> np.uint32(13)))
    value = np.uint32(value * np.uint32(0xC2B2AE35))
    return np.uint32(value ^ (value >> np.uint32(16)))


@compiled
def _unspaced(codes: Any, start: Any, stop: Any, classes: Any) -> Any:
    spaced = 0
    dense = 0
    for at in range(start, stop):
        if codes[at] < classes.size:
            kind = classes[codes[at]]
            spaced += kind == 1
            dense += kind == 2
    return dense > spaced


@compiled
def _shingle(
    codes: Any, start: Any, stop: Any, classes: Any, size: Any, power: Any, out: Any
) -> Any:
    """Write the shingle hashes of codes[start:stop] to `out`; return how many there are."""
    # A table that ends with ASCII knows no script without spaces.
    by_letter = classes.size > 128 and _unspaced(codes, start, stop, classes)
    ring = np.zeros(size, np.uint64)
    found = 0
    words = 0
    slot = 0
    rolling = np.uint64(0)
    word = _FNV_START
    inside = False
    for at in range(start, stop + 1):
        letter = at < stop and codes[at] < classes.size and classes[codes[at]] != 0
        if letter:
            word = (word ^ np.uint64(codes[at])) * _FNV_PRIME
            inside = True
        if inside and (by_letter or not letter):
            word = _mix64(word)
            rolling = rolling * _MULTIPLIER + word
            if words >= size:
                rolling -= ring[slot] * power
            ring[slot] = word
            slot = slot + 1 if slot + 1 < size else 0
            words += 1
            if words >= size:
                out[found] = _mix64(rolling)
                found += 1
            word = _FNV_START
            inside = False
    if found == 0 and words > 0:
        out[0] = _mix64(rolling)
        found = 1
    return found


@compiled
def _minima(hashes: Any, count: Any, factors: Any, offsets: Any, signature: Any) -> Any:
    """Take the minimum of each permutation over the low halves of `hashes`, four at a time."""
    permutations = factors.size
    for k in range(permutations):
        signature[k] = np.uint32(0xFFFFFFFF)
    at = 0
    while at + 4 <= count:
        first = _mix32(np.uint32(hashes[at]))
        second = _mix32(np.uint32(hashes[at + 1]))
        third = _mix32(np.uint32(hashes[at + 2]))
        fourth = _mix32(np.uint32(hashes[at + 3]))
        for k in range(permutations):
            factor = factors[k]
            offset = offsets[k]
            low = min(np.uint32(factor * first + offset), np.uint32(factor * second + offset))
            high = min(np.uint32(factor * third + offset), np.uint32(factor * fourth + offset))
            signature[k] = min(signature[k], min(low, high))
        at += 4
    while at < count:
        first = _mix32(np.uint32(hashes[at]))
        for k in range(permutations):
            signature[k] = min(signature[k], np.uint32(factors[k] * first + offsets[k]))
        at += 1


@compiled
def _sketch_all(
    codes: Any,
    bounds: Any,
    classes: Any,
    size: Any,
    power: Any,
    factors: Any,
    offsets: Any,
    signatures: Any,
    counts: Any,
) -> Any:
    longest = 0
    for text in range(bounds.size - 1):
        longest = max(longest, bounds[text + 1] - bounds[text])
    room = np.empty(longest + 1, np.uint64)
    for text in range(bounds.size - 1):
        found = _shingle(codes, bounds[text], bounds[text + 1], classes, size, power, room)
        counts[text] = found
        _minima(room, found, factors, offsets, signatures[text])


@compiled
def _shingle_all(
    codes: Any, bounds: Any, classes: Any, size: Any, power: Any, room: Any, counts: Any
) -> Any:
    """Write the shingles of each text to `room`, from its place on."""
    for text in range(bounds.size - 1):
        start = bounds[text] + text
        out = room[start : bounds[text + 1] + text + 1]
        counts[text] = _shingle(codes, bounds[text], bounds[text + 1], classes, size, power, out)


@compiled
def _distinct_all(bounds: Any, room: Any, counts: Any) -> Any:
    """Keep each of the sorted shingles of a text once, and count them anew."""
    for text in range(bounds.size - 1):
        start = bounds[text] + text
        kept = 0
        for at in range(counts[text]):
            value = room[start + at]
            if kept == 0 or value != room[start + kept - 1]:
                room[start + kept] = value
                kept += 1
        counts[text] = kept


@compiled
def _gather_all(room: Any, bounds: Any, starts: Any, places: Any, out: Any) -> Any:
    for text in range(places.size):
        start = bounds[text] + text
        place = places[text]
        size = starts[place + 1] - starts[place]
        out[starts[place] : starts[place + 1]] = room[start : start + size]


@compiled
def _jaccard_all(hashes: Any, bounds: Any, left: Any, right: Any, out: Any) -> Any:
    for pair in range(left.size):
        i, i_end = bounds[left[pair]], bounds[left[pair] + 1]
        j, j_end = bounds[right[pair]], bounds[right[pair] + 1]
        total = (i_end - i) + (j_end - j)
        shared = 0
        while i < i_end and j < j_end:
            if hashes[i] == hashes[j]:
                shared += 1
                i += 1
                j += 1
            elif hashes[i] < hashes[j]:
                i += 1
            else:
                j += 1
        out[pair] = shared / (total - shared) if total > shared else 0.0


@compiled
def _band_all(signatures: Any, texts: Any, band: Any, rows: Any, out: Any) -> Any:
    for at in range(texts.size):
        key = np.uint64(band) * _MULTIPLIER + np.uint64(1)
        for row in range(rows):
            value = np.uint64(signatures[texts[at], band * rows + row])
            key = _mix64(key ^ value) * _MULTIPLIER
        out[at] = key


@compiled
def _propose_all(
    signatures: Any,
    texts: Any,
    members: Any,
    bounds: Any,
    reach: Any,
    floor: Any,
    at: Any,
    out: Any,
) -> Any:
    """Write pairs of one bucket that agree enough to `out` until it is full; `at` is resumed.

    `members` are places in `texts`, bucket by bucket and ascending; `reach` says how many
    members of a bucket each of its members is compared with. Returns how many were written.
    """
    written = 0
    permutations = signatures.shape[1]
    bucket, first, second = at[0], at[1], at[2]
    while bucket < bounds.size - 1:
        start, stop = bounds[bucket], bounds[bucket + 1]
        centres = min(reach[bucket], stop - start - 1)
        while first < centres:
            one = texts[members[start + first]]
            while start + second < stop:
                other = texts[members[start + second]]
                same = 0
                for k in range(permutations):
                    same += signatures[one, k] == signatures[other, k]
                if same >= floor:
                    if written == out.shape[0]:
                        at[0], at[1], at[2] = bucket, first, second
                        return written
                    out[written, 0] = members[start + first]
                    out[written, 1] = members[start + second]
                    written += 1
                second += 1
            first += 1
            second = first + 1
        bucket += 1
        first, second = 0, 1
    at[0], at[1], at[2] = bucket, first, second
    return written


@cache
def permutations(count: int, seed: int) -> tuple[Signatures, Signatures]:
    """Return datasketch's own factors and offsets for `count` permutations under `seed`."""
    factors, offsets = MinHash(num_perm=count, seed=seed, scheme=SCHEME).permutations
    return np.ascontiguousarray(factors), np.ascontiguousarray(offsets)


def sketch(
    texts: Sequence[str | bytes], *, shingle: int, count: int, seed: int
) -> tuple[Signatures, Indices]:
    """Return the MinHash signatures, shape (texts, count), and how many shingles each text has.

    A text without a single word has no shingle, and a signature of all ones. Bytes are UTF-8 that
    was folded before.
    """
    factors, offsets = permutations(count, seed)
    signatures = np.empty((len(texts), count), np.uint32)
    counts = np.empty(len(texts), np.int64)
    for places, codes, bounds, classes in _packed(texts):
        some = np.empty((len(places), count), np.uint32)
        found = np.empty(len(places), np.int64)
        power = _power(shingle)
        _sketch_all(codes, bounds, classes, shingle, power, factors, offsets, some, found)
        signatures[places] = some
        counts[places] = found
    return signatures, counts


def shingle_hashes(text: str | bytes, shingle: int) -> Hashes:
    """Return the 64-bit shingle hashes of one text in order, repeats included."""
    for _, codes, bounds, classes in _packed([text]):
        room = np.empty(len(codes) + 1, np.uint64)
        found = _shingle(codes, 0, int(bounds[1]), classes, shingle, _power(shingle), room)
        return room[:found]
    return np.empty(0, np.uint64)


def shingle_sets(texts: Sequence[str | bytes], shingle: int) -> tuple[Hashes, Indices]:
    """Return the sorted distinct shingles of every text, end to end, and where each begins."""
    counts = np.zeros(len(texts), np.int64)
    parts: list[tuple[Indices, Hashes, Indices]] = []
    for places, codes, bounds, classes in _packed(texts):
        room = np.empty(len(codes) + len(places), np.uint64)
        found = np.empty(len(places), np.int64)
        _shingle_all(codes, bounds, classes, shingle, _power(shingle), room, found)
        # numpy sorts these with vector instructions, some eight times as fast as compiled code.
        begins = bounds[:-1] + np.arange(len(places))
        for start, stop in zip(begins.tolist(), (begins + found).tolist(), strict=True):
            room[start:stop].sort()
        _distinct_all(bounds, room, found)
        counts[places] = found
        parts.append((places, room, bounds))
    starts = np.zeros(len(texts) + 1, np.int64)
    np.cumsum(counts, out=starts[1:])
    hashes = np.empty(int(starts[-1]), np.uint64)
    for places, room, bounds in parts:
        _gather_all(room, bounds, starts, places, hashes)
    return hashes, starts


def jaccards(
    hashes: Hashes, bounds: Indices, left: Indices, right: Indices
) -> npt.NDArray[np.float64]:
    """Return the exact Jaccard similarity of each pair of sets made by `shingle_sets`.

    Two empty sets have similarity 0: nothing was compared.
    """
    out = np.empty(len(left), np.float64)
    _jaccard_all(hashes, bounds, left, right, out)
    return out


def band_keys(signatures: Signatures, texts: Indices, band: int, rows: int) -> Hashes:
    """Return the key of one band of the signature of each of `texts`."""
    out = np.empty(len(texts), np.uint64)
    _band_all(signatures, texts, band, rows, out)
    return out


def propose(
    signatures: Signatures,
    texts: Indices,
    members: Indices,
    bounds: Indices,
    reach: Indices,
    floor: float,
    *,
    room: int = 1 << 20,
) -> Iterator[Indices]:
    """Yield the pairs of each bucket whose signatures agree in `floor` values or more.

    Args:
        signatures: one row per text.
        texts: which rows take part.
        members: places in `texts`, bucket by bucket, ascending within each.
        bounds: where each bucket begins in `members`, and where the last one ends.
        reach: with how many first members of its bucket each member is compared.
        floor: the least number of agreeing values.
        room: the most pairs yielded at a time, each as two places in `texts`, the lower first.
    """
    at = np.array([0, 0, 1], np.int64)
    while at[0] < len(bounds) - 1:
        out = np.empty((room, 2), np.int64)
        written = _propose_all(signatures, texts, members, bounds, reach, floor, at, out)
        yield out[:written]


def _power(shingle: int) -> np.uint64:
    return np.uint64(pow(int(_MULTIPLIER), shingle, 1 << 64))


def _packed(texts: Sequence[str | bytes]) -> Iterator[tuple[Indices, Codes, Indices, Codes]]:
    """Yield ASCII texts as bytes and the others as code points, each as one long array."""
    plain: list[tuple[int, bytes]] = []
    wide: list[tuple[int, bytes]] = []
    for place, text in enumerate(texts):
        folded = text if isinstance(text, bytes) else fold_text(text)
        if not folded.isascii():
            letters = (
                folded.decode("utf-8", "surrogatepass") if isinstance(folded, bytes) else folded
            )
            wide.append((place, letters.encode("utf-32-le", "surrogatepass")))
        else:
            plain.append((place, folded if isinstance(folded, bytes) else folded.encode()))
    if plain:
        yield (*_joined(plain, 1), _plain_classes())
    if wide:
        yield (*_joined(wide, 4), _wide_classes())


def _joined(parts: list[tuple[int, bytes]], width: int) -> tuple[Indices, Codes, Indices]:
    bounds = np.zeros(len(parts) + 1, np.int64)
    np.cumsum([len(data) // width for _, data in parts], out=bounds[1:])
    kind = np.uint8 if width == 1 else np.uint32
    codes: Codes = np.frombuffer(b"".join(data for _, data in parts), kind)
    return np.array([place for place, _ in parts], np.int64), codes, bounds


@cache
def _plain_classes() -> Codes:
    return _wide_classes()[:128].copy()


@cache
def _wide_classes() -> Codes:
    """Class every character that can stand in a word; all beyond the table are separators."""
    classes = np.zeros(_TABLE_SIZE, np.uint8)
    for code in range(_TABLE_SIZE):
        if unicodedata.category(chr(code))[0] in "LNM" or code == ord("_"):
            classes[code] = _LETTER
    for first, last in _UNSPACED_RANGES:
        part = classes[first : last + 1]
        part[part == _LETTER] = _UNSPACED
    return classes
