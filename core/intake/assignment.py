"""Which family an object belongs to is decided by the policy's prefixes, never by a likeness.

A canonical prefix beats an alias, and inside one kind the longest pattern wins for a family.
An object that two families claim through aliases proves neither until one claims it
canonically; so does one that two families claim by the same canonical prefix. What a person
assigned by name covers only what no prefix and no alias of any family covers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from core.model.dataset import SourceObject
from core.policy.assign import standing
from core.policy.types import FamilyRule, Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """An object with the prefix or glob of the family that claimed it.

    `confirmed` says that a person confirmed the alias, or assigned the prefix; canonical
    matches need nobody.
    """

    object: SourceObject
    prefix: str
    alias: bool
    confirmed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Every object once: in one family, shared, or unmatched.

    `shared` maps a key to the families (sorted) and patterns that claim it alike.
    """

    by_family: Mapping[str, tuple[Match, ...]]
    shared: Mapping[str, tuple[tuple[str, str], ...]]
    unmatched: tuple[SourceObject, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    family: str
    prefix: str
    alias: bool
    assigned: bool = False


def assign(
    objects: Iterable[SourceObject],
    policy: Policy,
    confirmed: frozenset[tuple[str, str]] = frozenset(),
) -> Assignment:
    """Return which family each object belongs to. `confirmed` holds (family, alias) pairs."""
    by_family: dict[str, list[Match]] = {rule.name: [] for rule in policy.families}
    shared: dict[str, tuple[tuple[str, str], ...]] = {}
    unmatched: list[SourceObject] = []
    given = standing(policy)
    for item in objects:
        claims = _claims(item.key, policy.families) or _assigned(item.key, given)
        if not claims:
            unmatched.append(item)
        elif len(claims) > 1:
            shared[item.key] = tuple(sorted((claim.family, claim.prefix) for claim in claims))
        else:
            claim = claims[0]
            by_family[claim.family].append(
                Match(
                    object=item,
                    prefix=claim.prefix,
                    alias=claim.alias,
                    confirmed=not claim.alias
                    or claim.assigned
                    or (claim.family, claim.prefix) in confirmed,
                )
            )
    return Assignment(
        by_family={name: tuple(matches) for name, matches in by_family.items()},
        shared=shared,
        unmatched=tuple(unmatched),
    )


def _claims(key: str, families: tuple[FamilyRule, ...]) -> list[_Claim]:
    """Return the claims that stand against all others; more than one is shared evidence."""
    canonical = [
        _Claim(family=rule.name, prefix=found, alias=False)
        for rule in families
        if (found := longest_match(key, rule.prefixes))
    ]
    if canonical:
        # A canonical prefix inside another one is meant: the longest wins across families too.
        longest = max(len(claim.prefix) for claim in canonical)
        return [claim for claim in canonical if len(claim.prefix) == longest]
    return [
        _Claim(family=rule.name, prefix=found, alias=True)
        for rule in families
        if (found := longest_match(key, rule.aliases))
    ]


def _assigned(key: str, given: Mapping[str, str]) -> list[_Claim]:
    """Return what a person decided about `key`, the longest prefix first and alone."""
    prefix = max((p for p in given if key.startswith(p)), key=len, default="")
    if not prefix:
        return []
    return [_Claim(family=given[prefix], prefix=prefix, alias=True, assigned=True)]


def longest_match(key: str, patterns: tuple[str, ...]) -> str:
    """Return the longest of `patterns` that covers `key`, or ""."""
    # Most keys of a large bucket belong to no one family: one look at the beginnings settles it.
    if not key.startswith(_beginnings(patterns)):
        return ""
    found = [pattern for pattern in patterns if covers(pattern, key)]
    return max(found, key=len, default="")


@lru_cache(maxsize=256)
def _beginnings(patterns: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(pattern.split("*", 1)[0] for pattern in patterns)


def covers(pattern: str, key: str) -> bool:
    """Whether a prefix or glob covers a key.

    A pattern ending in `/` covers all below it, any other the key itself and what lies under
    it. `*` stands for any text, slashes included; no other sign is special.
    """
    if not pattern:
        return False
    if "*" in pattern:
        return _glob(pattern).fullmatch(key) is not None
    if pattern.endswith("/"):
        return key.startswith(pattern)
    return key == pattern or key.startswith(pattern + "/")


@lru_cache(maxsize=1024)
def _glob(pattern: str) -> re.Pattern[str]:
    open_ended = pattern + "*" if pattern.endswith("/") else pattern
    parts = [re.escape(part) for part in open_ended.split("*")]
    return re.compile(".*".join(parts), re.DOTALL)
