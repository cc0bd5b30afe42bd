"""Shards that an earlier build wrote of the very same records are found again, not written again.

This is a cache and decides nothing: a note that is missing, damaged or about a shard that no
longer lies in the bucket at its size is passed over, and the shard is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

import msgspec

from core.intake.kept import keep, newest_documents
from core.model.errors import KeyTaken, Missing, TooLarge
from core.model.names import Digest
from core.storage.ports import ObjectStore
from core.storage.put_once import put_once

_SCHEMA = "release-desk/rendered/2"
_INDEX = "release-desk/rendered-index/1"
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


class _Index(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    schema: str
    parts: dict[str, list[Rendered]]


class RenderedShards:
    """What earlier builds under the same scan settings wrote, as far as it still lies there.

    One document names all that a build was made of, so that the next one asks for one. What a
    build wrote is noted alone as well, for the next one when it ends before its time.
    """

    def __init__(self, store: ObjectStore, prefix: str, scan_settings: Digest) -> None:
        self._store = store
        self._prefix = prefix
        self._home = f"{prefix}features/{scan_settings}/rendered/"
        self._sizes: Mapping[str, int] | None = None
        newest = newest_documents(store, f"{self._home}index/", _Index, _INDEX, 1)
        self._known: Mapping[str, list[Rendered]] = next((i.parts for i in newest), {})
        self._used: dict[str, list[Rendered]] = {}

    def find(self, inputs: str, records: int) -> list[Rendered] | None:
        """Return the shards made of `inputs`, which hold so many records, or None."""
        shards = self._known.get(inputs) or self._noted(inputs)
        if sum(shard.records for shard in shards) != records:
            return None
        if not shards or not all(map(self._stands, shards)):
            return None
        self._used[inputs] = shards
        return shards

    def remember(self, inputs: str, shards: Sequence[Rendered]) -> None:
        """Note what was written of `inputs`; a damaged note keeps its place and is never used."""
        self._used[inputs] = list(shards)
        note = _Note(schema=_SCHEMA, inputs=inputs, shards=list(shards))
        with suppress(KeyTaken):
            put_once(self._store, self._key(inputs), msgspec.json.encode(note))

    def finish(self) -> None:
        """Name all parts of this build for the next one, unless the last one did so."""
        if self._used != self._known:
            document = _Index(schema=_INDEX, parts=dict(sorted(self._used.items())))
            keep(self._store, f"{self._home}index/", msgspec.json.encode(document), ".json")

    def _noted(self, inputs: str) -> list[Rendered]:
        try:
            body = self._store.get(self._key(inputs), limit=_LIMIT).body
            note = msgspec.json.decode(body, type=_Note)
        except (Missing, TooLarge, msgspec.DecodeError):
            return []
        return note.shards if (note.schema, note.inputs) == (_SCHEMA, inputs) else []

    def _key(self, inputs: str) -> str:
        return f"{self._home}{inputs}.json"

    def _stands(self, shard: Rendered) -> bool:
        if self._sizes is None:
            held = self._store.list(shard_key(self._prefix, "").removesuffix(".jsonl"))
            self._sizes = {item.key: item.size for item in held}
        return self._sizes.get(shard_key(self._prefix, shard.sha256)) == shard.size
