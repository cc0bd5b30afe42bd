"""Training reads a release by its prefix, and gets no record of a shard before all of it is proven.

    release = open_release(store, "latest")
    for row in release.iterate("train", worker=(0, 4)):
        row["messages"], row["metadata"]

The manifest is where reading starts; nothing is listed. `latest.json` only suggests a name.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from core.canonical import sha256_hex
from core.model.errors import BadName, Missing, NoSuchRelease, ReleaseError, TooLarge, Withdrawn
from core.model.names import parse_version
from core.model.release import ReleaseFile
from core.release.latest import read_latest
from core.release.manifest import Manifest
from core.release.objects import steadily
from core.release.proven import ProvenShard, altered, prove_shard
from core.release.routing import Routing, parse_routing
from core.release.stream import Order, RowStream, every_row, mixture
from core.release.verify import is_withdrawn, load_manifest
from core.storage.ports import ObjectStore

EXPORTS = "exports/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """An open release. Nothing of it has been read but its manifest and its routing."""

    store: ObjectStore = field(repr=False)
    exports: str
    manifest: Manifest = field(repr=False)
    routing: Routing = field(repr=False)
    allow_withdrawn: bool = False
    sleep: Callable[[float], None] = field(repr=False, default=time.sleep)

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that hold records."""
        return tuple(self.manifest.document["export"]["splits"])

    @property
    def phases(self) -> tuple[str, ...]:
        """The phases of the routing, in the order of the curriculum."""
        return tuple(phase.name for phase in self.routing.phases)

    def weights(self, phase: str) -> Mapping[str, float]:
        """Return family → share of the phase; the shares sum to 1."""
        return {name: item.weight for name, item in self.routing.phase(phase).families.items()}

    def shards(self, split: str, phase: str | None = None) -> tuple[ReleaseFile, ...]:
        """Return the shards of one split, of the families a phase draws from, in key order."""
        families = None if phase is None else set(self.routing.phase(phase).families)
        return tuple(
            file
            for file in self.manifest.of_kind("shard")
            if file.split == split and (families is None or file.family in families)
        )

    def iterate(
        self,
        split: str,
        phase: str | None = None,
        *,
        worker: tuple[int, int] = (0, 1),
        seed: int | None = None,
        epoch: int = 0,
        start: str | None = None,
    ) -> RowStream:
        """Return every row of a split that falls to this worker, once, as it is asked for.

        `worker` is (index, number of workers): each row goes to exactly one of them. Rows are
        dealt one by one, so that few shards keep many workers busy; every worker reads and
        proves every shard. `start` is the position of an earlier stream like this one.

        Raises:
            ReleaseError: a position or worker does not fit; while reading, a shard is absent
                or altered, and none of its records was given.
            Withdrawn: while reading, the release was withdrawn.
        """
        order = self._order(split, phase or "", worker, seed, epoch)
        return every_row(order, self.shards(split, phase), self.prove, start)

    def mix(
        self,
        split: str,
        phase: str,
        *,
        rows: int | None = None,
        worker: tuple[int, int] = (0, 1),
        seed: int | None = None,
        epoch: int = 0,
        start: str | None = None,
    ) -> RowStream:
        """Return rows of a phase in which each family has its share, at any point of the stream.

        A family that runs out starts over; one that is larger than its share is not read to its
        end. `rows` counts all workers' rows; by default as many as the phase's families hold.
        Families without rows in this split leave their share to the others. Otherwise as
        `iterate`.
        """
        shards = self.shards(split, phase)
        total = sum(file.records for file in shards) if rows is None else rows
        order = self._order(split, phase, worker, seed, epoch, mixed=True, draws=total)
        return mixture(order, shards, self.weights(phase), self.prove, start)

    def prove(self, file: ReleaseFile) -> ProvenShard:
        """Return a shard proven whole, unless the release was withdrawn meanwhile."""
        self.refuse_withdrawn()
        return prove_shard(self.store, file, sleep=self.sleep)

    def read_object(self, file: ReleaseFile) -> bytes:
        """Return an object's bytes (at most its listed size), proven against the manifest."""
        try:
            held = steadily(lambda: self.store.get(file.key, limit=file.size), sleep=self.sleep)
        except (Missing, TooLarge):
            raise altered(file) from None
        if len(held.body) != file.size or sha256_hex(held.body) != file.sha256:
            raise altered(file)
        return held.body

    def refuse_withdrawn(self) -> None:
        """Raise `Withdrawn` when the release must no longer be used."""
        if self.allow_withdrawn:
            return
        version = self.manifest.version
        if steadily(
            lambda: is_withdrawn(self.store, version, exports=self.exports), sleep=self.sleep
        ):
            raise Withdrawn(
                "release.withdrawn", "This release must no longer be used.", place=version
            )

    def _order(
        self,
        split: str,
        phase: str,
        worker: tuple[int, int],
        seed: int | None,
        epoch: int,
        *,
        mixed: bool = False,
        draws: int = 0,
    ) -> Order:
        index, workers = worker
        if not 0 <= index < workers:
            raise ReleaseError("release.worker", "The worker's index is not below their number.")
        return Order(
            manifest=self.manifest.sha256,
            split=split,
            phase=phase,
            mixed=mixed,
            draws=draws,
            seed=seed,
            epoch=epoch,
            worker=(index, workers),
        )


