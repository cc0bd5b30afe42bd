"""Many texts as one array of UTF-8 bytes, read character by character in compiled code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from core.intake.compiled import compiled

Table = npt.NDArray[Any]


def join_bodies(bodies: Sequence[bytes]) -> tuple[bytes, Table, Table]:
    """Return the bodies end to end, the same as an array, and where each begins and ends."""
    data = b"".join(bodies)
    bounds = np.zeros(len(bodies) + 1, np.int64)
    np.cumsum([len(body) for body in bodies], out=bounds[1:])
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
