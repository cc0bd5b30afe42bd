"""A JSON value is read one way only: what two parsers could read differently is refused.

Refused beyond RFC 8259's grammar: duplicate keys, NaN and infinities (also by overflow, such
as 1e999), integers too long to convert, nesting too deep, lone surrogates, invalid UTF-8.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable

import msgspec

_KEY = re.compile(rb'"[ \t\r\n]*:')
_NESTED = (dict, list)
_TEXTS = {str}
_DECODER = msgspec.json.Decoder()


class BadJson(Exception):
    """Bytes that are no single strict JSON value. Carries a code, never the bytes."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def decode_strict(data: bytes) -> object:
    """Return the one value that `data` holds, surrounding whitespace allowed.

    Raises:
        BadJson: with a code of `core.intake.codes`.
    """
    try:
        value: object = _DECODER.decode(data)
        # Each key has a colon, so no key was lost where there are no more colons than keys seen.
        if outer_keys(value) == data.count(b":") or count_keys(value) == len(_KEY.findall(data)):
            return value
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # The slow reader knows why, and names it.
        _decode_slowly(data)
        raise BadJson("line.bad_json") from None
    # A key was lost, or a text holds `":`: only the slow reader can tell which.
    return _decode_slowly(data)


def outer_keys(value: object) -> int:
    """Return how many keys a row, its objects and the objects in its lists have together.

    There may be more further in; see `count_keys`. Nearly every row has none there, and no colon
    in its texts, and needs no other check.
    """
    if type(value) is not dict:
        return -1
    found = len(value)
    for part in value.values():
        if type(part) is list:
            found += sum([len(item) for item in part if type(item) is dict])
        elif type(part) is dict:
            found += len(part)
    return found


def count_keys(value: object) -> int:
    """Return how many keys all objects inside `value` have together."""
    found = 0
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if type(item) is dict:
            found += len(item)
            parts: Iterable[object] = item.values()
        elif type(item) is list:
            parts = item
        else:
            continue
        # Turns of texts alone, the commonest objects of all, are not walked into.
        for part in parts:
            if type(part) is dict and {*map(type, part.values())} == _TEXTS:
                found += len(part)
            elif type(part) in _NESTED:
                waiting.append(part)
    return found


def _decode_slowly(data: bytes) -> object:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise BadJson("line.not_utf8") from None
    try:
        value: object = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_integer,
        )
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except RecursionError:
        raise BadJson("line.too_deep") from None
    except UnicodeEncodeError:
        raise BadJson("line.surrogate") from None
    except ValueError:
        raise BadJson("line.bad_json") from None
    return value


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadJson("line.duplicate_key")
    return found


def _refuse_constant(_: str) -> object:
    raise BadJson("line.number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise BadJson("line.number")
    return number


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise BadJson("line.number") from None