def open_release(
    store: ObjectStore,
    version: str,
    *,
    exports: str = EXPORTS,
    manifest_sha256: str | None = None,
    allow_withdrawn: bool = False,
    sleep: Callable[[float], None] = time.sleep,
) -> Release:
    """Open a release by its version, by its prefix, or the one `latest.json` names.

    Args:
        store: the bucket; a key that may only read is enough.
        version: `v2026-11-21`, `latest`, or `[s3://bucket/]exports/releases/v2026-11-21/`.
        exports: where releases stand; a prefix brings its own.
        manifest_sha256: open nothing but the manifest of this digest.
        allow_withdrawn: for looking back, never for training.
        sleep: waits between attempts, in seconds.

    Raises:
        NoSuchRelease: there is no manifest, whatever else lies under the prefix.
        Withdrawn: the release must no longer be used.
        ReleaseError: the manifest or the routing is not what it should be.
        BadName: `version` is not a version.
    """
    exports, version = _located(store, version, exports)
    pointed = read_latest(store, exports, sleep=sleep) if version == "latest" else None
    if version == "latest" and pointed is None:
        raise NoSuchRelease("release.none", "Nothing has been released yet.", place=exports)
    name = pointed[0] if pointed is not None else parse_version(version)
    manifest = steadily(lambda: load_manifest(store, name, exports=exports), sleep=sleep)
    if pointed is not None and manifest.sha256 != pointed[1]:
        raise ReleaseError(
            "release.latest_differs", "latest.json names another manifest.", place=name
        )
    if manifest_sha256 not in (None, manifest.sha256):
        raise ReleaseError(
            "release.other_manifest", "This is not the manifest that was asked for.", place=name
        )
    bare = Release(
        store=store,
        exports=exports,
        manifest=manifest,
        routing=Routing("", "", []),
        allow_withdrawn=allow_withdrawn,
        sleep=sleep,
    )
    bare.refuse_withdrawn()
    return replace(bare, routing=_routing(bare))


def _located(store: ObjectStore, version: str, exports: str) -> tuple[str, str]:
    """Return the exports prefix and the name in it that `version` means."""
    if "/" not in version:
        return exports, version
    path = version
    if version.startswith("s3://"):
        bucket, _, path = version.removeprefix("s3://").partition("/")
        if bucket != store.bucket:
            raise ReleaseError("release.other_bucket", "The prefix is in another bucket.")
    path = path.strip("/").removesuffix("/manifest.json")
    folder, found, name = path.rpartition("releases/")
    if not found:
        raise BadName("name.version", "This is not the prefix of a release.")
    return folder, name


def _routing(bare: Release) -> Routing:
    manifest = bare.manifest
    for file in manifest.of_kind("routing"):
        if file.key == manifest.document["routing"]["key"]:
            return parse_routing(bare.read_object(file), place=file.key)
    raise ReleaseError("release.absent", "The release lists no routing.", place=manifest.version)
