"""A refused row can be shown to those allowed: read again from its place, bounded, and redacted.

Identifiers of a known form become placeholders before anything is cut, so that no half of one
is left. Names of people are not found here; who may look is the caller's to decide.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from core.intake.containers.reader import read_rows
from core.intake.containers.row import Refusal, Row
from core.intake.scan import detector_for
from core.model.dataset import SourceObject
from core.model.errors import Changed, IntakeError, Missing
from core.policy.types import Policy
from core.storage.ports import ObjectStore

_WINDOW: Final = 4
_REACH: Final = 256 << 20
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")


def excerpt_at(
    store: ObjectStore, source: SourceObject, line: int, policy: Policy, *, limit: int = 400
) -> str:
    """Return the beginning of the row at `line`, at most `limit` characters, redacted.

    Args:
        store: the bucket.
        source: the object, in the very version that was scanned.
        line: where the row stands; 0, the whole object, has no excerpt.
        policy: how rows are read and what is personal.
        limit: the most characters to return.

    Returns:
        The text, or "" for a whole object, a row too long to hold, or a place that gives none.

    Raises:
        IntakeError: `intake.object_changed`; `intake.excerpt_too_far` for a row that does not
            begin in the object's first 256 MiB.
        StorageError: the store failed.
    """
    if line <= 0:
        return ""
    text = _text_of(_row_at(store, source, line, policy))[: limit * _WINDOW + 1000]
    spans = detector_for(policy.privacy).find(text, everywhere=True)
    parts: list[str] = []
    done = 0
    for span in spans:
        rule = policy.privacy.entities.get(span.entity)
        placeholder = rule.placeholder if rule is not None and rule.placeholder else "[…]"
        parts += [text[done : span.start], placeholder]
        done = span.end
    shown = "".join([*parts, text[done:]])
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def _row_at(
    store: ObjectStore, source: SourceObject, line: int, policy: Policy
) -> Row | Refusal | None:
    stream: Iterator[bytes] = iter(())
    try:
        stream = store.stream(source.key, if_match=source.etag, version_id=source.version_id)
        reader = read_rows(_within_reach(stream, source.key), key=source.key, rule=policy.intake)
        for item in reader.items():
            if item.line >= line:
                return item if item.line == line else None
    except (Changed, Missing):
        raise IntakeError(
            "intake.object_changed",
            "A source is no longer the object that was listed; take the inventory again.",
            place=source.key,
        ) from None
    finally:
        close = getattr(stream, "close", None)
        if close is not None:
            close()
    return None


def _within_reach(blocks: Iterator[bytes], key: str) -> Iterator[bytes]:
    taken = 0
    for block in blocks:
        taken += len(block)
        if taken > _REACH:
            raise IntakeError(
                "intake.excerpt_too_far",
                "The row lies too far into a large object to be read again for a glance.",
                place=key,
            )
        yield block


def _text_of(item: Row | Refusal | None) -> str:
    """Return a row's text as a person reads it, with no sign that a terminal would obey."""
    if item is None:
        return ""
    if isinstance(item, Row):
        text = json.dumps(item.value, ensure_ascii=False, default=str)
    else:
        # An escape could hide an address from the patterns: \u0040 is @.
        raw = item.raw.decode("utf-8", errors="replace")
        text = _ESCAPE.sub(lambda found: chr(int(found.group(1), 16)), raw)
    text = text.encode("utf-8", errors="replace").decode("utf-8")
    return _CONTROL.sub("�", text.replace("\\n", " ").replace("\\/", "/"))
