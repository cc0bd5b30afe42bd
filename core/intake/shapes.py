"""A row maps to a conversation by what its fields are called, or it is refused: never a guess."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from core.intake.containers.row import Row
from core.intake.double import decode_layers, split_turns
from core.intake.fields import (
    DIALOGUE_FIELDS,
    ENCODED_FIELDS,
    ID_FIELDS,
    PAIRS,
    PROMPT_FIELDS,
    field_name,
)
from core.intake.grouping import group_labels
from core.intake.mapping import cells_of, map_by_policy, shown_fields
from core.intake.profiles import is_profile
from core.intake.reasoning import apply_reasoning, reasoning_of
from core.intake.roles import looks_like_turn
from core.intake.speakers import split_speakers
from core.intake.turns import BadTurns, check_order, content_of, is_record_text, messages_of
from core.model.dataset import Asset, Conversation, Message, Rejection
from core.policy.types import IntakeRule, MappingRule, ReasoningRule

_LONGEST_ID: Final = 200
Fields = Mapping[str, object]
# A shape's name and its messages; a lane's name and no messages.
_Mapped = tuple[str, tuple[Message, ...]]
_NO_RULE: Final = (ReasoningRule(), ())


def map_row(
    row: Row, *, key: str, rule: IntakeRule | None = None
) -> Conversation | Asset | Rejection:
    """Return what the row is, by the policy's mappings first.

    Never raises; a refusal carries a code and the place, and an unknown shape its field names.
    """
    reasoning, mappings = _NO_RULE if rule is None else (rule.reasoning, rule.mappings)
    try:
        found = _mapped(row, key, reasoning, mappings)
    except BadTurns as error:
        return Rejection(code=error.code, key=key, line=row.line, fields=error.fields)
    if not isinstance(found, Conversation):
        return found
    grouped = group_labels(row.value, () if rule is None else rule.group_keys)
    return replace(found, labels={**found.labels, **grouped}) if grouped else found


def _mapped(
    row: Row, key: str, reasoning: ReasoningRule, mappings: tuple[MappingRule, ...]
) -> Conversation | Asset:
    value = row.value
    if isinstance(value, str):
        mapped, inner = _unwrapped(value, {})
        return _conversation(row, key, inner, mapped, reasoning)
    if isinstance(value, list):
        cells = cells_of(value)
        return _conversation(row, key, cells, _listed(value, cells, mappings), reasoning)
    if not isinstance(value, dict):
        raise BadTurns("row.not_an_object")
    fields = _fields(value)
    lane = _first_lane(fields)
    if lane:
        return Asset(lane=lane, key=key, line=row.line)
    if "monologue" in fields and len(fields) == 1:
        return Asset(lane="transcript", key=key, line=row.line)
    found = map_by_policy(fields, mappings) or _known(fields)
    if found is not None:
        return _conversation(row, key, fields, found, reasoning)
    encoded = _encoded_text(fields)
    if encoded:
        found, fields = _unwrapped(encoded, fields)
        return _conversation(row, key, fields, found, reasoning)
    if is_profile(value):
        return Asset(lane="persona", key=key, line=row.line)
    return Asset(lane=_last_lane(fields, value), key=key, line=row.line)


def _listed(value: list[object], cells: Fields, mappings: tuple[MappingRule, ...]) -> _Mapped:
    """Return the turns a list holds, or what the policy makes of its bare cells."""
    if value and all(looks_like_turn(turn) for turn in value):
        return "turns", messages_of(value)
    found = map_by_policy(cells, mappings)
    if found is None:
        raise BadTurns("row.unknown_shape", shown_fields(cells))
    return found


def _known(fields: Fields) -> _Mapped | None:
    return _dialogue(fields) or _pair(fields) or _instance(fields)


def _encoded_text(fields: Fields) -> str:
    """Return the text of a field that holds a whole record, or nothing."""
    for name in ENCODED_FIELDS:
        value = fields.get(name)
        if not isinstance(value, str) or value.lstrip()[:1] not in ('"', "{", "["):
            continue
        if is_record_text(value) or split_turns(value) is not None:
            return value
    return ""


def _unwrapped(text: str, outer: Fields) -> tuple[_Mapped, Fields]:
    """Return the one sound conversation a string stands for, or refuse the row.

    Raises:
        BadTurns: `row.double_encoded` when it is a record and not sound; else what it is.
    """
    turns: object = split_turns(text) or decode_layers(text)
    inner = _fields(turns) if isinstance(turns, dict) else {}
    found: _Mapped | None = None
    try:
        if isinstance(turns, list) and turns and all(looks_like_turn(turn) for turn in turns):
            found = "turns", messages_of(turns)
        elif inner and not _first_lane(inner):
            found = _known(inner)
        if found is not None and {"user", "assistant"} <= {turn.role for turn in found[1]}:
            check_order(found[1])
            return (f"{found[0]}_unwrapped", found[1]), {**inner, **outer}
    except BadTurns:
        raise BadTurns("row.double_encoded") from None
    raise BadTurns("row.double_encoded" if is_record_text(text) else "row.not_an_object")


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


def _last_lane(fields: Fields, value: dict[str, object]) -> str:
    """Return the lane of a row that is no dialogue; raise when it is nothing we know."""
    if any(_is_text(fields.get(field)) for field in PROMPT_FIELDS):
        return "prompt_only"
    if _is_text(fields.get("text")):
        return "text_only"
    raise BadTurns("row.unknown_shape", shown_fields(value))


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
        (_, messages), _ = _unwrapped(text, {})
        return messages
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


def _conversation(
    row: Row, key: str, fields: Fields, mapped: _Mapped, reasoning: ReasoningRule
) -> Conversation | Asset:
    shape, messages = mapped
    if [message.role for message in messages if message.role != "system"] == ["user"]:
        return Asset(lane="prompt_only", key=key, line=row.line)
    check_order(messages)
    messages, became = apply_reasoning(messages, reasoning_of(fields), reasoning.mode)
    if became == "lane":
        return Asset(lane="reasoning", key=key, line=row.line)
    # No turn was blank when it was made; only one without its reasoning can be so by now.
    if became and not all(message.content.strip() for message in messages):
        raise BadTurns("row.empty_turn")
    return Conversation(
        line=row.line,
        shape=shape,
        messages=messages,
        conversation_id=identity_of(fields),
        labels=_labels(messages, became),
    )


def identity_of(fields: Fields) -> str | None:
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


def _labels(messages: tuple[Message, ...], reasoning: str) -> dict[str, str]:
    labels = {"reasoning": reasoning} if reasoning else {}
    first = next(message.role for message in messages if message.role != "system")
    if first == "assistant":
        labels["opened_by"] = "assistant"
    return labels


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())
