"""Turns become messages in exact text, or the row is refused for the first thing wrong with it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import msgspec

from core.intake.roles import ROLE_FIELDS, TEXT_FIELDS, role_of
from core.intake.strict_json import BadJson, decode_strict
from core.intake.text import is_blank
from core.model.dataset import Message, Role

_RECORD_FIELDS: Final = frozenset(
    {
        "messages",
        "conversation",
        "conversations",
        "prompt",
        "response",
        "instruction",
        "input",
        "output",
        "question",
        "answer",
        "context",
        "completion",
        "questiontext",
        "answertext",
        "role",
        "content",
        "from",
        "value",
    }
)
_OPENS: Final = ('"', "{", "[")
_OWN: Final[Mapping[str, Role]] = {"system": "system", "user": "user", "assistant": "assistant"}
_MESSAGES: Final = tuple[Message, ...]
# The same record printed by a program rather than encoded: {'messages': [{'role': …
_PRINTED = re.compile(r"\s*[\[{\s]*['\"](\w+)['\"]\s*:")


class BadTurns(Exception):
    """A row whose turns are no dialogue. Carries a code and names of fields, never the text."""

    def __init__(self, code: str, fields: tuple[str, ...] = ()) -> None:
        super().__init__(code)
        self.code = code
        self.fields = fields


def messages_of(turns: list[object]) -> tuple[Message, ...]:
    """Return the messages that a list of turns stands for.

    Raises:
        BadTurns: with a code of `core.intake.codes`.
    """
    if turns and all(isinstance(turn, list) for turn in turns):
        raise BadTurns("row.unknown_shape")
    return _own_messages(turns) or _any_messages(turns)


def _own_messages(turns: list[object]) -> tuple[Message, ...] | None:
    """Return sound turns of our own two fields and roles, as nearly all are; None for others.

    They are made without a step of Python for each. `tests/properties/test_turns.py` holds this
    to `_any_messages`, which also says what is wrong with the others.
    """
    try:
        messages = msgspec.convert(turns, _MESSAGES)
    except (msgspec.ValidationError, UnicodeEncodeError):
        return None
    contents = [message.content for message in messages]
    together = "".join(contents)
    if not all(map(str.strip, contents)) or "\x00" in together:
        return None
    if not together.isascii() and any(map(is_blank, contents)):
        return None
    return messages


def _any_messages(turns: list[object]) -> tuple[Message, ...]:
    messages: list[Message] = []
    for turn in turns:
        if not isinstance(turn, dict):
            raise BadTurns("row.bad_turn")
        # Nearly every turn there is has these two fields and one of our own roles.
        role = _OWN.get(turn["role"]) if isinstance(turn.get("role"), str) else None
        if role is not None and "content" in turn:
            messages.append(Message(role=role, content=content_of(turn["content"])))
        else:
            messages.extend(_turn_messages(turn))
    return tuple(messages)


def _turn_messages(turn: dict[str, object]) -> list[Message]:
    role_field = _first_of(ROLE_FIELDS, turn)
    if not role_field:
        return _keyed_messages(turn)
    role = role_of(turn[role_field])
    if role is None:
        raise BadTurns("row.unknown_role")
    text_field = _first_of(TEXT_FIELDS, turn)
    if not text_field:
        raise BadTurns("row.bad_turn")
    return [Message(role=role, content=content_of(turn[text_field]))]


def _first_of(fields: tuple[str, ...], turn: dict[str, object]) -> str:
    for field in fields:
        if field in turn:
            return field
    return ""


def _keyed_messages(turn: dict[str, object]) -> list[Message]:
    """Return the turns of an object whose keys are the speakers: one of them, or a pair."""
    roles = [role_of(key) for key in turn]
    known: list[Role] = [role for role in roles if role is not None]
    if not known:
        raise BadTurns("row.bad_turn")
    if len(known) != len(roles):
        raise BadTurns("row.unknown_role")
    if known not in (["system"], ["user"], ["assistant"], ["user", "assistant"]):
        raise BadTurns("row.bad_turn")
    return [
        Message(role=role, content=content_of(text))
        for role, text in zip(known, turn.values(), strict=True)
    ]


def content_of(value: object) -> str:
    """Return a message's text as it stands. Raises `BadTurns` when there is none."""
    if value is None:
        raise BadTurns("row.empty_turn")
    if not isinstance(value, str):
        raise BadTurns("row.not_text")
    if is_blank(value):
        raise BadTurns("row.empty_turn")
    if "\x00" in value:
        raise BadTurns("row.nul")
    return value


def check_order(messages: tuple[Message, ...]) -> None:
    """Refuse what no chat template can render.

    A dialogue that the assistant opens is kept, and so are two turns of one role in a row:
    merging or dropping a turn would change what was said. Raises `BadTurns`.
    """
    code = code_of_order(tuple([message.role for message in messages]))
    if code:
        raise BadTurns(code)
    for message in messages:
        if message.role == "user":
            # What begins with a letter is no record, whatever comes then.
            first = message.content[:1]
            if (first in _OPENS or first.isspace()) and is_record_text(message.content):
                raise BadTurns("row.double_encoded")


@lru_cache(maxsize=4096)
def code_of_order(roles: tuple[Role, ...]) -> str:
    """Return why no chat template renders turns in this order, or nothing."""
    spoken = [role for role in roles if role != "system"]
    if list(roles[len(roles) - len(spoken) :]) != spoken:
        return "row.role_order"
    if "user" not in spoken:
        return "row.role_order" if "assistant" in spoken else "row.no_assistant"
    return "" if "assistant" in spoken else "row.no_assistant"


def is_record_text(text: str) -> bool:
    """Whether a text is a whole source record turned into a string."""
    body = text.strip()
    if body[:1] == '"':
        inner = _decoded(body)
        return isinstance(inner, str) and inner != text and is_record_text(inner)
    if body[:1] not in ("{", "["):
        return False
    value = _decoded(body)
    while isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, dict):
        return any(key.casefold() in _RECORD_FIELDS for key in value)
    printed = _PRINTED.match(body)
    return printed is not None and printed.group(1).casefold() in _RECORD_FIELDS


def _decoded(text: str) -> object:
    try:
        return decode_strict(text.encode("utf-8"))
    except BadJson:
        return None
