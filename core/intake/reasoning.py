"""Reasoning that stands beside an answer goes where the policy says, and the record says so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from core.intake.fields import REASONING_FIELDS
from core.model.dataset import Message

# At the head of an answer; an open tag without its end is left as it stands.
_THOUGHT: Final = re.compile(r"\s*<think(?:ing)?>(.*?)</think(?:ing)?>\s*", re.DOTALL)
_STEP_FIELDS: Final = ("content", "text", "description", "thought", "step", "reasoning")


def reasoning_of(fields: Mapping[str, object]) -> str | None:
    """Return the reasoning in a row's fields or metadata; None for none, "" when it is no text."""
    inner = fields.get("metadata")
    places = [fields, inner] if isinstance(inner, dict) else [fields]
    for place in places:
        for name in REASONING_FIELDS:
            if place.get(name):
                return _as_text(place[name])
    return None


def apply_reasoning(
    messages: tuple[Message, ...], beside: str | None, mode: str
) -> tuple[tuple[Message, ...], str]:
    """Return the messages the policy wants, and what became of reasoning ("" for none seen).

    With `lane` the messages are as they were: the caller lays the row aside.
    """
    inside = "<think" in "\n".join([message.content for message in messages])
    inside = inside and any(_thought(message) for message in messages)
    if beside is None and not inside:
        return messages, ""
    if mode == "lane":
        return messages, "lane"
    if mode == "keep_in_answer" and (beside or inside):
        return _with_thought(messages, beside or ""), "kept"
    return tuple(_without_thought(message) for message in messages), "dropped"


def _as_text(value: object) -> str:
    if isinstance(value, str):
        return value.strip()
    if not isinstance(value, list):
        return ""
    steps = [_step(item) for item in value]
    return "\n".join(steps) if all(steps) else ""


def _step(item: object) -> str:
    if isinstance(item, dict):
        item = next((item[name] for name in _STEP_FIELDS if isinstance(item.get(name), str)), "")
    return item.strip() if isinstance(item, str) else ""


def _thought(message: Message) -> bool:
    return message.role == "assistant" and _THOUGHT.match(message.content) is not None


def _without_thought(message: Message) -> Message:
    if not _thought(message):
        return message
    return replace(message, content=_THOUGHT.sub("", message.content, count=1))


def _with_thought(messages: tuple[Message, ...], beside: str) -> tuple[Message, ...]:
    """Return the messages with the reasoning before the last answer, unless it is there."""
    last = max(
        (place for place, message in enumerate(messages) if message.role == "assistant"),
        default=-1,
    )
    if not beside or last < 0 or _thought(messages[last]):
        return messages
    answer = messages[last]
    told = replace(answer, content=f"<think>\n{beside}\n</think>\n\n{answer.content}")
    return (*messages[:last], told, *messages[last + 1 :])
