"""Two releases differ in what their manifests say and in which records they hold, no more.

Manifests are compared at once; records by reading every shard of both, a shared one once.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.model.progress import Progress, silent
from core.model.release import ReleaseFile
from core.release.consume import Release
from core.release.rows import parse_row

EDGES: Mapping[str, tuple[int, ...]] = {
    "tokens": (32, 45, 64, 91, 128, 181, 256, 362, 512, 724, 1024, 1448, 2048, 4096, 8192, 16384),
    "turns": (2, 4, 6, 8, 12, 16, 24, 32, 48, 64),
}
"""Lower edges of the histograms; the first count lies below the first edge."""

Place = tuple[str, str]
"""A family and a split."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing two manifests say differently; empty where one says nothing."""

    about: str
    mine: str
    theirs: str


@dataclass(slots=True, kw_only=True)
class Contents:
    """The records of a release: where each is, and how long they are by family."""

    places: dict[str, Place] = field(default_factory=dict)
    histograms: dict[str, dict[str, list[int]]] = field(default_factory=dict)

    def add(self, record_id: str, place: Place, measures: Mapping[str, int]) -> None:
        """Count one record."""
        self.places[record_id] = place
        held = self.histograms.setdefault(
            place[0], {name: [0] * (len(edges) + 1) for name, edges in EDGES.items()}
        )
        for name, value in measures.items():
            held[name][bisect_right(EDGES[name], value)] += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordChanges:
    """Record ids that only one of two releases has, and those that changed their place."""

    added: Mapping[str, Place]
    removed: Mapping[str, Place]
    moved: Mapping[str, tuple[Place, Place]]
    kept: int


def compare_manifests(
    mine: Mapping[str, Any], theirs: Mapping[str, Any]
) -> dict[str, tuple[Change, ...]]:
    """Return what differs, by heading; a heading without differences is empty."""
    return {
        "policy and rubrics": tuple(_changes(_rules(mine), _rules(theirs))),
        "known exclusions": tuple(_changes(_left_out(mine), _left_out(theirs))),
        "gates": tuple(_changes(_gates(mine), _gates(theirs))),
        "reviews": tuple(_changes(_reviews(mine), _reviews(theirs))),
        "sources": tuple(_changes(_sources(mine), _sources(theirs))),
    }


def compare_weights(mine: Release, theirs: Release) -> tuple[Change, ...]:
    """Return what differs in the shares of the phases."""
    return tuple(_changes(_weights(mine), _weights(theirs)))


def read_contents(
    mine: Release, theirs: Release, progress: Progress = silent
) -> tuple[Contents, Contents]:
    """Read every record of both releases, each shard proven.

    Raises:
        ReleaseError, StorageError: a shard cannot be read; nothing is compared.
    """
    wanted: dict[str, list[tuple[Release, Contents, ReleaseFile]]] = {}
    held = (Contents(), Contents())
    for release, contents in zip((mine, theirs), held, strict=True):
        for file in release.manifest.of_kind("shard"):
            wanted.setdefault(file.sha256, []).append((release, contents, file))
    for number, uses in enumerate(wanted.values()):
        progress(number, len(wanted), "shards read")
        release, _, file = uses[0]
        shard = release.prove(file)
        for line in range(len(shard)):
            facts = parse_row(shard.line(line), place=f"{file.key}:{line + 1}").metadata
            place = (facts.source_family, facts.split)
            for _, contents, _ in uses:
                contents.add(facts.record_id, place, {"tokens": facts.tokens, "turns": facts.turns})
    progress(len(wanted), len(wanted), "shards read")
    return held


def compare_records(mine: Contents, theirs: Contents) -> RecordChanges:
    """Return which records only `mine` has (added), only `theirs` (removed), or moved."""
    here, there = mine.places, theirs.places
    both = here.keys() & there.keys()
    return RecordChanges(
        added={name: here[name] for name in sorted(here.keys() - there.keys())},
        removed={name: there[name] for name in sorted(there.keys() - here.keys())},
        moved={n: (there[n], here[n]) for n in sorted(both) if here[n] != there[n]},
        kept=len(both),
    )


def count_places(places: Mapping[str, Place]) -> Mapping[Place, int]:
    """Return how many records there are of each family and split, in order."""
    return dict(sorted(Counter(places.values()).items()))


def _changes(mine: Mapping[str, str], theirs: Mapping[str, str]) -> Iterator[Change]:
    for about in sorted(mine.keys() | theirs.keys()):
        here, there = mine.get(about, ""), theirs.get(about, "")
        if here != there:
            yield Change(about=about, mine=here, theirs=there)


def _rules(document: Mapping[str, Any]) -> dict[str, str]:
    policy = document["policy"]
    found = {
        "policy": f"{policy['name']} {policy['version']} {policy['digest'][:12]}",
        "scan settings": document["provenance"]["scan_settings"][:12],
        "desk": document["desk"],
    }
    for review in document["reviews"]:
        rubric = review["rubric"]
        found[f"rubric of {review['claim']}"] = (
            f"{rubric['id']} {rubric['version']} {rubric['sha256'][:12]}"
        )
        found[f"claim {review['claim']}"] = (
            f"at most {review['limit']} at confidence {review['confidence']}"
        )
    return found


def _left_out(document: Mapping[str, Any]) -> dict[str, str]:
    found = {item["scope"]: item["reason"] for item in document["exclusions"]}
    waived = {f"family {item['family']}": item["reason"] for item in document["waived_families"]}
    facts = document["provenance"]
    rejected = {f"rows rejected: {code}": str(count) for code, count in facts["rejections"].items()}
    dropped = {f"records dropped: {name}": str(count) for name, count in facts["dropped"].items()}
    return {**found, **waived, **rejected, **dropped}


def _gates(document: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for gate in document["gates"]:
        codes = ", ".join(f"{code} {count}" for code, count in gate["findings"].items())
        found[gate["gate"]] = f"{gate['verdict']}; {codes or 'no findings'}"
        found[f"{gate['gate']} settings"] = gate["settings"][:12]
    return found


def _reviews(document: Mapping[str, Any]) -> dict[str, str]:
    return {review["claim"]: review["sentence"] for review in document["reviews"]}


def _sources(document: Mapping[str, Any]) -> dict[str, str]:
    return {
        source["key"]: f"{source['sha256'][:12]}, {source['shipped']} records shipped"
        for source in document["sources"]
    }


def _weights(release: Release) -> dict[str, str]:
    return {
        f"{phase}: {family}": f"{weight:.4f}"
        for phase in release.phases
        for family, weight in release.weights(phase).items()
    }
