"""Two texts are the same text when they fold to the same characters.

Folding is NFKC, case folding and the removal of characters that show nothing (zero-width
spaces, soft hyphens, variation selectors), so that none of these can hide a copy.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.model.dataset import Message

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u180b-\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
# UTF-8 bytes: "hi, how are you today?" has 22; a question of eight Chinese characters has 24.
_GREETING_BYTES = 24
# What `str.lower` and `str.split` do to ASCII: letters made small, white space made one space.
_PLAIN = bytes.maketrans(
    bytes(range(ord("A"), ord("Z") + 1)) + b"\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f",
    bytes(range(ord("a"), ord("z") + 1)) + b" " * 9,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """A dialogue as it is compared.

    `digest` and `prompt` are those of `digest_dialogue` and `digest_prompt`; `text` is the
    folded UTF-8 of `compared_text` with white space collapsed inside each turn, which has the
    same shingles.
    """

    digest: bytes
    prompt: bytes
    text: bytes


def fold_text(text: str) -> str:
    """Return `text` as it is compared: NFKC, case folded, without invisible characters."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", folded))


def compared_text(messages: Sequence[Message]) -> str:
    """Return the dialogue without its system prompt, which many records share by design."""
    return "\n".join(message.content for message in messages if message.role != "system")


def fold_dialogue(turns: Iterable[tuple[str, str]]) -> Folded:
    """Return everything a dialogue is compared by, from (role, content) pairs, each folded once."""
    said = [turn for turn in turns if turn[0] != "system"]
    parts = _squeeze_all([content for _, content in said])
    asked = next((part for (role, _), part in zip(said, parts, strict=True) if role == "user"), b"")
    return Folded(
        digest=_digest(
            b"".join(
                b"%b:%d:%b" % (role.encode("utf-8", "surrogatepass"), len(part), part)
                for (role, _), part in zip(said, parts, strict=True)
            )
        ),
        prompt=_prompt(asked),
        text=b"\n".join(parts),
    )


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
    return _digest(squeezed) if len(squeezed) >= _GREETING_BYTES else b""


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()


def _squeeze_all(texts: Sequence[str]) -> list[bytes]:
    """Squeeze many texts at once, where they are plain and none holds what parts them."""
    joined = "\0".join(texts)
    if joined.isascii() and joined.count("\0") == len(texts) - 1:
        plain = _squeeze_plain(joined.encode())
        return plain.replace(b" \0", b"\0").replace(b"\0 ", b"\0").split(b"\0")
    return [squeeze_text(text) for text in texts]


def _squeeze_plain(text: bytes) -> bytes:
    """Squeeze ASCII without making an object of every word, at a few times the speed."""
    plain = text.translate(_PLAIN)
    while b"  " in plain:
        plain = plain.replace(b"  ", b" ")
    return plain.strip(b" ")
