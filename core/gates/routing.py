"""The routing document sends every family that ships to training, in shares that sum to one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from core.canonical import NotCanonical, decode, sha256_hex
from core.model.candidate import Candidate
from core.policy.types import PhaseRule, Policy

SCHEMA = "release-desk/routing/1"
_TOLERANCE = 1e-9


class _Records(msgspec.Struct, forbid_unknown_fields=True):
    records: int


class _Family(msgspec.Struct, forbid_unknown_fields=True):
    stage: int
    weight: float
    splits: dict[str, _Records]


class _Stage(msgspec.Struct, forbid_unknown_fields=True):
    number: int
    name: str
    weight: float


class _Phase(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    stages: list[_Stage]
    families: dict[str, _Family]


class _Routing(msgspec.Struct, forbid_unknown_fields=True):
    schema: Literal["release-desk/routing/1"]
    version: str
    phases: list[_Phase]


def routing_faults(body: bytes | None, candidate: Candidate, policy: Policy) -> Iterator[str]:
    """Yield what is wrong with the routing document, in a few words each."""
    if body is None:
        yield "the routing document is absent"
        return
    if sha256_hex(body) != candidate.routing_sha256:
        yield "the routing document is not the one the candidate names"
        return
    try:
        routing = msgspec.convert(decode(body), _Routing, strict=True)
    except (NotCanonical, msgspec.ValidationError):
        yield "the routing document has another shape"
        return
    if routing.version != candidate.version:
        yield "it names another version"
    if [phase.name for phase in routing.phases] != [phase.name for phase in policy.phases]:
        yield "its phases are not the policy's"
        return
    for phase, rule in zip(routing.phases, policy.phases, strict=True):
        for fault in (*_weight_faults(phase), *_family_faults(phase, rule, candidate, policy)):
            yield f"{phase.name}: {fault}"
    yield from _coverage_faults(routing, candidate, policy)


def _weight_faults(phase: _Phase) -> Iterator[str]:
    weights = {name: family.weight for name, family in phase.families.items()}
    if any(weight < 0 for weight in (*weights.values(), *(s.weight for s in phase.stages))):
        yield "a weight is below zero"
    if abs(sum(weights.values()) - 1) > _TOLERANCE:
        yield "the families' weights do not sum to 1"
    for stage in phase.stages:
        inside = sum(f.weight for f in phase.families.values() if f.stage == stage.number)
        if abs(inside - stage.weight) > _TOLERANCE:
            yield f"the weight of stage {stage.number} is not that of its families"


def _family_faults(
    phase: _Phase, rule: PhaseRule, candidate: Candidate, policy: Policy
) -> Iterator[str]:
    stages = {family.name: family.stage for family in policy.families}
    for name, family in phase.families.items():
        if stages.get(name) != family.stage or family.stage not in rule.stages:
            yield f"{name} stands in a stage the policy does not give it"
        stated = {split: item.records for split, item in family.splits.items() if item.records}
        if stated != _counts(candidate).get(name, {}):
            yield f"{name} has other counts than the shards"
        if family.weight > 0 and not stated.get("train"):
            yield f"{name} has a weight and nothing to train on"


def _coverage_faults(routing: _Routing, candidate: Candidate, policy: Policy) -> Iterator[str]:
    routed = {name for phase in routing.phases for name in phase.families}
    shipped = set(_counts(candidate))
    drawn = {stage for phase in policy.phases for stage in phase.stages}
    # A family whose stage no phase draws from is held out by the policy, and needs no route.
    held_out = {family.name for family in policy.families if family.stage not in drawn}
    for name in sorted(shipped - routed - held_out):
        yield f"{name} has shards but no route"
    for name in sorted(routed - shipped):
        yield f"{name} has a route but no shards"


def _counts(candidate: Candidate) -> Mapping[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for shard in candidate.shards:
        splits = counts.setdefault(shard.family, {})
        splits[shard.split] = splits.get(shard.split, 0) + shard.records
    return counts
