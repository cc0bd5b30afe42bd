"""Training reads a release by its prefix, and gets no record of a shard before all of it is proven.

    release = open_release(store, "latest", exports="exports/")
    for row in release.iterate("train", worker=(0, 4)):
        row["messages"], row["metadata"]

The manifest is where reading starts; nothing is listed. `latest.json` only suggests a name.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from core.canonical import sha256_hex
from core.model.errors import Missing, NoSuchRelease, ReleaseError, TooLarge, Withdrawn
from core.model.names import parse_version
from core.model.release import ReleaseFile
from core.release.latest import read_latest
from core.release.manifest import Manifest
from core.release.objects import steadily
from core.release.routing import Routing, parse_routing
from core.release.rows import parse_row, split_lines
from core.release.verify import is_withdrawn, load_manifest
from core.storage.ports import ObjectStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """An open release. Nothing of it has been read but its manifest and its routing."""

    store: ObjectStore = field(repr=False)
    manifest: Manifest = field(repr=False)
    routing: Routing = field(repr=False)
    sleep: Callable[[float], None] = field(repr=False, default=time.sleep)

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that hold records."""
        return tuple(self.manifest.document["export"]["splits"])

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
        self, split: str, phase: str | None = None, *, worker: tuple[int, int] = (0, 1)
    ) -> Iterator[dict[str, Any]]:
        """Yield every row of a split that falls to this worker, as `{"messages", "metadata"}`.

        `worker` is (index, number of workers): each row goes to exactly one of them. Rows are
        dealt one by one, so that few shards keep many workers busy; every worker reads and
        proves every shard.

        Raises:
            ReleaseError: a shard is absent or altered; none of its records was yielded.
        """
        index, workers = worker
        if not 0 <= index < workers:
            raise ReleaseError("release.worker", "The worker's index is not below their number.")
        position = 0
        for file in self.shards(split, phase):
            for number, line in enumerate(split_lines([self.read_shard(file)], key=file.key), 1):
                if position % workers == index:
                    row = parse_row(line, place=f"{file.key}:{number}")
                    yield msgspec.to_builtins(row)
                position += 1

    def read_shard(self, file: ReleaseFile) -> bytes:
        """Return a shard's bytes (at most its listed size), proven against the manifest."""
        try:
            held = steadily(lambda: self.store.get(file.key, limit=file.size), sleep=self.sleep)
        except (Missing, TooLarge):
            raise _altered(file) from None
        if len(held.body) != file.size or sha256_hex(held.body) != file.sha256:
            raise _altered(file)
        return held.body


def open_release(
    store: ObjectStore,
    version: str,
    *,
    exports: str,
    allow_withdrawn: bool = False,
    sleep: Callable[[float], None] = time.sleep,
) -> Release:
    """Open a version, or the one `latest.json` names when `version` is "latest".

    Raises:
        NoSuchRelease: there is no manifest, whatever else lies under the prefix.
        Withdrawn: the release must no longer be used.
        ReleaseError: the manifest or the routing is not what it should be.
        BadName: `version` is not a version.
    """
    pointed = read_latest(store, exports, sleep=sleep) if version == "latest" else None
    if version == "latest" and pointed is None:
        raise NoSuchRelease("release.none", "Nothing has been released yet.", place=exports)
    name = pointed[0] if pointed is not None else parse_version(version)
    manifest = steadily(lambda: load_manifest(store, name, exports=exports), sleep=sleep)
    if pointed is not None and manifest.sha256 != pointed[1]:
        raise ReleaseError(
            "release.latest_differs", "latest.json names another manifest.", place=name
        )
    withdrawn = steadily(lambda: is_withdrawn(store, name, exports=exports), sleep=sleep)
    if withdrawn and not allow_withdrawn:
        raise Withdrawn("release.withdrawn", "This release must no longer be used.", place=name)
    routing = _routing(store, manifest, sleep=sleep)
    return Release(store=store, manifest=manifest, routing=routing, sleep=sleep)


def _routing(store: ObjectStore, manifest: Manifest, *, sleep: Callable[[float], None]) -> Routing:
    for file in manifest.of_kind("routing"):
        if file.key == manifest.document["routing"]["key"]:
            bare = Release(store=store, manifest=manifest, routing=Routing("", "", []), sleep=sleep)
            return parse_routing(bare.read_shard(file), place=file.key)
    raise ReleaseError("release.absent", "The release lists no routing.", place=manifest.version)


def _altered(file: ReleaseFile) -> ReleaseError:
    return ReleaseError(
        "release.altered",
        "An object of the release is not what its manifest lists.",
        place=file.key,
    )
