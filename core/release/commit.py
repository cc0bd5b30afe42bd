"""The commit is one conditional put; bytes that are no manifest at all are nobody's release."""

from __future__ import annotations

from collections.abc import Callable

from core.model.errors import (
    Changed,
    KeyTaken,
    Missing,
    OutcomeUnknown,
    ReleaseError,
    Transient,
    VersionTaken,
)
from core.release.manifest import MANIFEST_LIMIT, Manifest, parse_manifest
from core.release.objects import held_or_none
from core.storage.ports import Held, ObjectStore
from core.storage.put_once import put_once

_TRIES = 5


def standing_manifest(
    store: ObjectStore, key: str, *, sleep: Callable[[float], None]
) -> Manifest | None:
    """Return the manifest at `key`; None when there is none, or bytes that are not one."""
    held = held_or_none(store, key, limit=MANIFEST_LIMIT, sleep=sleep)
    return _parsed(held, key) if held is not None else None


def commit_manifest(
    store: ObjectStore, key: str, body: bytes, *, sleep: Callable[[float], None]
) -> Manifest:
    """Make `key` hold the manifest `body`, once and for good, and read it back.

    Only the holder of the live intent calls this. Bytes damaged on their way here parse as no
    manifest, were never a release, and are replaced; another manifest never is.

    Raises:
        VersionTaken: another manifest stands.
        OutcomeUnknown: the bucket did not answer.
        ReleaseError: what was sent does not read back.
    """
    for attempt in range(_TRIES):
        try:
            put_once(store, key, body, sleep=sleep)
        except KeyTaken:
            _replace_damaged(store, key, body, sleep=sleep)
        held = held_or_none(store, key, limit=MANIFEST_LIMIT, sleep=sleep)
        if held is not None and held.body == body:
            return parse_manifest(body, place=key)
        sleep(0.05 * 2**attempt)
    raise ReleaseError(
        "release.commit_damaged", "The manifest does not read back as it was sent.", place=key
    )


def _replace_damaged(
    store: ObjectStore, key: str, body: bytes, *, sleep: Callable[[float], None]
) -> None:
    held = held_or_none(store, key, limit=MANIFEST_LIMIT, sleep=sleep)
    if held is None or held.body == body:
        return
    if _parsed(held, key) is not None:
        raise VersionTaken("version.taken", "Another release holds this version.", place=key)
    try:
        store.put_if_match(key, body, held.etag)
    except (Changed, Missing):
        return
    except Transient:
        raise OutcomeUnknown(
            "storage.outcome_unknown", "The bucket did not answer; resume to settle it.", place=key
        ) from None


def _parsed(held: Held, key: str) -> Manifest | None:
    try:
        return parse_manifest(held.body, place=key)
    except ReleaseError as error:
        # A manifest of a newer desk is somebody's release, even if we cannot read it.
        if error.code == "release.manifest_schema_unknown":
            raise VersionTaken(
                "version.taken", "A release we cannot read holds this version.", place=key
            ) from None
        return None
