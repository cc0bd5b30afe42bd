"""A shape nobody foresaw is named by its fields, and read once a policy says who speaks in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from core.intake.fields import KNOWN_FIELDS, field_name
from core.intake.tabular import numbered_columns
from core.intake.turns import BadTurns, content_of
from core.model.dataset import Message, Role
from core.policy.types import MappingRule

_SHOWN: Final = 16
_MOST_CELLS: Final = 256
# A name of a column. What looks like a value (an address, a number, a sentence) is not shown.
_NAME = re.compile(r"[^\W\d][\w .\-]{0,39}")
_VALUE = re.compile(r"\d{3}|\w+ \w+ \w+ \w+")
_MADE = re.compile(r"[a-z]{1,24}(?:[_A-Z][a-z]{1,24}){1,5}")
_GIVES_AWAY = re.compile(r"[A-Z]{1,3}\d+|\d.*|.*[@:,;!?].*|")
_OTHER: Final = "…"


def shown_fields(names: Iterable[str]) -> tuple[str, ...]:
    """Return at most sixteen field names, in order; anything that may be a value is `…`.

    A table without a header has a row of values for its names: once one of them gives that
    away, only names made the way programs make them (`snake_case`, `camelCase`) are shown.
    """
    given = list(names)
    doubtful = any(_GIVES_AWAY.fullmatch(name) or not _NAME.fullmatch(name) for name in given)
    allowed = _MADE if doubtful else _NAME
    safe = {
        name if allowed.fullmatch(name) and not _VALUE.search(name) else _OTHER for name in given
    }
    return tuple(sorted(safe)[:_SHOWN])


def cells_of(values: Sequence[object]) -> Mapping[str, object]:
    """Return a row of bare cells under numbered columns; nothing when it is none.

    A row of nothing but names of fields is the header of the rows after it, and no row to map.
    """
    if any(isinstance(value, (dict, list)) for value in values) or len(values) > _MOST_CELLS:
        return {}
    if all(isinstance(value, str) and field_name(value) in KNOWN_FIELDS for value in values):
        return {}
    return dict(zip(numbered_columns(len(values)), values, strict=True))


def map_by_policy(
    fields: Mapping[str, object], mappings: tuple[MappingRule, ...]
) -> tuple[str, tuple[Message, ...]] | None:
    """Return the messages of the first mapping whose fields stand in the row, or None.

    Raises:
        BadTurns: a field that must speak is empty or no text.
    """
    for rule in mappings:
        if all(_value(fields, name) is not _ABSENT for name in rule.when):
            said: list[Message] = []
            for role, names in _parts(rule):
                said += _spoken(fields, role, names)
            return rule.name, tuple(said)
    return None


def _parts(rule: MappingRule) -> tuple[tuple[Role, tuple[str, ...]], ...]:
    return (("system", rule.system), ("user", rule.user), ("assistant", rule.assistant))


def _spoken(fields: Mapping[str, object], role: Role, names: tuple[str, ...]) -> list[Message]:
    values = [_value(fields, name) for name in names]
    filled = [value for value in values if value not in (_ABSENT, None) and not _blank(value)]
    if not filled and role == "system":
        return []
    if not filled:
        raise BadTurns("row.empty_turn")
    return [Message(role=role, content="\n\n".join(content_of(value) for value in filled))]


_ABSENT: Final = object()


def _value(fields: Mapping[str, object], path: str) -> object:
    """Return the value at `a.b` or `a.0`; a field whose own name has a dot is found first."""
    whole = fields.get(field_name(path), _ABSENT)
    if whole is not _ABSENT:
        return whole
    found: object = fields
    for part in path.split("."):
        if isinstance(found, list) and part.isascii() and part.isdecimal() and len(part) < 7:
            found = found[int(part)] if int(part) < len(found) else _ABSENT
            continue
        if not isinstance(found, Mapping):
            return _ABSENT
        named = {field_name(name): value for name, value in found.items()}
        found = named.get(field_name(part), _ABSENT)
    return found


def _blank(value: object) -> bool:
    return isinstance(value, str) and not value.strip()
