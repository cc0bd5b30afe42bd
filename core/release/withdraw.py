"""A withdrawn release stays where it is, and nobody opens it by accident again."""

from __future__ import annotations

import time
from collections.abc import Callable

from core.canonical import NotCanonical, canonical_bytes, decode
from core.model.errors import KeyTaken, ReleaseError
from core.model.names import ReviewerId, Version
from core.release.layout import WITHDRAWN, release_prefix
from core.release.objects import held_or_none
from core.release.verify import load_manifest
from core.storage.journal import Entry, Journal
from core.storage.ports import Clock, ObjectStore, timestamp
from core.storage.put_once import put_once

SCHEMA = "release-desk/withdrawn/1"
WITHDRAWN_EVENT = "release.withdrawn"
_LIMIT = 1 << 16
_REASON = 2000


def withdraw_release(
    store: ObjectStore,
    journal: Journal,
    clock: Clock,
    *,
    exports: str,
    version: Version,
    by: ReviewerId,
    reason: str,
    find_private: Callable[[str], tuple[str, ...]],
    sleep: Callable[[float], None] = time.sleep,
) -> Entry:
    """Put `withdrawn.json` beside the manifest and journal it; repeating it changes nothing.

    Readers refuse from the first put on, and the first withdrawal's reason and author stand.

    Raises:
        NoSuchRelease: there is nothing to withdraw.
        ReleaseError: the reason is empty, too long, or holds something private.
        OutcomeUnknown: run again to settle it.
    """
    if not reason.strip() or len(reason) > _REASON:
        raise ReleaseError("withdraw.reason", "A withdrawal needs a reason of at most 2000 signs.")
    if find_private(reason):
        raise ReleaseError("release.private_text", "The reason holds something private; reword it.")
    manifest = load_manifest(store, version, exports=exports)
    key = release_prefix(exports, version) + WITHDRAWN
    note: dict[str, object] = {
        "schema": SCHEMA,
        "version": version,
        "manifest_sha256": manifest.sha256,
        "by": by,
        "at": timestamp(clock.now()),
        "reason": reason,
    }
    try:
        put_once(store, key, canonical_bytes(note), sleep=sleep)
    except KeyTaken:
        note = read_withdrawal(store, version, exports=exports, sleep=sleep) or note
    event = {
        "type": WITHDRAWN_EVENT,
        "id": f"{WITHDRAWN_EVENT}:{version}",
        "version": version,
        "manifest_sha256": note["manifest_sha256"],
        "reason": note["reason"],
    }
    return journal.append(str(note["by"]), event)


def read_withdrawal(
    store: ObjectStore,
    version: Version,
    *,
    exports: str,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, object] | None:
    """Return the note of a withdrawal, or None when the release is not withdrawn.

    Raises:
        ReleaseError: a note stands but cannot be read; the release counts as withdrawn.
    """
    key = release_prefix(exports, version) + WITHDRAWN
    held = held_or_none(store, key, limit=_LIMIT, sleep=sleep)
    if held is None:
        return None
    try:
        note = decode(held.body)
    except NotCanonical:
        note = None
    fields = {"schema", "version", "manifest_sha256", "by", "at", "reason"}
    if not isinstance(note, dict) or set(note) != fields or note["schema"] != SCHEMA:
        raise ReleaseError(
            "withdraw.unreadable", "A withdrawal stands but cannot be read.", place=key
        )
    return note
