"""A record is one conversation with its provenance; nothing about it is ever changed in place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from core.model.names import Digest

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")
Role = Literal["system", "user", "assistant"]
PiiStatus = Literal["none_detected", "scrubbed", "requires_review"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceObject:
    """One object of the listing. `modified` is naive UTC; `etag` has no quotes.

    `listed_at` is ISO 8601 UTC, the time of the first listing that held this very version (key,
    size, etag and version id) and of which every later one held it too; empty when not known.
    """

    key: str
    size: int
    etag: str
    modified: datetime
    version_id: str | None = None
    listed_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One turn, in exact text."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One row of a source object mapped to ChatML, before it is measured.

    `line` is 1-based: the line of a JSONL file, the index of a row in an array or CSV.
    `conversation_id` is the source's own id, where it has one. `labels` holds short source
    fields worth keeping for grouping (never message text).
    """

    line: int
    shape: str
    messages: tuple[Message, ...]
    conversation_id: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A row or object refused: a code and a place. Never the text.

    `line` is 0 when the whole object is refused. `fields` are the names, never the values, of
    the fields of a row whose shape is not known.
    """

    code: str
    key: str
    line: int
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A row that is evidence or reading matter but no training conversation (its lane says which).

    Lanes: `persona`, `preference`, `prompt_only`, `text_only`, `evaluation`, `reasoning`,
    `transcript` (one person talking) and `thread` (a turn of a conversation that was put
    together from several rows).
    """

    lane: str
    key: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """One JSONL object of records of one family and split, named by its SHA-256."""

    key: str
    sha256: Digest
    size: int
    records: int
    family: str
    split: Split


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippedRecord:
    """One line of a shard as the gates, the reviewers and the trainer see it.

    `metadata` is the row's metadata object, decoded; `raw` the exact bytes of the line.
    """

    shard: Shard
    line: int
    messages: tuple[Message, ...]
    metadata: Mapping[str, object]
    raw: bytes

    @property
    def record_id(self) -> str:
        """The row's own id."""
        return str(self.metadata["record_id"])

    @property
    def family(self) -> str:
        """The family the row says it belongs to."""
        return str(self.metadata["source_family"])
