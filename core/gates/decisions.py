"""A breach is explained by a person, by name and with a reason, or it is not explained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def explanation(
    decisions: Iterable[Mapping[str, str]], *, gate: str, code: str, scope: str
) -> Mapping[str, str] | None:
    """Return the decision that explains the finding `code` of `gate` about `scope`, or None.

    One without a person or a reason explains nothing.
    """
    for decision in decisions:
        about = (decision.get("gate"), decision.get("code"), decision.get("scope"))
        if decision.get("action") != "explain" or about != (gate, code, scope):
            continue
        if decision.get("by", "").strip() and decision.get("reason", "").strip():
            return decision
    return None
