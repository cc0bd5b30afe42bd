"""A waiver is two people's signed, scoped, expiring acceptance of what a gate found."""

from __future__ import annotations

from dataclasses import dataclass

from core.model.names import Digest, ReviewerId
from core.model.signoff import DeskRole


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """One finding code of one gate's report over one candidate, accepted until `expires_at`.

    `signers` are (person, role in which they signed) whose signatures held; `report` is the
    digest of the stored report they were shown, so that a later report is not covered;
    `expires_at` is ISO 8601 UTC.
    """

    gate: str
    code: str
    candidate: Digest
    report: Digest
    reason: str
    signers: tuple[tuple[ReviewerId, DeskRole], ...]
    expires_at: str
    key: str
    sha256: Digest
    revoked: bool = False
