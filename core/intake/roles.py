"""Only names we know become roles; every other speaker is somebody we do not guess about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from core.model.dataset import Role

_USER = (
    "user",
    "human",
    "client",
    "patient",
    "prompter",
    "seeker",
    "help_seeker",
    "来访者",
    "求助者",
)
_ASSISTANT = (
    "assistant",
    "gpt",
    "chatgpt",
    "bot",
    "chatbot",
    "ai",
    "model",
    "therapist",
    "licensed_therapist",
    "counselor",
    "counsellor",
    "doctor",
    "clinician",
    "psychologist",
    "supporter",
    "wendy",
    "心理咨询师",
    "咨询师",
)
ROLES: Final[Mapping[str, Role]] = {
    "system": "system",
    **dict.fromkeys(_USER, "user"),
    **dict.fromkeys(_ASSISTANT, "assistant"),
}

ROLE_FIELDS: Final = ("role", "from", "speaker", "author")
TEXT_FIELDS: Final = ("content", "text", "value", "message", "utterance")
# A row of a reply tree names its parent: it is a node, not a turn of a linear dialogue.
THREAD_FIELDS: Final = ("parent_id", "message_id", "message_tree_id")


def role_of(name: object) -> Role | None:
    """Return the role that `name` stands for, or None."""
    if not isinstance(name, str):
        return None
    known = ROLES.get(name)
    if known is not None:
        return known
    return ROLES.get(name.strip().casefold().replace(" ", "_").replace("-", "_"))


def looks_like_turn(value: object) -> bool:
    """Whether `value` is one turn of a dialogue rather than a whole row."""
    if not isinstance(value, dict):
        return False
    if any(field in value for field in THREAD_FIELDS):
        return False
    named = any(isinstance(value.get(field), str) for field in ROLE_FIELDS)
    if named and any(field in value for field in TEXT_FIELDS):
        return True
    return 0 < len(value) <= 3 and all(
        role_of(key) is not None and isinstance(text, str) for key, text in value.items()
    )
