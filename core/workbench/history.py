"""What has been decided is what the journal says, folded in order; nobody keeps a second copy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from core.model.names import Digest, Version
from core.storage.journal import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A listing of the bucket. `at` is when this exact listing was first seen."""

    listing: Digest
    at: str
    objects: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceDecision:
    """A named person's decision on a family's data: keep, defer or reject."""

    family: str
    decision: str
    rights: str
    licence_tag: str
    reason: str
    by: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A candidate built for a version."""

    version: Version
    candidate: Digest
    by: str
    at: str
    seq: int


def of_type(entries: Iterable[Entry], *kinds: str) -> Iterator[Entry]:
    """Yield the entries whose event is of one of `kinds`."""
    return (entry for entry in entries if entry.event["type"] in kinds)


def latest_snapshot(entries: Iterable[Entry]) -> Snapshot | None:
    """Return the newest listing, dated when it was first seen, so that a rebuild is equal."""
    first: dict[str, str] = {}
    newest: Entry | None = None
    for entry in of_type(entries, "inventory.taken"):
        first.setdefault(str(entry.event["listing"]), entry.at)
        newest = entry
    if newest is None:
        return None
    listing = str(newest.event["listing"])
    return Snapshot(
        listing=Digest(listing),
        at=first[listing],
        objects=_number(newest.event["objects"]),
        bytes=_number(newest.event["bytes"]),
    )


def _number(value: object) -> int:
    assert isinstance(value, int)
    return value


def confirmed_aliases(entries: Iterable[Entry]) -> frozenset[tuple[str, str]]:
    """Return the (family, alias) pairs a person has confirmed."""
    return frozenset(
        (str(entry.event["family"]), str(entry.event["alias"]))
        for entry in of_type(entries, "alias.confirmed")
    )


def source_decisions(entries: Iterable[Entry]) -> Mapping[str, SourceDecision]:
    """Return the standing decision per family; a later one replaces an earlier one."""
    found: dict[str, SourceDecision] = {}
    for entry in of_type(entries, "source.decided"):
        family = str(entry.event["family"])
        found[family] = SourceDecision(
            family=family,
            decision=str(entry.event["decision"]),
            rights=str(entry.event["rights"]),
            licence_tag=str(entry.event["licence_tag"]),
            reason=str(entry.event["reason"]),
            by=entry.actor,
            at=entry.at,
        )
    return found


def waived_families(entries: Iterable[Entry], version: str) -> Mapping[str, str]:
    """Return family → reason for the families waived for `version`."""
    return {
        str(entry.event["family"]): str(entry.event["reason"])
        for entry in of_type(entries, "family.waived")
        if entry.event["version"] == version
    }


def versions(entries: Iterable[Entry]) -> tuple[Version, ...]:
    """Return every version ever drafted, newest name first."""
    kinds = ("version.drafted", "candidate.built", "publish.intent")
    found = {str(entry.event["version"]) for entry in of_type(entries, *kinds)}
    return tuple(Version(name) for name in sorted(found, key=_version_order, reverse=True))


def _version_order(name: str) -> tuple[str, int]:
    day, _, number = name.partition(".")
    return day, int(number or 0)


def built(entries: Iterable[Entry], version: str | None = None) -> tuple[Built, ...]:
    """Return the candidates built (for `version`), oldest first."""
    return tuple(
        Built(
            version=Version(str(entry.event["version"])),
            candidate=Digest(str(entry.event["candidate"])),
            by=entry.actor,
            at=entry.at,
            seq=entry.seq,
        )
        for entry in of_type(entries, "candidate.built")
        if version is None or entry.event["version"] == version
    )


def builders(entries: Iterable[Entry], candidate: str) -> frozenset[str]:
    """Return the ids of everyone who has built `candidate`."""
    return frozenset(item.by for item in built(entries) if item.candidate == candidate)


def decisions(entries: Iterable[Entry], version: str) -> tuple[Mapping[str, str], ...]:
    """Return people's decisions on findings for `version`, one mapping of texts per place.

    The last decision about a place stands. The order is that of the places, so that the
    same decisions give the same candidate whatever the order they were taken in.
    """
    found: dict[tuple[str, ...], dict[str, str]] = {}
    for entry in of_type(entries, "finding.decided"):
        if entry.event["version"] != version:
            continue
        places = entry.event["places"]
        assert isinstance(places, list)
        for place in places:
            decision = {
                "gate": str(entry.event["gate"]),
                "code": str(entry.event["code"]),
                "action": str(entry.event["action"]),
                "reason": str(entry.event["reason"]),
                "by": entry.actor,
                **{str(key): str(value) for key, value in place.items()},
            }
            identity = ("gate", "code", "record_id", "turn", "start", "end", "scope")
            found[tuple(decision.get(name, "") for name in identity)] = decision
    return tuple(found[key] for key in sorted(found))


def seed_of(entries: Iterable[Entry], version: str) -> str | None:
    """Return the sample seed of `version`; the first one fixed is the only one."""
    for entry in of_type(entries, "seed.fixed"):
        if entry.event["version"] == version:
            return str(entry.event["seed"])
    return None
