"""A release is a version whose manifest exists. A blocker is one reason there is none yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from core.model.names import Digest, Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocker:
    """One reason this candidate cannot be published now, and the page that clears it."""

    code: str
    detail: str
    page: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseFile:
    """One object of a release. `kind` is shard, routing, evidence, signoff, review or document."""

    key: str
    sha256: Digest
    size: int
    kind: str
    records: int = 0
    family: str = ""
    split: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What a stranger found who read every byte of a release. Empty `faults` means whole."""

    version: Version
    manifest_sha256: Digest
    files: int
    records: int
    bytes: int
    faults: tuple[str, ...]
    withdrawn: bool = False


LineState = Literal["done", "blocked", "waived", "not_started"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecklistLine:
    """One line of the run sheet, computed from evidence. `page` is where it is cleared."""

    id: str
    title: str
    state: LineState
    why: str
    page: str
    evidence: tuple[Mapping[str, object], ...] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseSummary:
    """One row of the releases page. `state` is published, withdrawn or unverified."""

    version: Version
    state: str
    candidate: Digest
    manifest_sha256: Digest
    records: int
    published_at: str
    by: str
