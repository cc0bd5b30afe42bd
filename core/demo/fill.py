"""The demo bucket is filled once: a marker, written last, says that every object stands."""

from __future__ import annotations

from core.canonical import NotCanonical, canonical_bytes, decode, sha256_hex
from core.demo.layout import demo_objects
from core.model.errors import Missing, StorageError
from core.model.progress import Progress
from core.storage.ports import ObjectStore
from core.storage.put_once import put_once

# Beside the data and outside every family and the exports prefix.
MARKER = "datasets/metadata/demo_bucket.json"
_MARKER_LIMIT = 64 * 1024
_SCHEMA = "release-desk/demo-bucket/1"


def is_filled(store: ObjectStore) -> bool:
    """Whether the marker stands, and so everything it speaks for.

    Raises:
        StorageError: `demo.marker`: another desk's demo, of a form this one does not know.
    """
    try:
        marker = decode(store.get(MARKER, limit=_MARKER_LIMIT).body)
    except Missing:
        return False
    except NotCanonical:
        marker = None
    if not isinstance(marker, dict) or marker.get("schema") != _SCHEMA:
        raise StorageError(
            "demo.marker", "Another desk filled this demo bucket; start afresh.", place=MARKER
        )
    return True


def ensure_filled(store: ObjectStore, progress: Progress) -> int:
    """Put whatever is missing of the demo bucket; return how many objects were created.

    Safe to run twice, from two processes, and after being killed half-way: each object is
    written once and the marker comes last.

    Raises:
        KeyTaken: a demo key holds other bytes, so this bucket is not the demo bucket.
        StorageError: the bucket refused.
    """
    if is_filled(store):
        return 0
    objects = list(demo_objects())
    created = 0
    for done, (key, body) in enumerate(objects):
        progress(done, len(objects), "filling the demo bucket")
        created += put_once(store, key, body) == "created"
    put_once(store, MARKER, _marker(objects))
    progress(len(objects), len(objects), "the demo bucket is full")
    return created


def _marker(objects: list[tuple[str, bytes]]) -> bytes:
    listed = {key: sha256_hex(body) for key, body in objects}
    digest = sha256_hex("\n".join(f"{key} {listed[key]}" for key in sorted(listed)).encode())
    return canonical_bytes({"schema": _SCHEMA, "objects": len(listed), "digest": digest})
