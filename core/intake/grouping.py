"""Rows that speak of one thing are one group: by the policy's keys, or as pieces of one document.

Only short scalar fields of a row are looked at, never its text. A key the policy names holds
across all sources; a document only within its own object.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence, Set
from typing import Final

from core.intake.fields import field_name

DOCUMENT: Final = "document"
KEY: Final = "key."
_DOCUMENTS: Final = (
    "document_id",
    "doc_id",
    "source_document",
    "document",
    "document_title",
    "transcript_id",
    "transcript_title",
    "video_id",
    "video_title",
    "episode_id",
    "episode_title",
    "book_id",
    "book_title",
)
_LONGEST: Final = 120


def group_labels(value: object, keys: Sequence[str]) -> Mapping[str, str]:
    """Return the labels by which a row is grouped; of its own fields, then of its metadata."""
    if not isinstance(value, dict):
        return {}
    wanted = {*map(field_name, keys), *_DOCUMENTS}
    fields = _scalars(value.get("metadata"), wanted) | _scalars(value, wanted)
    labels = {f"{KEY}{name}": fields[name] for name in map(field_name, keys) if name in fields}
    for name in _DOCUMENTS:
        if name in fields:
            labels[DOCUMENT] = f"{name}={fields[name]}"
            break
    return labels


def _scalars(value: object, wanted: Set[str]) -> dict[str, str]:
    if not isinstance(value, (dict, Mapping)):
        return {}
    found = {}
    for name, item in value.items():
        # Most fields are no such thing: their values are not even looked at.
        if isinstance(name, str) and field_name(name) in wanted and (text := _short(item)):
            found[field_name(name)] = text
    return found


def _short(value: object) -> str:
    """Return a scalar as text, a long one as its digest, and nothing for anything else."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    text = str(value).strip()
    if len(text) <= _LONGEST:
        return text
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
