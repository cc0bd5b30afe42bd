"""Routing says from which families a training phase draws, and how much; it always sums to 1.

What a family cannot give goes to the rest of its stage, and what a stage cannot give to the
other stages of the phase, in proportion and never in silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.canonical import document_bytes
from core.model.candidate import Exclusion
from core.model.errors import IntakeError
from core.policy.types import FamilyRule, PhaseRule, Policy

SCHEMA = "release-desk/routing/1"
_PLACES = 12

Counts = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """The routing document, and what a reader must be told about weights that moved."""

    body: bytes
    notes: tuple[Exclusion, ...]


def build_routing(
    policy: Policy, counts: Counts, *, version: str, waived: Mapping[str, str]
) -> Routing:
    """Return the routing of the families that ship.

    Args:
        policy: stages, phases and weights.
        counts: {family: {split: records}} of what ships.
        version: the release's version.
        waived: {family: reason} of the families nobody waits for.

    Raises:
        IntakeError: `intake.stage_empty` when a phase needs a stage that has nothing to train
            on, although one of its families is required and not waived.
    """
    notes: list[Exclusion] = []
    phases = [_phase(policy, phase, counts, waived, notes) for phase in policy.phases]
    document = {"schema": SCHEMA, "version": version, "phases": phases}
    return Routing(body=document_bytes(document), notes=tuple(dict.fromkeys(notes)))


def _phase(
    policy: Policy,
    phase: PhaseRule,
    counts: Counts,
    waived: Mapping[str, str],
    notes: list[Exclusion],
) -> Mapping[str, object]:
    shipped = [
        rule for rule in policy.families if rule.name in counts and rule.stage in phase.stages
    ]
    training = [rule for rule in shipped if counts[rule.name].get("train", 0) > 0]
    filled = [number for number in phase.stages if any(rule.stage == number for rule in training)]
    for number in phase.stages:
        _note_moves(policy, number, training, waived, notes)
    weights = _weights(policy, filled, training)
    return {
        "name": phase.name,
        "stages": [
            {
                "number": number,
                "name": policy.stage(number).name,
                "weight": _rounded(
                    sum(weights.get(rule.name, 0.0) for rule in shipped if rule.stage == number)
                ),
            }
            for number in phase.stages
        ],
        "families": {
            rule.name: {
                "stage": rule.stage,
                "weight": weights.get(rule.name, 0.0),
                "splits": {
                    split: {"records": records} for split, records in counts[rule.name].items()
                },
            }
            for rule in shipped
        },
    }


def _weights(policy: Policy, stages: list[int], training: list[FamilyRule]) -> Mapping[str, float]:
    """Return the weight of each family that has something to train on; they sum to 1."""
    whole = sum(policy.stage(number).weight for number in stages)
    weights: dict[str, float] = {}
    for number in stages:
        rules = [rule for rule in training if rule.stage == number]
        inside = sum(rule.weight for rule in rules)
        for rule in rules:
            share = rule.weight / inside if inside > 0 else 1 / len(rules)
            stage = policy.stage(number).weight / whole if whole > 0 else 1 / len(stages)
            weights[rule.name] = _rounded(stage * share)
    if weights:
        last = list(weights)[-1]
        others = sum(weight for name, weight in weights.items() if name != last)
        weights[last] = _rounded(1 - others)
    return weights


def _note_moves(
    policy: Policy,
    number: int,
    training: list[FamilyRule],
    waived: Mapping[str, str],
    notes: list[Exclusion],
) -> None:
    rules = [rule for rule in policy.families if rule.stage == number]
    present = [rule for rule in training if rule.stage == number]
    if not present:
        if any(rule.required and rule.name not in waived for rule in rules):
            raise IntakeError(
                "intake.stage_empty",
                "A stage has nothing to train on. Supply its required family or waive it by name.",
                place=policy.stage(number).name,
            )
        notes.append(
            Exclusion(
                scope=f"stage:{policy.stage(number).name}",
                reason="Nothing to train on: its weight goes to the other stages in proportion.",
            )
        )
        return
    for rule in rules:
        if rule not in present and not rule.test_only:
            notes.append(
                Exclusion(
                    scope=rule.name,
                    reason="Nothing to train on: its weight goes to the rest of its stage.",
                )
            )


def _rounded(weight: float) -> float:
    return round(weight, _PLACES)
