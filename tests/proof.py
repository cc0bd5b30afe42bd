"""A candidate with everything proven, and the words to unprove one thing of it at a time."""

from __future__ import annotations

import dataclasses
from typing import Any

from core.model.candidate import Candidate
from core.model.names import Digest, ReviewerId
from core.model.signoff import Signoff
from core.model.waiver import Waiver
from core.policy.types import Policy, SignoffRule
from core.release.approve import missing_before_publish, open_points
from core.release.facts import Facts
from tests.builders import a_policy

POLICY = a_policy()
OTHER = Digest("1" * 64)
CLARA, OLYMPIA = ReviewerId("clara"), ReviewerId("olympia")


def codes(facts: Facts, policy: Policy = POLICY, **changes: Any) -> set[str]:
    """The codes of what blocks when `changes` are made to the facts."""
    changed = dataclasses.replace(facts, **changes)
    return {blocker.code for blocker in missing_before_publish(changed, policy)}


def told(facts: Facts, policy: Policy = POLICY, **changes: Any) -> list[tuple[str, str, str, str]]:
    """Every point as (subject, code, sentence, page)."""
    found = open_points(dataclasses.replace(facts, **changes), policy)
    return [(p.subject, p.blocker.code, p.blocker.detail, p.blocker.page) for p in found]


def rule(name: str) -> SignoffRule:
    """The policy's requirement of this id."""
    return next(item for item in POLICY.signoffs if item.id == name)


def title(name: str) -> str:
    """Its title."""
    return rule(name).title


def with_signoff(facts: Facts, name: str, **changes: Any) -> tuple[Signoff, ...]:
    """The sign-offs, the one for `name` changed."""
    return tuple(
        dataclasses.replace(signoff, **changes) if signoff.requirement == name else signoff
        for signoff in facts.signoffs
    )


def without(facts: Facts, name: str) -> tuple[Signoff, ...]:
    """The sign-offs but for the one for `name`."""
    return tuple(signoff for signoff in facts.signoffs if signoff.requirement != name)


def a_waiver(candidate: Candidate, report: Digest = OTHER, /, **changes: Any) -> Waiver:
    """A waiver by two people of what the distribution gate found in `report`."""
    fields: dict[str, Any] = {
        "gate": "distribution",
        "code": "distribution.range",
        "candidate": candidate.digest,
        "report": report,
        "reason": "Expected: the source changed its format.",
        "signers": ((ReviewerId("leander"), "review_lead"), (OLYMPIA, "release_owner")),
        "expires_at": "2026-12-01T00:00:00Z",
        "key": "exports/waivers/x.json",
        "sha256": OTHER,
    }
    return Waiver(**{**fields, **changes})
