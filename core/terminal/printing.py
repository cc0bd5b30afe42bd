"""Standard output holds the answer and nothing else; what is under way goes to standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any


class Show:
    """Progress on stderr, at most one line per whole percent."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, done: int, total: int, message: str) -> None:
        """Write how far something is."""
        share = f"{done * 100 // total:3d} %" if total else "     "
        line = f"{share}  {message}"
        if line != self._last:
            self._last = line
            sys.stderr.write(line + "\n")


def print_document(value: object) -> None:
    """Write one JSON document and its line end to standard output."""
    # Bytes, because JSON is UTF-8 whatever the terminal's locale says.
    sys.stdout.buffer.write(json.dumps(value, ensure_ascii=False, allow_nan=False).encode() + b"\n")
    sys.stdout.buffer.flush()


def plain_lines(value: Any, indent: str = "") -> Iterator[str]:
    """Yield a value as lines for a person."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if isinstance(item, (Mapping, list, tuple)) and item:
                yield f"{indent}{key}:"
                yield from plain_lines(item, indent + "  ")
            else:
                yield f"{indent}{key}: {_word(item)}"
    elif isinstance(value, (list, tuple)):
        for item in value:
            if isinstance(item, Mapping):
                yield indent + "- " + "  ".join(f"{k}={_word(v)}" for k, v in item.items())
            else:
                yield f"{indent}- {_word(item)}"
    else:
        yield f"{indent}{_word(value)}"


def _word(value: object) -> str:
    return json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else value
