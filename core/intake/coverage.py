"""A family is present on objects that were opened and yielded records, and on nothing else.

Canonical objects prove it outright, aliases once a person confirmed them, shared objects never.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from core.intake.assignment import Assignment, Match, assign
from core.intake.evidence import Evidence, open_object
from core.intake.inventory import Listing
from core.intake.unmatched import UnmatchedPrefix, group_unmatched
from core.model.dataset import SourceObject
from core.model.progress import Progress, silent
from core.policy.types import FamilyRule, IntakeRule, Policy
from core.storage.ports import ObjectStore

__all__ = [
    "Assignment",
    "CoverageReport",
    "Evidence",
    "FamilyCoverage",
    "Match",
    "UnmatchedPrefix",
    "assign",
    "measure_coverage",
    "to_json",
]

CoverageState = Literal["present", "present_by_alias", "partial", "unusable", "missing", "waived"]
OPENED: Final = 50
_HINTED: Final = 10
_HINTS: Final = ("persona", "profile")


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyCoverage:
    """What one family has. `objects` and `bytes` count every object claimed, shared ones too.

    `records` counts what the opened objects gave: a floor where objects were sampled.
    `needs_confirmation` names the aliases a person must confirm before the family stands;
    `unconfirmed` every alias not confirmed that holds objects. `newest` is ISO 8601 UTC.
    """

    name: str
    stage: int
    title: str
    state: CoverageState
    objects: int
    bytes: int
    records: int
    opened: int
    evidence: tuple[Evidence, ...]
    why: str
    newest: str
    formats: tuple[str, ...]
    needs_confirmation: tuple[str, ...]
    unconfirmed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageReport:
    """The coverage of one listing under one policy. `shared` maps a key to (family, pattern)s."""

    snapshot: str
    policy: str
    families: Mapping[str, FamilyCoverage]
    unmatched: tuple[UnmatchedPrefix, ...]
    shared: Mapping[str, tuple[tuple[str, str], ...]]


def measure_coverage(
    store: ObjectStore,
    listing: Listing,
    policy: Policy,
    *,
    confirmed: frozenset[tuple[str, str]],
    waived: Mapping[str, str],
    rule: IntakeRule,
    progress: Progress = silent,
) -> CoverageReport:
    """Open objects of every family and say what each family has.

    Args:
        store: the bucket of the listing.
        listing: what to cover; it holds nothing of our own prefix.
        policy: whose families.
        confirmed: (family, alias) pairs that a person confirmed.
        waived: family → reason, for families that may be absent.
        rule: the bounds on reading.
        progress: told after each family.
    """
    assignment = assign(listing.objects, policy, confirmed)
    by_key = {item.key: item for item in listing.objects}
    families: dict[str, FamilyCoverage] = {}
    for number, family in enumerate(policy.families):
        progress(number, len(policy.families), family.name)
        shared = [
            by_key[key]
            for key, claims in assignment.shared.items()
            if any(name == family.name for name, _ in claims)
        ]
        matches = assignment.by_family[family.name]
        evidence = _opened(store, family, matches, rule) + _shared(shared, assignment)
        families[family.name] = _judge(family, matches, shared, evidence, waived)
    progress(len(policy.families), len(policy.families), "coverage")
    return CoverageReport(
        snapshot=listing.digest,
        policy=policy.digest,
        families=families,
        unmatched=group_unmatched(store, assignment.unmatched, rule=rule),
        shared=assignment.shared,
    )


def to_json(report: CoverageReport) -> dict[str, object]:
    """Return the report as plain JSON data."""
    return {
        "schema": "release-desk/coverage/2",
        "snapshot": report.snapshot,
        "policy": report.policy,
        "families": {name: dataclasses.asdict(item) for name, item in report.families.items()},
        "unmatched": [dataclasses.asdict(item) for item in report.unmatched],
        "shared": {
            key: [{"family": family, "prefix": prefix} for family, prefix in claims]
            for key, claims in report.shared.items()
        },
    }


def _opened(
    store: ObjectStore, family: FamilyRule, matches: tuple[Match, ...], rule: IntakeRule
) -> tuple[Evidence, ...]:
    chosen = spread([match for match in matches if not match.alias], OPENED)
    chosen += spread([match for match in matches if match.alias], OPENED)
    if family.needs_persona:
        # The name is a hint where to look; only what is found there counts.
        known = {match.object.key for match in chosen}
        hinted = [
            match
            for match in matches
            if match.object.key not in known
            and any(hint in match.object.key.casefold() for hint in _HINTS)
        ]
        chosen += spread(hinted, _HINTED)
    return tuple(
        open_object(
            store,
            match.object,
            rule=rule,
            prefix=match.prefix,
            alias=match.alias,
            confirmed=match.confirmed,
        )
        for match in chosen
    )


def spread(items: list[Match], count: int) -> list[Match]:
    """Return all of `items`, or `count` of them spread evenly from first to last."""
    if len(items) <= count:
        return list(items)
    return [items[index * (len(items) - 1) // (count - 1)] for index in range(count)]


def _shared(objects: Iterable[SourceObject], assignment: Assignment) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(
            key=item.key,
            size=item.size,
            state="shared",
            why="Claimed alike by "
            + " and ".join(sorted({name for name, _ in assignment.shared[item.key]}))
            + "; it proves neither until one of them claims it canonically.",
            codes={},
            lanes={},
        )
        for item in objects
    )


def _judge(
    family: FamilyRule,
    matches: tuple[Match, ...],
    shared: list[SourceObject],
    evidence: tuple[Evidence, ...],
    waived: Mapping[str, str],
) -> FamilyCoverage:
    state, why, needs = _standing(family, evidence)
    stands = state in ("present", "present_by_alias") and not needs
    if family.name in waived and not stands:
        state, why, needs = "waived", f"Waived: {waived[family.name]}", ()
    claimed = [match.object for match in matches] + shared
    return FamilyCoverage(
        name=family.name,
        stage=family.stage,
        title=family.title,
        state=state,
        objects=len(claimed),
        bytes=sum(item.size for item in claimed),
        records=sum(item.records for item in evidence),
        opened=sum(1 for item in evidence if item.state != "shared"),
        evidence=evidence,
        why=why,
        newest=max((item.modified.isoformat() + "Z" for item in claimed), default=""),
        formats=tuple(sorted({item.container for item in evidence if _useful(item)})),
        needs_confirmation=needs,
        unconfirmed=tuple(
            sorted({match.prefix for match in matches if match.alias and not match.confirmed})
        ),
    )


_Standing = tuple[CoverageState, str, tuple[str, ...]]


def _standing(family: FamilyRule, evidence: tuple[Evidence, ...]) -> _Standing:
    """Return the family's state, why, and the aliases that wait for a person."""
    if not evidence:
        return "missing", "No object lies under its prefixes or aliases.", ()
    canonical = [item for item in evidence if not item.alias and item.state != "shared"]
    agreed = [item for item in evidence if item.confirmed and item.state != "shared"]
    claimed = [item for item in evidence if item.state != "shared"]
    waiting = tuple(
        sorted({item.prefix for item in claimed if not item.confirmed and _useful(item)})
    )
    if not _lack(family, canonical):
        return _unless_mostly_unusable("present", "", (), canonical)
    if not _lack(family, agreed):
        return _unless_mostly_unusable("present_by_alias", "confirmed", (), agreed)
    if not _lack(family, claimed):
        why = "Found under an alias only; a person must confirm it: " + ", ".join(waiting)
        return _unless_mostly_unusable("present_by_alias", why, waiting, claimed)
    if any(item.records for item in claimed) or any(_persona(item) for item in claimed):
        return "partial", _lack(family, claimed), waiting
    return "unusable", _why_unusable(evidence), ()


def _lack(family: FamilyRule, evidence: list[Evidence]) -> str:
    """Say what the family still needs of this evidence, or nothing."""
    if not any(item.records for item in evidence):
        return "No opened object gave a conversation."
    if family.needs_persona and not any(_persona(item) for item in evidence):
        return "Conversations were found, but no persona or voice profile."
    return ""


def _unless_mostly_unusable(
    state: CoverageState, why: str, needs: tuple[str, ...], evidence: list[Evidence]
) -> _Standing:
    useless = [item for item in evidence if not _useful(item)]
    if len(useless) * 2 > len(evidence):
        said = f"{len(useless)} of {len(evidence)} opened objects gave nothing usable."
        return "partial", said, needs
    return state, why, needs


def _why_unusable(evidence: tuple[Evidence, ...]) -> str:
    """Say the commonest reason why nothing here is usable."""
    reasons = [item.why for item in evidence if item.why]
    if not reasons:
        return "No object gave a conversation."
    return max(sorted(set(reasons)), key=reasons.count)


def _useful(item: Evidence) -> bool:
    return item.state in ("usable", "asset")


def _persona(item: Evidence) -> bool:
    return item.lanes.get("persona", 0) > 0
