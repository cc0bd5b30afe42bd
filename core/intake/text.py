"""Two texts are the same text when they fold to the same characters.

Folding is NFKC, case folding and the removal of characters that show nothing (zero-width
spaces, soft hyphens, variation selectors), so that none of these can hide a copy.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence

from core.model.dataset import Message

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u180b-\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
GREETING_BYTES = 24
"""Less than this is no prompt. Of UTF-8, "hi, how are you today?" has 22, and a question of
eight Chinese characters has 24."""
# What `str.lower` and `str.split` do to ASCII: letters made small, white space made one space.
_PLAIN = bytes.maketrans(
    bytes(range(ord("A"), ord("Z") + 1)) + b"\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f",
    bytes(range(ord("a"), ord("z") + 1)) + b" " * 9,
)


def is_blank(text: str) -> bool:
    """Whether nothing of `text` can be seen: white space and invisible characters alone."""
    shown = text.strip()
    # Most texts begin with something to see, so that the rest need not be looked at.
    return not shown or (
        _INVISIBLE.match(shown) is not None and not _INVISIBLE.sub("", shown).strip()
    )


def fold_text(text: str) -> str:
    """Return `text` as it is compared: NFKC, case folded, without invisible characters."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", folded))


def compared_text(messages: Sequence[Message]) -> str:
    """Return the dialogue without its system prompt, which many records share by design."""
    return "\n".join([message.content for message in messages if message.role != "system"])


def digest_dialogue(messages: Sequence[Message], squeezed: Sequence[bytes] | None = None) -> bytes:
    """Return the 16-byte digest of who said what, in order, folded, white space collapsed.

    The system prompt stays out: the same dialogue under another system prompt is a copy.
    `squeezed` are the messages' contents as `squeeze_text` gives them, where they are at hand.
    """
    hasher = hashlib.blake2b(digest_size=16)
    for place, message in enumerate(messages):
        if message.role != "system":
            content = squeezed[place] if squeezed else squeeze_text(message.content)
            hasher.update(b"%b:%d:%b" % (message.role.encode(), len(content), content))
    return hasher.digest()


def digest_prompt(messages: Sequence[Message], squeezed: Sequence[bytes] | None = None) -> bytes:
    """Return the 16-byte digest of the first user turn, or no bytes where it says too little.

    A greeting is no prompt: half a corpus that opens with "Hi" would be one group, and one
    group is never parted. `squeezed` is as for `digest_dialogue`.
    """
    for place, message in enumerate(messages):
        if message.role == "user":
            return _prompt(squeezed[place] if squeezed else squeeze_text(message.content))
    return b""


def digest_text(text: str) -> bytes:
    """Return the 16-byte digest of one folded text, or no bytes for a blank one."""
    content = squeeze_text(text)
    return _digest(content) if content else b""


def squeeze_text(text: str) -> bytes:
    """Return the folded text as UTF-8 with every run of white space as one space, none around."""
    if text.isascii():
        return _squeeze_plain(text.encode())
    return " ".join(fold_text(text).split()).encode("utf-8", "surrogatepass")


def _prompt(squeezed: bytes) -> bytes:
    return _digest(squeezed) if len(squeezed) >= GREETING_BYTES else b""


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()


def _squeeze_plain(text: bytes) -> bytes:
    """Squeeze ASCII without making an object of every word, at a few times the speed."""
    plain = text.translate(_PLAIN)
    while b"  " in plain:
        plain = plain.replace(b"  ", b" ")
    return plain.strip(b" ")
