"""A stranger with nothing but a prefix can tell whether a release is what its manifest says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from core.canonical import sha256_hex
from core.model.errors import (
    Changed,
    Forbidden,
    Missing,
    NoSuchRelease,
    ReleaseError,
    TooLarge,
)
from core.model.names import Version
from core.model.progress import Progress, silent
from core.model.release import ReleaseFile, Verification
from core.release.document import checksums
from core.release.layout import CHECKSUMS, MANIFEST, WITHDRAWN, release_prefix
from core.release.manifest import MANIFEST_LIMIT, Manifest, parse_manifest
from core.release.routing import parse_routing, routing_faults
from core.release.rows import ShardReading, read_shard
from core.storage.ports import ObjectStore

FAULTS_SHOWN = 200


@dataclass(slots=True, kw_only=True)
class _Tally:
    """What the shards' rows say, put together."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)
    pii: dict[str, Counter[str]] = field(default_factory=dict)
    licences: Counter[str] = field(default_factory=Counter)
    groups: dict[bytes, str] = field(default_factory=dict)
    parted: int = 0
    records: int = 0
    bytes: int = 0

    def add(self, file: ReleaseFile, reading: ShardReading) -> None:
        """Add one shard, whose rows are all of one family and split or named as faults."""
        for family, count in reading.families.items():
            self.counts.setdefault(family, Counter())[file.split] += count
        self.pii.setdefault(file.split, Counter()).update(reading.pii)
        self.licences.update(reading.licences)
        self.records += reading.records
        for group in reading.groups:
            if self.groups.setdefault(group, file.split) != file.split:
                self.parted += 1


def load_manifest(store: ObjectStore, version: Version, *, exports: str) -> Manifest:
    """Return the manifest of `version`.

    Raises:
        NoSuchRelease: there is none, whatever else lies in the prefix.
        ReleaseError: it is not a manifest, or that of another version.
    """
    key = release_prefix(exports, version) + MANIFEST
    try:
        held = store.get(key, limit=MANIFEST_LIMIT)
    except Missing:
        raise NoSuchRelease(
            "release.none", "There is no manifest, so there is no release.", place=version
        ) from None
    manifest = parse_manifest(held.body, place=key)
    if manifest.version != version:
        raise ReleaseError(
            "release.manifest_invalid", "The manifest is of another version.", place=key
        )
    return manifest


def is_withdrawn(store: ObjectStore, version: Version, *, exports: str) -> bool:
    """Whether a withdrawal stands beside the release; unreadable counts as withdrawn."""
    key = release_prefix(exports, version) + WITHDRAWN
    try:
        store.head_bytes(key, 1)
    except Missing:
        return False
    return True


def verify_release(
    store: ObjectStore, version: Version, *, exports: str, progress: Progress = silent
) -> Verification:
    """Read every byte of a release and hold it against its manifest.

    Faults name a code and a key or line. A storage failure that may pass is raised, not
    counted as a fault of the release.

    Raises:
        NoSuchRelease: no manifest stands at the version.
        ReleaseError: the manifest itself cannot be read as one.
    """
    manifest = load_manifest(store, version, exports=exports)
    prefix = release_prefix(exports, version)
    tally, faults = _Tally(), []
    for number, file in enumerate(manifest.files):
        progress(number, len(manifest.files), "verify")
        faults += _file_faults(store, file, prefix, manifest, tally)
    progress(len(manifest.files), len(manifest.files), "verify")
    faults += _total_faults(manifest, tally)
    faults += _unlisted(store, manifest, prefix)
    return Verification(
        version=version,
        manifest_sha256=manifest.sha256,
        files=len(manifest.files),
        records=tally.records,
        bytes=tally.bytes,
        faults=tuple(faults[:FAULTS_SHOWN]),
        withdrawn=is_withdrawn(store, version, exports=exports),
    )


