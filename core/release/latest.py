"""`latest.json` points at the newest release, only ever moves forward, and is never authority."""

from __future__ import annotations

from collections.abc import Callable

from core.canonical import NotCanonical, canonical_bytes, decode
from core.model.errors import BadName, Changed, Exists, Missing, OutcomeUnknown, Transient
from core.model.names import Digest, Version, parse_digest, parse_version
from core.release.layout import latest_key, version_order
from core.release.objects import held_or_none
from core.storage.ports import ObjectStore

SCHEMA = "release-desk/latest/1"
_LIMIT = 1 << 16
_TRIES = 10


def read_latest(
    store: ObjectStore, exports: str, *, sleep: Callable[[float], None]
) -> tuple[Version, Digest] | None:
    """Return the version and manifest digest the pointer names, or None without a usable one."""
    held = held_or_none(store, latest_key(exports), limit=_LIMIT, sleep=sleep)
    return _pointed(held.body) if held is not None else None


def move_latest(
    store: ObjectStore,
    exports: str,
    version: Version,
    manifest: Digest,
    *,
    sleep: Callable[[float], None],
) -> None:
    """Make the pointer name `version`, unless it names that or a newer one already.

    Raises:
        OutcomeUnknown: the pointer could not be moved; the release stands nevertheless.
    """
    key = latest_key(exports)
    body = canonical_bytes({"schema": SCHEMA, "version": version, "manifest_sha256": manifest})
    for attempt in range(_TRIES):
        held = held_or_none(store, key, limit=_LIMIT, sleep=sleep)
        pointed = _pointed(held.body) if held is not None else None
        if held is not None and (held.body == body or _is_newer_format(held.body)):
            # What a newer desk wrote is not ours to turn back.
            return
        if pointed is not None and version_order(pointed[0]) > version_order(version):
            return
        try:
            if held is None:
                store.put_if_absent(key, body)
            else:
                store.put_if_match(key, body, held.etag)
        except (Exists, Changed, Missing, Transient):
            # Read again: it may have been us, or somebody newer.
            sleep(0.05 * 2 ** min(attempt, 5))
    raise OutcomeUnknown(
        "storage.outcome_unknown", "latest.json could not be moved; publish again.", place=key
    )


def _is_newer_format(body: bytes) -> bool:
    try:
        value = decode(body)
    except NotCanonical:
        return False
    schema = value.get("schema") if isinstance(value, dict) else None
    known = isinstance(schema, str) and schema.startswith(SCHEMA.rpartition("/")[0] + "/")
    return known and schema != SCHEMA


def _pointed(body: bytes) -> tuple[Version, Digest] | None:
    try:
        value = decode(body)
    except NotCanonical:
        return None
    if not isinstance(value, dict) or value.get("schema") != SCHEMA:
        return None
    try:
        return (
            parse_version(str(value.get("version"))),
            parse_digest(str(value.get("manifest_sha256"))),
        )
    except BadName:
        return None
