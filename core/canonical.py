"""An object has one sequence of bytes, and so one digest. There is no second way.

`canonical_bytes` accepts the subset on which Python's JSON equals RFC 8785: no floats, ASCII
keys, integers within ±2**53, no lone surrogates. `document_bytes` is for reports that hold
measured numbers: the same form, finite floats allowed.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

from core.model.errors import DeskError
from core.model.names import Digest

_LARGEST = 2**53


class NotCanonical(DeskError):
    """A value has no canonical form."""


def sha256_hex(data: bytes) -> Digest:
    """Return the SHA-256 of `data` in hex."""
    return Digest(hashlib.sha256(data).hexdigest())


def canonical_bytes(value: object) -> bytes:
    """Return the one encoding of `value`; raise `NotCanonical` for what has none."""
    return _encode(_checked(value, floats=False))


def document_bytes(value: object) -> bytes:
    """Return the encoding of a report: canonical form with finite floats allowed."""
    return _encode(_checked(value, floats=True))


def digest_of(value: object) -> Digest:
    """Return the digest of the canonical bytes of `value`."""
    return sha256_hex(canonical_bytes(value))


def decode(data: bytes) -> Any:
    """Decode bytes we stored ourselves; refuse duplicate keys and NaN with `NotCanonical`."""
    try:
        return json.loads(data, object_pairs_hook=_no_duplicates, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise NotCanonical("canonical.unreadable", "The stored document is not JSON.") from error


# Made once: records are named one by one, and making an encoder costs as much as using it.
_ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)


def _encode(value: object) -> bytes:
    return _ENCODER.encode(value).encode("utf-8")


def _checked(value: object, *, floats: bool) -> object:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value if value.isascii() else _text(value)
    if isinstance(value, int):
        if abs(value) > _LARGEST:
            raise NotCanonical("canonical.integer", "An integer is beyond 2**53.")
        return value
    if isinstance(value, float):
        if not floats or not math.isfinite(value):
            raise NotCanonical("canonical.float", "A float has no place in a canonical object.")
        return value
    # Asked by name first: asking whether something is a mapping of any kind takes far longer.
    if isinstance(value, (dict, Mapping)):
        return {_key(key): _checked(item, floats=floats) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_checked(item, floats=floats) for item in value]
    raise NotCanonical("canonical.type", "A value of this type has no canonical form.")


def _text(value: str) -> str:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise NotCanonical("canonical.surrogate", "A text holds a lone surrogate.") from None
    return value


def _key(key: object) -> str:
    if not isinstance(key, str) or not key.isascii():
        raise NotCanonical("canonical.key", "Keys are ASCII text.")
    return key


def _no_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotCanonical("canonical.duplicate_key", "A key stands twice in one object.")
    return found


def _refuse_constant(_: str) -> object:
    raise NotCanonical("canonical.constant", "NaN and Infinity are not JSON.")
