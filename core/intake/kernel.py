"""Shingles, signatures and Jaccard similarity, compiled, with datasketch's own bits.

A word is a run of letters, digits, marks and underscores of the folded text. A shingle is the
64-bit hash of `n` words in a row; its low 32 bits are what datasketch is given. A text with
fewer words is one shingle. Where most letters belong to a script written without spaces,
each letter counts as a word. `tests/properties` holds the signatures to
`MinHash.update_batch`, bit by bit.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from datasketch import MinHash

from core.intake.compiled import (
    MULTIPLIER,
    band_all,
    distinct_all,
    gather_all,
    jaccard_all,
    propose_all,
    shared_all,
    shingle_all,
    shingle_one,
    sketch_all,
)
from core.intake.text import fold_text

SCHEME = "affine32"

Signatures = npt.NDArray[np.uint32]
Hashes = npt.NDArray[np.uint64]
Indices = npt.NDArray[np.int64]
Codes = npt.NDArray[Any]

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
        sketch_all(codes, bounds, classes, shingle, power, factors, offsets, some, found)
        signatures[places] = some
        counts[places] = found
    return signatures, counts


def shingle_hashes(text: str | bytes, shingle: int) -> Hashes:
    """Return the 64-bit shingle hashes of one text in order, repeats included."""
    for _, codes, bounds, classes in _packed([text]):
        room = np.empty(len(codes) + 1, np.uint64)
        found = shingle_one(codes, 0, int(bounds[1]), classes, shingle, _power(shingle), room)
        return room[:found]
    return np.empty(0, np.uint64)


def shingle_sets(texts: Sequence[str | bytes], shingle: int) -> tuple[Hashes, Indices]:
    """Return the sorted distinct shingles of every text, end to end, and where each begins."""
    counts = np.zeros(len(texts), np.int64)
    parts: list[tuple[Indices, Hashes, Indices]] = []
    for places, codes, bounds, classes in _packed(texts):
        room = np.empty(len(codes) + len(places), np.uint64)
        found = np.empty(len(places), np.int64)
        shingle_all(codes, bounds, classes, shingle, _power(shingle), room, found)
        # numpy sorts these with vector instructions, some eight times as fast as compiled code.
        begins = bounds[:-1] + np.arange(len(places))
        for start, stop in zip(begins.tolist(), (begins + found).tolist(), strict=True):
            room[start:stop].sort()
        distinct_all(bounds, room, found)
        counts[places] = found
        parts.append((places, room, bounds))
    starts = np.zeros(len(texts) + 1, np.int64)
    np.cumsum(counts, out=starts[1:])
    hashes = np.empty(int(starts[-1]), np.uint64)
    for places, room, bounds in parts:
        gather_all(room, bounds, starts, places, hashes)
    return hashes, starts


def jaccards(
    hashes: Hashes, bounds: Indices, left: Indices, right: Indices
) -> npt.NDArray[np.float64]:
    """Return the exact Jaccard similarity of each pair of sets made by `shingle_sets`.

    Two empty sets have similarity 0: nothing was compared.
    """
    out = np.empty(len(left), np.float64)
    jaccard_all(hashes, bounds, left, right, out)
    return out


def band_keys(signatures: Signatures, texts: Indices, band: int, rows: int) -> Hashes:
    """Return the key of one band of the signature of each of `texts`."""
    out = np.empty(len(texts), np.uint64)
    band_all(signatures, texts, band, rows, out)
    return out


def shared_places(keys: Hashes, bits: int) -> Indices:
    """Return the places, ascending, of all keys that are not alone, and of few that are.

    Keys are counted by `bits` of their bits; most stand alone and need not be sorted.
    """
    out = np.empty(len(keys), np.int64)
    found = shared_all(keys, np.uint64(64 - bits), np.zeros(1 << bits, np.uint8), out)
    return out[:found]


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
        written = propose_all(signatures, texts, members, bounds, reach, floor, at, out)
        yield out[:written]


def _power(shingle: int) -> np.uint64:
    return np.uint64(pow(int(MULTIPLIER), shingle, 1 << 64))


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
