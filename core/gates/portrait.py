"""One record in numbers: how long, how many turns, who speaks, in which language."""

from __future__ import annotations

from core.gates.damage import count_words
from core.intake.tokens import count_tokens
from core.model.dataset import Message, ShippedRecord

_LETTERS = {"system": "s", "user": "u", "assistant": "a"}


def measure_messages(messages: tuple[Message, ...]) -> dict[str, float | None]:
    """Return the values of `MEASURES` for one record; a ratio without a divisor is None."""
    tokens = sum(count_tokens(message.content) for message in messages)
    return measure_sizes(messages) | {"tokens": tokens}


def measure_sizes(messages: tuple[Message, ...]) -> dict[str, float | None]:
    """Return the values of `MEASURES` for one record without its tokens, which cost most."""
    contents = [message.content for message in messages]
    characters = sum(len(content) for content in contents)
    words = sum(count_words(content) for content in contents)
    said = {"user": 0, "assistant": 0}
    for message in messages:
        if message.role in said:
            said[message.role] += len(message.content)
    return {
        "turns": len(messages),
        "characters": characters,
        "words": words,
        "characters_per_word": characters / words if words else None,
        "assistant_user_ratio": said["assistant"] / said["user"] if said["user"] else None,
    }


def role_pattern(messages: tuple[Message, ...]) -> str:
    """Return who speaks in which order, such as `sua` or `(ua)*`.

    Strictly alternating dialogues of more than one exchange are one pattern whatever their
    length; other long ones are cut after twelve turns.
    """
    letters = "".join(_LETTERS.get(message.role, "x") for message in messages)
    system, rest = ("s", letters[1:]) if letters.startswith("s") else ("", letters)
    if len(rest) > 2 and rest == ("ua" * len(rest))[: len(rest)]:
        return f"{system}(ua)*" + ("u" if len(rest) % 2 else "")
    return letters if len(letters) <= 12 else f"{letters[:12]}+"


def language(record: ShippedRecord) -> str:
    """Return the language the row names, or `und` for anything that is no language code."""
    value = record.metadata.get("language")
    known = isinstance(value, str) and value.isascii() and 0 < len(value) <= 12
    return str(value) if known else "und"
