"""A candidate is exactly what gates and people judge, named by the digest of its bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.model.dataset import Shard
from core.model.names import Digest, Version


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceEntry:
    """What one source object gave: `rows` = records + rejected + lanes, always.

    `dropped` counts records left out by policy (exact copies, exclusions), `shipped` those
    that stand in a shard; records = shipped + dropped. `listed_at` is when this version of the
    object was first listed (see `SourceObject`); it stands in each of its rows.
    """

    key: str
    version_id: str | None
    etag: str
    size: int
    sha256: Digest
    family: str
    container: str
    rows: int
    records: int
    shipped: int
    rejected: Mapping[str, int]
    lanes: Mapping[str, int]
    dropped: Mapping[str, int]
    licence_tag: str
    listed_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """A family, source or record left out on purpose, with the reason a reader is owed."""

    scope: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """The shards and everything they follow from. `digest` names the bytes of all the rest.

    `decisions` are the people's decisions on findings that this build obeyed, each a mapping
    of strings; `snapshot_at` is ISO 8601 UTC, the time the listing was first seen.
    """

    digest: Digest
    version: Version
    policy: Digest
    scan_settings: Digest
    snapshot: Digest
    snapshot_at: str
    shards: tuple[Shard, ...]
    routing_key: str
    routing_sha256: Digest
    sources: tuple[SourceEntry, ...]
    rejections: Mapping[str, int]
    dropped: Mapping[str, int]
    families: Mapping[str, Mapping[str, int]]
    exclusions: tuple[Exclusion, ...]
    decisions: tuple[Mapping[str, str], ...]
    rows: int
    records: int
