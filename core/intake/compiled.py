"""The loops over every letter, shingle and permutation, compiled to run without the interpreter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np

_Function = TypeVar("_Function", bound=Callable[..., Any])

MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
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
def shingle_one(
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
            rolling = rolling * MULTIPLIER + word
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
def sketch_all(
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
    """Write the signature of each text, and how many shingles it has."""
    longest = 0
    for text in range(bounds.size - 1):
        longest = max(longest, bounds[text + 1] - bounds[text])
    room = np.empty(longest + 1, np.uint64)
    for text in range(bounds.size - 1):
        found = shingle_one(codes, bounds[text], bounds[text + 1], classes, size, power, room)
        counts[text] = found
        _minima(room, found, factors, offsets, signatures[text])


@compiled
def shingle_all(
    codes: Any, bounds: Any, classes: Any, size: Any, power: Any, room: Any, counts: Any
) -> Any:
    """Write the shingles of each text to `room`, from its place on."""
    for text in range(bounds.size - 1):
        start = bounds[text] + text
        out = room[start : bounds[text + 1] + text + 1]
        counts[text] = shingle_one(codes, bounds[text], bounds[text + 1], classes, size, power, out)


@compiled
def distinct_all(bounds: Any, room: Any, counts: Any) -> Any:
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
def gather_all(room: Any, bounds: Any, starts: Any, places: Any, out: Any) -> Any:
    """Copy the shingles of each text from its place in `room` to its place in `out`."""
    for text in range(places.size):
        start = bounds[text] + text
        place = places[text]
        size = starts[place + 1] - starts[place]
        out[starts[place] : starts[place + 1]] = room[start : start + size]


@compiled
def jaccard_all(hashes: Any, bounds: Any, left: Any, right: Any, out: Any) -> Any:
    """Write the Jaccard similarity of each pair of sorted sets."""
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
def band_all(signatures: Any, texts: Any, band: Any, rows: Any, out: Any) -> Any:
    """Write the key of one band of each text."""
    for at in range(texts.size):
        key = np.uint64(band) * MULTIPLIER + np.uint64(1)
        for row in range(rows):
            value = np.uint64(signatures[texts[at], band * rows + row])
            key = _mix64(key ^ value) * MULTIPLIER
        out[at] = key


@compiled
def shared_all(keys: Any, shift: Any, seen: Any, out: Any) -> Any:
    """Write the places of all keys that are not alone, and of few that are; return how many.

    Keys are counted in `seen`, all zeros, by the high bits that `shift` leaves of them.
    """
    for at in range(keys.size):
        slot = (keys[at] * MULTIPLIER) >> shift
        if seen[slot] < 2:
            seen[slot] += 1
    found = 0
    for at in range(keys.size):
        if seen[(keys[at] * MULTIPLIER) >> shift] > 1:
            out[found] = at
            found += 1
    return found


@compiled
def propose_all(
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
