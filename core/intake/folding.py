"""Many dialogues are folded in one compiled pass, each to what `core.intake.text` gives alone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from core.intake.compiled import compiled
from core.intake.kernel import Indices
from core.intake.text import GREETING_BYTES, squeeze_text

Octets = npt.NDArray[np.uint8]
Turns = Sequence[tuple[str, str]]

_NO_PROMPT: Final = b""
# Room beside a turn's content for its colons and its length in decimal digits.
_HEAD = 22
_SPACE = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """A dialogue as it is compared.

    `digest` and `prompt` are those of `digest_dialogue` and `digest_prompt`; `text` is the
    folded UTF-8 of `compared_text` with white space collapsed inside each turn, which has the
    same shingles.
    """

    digest: bytes
    prompt: bytes
    text: bytes


def fold_dialogues(dialogues: Sequence[Turns]) -> list[Folded]:
    """Return everything each dialogue is compared by, from its (role, content) pairs."""
    said = [[turn for turn in turns if turn[0] != "system"] for turns in dialogues]
    ends = list(accumulate((len(turns) for turns in said), initial=0))
    bodies, plain = _bodies([content for turns in said for _, content in turns])
    roles = _roles([role for turns in said for role, _ in turns])
    room = len(bodies.codes) + len(plain)
    text = np.empty(room, np.uint8)
    signed = np.empty(room + len(plain) * (_HEAD + roles.longest), np.uint8)
    marks = np.empty((len(said), 4), np.int64)
    _fold_all(
        bodies.codes,
        bodies.bounds,
        plain,
        np.array(ends, np.int64),
        roles.of,
        roles.user,
        roles.names.codes,
        roles.names.bounds,
        _small(),
        text,
        signed,
        marks,
    )
    return cut(text.tobytes(), memoryview(signed), marks.tolist())  # type: ignore[arg-type]


def cut(text: bytes, signed: memoryview, marks: list[list[int]]) -> list[Folded]:
    """Return the dialogues that end at `marks`: in the text, in what is digested, and prompts."""
    folded = []
    start = begin = 0
    for stop, end, asked, answered in marks:
        folded.append(
            Folded(
                digest=hashlib.blake2b(signed[begin:end], digest_size=16).digest(),
                prompt=hashlib.blake2b(text[asked:answered], digest_size=16).digest()
                if answered - asked >= GREETING_BYTES
                else _NO_PROMPT,
                text=text[start:stop],
            )
        )
        start, begin = stop, end
    return folded


@dataclass(frozen=True, slots=True, kw_only=True)
class Strings:
    """Byte strings end to end, and where each begins and the last one ends."""

    codes: Octets
    bounds: Indices


@dataclass(frozen=True, slots=True, kw_only=True)
class _Roles:
    """The role of each turn as a place in `names`; `user` is the place of that role, or -1."""

    of: Indices
    names: Strings
    user: int
    longest: int


def _strings(parts: Sequence[bytes]) -> Strings:
    bounds = np.fromiter(accumulate(map(len, parts), initial=0), np.int64, len(parts) + 1)
    return Strings(codes=np.frombuffer(b"".join(parts), np.uint8), bounds=bounds)


def _bodies(contents: Sequence[str]) -> tuple[Strings, npt.NDArray[np.bool_]]:
    """Return the contents as bytes, and whether each is ASCII that is still to be squeezed."""
    joined = "".join(contents)
    if joined.isascii():
        lengths = accumulate(map(len, contents), initial=0)
        bounds = np.fromiter(lengths, np.int64, len(contents) + 1)
        codes = np.frombuffer(joined.encode(), np.uint8)
        return Strings(codes=codes, bounds=bounds), np.ones(len(contents), np.bool_)
    plain = [content.isascii() for content in contents]
    parts = [
        content.encode() if simple else squeeze_text(content)
        for content, simple in zip(contents, plain, strict=True)
    ]
    return _strings(parts), np.array(plain, np.bool_)


def _roles(roles: Sequence[str]) -> _Roles:
    places: dict[str, int] = {}
    of = np.fromiter((places.setdefault(role, len(places)) for role in roles), np.int64, len(roles))
    names = [role.encode("utf-8", "surrogatepass") for role in places]
    return _Roles(
        of=of,
        names=_strings(names),
        user=places.get("user", -1),
        longest=max(map(len, names), default=0),
    )


@cache
def _small() -> Octets:
    """Return what `str.lower` and `str.split` make of each ASCII byte: white space is one space."""
    return np.array(
        [_SPACE if chr(code).isspace() else ord(chr(code).lower()) for code in range(128)], np.uint8
    )


@compiled
def _squeeze(codes: Any, start: Any, stop: Any, small: Any, out: Any, at: Any) -> Any:
    """Write codes[start:stop] squeezed to `out` from `at` on; return where that ends."""
    begin = at
    last = np.uint8(_SPACE)
    for place in range(start, stop):
        code = small[codes[place]]
        out[at] = code
        at += (code != _SPACE) | (last != _SPACE)
        last = code
    if at > begin and out[at - 1] == _SPACE:
        at -= 1
    return at


@compiled
def copy_bytes(codes: Any, start: Any, stop: Any, out: Any, at: Any) -> Any:
    """Write codes[start:stop] to `out` from `at` on; return where that ends."""
    out[at : at + stop - start] = codes[start:stop]
    return at + stop - start


@compiled
def write_number(number: Any, out: Any, at: Any) -> Any:
    """Write a number in decimal digits to `out` from `at` on; return where that ends."""
    digits = 1
    rest = number // 10
    while rest > 0:
        digits += 1
        rest //= 10
    for place in range(digits):
        out[at + digits - 1 - place] = np.uint8(48 + number % 10)
        number //= 10
    return at + digits


@compiled
def _fold_all(
    codes: Any,
    bounds: Any,
    plain: Any,
    ends: Any,
    role_of: Any,
    user: Any,
    names: Any,
    name_bounds: Any,
    small: Any,
    text: Any,
    signed: Any,
    marks: Any,
) -> Any:
    """Write texts to `text`, and role, length and content of their turns to `signed`.

    A row of `marks` says where a dialogue ends in either, and where its first user turn begins
    and ends in `text`.
    """
    at = 0
    end = 0
    for dialogue in range(ends.size - 1):
        marks[dialogue, 2] = -1
        marks[dialogue, 3] = -1
        for turn in range(ends[dialogue], ends[dialogue + 1]):
            if turn > ends[dialogue]:
                text[at] = 10
                at += 1
            begin = at
            if plain[turn]:
                at = _squeeze(codes, bounds[turn], bounds[turn + 1], small, text, at)
            else:
                at = copy_bytes(codes, bounds[turn], bounds[turn + 1], text, at)
            role = role_of[turn]
            if role == user and marks[dialogue, 2] < 0:
                marks[dialogue, 2] = begin
                marks[dialogue, 3] = at
            end = copy_bytes(names, name_bounds[role], name_bounds[role + 1], signed, end)
            signed[end] = 58
            end = write_number(at - begin, signed, end + 1)
            signed[end] = 58
            end = copy_bytes(text, begin, at, signed, end + 1)
        marks[dialogue, 0] = at
        marks[dialogue, 1] = end
