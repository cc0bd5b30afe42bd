"""A sign-off is a named person's decision, in a role, over one candidate digest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from core.model.names import Digest, ReviewerId

DeskRole = Literal["clinician", "bias_reviewer", "review_lead", "release_owner", "auditor"]
ROLES: tuple[DeskRole, ...] = (
    "clinician",
    "bias_reviewer",
    "review_lead",
    "release_owner",
    "auditor",
)
Decision = Literal["approve", "refuse"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody at the desk. `id` is stable per issuer and subject and is what records carry.

    `auth` is `oidc`, `demo` or `terminal`; `auth_time` is ISO 8601 UTC, when they last proved
    who they are, and empty where their provider does not say. `issuer` and `subject` are what
    an identity provider calls them.
    """

    id: ReviewerId
    name: str
    roles: tuple[DeskRole, ...]
    auth: str
    auth_time: str
    issuer: str = ""
    subject: str = ""

    def holds(self, *roles: DeskRole) -> bool:
        """Whether the person holds any of `roles`."""
        return any(role in self.roles for role in roles)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signoff:
    """A stored, signed statement and where it lies. `statement` is its decoded predicate."""

    id: str
    requirement: str
    candidate: Digest
    role: str
    reviewer: ReviewerId
    decision: Decision
    statement: Mapping[str, object]
    key: str
    sha256: Digest
    at: str
    revoked: bool = False
