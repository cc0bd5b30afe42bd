"""Real public data beside the repository, for tests that are skipped where it is absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("RELEASE_DESK_SHARED", Path(__file__).parents[2] / "shared" / "data"))


def shared_texts(folder: str = "permissive") -> list[str]:
    """Return the UTF-8 texts of a folder in pieces of at most 4,000 characters."""
    root = SHARED / folder
    if not root.is_dir():
        pytest.skip("the shared data is not here")
    found: list[str] = []
    for path in sorted(root.rglob("*")):
        if path.suffix in (".json", ".jsonl", ".csv", ".txt") and path.stat().st_size < 1 << 20:
            text = path.read_bytes()[: 1 << 17].decode("utf-8", errors="replace")
            found += [text[at : at + 4000] for at in range(0, len(text), 4000)]
    return found