def _file_faults(
    store: ObjectStore, file: ReleaseFile, prefix: str, manifest: Manifest, tally: _Tally
) -> list[str]:
    if not file.key.startswith(prefix):
        return [f"release.outside_prefix {file.key}"]
    if file.kind == "shard":
        looking = _shard_faults(store, file, tally)
    else:
        looking = _part_faults(store, file, prefix, manifest, tally)
    found: list[str] = []
    try:
        found.extend(looking)
    except Missing:
        found.append(f"release.absent {file.key}")
    except (TooLarge, Changed):
        found.append(f"release.size {file.key}")
    except (Forbidden, ReleaseError) as error:
        found.append(f"{error.code} {file.key}")
    return found


def _shard_faults(store: ObjectStore, file: ReleaseFile, tally: _Tally) -> Iterator[str]:
    reading = read_shard(store.stream(file.key), key=file.key)
    tally.add(file, reading)
    tally.bytes += reading.size
    yield from _mismatches(file, reading.sha256, reading.size)
    if reading.records != file.records:
        yield f"release.records {file.key}"
    yield from reading.faults
    if set(reading.families) != {file.family}:
        yield f"release.row_family {file.key}"
    if set(reading.splits) != {file.split}:
        yield f"release.row_split {file.key}"
    if f"/chatml/{file.split}/" not in file.key:
        yield f"release.split_folder {file.key}"


def _part_faults(
    store: ObjectStore, file: ReleaseFile, prefix: str, manifest: Manifest, tally: _Tally
) -> Iterator[str]:
    body = store.get(file.key, limit=file.size).body
    tally.bytes += len(body)
    yield from _mismatches(file, sha256_hex(body), len(body))
    if file.kind == "routing":
        routing = parse_routing(body, place=file.key)
        counts = manifest.counts()
        yield from routing_faults(routing, version=manifest.version, counts=counts)
    if file.key == prefix + CHECKSUMS:
        listed = [
            (other.key.removeprefix(prefix), other.sha256)
            for other in manifest.files
            if other.key != file.key
        ]
        if body != checksums(listed).encode():
            yield f"release.checksums {file.key}"


def _mismatches(file: ReleaseFile, sha256: str, size: int) -> Iterator[str]:
    if sha256 != file.sha256:
        yield f"release.digest {file.key}"
    if size != file.size:
        yield f"release.size {file.key}"


def _total_faults(manifest: Manifest, tally: _Tally) -> Iterator[str]:
    document = manifest.document
    for family in document["families"]:
        if family["records"] != dict(tally.counts.get(family["name"], {})):
            yield f"release.family_total {family['name']}"
    splits: Counter[str] = Counter()
    for counts in tally.counts.values():
        splits.update(counts)
    for split, said in document["splits"].items():
        if said != splits[split]:
            yield f"release.split_total {split}"
    said_pii = {split: _nonzero(cell) for split, cell in document["pii"].items()}
    found_pii = {split: _nonzero(cell) for split, cell in tally.pii.items()}
    licences = document["provenance"]["licences"]
    named = {file.key.rpartition("/")[2] for file in manifest.of_kind("document")}
    for wrong, fault in (
        (document["totals"]["records"] != tally.records, "release.total records"),
        (said_pii != found_pii, "release.pii_total"),
        (licences != dict(tally.licences), "release.licence_total"),
        (tally.parted > 0, f"release.group_parted {tally.parted} groups"),
        (CHECKSUMS not in named, "release.checksums absent"),
    ):
        if wrong:
            yield fault


def _nonzero(counts: Counter[str] | dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}


def _unlisted(store: ObjectStore, manifest: Manifest, prefix: str) -> Iterator[str]:
    """Data the manifest does not know, but which a reader by pattern would take for part of it.

    Evidence of an abandoned attempt may lie beside its successor's; nobody reads it by pattern.
    """
    known = {file.key for file in manifest.files}
    for folder in ("chatml/", "routing/"):
        for found in store.list(prefix + folder):
            if found.key not in known:
                yield f"release.unlisted {found.key}"
