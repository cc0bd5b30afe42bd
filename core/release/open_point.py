"""An open point is one reason against publishing, the subject it leaves unproven and its page."""

from __future__ import annotations

from dataclasses import dataclass

from core.model.release import Blocker
from core.policy.types import SignoffRule


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPoint:
    """A blocker and the subject (a gate, a claim, a sign-off …) it leaves unproven."""

    subject: str
    blocker: Blocker


def point(subject: str, code: str, detail: str, page: str) -> OpenPoint:
    """Return the point that `subject` is unproven, and the page that clears it."""
    return OpenPoint(subject=subject, blocker=Blocker(code=code, detail=detail, page=page))


def review_page(role: str) -> str:
    """Return the page on which this role reads."""
    return "bias_review" if role == "bias_reviewer" else "clinician_review"


def signoff_page(rule: SignoffRule) -> str:
    """Return the page on which this sign-off is given."""
    return review_page(rule.role) if rule.claim else "publish"
