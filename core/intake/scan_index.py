"""One object names the scans of a whole listing, so that the next build asks for one, not all.

It is a cache over the scans' own notes and decides nothing: one that is not the bytes of its name
is passed over, and a scan whose rows no longer lie in the bucket is not taken from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

import msgspec

from core.canonical import sha256_hex
from core.intake.scan import ObjectScan, decode_scan, encode_scan, version_digest
from core.model.dataset import SourceObject
from core.model.errors import KeyTaken, Missing, TooLarge
from core.model.names import Digest
from core.storage.ports import ObjectStore
from core.storage.put_once import put_once

_SCHEMA = "release-desk/scan-index/1"
_LIMIT = 1 << 28
_TRIES = 3
WORTH = 8
"""Objects below which an index costs more than the single notes it saves."""


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    schema: str
    scans: dict[str, object]


class ScanIndex:
    """The newest index under these settings, with what of its rows still lies in the bucket."""

    def __init__(self, store: ObjectStore, settings: Digest, prefix: str) -> None:
        self._store = store
        self._home = f"{prefix}features/{settings}/"
        held = {item.key: item for item in store.list(self._home)}
        self._present = held.keys()
        indices = [item for key, item in held.items() if key.startswith(f"{self._home}index/")]
        indices.sort(key=lambda item: (item.modified, item.key), reverse=True)
        self._scans: Mapping[str, object] = {}
        for item in indices[:_TRIES]:
            found = self._read(item.key)
            if found is not None:
                self._scans = found
                break

    def find(self, source: SourceObject) -> ObjectScan | None:
        """Return the scan of this version of the object when its rows are still there."""
        scan = decode_scan(self._scans.get(version_digest(source)), source)
        if scan is None or not self._present >= set(scan.parts()):
            return None
        return scan

    def write(self, scans: Sequence[ObjectScan]) -> None:
        """Name these scans for the next build, unless the newest index does so already."""
        named = {version_digest(scan.source): encode_scan(scan) for scan in scans}
        if all(self._scans.get(version) == note for version, note in named.items()):
            return
        # The canonical bytes, of keys and counts that are sound; msgspec writes them much sooner.
        body = msgspec.json.encode({"schema": _SCHEMA, "scans": named}, order="sorted")
        with suppress(KeyTaken):  # a damaged index keeps its place and is never used
            put_once(self._store, f"{self._home}index/{sha256_hex(body)}.json", body)

    def _read(self, key: str) -> Mapping[str, object] | None:
        try:
            body = self._store.get(key, limit=_LIMIT).body
            if key != f"{self._home}index/{sha256_hex(body)}.json":
                return None
            document = msgspec.json.decode(body, type=_Document)
        except (Missing, TooLarge, msgspec.DecodeError, UnicodeDecodeError):
            return None
        return document.scans if document.schema == _SCHEMA else None
