"""What has been decided is what the journal says, folded in order; nobody keeps a second copy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from core.model.errors import ReviewError
from core.model.names import Digest, ReviewerId, Version
from core.storage.journal import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A listing of the bucket. `at` is when this exact listing was first seen.

    `taken_from` names the file it was read from; empty when the bucket itself was listed.
    """

    listing: Digest
    at: str
    objects: int
    bytes: int
    taken_from: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceDecision:
    """A named person's decision on data: keep, defer or reject; of a prefix also inherit.

    It is about a family, or (with `family` empty) about what lies under `prefix`.
    """

    family: str
    prefix: str = ""
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
        taken_from=str(newest.event.get("from", "")),
    )


def snapshots(entries: Iterable[Entry]) -> tuple[Snapshot, ...]:
    """Return every listing taken that differs from the one before it, oldest first."""
    found: list[Snapshot] = []
    for entry in of_type(entries, "inventory.taken"):
        if not found or found[-1].listing != entry.event["listing"]:
            found.append(
                Snapshot(
                    listing=Digest(str(entry.event["listing"])),
                    at=entry.at,
                    objects=_number(entry.event["objects"]),
                    bytes=_number(entry.event["bytes"]),
                    taken_from=str(entry.event.get("from", "")),
                )
            )
    return tuple(found)


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
        if "prefixes" not in entry.event:
            decision = _decided(entry, "")
            found[decision.family] = decision
    return found


def prefix_decisions(entries: Iterable[Entry]) -> Mapping[str, SourceDecision]:
    """Return the standing decision per prefix; one to inherit takes the earlier ones back."""
    found: dict[str, SourceDecision] = {}
    for entry in of_type(entries, "source.decided"):
        prefixes = entry.event.get("prefixes", ())
        assert isinstance(prefixes, (list, tuple))
        for prefix in prefixes:
            found[str(prefix)] = _decided(entry, str(prefix))
    return {prefix: item for prefix, item in found.items() if item.decision != "inherit"}


def _decided(entry: Entry, prefix: str) -> SourceDecision:
    return SourceDecision(
        family=str(entry.event["family"]),
        prefix=prefix,
        decision=str(entry.event["decision"]),
        rights=str(entry.event["rights"]),
        licence_tag=str(entry.event["licence_tag"]),
        reason=str(entry.event["reason"]),
        by=entry.actor,
        at=entry.at,
    )


def adopted_policy(entries: Iterable[Entry], base: str) -> str:
    """Return the digest of the policy in force over the configured one, `base` itself if none.

    An adoption counts while the policy it grew from is the one configured: another file in
    DESK_POLICY starts anew.
    """
    digest = base
    for entry in of_type(entries, "policy.adopted"):
        if (entry.event["base"], entry.event["from"]) == (base, digest):
            digest = str(entry.event["policy"])
    return digest


def waived_families(entries: Iterable[Entry], version: str) -> Mapping[str, str]:
    """Return family → reason for the families waived for `version`."""
    return {
        str(entry.event["family"]): str(entry.event["reason"])
        for entry in of_type(entries, "family.waived")
        if entry.event["version"] == version
    }


_NAMES_A_VERSION = ("version.drafted", "candidate.built", "publish.intent")


def versions(entries: Iterable[Entry]) -> tuple[Version, ...]:
    """Return every version ever drafted, newest name first."""
    found = {str(entry.event["version"]) for entry in of_type(entries, *_NAMES_A_VERSION)}
    return tuple(Version(name) for name in sorted(found, key=_version_order, reverse=True))


def first_named(entries: Iterable[Entry], version: str) -> tuple[Entry, ...]:
    """Return the entry by which `version` began, if there is one."""
    named = (e for e in of_type(entries, *_NAMES_A_VERSION) if e.event["version"] == version)
    return tuple(islice(named, 1))


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


def builder_of(entries: Iterable[Entry], candidate: str, by: ReviewerId) -> ReviewerId:
    """Return whom the independence rule names: `by`, if they built it, else the first.

    Raises:
        ReviewError: `review.no_builder`.
    """
    found = sorted(builders(entries, candidate))
    if not found:
        raise ReviewError("review.no_builder", "The journal does not say who built this.")
    return by if by in found else ReviewerId(found[0])


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
    """Return the sample seed of `version`: the first one that was fixed for it."""
    for entry in of_type(entries, "seed.fixed"):
        if entry.event["version"] == version:
            return str(entry.event["seed"])
    return None


def seed_for(entries: Iterable[Entry], candidate: str) -> str | None:
    """Return the seed fixed for what is new in a later candidate; the first one stands."""
    for entry in of_type(entries, "seed.fixed"):
        if entry.event.get("candidate") == candidate:
            return str(entry.event["seed"])
    return None


def samples_frozen(entries: Iterable[Entry], candidate: str) -> bool:
    """Return whether everything that freezing the samples of `candidate` writes stands."""
    frozen = of_type(entries, "samples.frozen")
    return any(entry.event["candidate"] == candidate for entry in frozen)


def newest_release(entries: Sequence[Entry], besides: str) -> Entry | None:
    """Return the entry by which the newest release stands that was not withdrawn.

    `besides` is the version that is being made: no release of its own counts.
    """
    withdrawn = {str(entry.event["version"]) for entry in of_type(entries, "release.withdrawn")}
    for entry in of_type(reversed(entries), "publish.committed"):
        if entry.event["version"] not in withdrawn | {besides}:
            return entry
    return None
