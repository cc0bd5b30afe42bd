"""Many texts as one array of UTF-8 bytes, read character by character in compiled code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import types
from numba.extending import intrinsic

from core.intake.compiled import compiled

Table = npt.NDArray[Any]


PAD = bytes(32)
"""Stands after the last body, so that eight bytes can be read at once wherever a text ends."""


def join_bodies(bodies: Sequence[bytes]) -> tuple[bytes, Table, Table]:
    """Return the bodies end to end, the same as an array, and where each begins and ends.

    After the last of them stands `PAD`.
    """
    data = b"".join([*bodies, PAD])
    bounds = np.zeros(len(bodies) + 1, np.int64)
    np.cumsum([len(body) for body in bodies], out=bounds[1:])
    return data, np.frombuffer(data, np.uint8), bounds


def join_texts(texts: Sequence[str]) -> tuple[bytes, Table, Table]:
    """Return what `join_bodies` gives of the texts in UTF-8, half pairs passed on as they are."""
    whole = "".join(texts)
    if not whole.isascii():
        return join_bodies([text.encode("utf-8", "surrogatepass") for text in texts])
    # Bytes and characters are the same here, and nothing is encoded text by text.
    data = whole.encode() + PAD
    bounds = np.zeros(len(texts) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)), out=bounds[1:])
    return data, np.frombuffer(data, np.uint8), bounds


@compiled
def code_at(data: Any, at: Any) -> Any:
    """Return the character that begins at `at` of sound UTF-8, and how many bytes it has."""
    first = np.int64(data[at])
    if first < 0x80:
        return first, 1
    second = np.int64(data[at + 1]) & 0x3F
    if first < 0xE0:
        return (first & 0x1F) << 6 | second, 2
    third = np.int64(data[at + 2]) & 0x3F
    if first < 0xF0:
        return (first & 0x0F) << 12 | second << 6 | third, 3
    fourth = np.int64(data[at + 3]) & 0x3F
    return (first & 0x07) << 18 | second << 12 | third << 6 | fourth, 4


@intrinsic  # type: ignore[untyped-decorator]
def eight_at(_: Any, data: Any, at: Any) -> Any:
    """Return the eight bytes from `at` on as one number, the first of them the lowest."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, values[0])
        place = builder.gep(array.data, [values[1]])
        word = builder.load(
            builder.bitcast(place, context.get_value_type(types.uint64).as_pointer())
        )
        word.align = 1
        return word

    return types.uint64(data, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def low_zeros(_: Any, value: Any) -> Any:
    """Return how many bits below the lowest set one are not set; 64 for zero."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.cttz(values[0], context.get_constant(types.boolean, 0))

    return types.int64(types.uint64), generate


@compiled
def letters_end(data: Any, at: Any, stop: Any) -> Any:
    """Return where the run of ASCII letters at `at` ends, read eight bytes at a time."""
    while at < stop:
        eight = eight_at(data, at)
        # Each byte of `low` stays below 128, so that no sum carries into the next one.
        low = (eight | np.uint64(0x2020202020202020)) & np.uint64(0x7F7F7F7F7F7F7F7F)
        from_a = low + np.uint64(0x1F1F1F1F1F1F1F1F)
        past_z = low + np.uint64(0x0505050505050505)
        others = (eight | ~from_a | past_z) & np.uint64(0x8080808080808080)
        if others:
            return min(stop, at + (low_zeros(others) >> 3))
        at += 8
    return stop
