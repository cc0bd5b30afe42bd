"""Texts on standard input are scanned or compared as a build would, without a bucket."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any

from core.canonical import NotCanonical, decode
from core.model.errors import IntakeError
from core.policy.load import load_policy
from core.settings import read_settings
from core.terminal.printing import print_document
from core.workbench import ROOT


def answer_scan_text() -> int:
    """Print the spans of each text on standard input; return the exit status."""
    # Imported here: the detectors take seconds to load, and the other commands need none.
    from core.intake.privacy.text import scan_text

    policy = _policy()
    for name, text in _texts(iter(sys.stdin.buffer.readline, b"")):
        spans = [
            {"start": s.start, "end": s.end, "entity": s.entity, "score": round(s.score, 4)}
            for s in scan_text(policy.privacy, text)
        ]
        print_document({"id": name, "spans": spans})
    return 0


def answer_near_duplicates(threshold: float) -> int:
    """Print every pair of texts that are this alike; return the exit status."""
    from core.intake.near import near_duplicate_pairs

    rule = _policy().near_duplicates
    rows = list(_texts(iter(sys.stdin.buffer.readline, b"")))
    for first, second, jaccard in near_duplicate_pairs([t for _, t in rows], rule, threshold):
        print_document({"a": rows[first][0], "b": rows[second][0], "jaccard": round(jaccard, 6)})
    return 0


def _texts(lines: Iterator[bytes]) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = decode(line)
        except NotCanonical:
            row = None
        if not isinstance(row, dict) or not isinstance(row.get("text"), str) or "id" not in row:
            raise IntakeError(
                "terminal.line", 'Each line is {"id": …, "text": "…"}.', place=f"line {number}"
            )
        yield row["id"], row["text"]


def _policy() -> Any:
    settings = read_settings(os.environ, home=ROOT)
    return load_policy(settings.policy_file, embedded=settings.embedded)
