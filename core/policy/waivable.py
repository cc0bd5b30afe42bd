"""Some findings nobody may accept: the policy's list, and a floor under every policy."""

from __future__ import annotations

from fnmatch import fnmatchcase

from core.policy.types import Policy

FLOOR = ("privacy.*", "provenance.*", "leakage.holdout_*", "review.*")
"""Identifiers in the text, missing provenance, leakage of a family held out, an open hard fail."""


def may_be_waived(policy: Policy, gate: str, code: str) -> bool:
    """Whether two people may accept findings of this code; a gate's name bars all of its codes."""
    names = (code, gate, f"{gate}.{code}")
    barred = (*FLOOR, *policy.unwaivable)
    return not any(fnmatchcase(name, pattern) for name in names for pattern in barred)
