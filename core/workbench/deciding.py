"""What a decision on a source must say before it counts; keeping needs rights and a licence."""

from __future__ import annotations

from core.model.errors import IntakeError
from core.policy.types import Policy

DECISIONS = ("keep", "defer", "reject")
RIGHTS = ("cleared", "review_required", "restricted", "unknown")
INHERIT = "inherit"
"""Of a prefix only: what holds for the shorter prefix or the family holds again."""


def check_decision(
    policy: Policy, decision: str, rights: str, licence_tag: str, reason: str
) -> None:
    """Refuse a decision that says too little.

    Raises:
        IntakeError: `source.decision`, `source.licence`, `source.rights`, `source.reason`.
    """
    if decision not in DECISIONS or rights not in RIGHTS:
        raise IntakeError("source.decision", "Choose keep, defer or reject, and the rights.")
    if decision == "keep" and licence_tag not in policy.licence_tags:
        raise IntakeError("source.licence", "Keeping a source needs a licence the policy knows.")
    if decision == "keep" and rights != "cleared":
        raise IntakeError("source.rights", "A source is kept only when its rights are cleared.")
    if not reason.strip():
        raise IntakeError("source.reason", "Say in a few words why.")
