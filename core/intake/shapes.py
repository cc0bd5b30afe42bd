"""A row maps to a conversation by what its fields are called, or it is refused: never a guess."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

from core.intake.containers.row import Row
from core.intake.fields import (
    DIALOGUE_FIELDS,
    ID_FIELDS,
    PAIRS,
    PROMPT_FIELDS,
    REASONING_FIELDS,
    field_name,
)
from core.intake.profiles import is_profile
from core.intake.roles import looks_like_turn
from core.intake.speakers import split_speakers
from core.intake.turns import BadTurns, check_order, content_of, is_record_text, messages_of
from core.model.dataset import Asset, Conversation, Message, Rejection

_LONGEST_ID: Final = 200
Fields = Mapping[str, object]
# A shape's name and its messages; a lane's name and no messages.
_Mapped = tuple[str, tuple[Message, ...]]


def map_row(row: Row, *, key: str) -> Conversation | Asset | Rejection:
    """Return what the row is. Never raises; a refusal carries a code and the place."""
    try:
        return _mapped(row, key)
    except BadTurns as error:
        return Rejection(code=error.code, key=key, line=row.line)


def _mapped(row: Row, key: str) -> Conversation | Asset:
    value = row.value
    if isinstance(value, list):
        if not value or not all(looks_like_turn(turn) for turn in value):
            raise BadTurns("row.unknown_shape")
        return _conversation(row, key, {}, ("turns", messages_of(value)))
    if not isinstance(value, dict):
        raise BadTurns("row.not_an_object")
    fields = _fields(value)
    lane = _first_lane(fields)
    if lane:
        return Asset(lane=lane, key=key, line=row.line)
    mapped = _dialogue(fields) or _pair(fields) or _instance(fields)
    if mapped is not None:
        return _conversation(row, key, fields, mapped)
    if is_profile(value):
        return Asset(lane="persona", key=key, line=row.line)
    return Asset(lane=_last_lane(fields), key=key, line=row.line)


def _fields(value: dict[str, object]) -> Fields:
    """Return the row under our spelling of its fields; two of one name are refused."""
    found = {field_name(name): item for name, item in value.items()}
    if len(found) != len(value):
        raise BadTurns("row.ambiguous_fields")
    return found


def _first_lane(fields: Fields) -> str:
    if "chosen" in fields and "rejected" in fields:
        return "preference"
    return "evaluation" if "expected_safety" in fields else ""


def _last_lane(fields: Fields) -> str:
    """Return the lane of a row that is no dialogue; raise when it is nothing we know."""
    if any(_is_text(fields.get(field)) for field in PROMPT_FIELDS):
        return "prompt_only"
    if _is_text(fields.get("text")):
        return "text_only"
    raise BadTurns("row.unknown_shape")


def _dialogue(fields: Fields) -> _Mapped | None:
    """Return the turns of the first dialogue field that holds any."""
    for name in DIALOGUE_FIELDS:
        value = fields.get(name)
        if isinstance(value, list) and value:
            return name, messages_of(value)
        if isinstance(value, list):
            raise BadTurns("row.no_turns")
        if isinstance(value, str) and value.strip():
            return name + "_text", _spoken(value)
    return None


def _spoken(text: str) -> tuple[Message, ...]:
    if is_record_text(text):
        raise BadTurns("row.double_encoded")
    turns = split_speakers(text)
    if turns is None:
        raise BadTurns("row.unknown_speaker")
    return tuple(Message(role=role, content=content_of(spoken)) for role, spoken in turns)


def _pair(fields: Fields) -> _Mapped | None:
    """Return the question and the answer of the first pair of fields that stand in the row."""
    for shape, questions, answer in PAIRS:
        if answer not in fields or not all(name in fields for name in questions):
            continue
        asked = [fields[name] for name in questions if not _is_blank(fields[name])]
        if not asked:
            raise BadTurns("row.empty_turn")
        question = "\n\n".join(content_of(part) for part in asked)
        return shape, (
            Message(role="user", content=question),
            Message(role="assistant", content=content_of(fields[answer])),
        )
    return None


def _instance(fields: Fields) -> _Mapped | None:
    """Return an instruction with its one instance; several would need several rows."""
    instances = fields.get("instances")
    if "instruction" not in fields or not isinstance(instances, list) or len(instances) != 1:
        return None
    inner = instances[0]
    if not isinstance(inner, dict):
        return None
    mapped = _pair({**_fields(inner), "instruction": fields["instruction"]})
    return None if mapped is None else ("instruction_instance", mapped[1])


def _conversation(row: Row, key: str, fields: Fields, mapped: _Mapped) -> Conversation | Asset:
    shape, messages = mapped
    if [message.role for message in messages if message.role != "system"] == ["user"]:
        return Asset(lane="prompt_only", key=key, line=row.line)
    check_order(messages)
    return Conversation(
        line=row.line,
        shape=shape,
        messages=messages,
        conversation_id=_identity(fields),
        labels=_labels(fields, messages),
    )


def _identity(fields: Fields) -> str | None:
    """Return the source's own id; one too long to keep is kept as its digest."""
    for name in ID_FIELDS:
        value = fields.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if isinstance(value, str) and value.strip():
            text = value.strip()
            if len(text) <= _LONGEST_ID:
                return text
            return hashlib.sha256(text.encode("utf-8")).hexdigest()
    return None


def _labels(fields: Fields, messages: tuple[Message, ...]) -> dict[str, str]:
    labels: dict[str, str] = {}
    inner = fields.get("metadata")
    places = [fields, inner] if isinstance(inner, dict) else [fields]
    if any(place.get(name) for place in places for name in REASONING_FIELDS):
        labels["reasoning"] = "dropped"
    spoken = [message.role for message in messages if message.role != "system"]
    if spoken[0] == "assistant":
        labels["opened_by"] = "assistant"
    return labels


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())
