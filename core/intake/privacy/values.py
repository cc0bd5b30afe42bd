"""A value that somebody allows is remembered by its digest, so that no decision quotes a text."""

from __future__ import annotations

import unicodedata

from core.canonical import sha256_hex
from core.model.names import Digest


def value_digest(code: str, text: str) -> Digest:
    """Return the digest of a value under one finding code, whatever its case and spacing.

    A short value can be guessed from its digest: only what names nobody may be allowed.
    """
    folded = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return sha256_hex(f"{code}\n{folded}".encode())
