"""Shards that an earlier build wrote of the very same records are found again, not written again.

This is a cache and decides nothing: a note that is missing, damaged or about a shard that no
longer lies in the bucket at its size is passed over, and the shard is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

import msgspec

from core.model.errors import KeyTaken, Missing, TooLarge
from core.model.names import Digest
from core.storage.ports import ObjectStore
from core.storage.put_once import put_once

_SCHEMA = "release-desk/rendered/2"
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


class RenderedShards:
    """What earlier builds under the same scan settings wrote, as far as it still lies there."""

    def __init__(self, store: ObjectStore, prefix: str, scan_settings: Digest) -> None:
        self._store = store
        self._prefix = prefix
        self._home = f"{prefix}features/{scan_settings}/rendered/"
        self._sizes: Mapping[str, int] | None = None

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
        if self._sizes is None:
            held = self._store.list(shard_key(self._prefix, "").removesuffix(".jsonl"))
            self._sizes = {item.key: item.size for item in held}
        return self._sizes.get(shard_key(self._prefix, shard.sha256)) == shard.size
