"""Which objects a build reads, as which family, under which licence; and why not the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.intake.coverage import assign
from core.intake.inventory import Listing
from core.model.candidate import Exclusion
from core.model.dataset import SourceObject
from core.policy.types import Policy

UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """An object that will be read, for one family, under one licence tag."""

    source: SourceObject
    family: str
    licence_tag: str


def choose_sources(
    listing: Listing,
    policy: Policy,
    confirmed: frozenset[tuple[str, str]],
    waived: Mapping[str, str],
    licences: Mapping[str, str],
    refused: Mapping[str, str],
) -> tuple[list[Chosen], list[Exclusion]]:
    """Return what will be read, in the order in which copies yield, and what will not."""
    assignment = assign(listing.objects, policy, confirmed)
    chosen: list[Chosen] = []
    exclusions: list[Exclusion] = []
    plain = {"", *(rule.name for rule in policy.families)}
    decided = sorted({*refused, *licences} - plain, key=len, reverse=True)
    for rule in sorted(policy.families, key=lambda rule: (rule.order, rule.name)):
        if rule.name in waived:
            exclusions.append(
                Exclusion(scope=rule.name, reason=f"Waived by name: {waived[rule.name]}")
            )
            continue
        matches = sorted(assignment.by_family.get(rule.name, ()), key=lambda m: m.object.key)
        if not matches:
            exclusions.append(Exclusion(scope=rule.name, reason="No object matches the family."))
        for match in matches:
            key = match.object.key
            scope, word, tag = _decision(refused, licences, decided, rule.name, key)
            if match.alias and not match.confirmed:
                exclusions.append(
                    Exclusion(
                        scope=rule.name,
                        reason=f"Alias not confirmed, its objects stay out: {match.prefix}",
                    )
                )
            elif word:
                exclusions.append(Exclusion(scope=scope, reason=f"Source decision: {word}"))
            else:
                chosen.append(Chosen(source=match.object, family=rule.name, licence_tag=tag))
    for key, claims in assignment.shared.items():
        names = ", ".join(sorted({family for family, _ in claims}))
        exclusions.append(Exclusion(scope=key, reason=f"Claimed alike by {names}: left out."))
    return chosen, exclusions


def _decision(
    refused: Mapping[str, str],
    licences: Mapping[str, str],
    decided: Sequence[str],
    family: str,
    key: str,
) -> tuple[str, str, str]:
    """Return scope, refusing word and licence tag of the decision that holds for `key`.

    The longest prefix decided about wins, whichever way it was decided; then the family's own.
    `decided` holds the prefixes, the longest first.
    """
    scope = next((prefix for prefix in decided if key.startswith(prefix)), family)
    return scope, refused.get(scope, ""), licences.get(scope, UNDECIDED)
