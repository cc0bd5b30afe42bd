"""Shards that an earlier build wrote of the very same records are found again, not written again.

This is a cache and decides nothing: a note that is missing, damaged or about a shard that no
longer lies in the bucket at its size is passed over, and the shard is written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from contextlib import suppress

import msgspec

from core.model.errors import KeyTaken, Missing, TooLarge
from core.model.names import Digest
from core.storage.ports import ObjectStore
from core.storage.put_once import put_once

_SCHEMA = "release-desk/rendered/1"
_LIMIT = 1 << 24


class Rendered(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A shard as it was written: its digest, bytes and records."""

    sha256: Digest
    size: int
    records: int


class _Note(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    schema: str
    inputs: str
    shards: list[Rendered]


def shard_key(prefix: str, sha256: str) -> str:
    """Return where the shard with this digest lies."""
    return f"{prefix}shards/{sha256}.jsonl"


def digest_inputs(metadata: Iterable[bytes], limit: int) -> str:
    """Return the digest of all that decides the bytes of the shards of one family and split.

    Args:
        metadata: of each row in order. It names the text by its digests, the source by its
            bytes and line, and the scan by its settings, so equal metadata are equal rows.
        limit: how many bytes a shard may hold.
    """
    hasher = hashlib.sha256(f"{_SCHEMA} {limit}\n".encode())
    for row in metadata:
        hasher.update(row)
        hasher.update(b"\n")
    return hasher.hexdigest()


class RenderedShards:
    """What earlier builds under the same scan settings wrote, as far as it still lies there."""

    def __init__(self, store: ObjectStore, prefix: str, scan_settings: Digest) -> None:
        self._store = store
        self._prefix = prefix
        self._home = f"{prefix}features/{scan_settings}/rendered/"

    def find(self, inputs: str, records: int) -> list[Rendered] | None:
        """Return the shards made of `inputs`, which hold so many records, or None."""
        try:
            body = self._store.get(self._key(inputs), limit=_LIMIT).body
            note = msgspec.json.decode(body, type=_Note)
        except (Missing, TooLarge, msgspec.DecodeError):
            return None
        whole = (
            note.schema == _SCHEMA
            and note.inputs == inputs
            and sum(shard.records for shard in note.shards) == records
        )
        if whole and all(map(self._stands, note.shards)):
            return note.shards
        return None

    def remember(self, inputs: str, shards: Sequence[Rendered]) -> None:
        """Note what was written of `inputs`; a damaged note keeps its place and is never used."""
        note = _Note(schema=_SCHEMA, inputs=inputs, shards=list(shards))
        with suppress(KeyTaken):
            put_once(self._store, self._key(inputs), msgspec.json.encode(note))

    def _key(self, inputs: str) -> str:
        return f"{self._home}{inputs}.json"

    def _stands(self, shard: Rendered) -> bool:
        key = shard_key(self._prefix, shard.sha256)
        return any(held.key == key and held.size == shard.size for held in self._store.list(key))
