"""Routing says which family feeds which phase, and how much; a phase's weights sum to 1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from core.model.errors import ReleaseError

TOLERANCE = 1e-9


class RoutedStage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A stage's share of a phase."""

    number: int
    name: str
    weight: float


class RoutedFamily(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A family's share of a phase, and how many records each split holds."""

    stage: int
    weight: float
    splits: dict[str, dict[str, int]]


class Phase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One training phase."""

    name: str
    stages: list[RoutedStage]
    families: dict[str, RoutedFamily]


class Routing(msgspec.Struct, frozen=True):
    """The whole routing document of one version."""

    schema: str
    version: str
    phases: list[Phase]

    def phase(self, name: str) -> Phase:
        """Return the phase called `name`; raise `ReleaseError` when there is none."""
        for phase in self.phases:
            if phase.name == name:
                return phase
        raise ReleaseError("release.no_such_phase", "The routing has no such phase.", place=name)


def parse_routing(body: bytes, *, place: str) -> Routing:
    """Return the routing of `body`; raise `ReleaseError` for anything else."""
    try:
        routing: Any = msgspec.json.decode(body, type=Routing, strict=True)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        routing = None
    if not isinstance(routing, Routing) or routing.schema != "release-desk/routing/1":
        raise ReleaseError(
            "release.routing_unreadable", "The routing is not one we know.", place=place
        )
    return routing


def routing_faults(
    routing: Routing, *, version: str, counts: Mapping[str, Mapping[str, int]]
) -> Iterator[str]:
    """Yield what is wrong with the routing of a release with these records by family and split."""
    if routing.version != version:
        yield "release.routing_version"
    if not routing.phases:
        yield "release.routing_empty"
    present = {family for family, splits in counts.items() if sum(splits.values())}
    named: set[str] = set()
    for phase in routing.phases:
        named |= set(phase.families)
        weights = [family.weight for family in phase.families.values()]
        if not weights or min(weights) < 0 or abs(sum(weights) - 1) > TOLERANCE:
            yield f"release.routing_weights {phase.name}"
        for name, family in phase.families.items():
            if name not in present:
                yield f"release.routing_absent_family {phase.name} {name}"
            said = {split: cell.get("records", 0) for split, cell in family.splits.items()}
            held = {split: count for split, count in counts.get(name, {}).items() if count}
            if {split: count for split, count in said.items() if count} != held:
                yield f"release.routing_counts {phase.name} {name}"
    for name in sorted(present - named):
        yield f"release.routing_missing_family {name}"
