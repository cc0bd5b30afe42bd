"""Giving a prefix to a family makes a new policy: the old bytes, and one table after them."""

from __future__ import annotations

import json

from core.model.errors import PolicyError
from core.policy.load import parse_policy
from core.policy.types import Policy


def assign_prefix(policy: Policy, *, family: str, prefix: str, by: str, at: str) -> Policy:
    """Return the policy in which objects under `prefix` that nobody claims are `family`'s.

    Args:
        policy: the policy in force; its bytes are the beginning of the new one's.
        family: a family of the policy, or "" to take an assignment back.
        prefix: the beginning of keys, taken as it stands.
        by: who decided.
        at: when, ISO 8601 UTC.

    Raises:
        PolicyError: the family is unknown, the prefix is empty or assigned so already, or the
            bytes cannot be continued.
    """
    if standing(policy).get(prefix, "") == family:
        raise PolicyError("policy.assigned", "That is how it stands already.", place=prefix[:200])
    table = "".join(
        f"{name} = {_text(value)}\n"
        for name, value in (("family", family), ("prefix", prefix), ("by", by), ("at", at))
    )
    # A file need not end in a line's end, and ours must not join its last line.
    joint = b"" if policy.source.endswith(b"\n") else b"\n"
    return parse_policy(policy.source + joint + b"\n[[assignments]]\n" + table.encode())


def standing(policy: Policy) -> dict[str, str]:
    """Return prefix → family for the assignments that stand: a later one replaces an earlier."""
    found = {rule.prefix: rule.family for rule in policy.assignments}
    return {prefix: family for prefix, family in found.items() if family}


def _text(value: str) -> str:
    """Return `value` as a TOML basic string; JSON escapes all that TOML asks but DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
