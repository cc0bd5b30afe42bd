"""A name is parsed once, where it enters; past that point its type says it is well formed."""

from __future__ import annotations

import re
from typing import NewType

from core.model.errors import BadName

Digest = NewType("Digest", str)
Version = NewType("Version", str)
ReviewerId = NewType("ReviewerId", str)

_DIGEST = re.compile(r"[0-9a-f]{64}")
_DIGEST_PREFIX = re.compile(r"[0-9a-f]{8,64}")
_VERSION = re.compile(r"v\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])(\.[1-9]\d{0,2})?")
_REVIEWER = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._-]{1,79}")


def parse_digest(text: str) -> Digest:
    """Return `text` as a SHA-256 in 64 lower-case hex digits, or raise `BadName`."""
    if not _DIGEST.fullmatch(text):
        raise BadName("name.digest", "A digest is 64 lower-case hex digits.")
    return Digest(text)


def parse_digest_prefix(text: str) -> str:
    """Return `text` as 8 to 64 hex digits (a short form people may type), or raise `BadName`."""
    if not _DIGEST_PREFIX.fullmatch(text):
        raise BadName("name.digest_prefix", "Give at least 8 hex digits of the digest.")
    return text


def parse_version(text: str) -> Version:
    """Return `text` as `vYYYY-MM-DD` or `vYYYY-MM-DD.N`, or raise `BadName`."""
    if not _VERSION.fullmatch(text):
        raise BadName("name.version", "A version looks like v2026-11-21 or v2026-11-21.2.")
    return Version(text)


def parse_reviewer(text: str) -> ReviewerId:
    """Return `text` as a person's id (2 to 80 of letters, digits, `:._-`), or raise `BadName`."""
    if not _REVIEWER.fullmatch(text):
        raise BadName("name.reviewer", "A person's id has 2 to 80 letters, digits or :._- signs.")
    return ReviewerId(text)
