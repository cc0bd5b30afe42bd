"""A conversation encoded twice is unwrapped when every part of it is sound, else refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from core.intake.containers.splitter import Cursor, take_value
from core.intake.roles import looks_like_turn
from core.intake.strict_json import BadJson, decode_strict

_LAYERS: Final = 3


def decode_layers(text: str) -> object:
    """Return the object or list that `text` holds under at most three layers, or None."""
    value: object = text
    for _ in range(_LAYERS):
        if not isinstance(value, str) or value.lstrip()[:1] not in ('"', "{", "["):
            break
        try:
            value = decode_strict(value.encode("utf-8", errors="surrogatepass"))
        except BadJson:
            return None
    return value if isinstance(value, (dict, list)) else None


def split_turns(text: str) -> list[object] | None:
    """Return the turns of a text that is one `{"role", "content"}` object after another.

    Nothing but white space and commas may stand between them; None when it is anything else.
    """
    if text.lstrip()[:1] != "{":
        return None
    try:
        turns = list(_objects(text.encode("utf-8", errors="surrogatepass")))
    except BadJson:
        return None
    return turns if len(turns) > 1 and all(map(looks_like_turn, turns)) else None


def _objects(data: bytes) -> Iterator[object]:
    cursor = Cursor(iter((data,)))
    while (first := cursor.skip_space()) >= 0:
        if first == ord(","):
            cursor.at += 1
            continue
        if first != ord("{"):
            raise BadJson("line.bad_json")
        piece = take_value(cursor, limit=len(data))
        if piece.data is None or not piece.end:
            raise BadJson("line.bad_json")
        yield decode_strict(piece.data)
