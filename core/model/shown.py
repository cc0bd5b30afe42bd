"""What somebody saw of a record when they decided about it, as digests of its turns."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from core.model.dataset import Message

_DIGITS = 16


def turn_digests(messages: Sequence[Message]) -> tuple[str, ...]:
    """Return for each turn the first 16 hex digits of the SHA-256 of who says what."""
    return tuple(
        hashlib.sha256(
            f"{message.role}\n{message.content}".encode("utf-8", "surrogatepass")
        ).hexdigest()[:_DIGITS]
        for message in messages
    )
