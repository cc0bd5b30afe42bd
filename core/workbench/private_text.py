"""What a person types and the journal or a release keeps is searched for private things first."""

from __future__ import annotations

from core.model.errors import ReviewError
from core.policy.types import Policy

_PRIVATE_SCORE = 0.5


def find_private(policy: Policy, text: str) -> tuple[str, ...]:
    """Name what is private in a text that a person typed and that would be kept or ship."""
    # Imported here because the detectors take seconds to load and most acts need none.
    from core.intake.privacy.text import scan_text

    spans = scan_text(policy.privacy, text)
    return tuple(
        sorted({span.entity for span in spans if span.score >= _score(policy, span.entity)})
    )


def refuse_private(policy: Policy, text: str) -> None:
    """Refuse a reason that would stand in the journal for good and names somebody.

    Raises:
        ReviewError: `review.private_text`.
    """
    if find_private(policy, text):
        raise ReviewError(
            "review.private_text",
            "This text is kept for good and holds something private; reword it.",
        )


def secrets_in(policy: Policy, text: str) -> int:
    """Count what is shaped like a key, a token or a password in `text`."""
    from core.intake.privacy.text import scan_text

    return sum(span.entity == "SECRET" for span in scan_text(policy.privacy, text))


def _score(policy: Policy, entity: str) -> float:
    rule = policy.privacy.entities.get(entity)
    if rule is None:
        return _PRIVATE_SCORE
    return rule.score if rule.action != "count" else 2.0
