"""Whether a JSON object is a row, or holds rows in lists or by their ids, shows at its head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from core.intake.containers.splitter import Cursor, take_piece, take_value
from core.intake.fields import DIALOGUE_FIELDS, KEYED, KNOWN_FIELDS, WRAPPERS, field_name
from core.intake.profiles import is_profile
from core.intake.roles import looks_like_turn
from core.intake.strict_json import BadJson, decode_strict

_LOOKED_AT: Final = 8
_DIALOGUES: Final = frozenset(DIALOGUE_FIELDS)
_INNER: Final = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How to read the first object of a document.

    `why` is "" when it is itself a row, else what to call it if no rows are found in it.
    `itself_keyed` says that its members are rows; `keyed` names members whose members are.
    """

    why: str
    itself_keyed: bool = False
    keyed: frozenset[str] = frozenset()


def plan_document(head: bytes, limit: int) -> Plan:
    """Return how to read the object that `head`, which may be cut, begins with."""
    body = head.lstrip()
    piece = take_value(Cursor(iter((body,))), limit=limit)
    if piece.data is None or not piece.end:
        return _plan_of_beginning(body)
    try:
        value = decode_strict(piece.data)
    except BadJson as error:
        return Plan(why=error.code)
    return _plan_of(value) if isinstance(value, dict) else Plan(why="")


def _plan_of(value: dict[str, object]) -> Plan:
    if is_profile(value) or any(_turns(value.get(field)) for field in ("messages", "conversation")):
        return Plan(why="")
    keyed = frozenset(
        name for name, item in value.items() if name in KEYED and _is_keyed(item, inside=True)
    )
    if keyed or any(_rows(value.get(field)) for field in WRAPPERS):
        return Plan(why="row.unknown_shape", keyed=keyed)
    return Plan(why="", itself_keyed=_is_keyed(value, inside=False))


def _plan_of_beginning(body: bytes) -> Plan:
    """Plan from the members that are whole within `body`, the first of a member cut included."""
    members = _members(body)
    if _is_keyed(members, inside=False):
        return Plan(why="line.too_long", itself_keyed=True)
    keyed = set()
    cursor = Cursor(iter((body[1:],)))
    while True:
        piece = take_piece(cursor, limit=_INNER, stop_at_open=True)
        if piece.end == b"{":
            name = _name(piece.data)
            cursor.at -= 1
            inner = _members(cursor.block[cursor.at :]) if name in KEYED else {}
            if _is_keyed(inner, inside=True):
                keyed.add(name)
        elif piece.end == b"[":
            cursor.at -= 1
        if piece.end in (b"{", b"["):
            piece = take_piece(cursor, limit=_INNER)
        if piece.end != b",":
            return Plan(why="line.too_long", keyed=frozenset(keyed))


def _members(body: bytes) -> dict[str, object]:
    """Return the first members of the object `body` begins with, as far as they are whole."""
    cursor = Cursor(iter((body[1:],)))
    found: dict[str, object] = {}
    while len(found) < _LOOKED_AT:
        piece = take_piece(cursor, limit=_INNER)
        if piece.data is None or piece.end not in (b",", b"}"):
            break
        try:
            value = decode_strict(b"{" + piece.data + b"}")
        except BadJson:
            break
        if not isinstance(value, dict) or len(value) != 1:
            break
        found.update(value)
        if piece.end == b"}":
            break
    return found


def _name(data: bytes | None) -> str:
    try:
        name = decode_strict((data or b"").rstrip()[:-1])
    except BadJson:
        return ""
    return name if isinstance(name, str) else ""


def _is_keyed(value: object, *, inside: bool) -> bool:
    """Whether members are rows by their ids: alike objects, or dialogues, under unknown names.

    `inside` a member whose name says so one is enough; a whole object needs two.
    """
    if not isinstance(value, dict) or len(value) < (1 if inside else 2):
        return False
    items = list(value.values())[:_LOOKED_AT]
    if any(field_name(name) in KNOWN_FIELDS for name in value):
        return False
    if all(_is_dialogue(item) for item in items):
        return True
    fields = [set(item) for item in items if isinstance(item, dict)]
    if len(fields) < len(items) or not all(
        len(item) > 1 or {field_name(name) for name in item} & _DIALOGUES for item in fields
    ):
        return False
    alike = all(2 * len(fields[0] & other) >= len(fields[0] | other) for other in fields[1:])
    known = all({field_name(name) for name in item} & KNOWN_FIELDS for item in fields)
    return alike and (known or inside)


def _is_dialogue(value: object) -> bool:
    return isinstance(value, list) and len(value) > 1 and all(map(looks_like_turn, value))


def _turns(value: object) -> bool:
    return isinstance(value, list) and bool(value) and looks_like_turn(value[0])


def _rows(value: object) -> bool:
    if not isinstance(value, list) or not value:
        return False
    return isinstance(value[0], (dict, list)) and not looks_like_turn(value[0])
