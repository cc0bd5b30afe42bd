"""What lies under the releases and belongs to none is listed by hand, and removed by hand alone.

Nothing here runs inside a publication. A prefix whose manifest was there once and is gone is
evidence and never swept; a version with a live intent is somebody's work; a young object may be.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby

from core.canonical import canonical_bytes, sha256_hex
from core.model.dataset import SourceObject
from core.model.errors import BadName, Exists, Missing, NoSuchRelease, OutcomeUnknown, ReleaseError
from core.model.names import ReviewerId, Version, parse_version
from core.release.claim import SWEEP_BEGUN, SWEEP_DONE, VersionState, version_state
from core.release.layout import MANIFEST, WITHDRAWN, release_prefix, releases_prefix
from core.release.verify import load_manifest
from core.storage.journal import EMPTY_HEAD, Journal
from core.storage.ports import ObjectStore, timestamp

KEEP = timedelta(days=7)
"""Younger objects may be a publication under way (reference: reliability, protocol, orphans)."""
_RACES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphan:
    """An object under the releases that no manifest lists. Empty `kept`: it may be removed."""

    key: str
    size: int
    modified: str
    version: str
    kept: str


def list_orphans(store: ObjectStore, journal: Journal, exports: str) -> tuple[Orphan, ...]:
    """Return everything under the releases that belongs to no release, and why any of it stays.

    Raises:
        ReleaseError: a manifest stands and cannot be read; nothing is judged without it.
    """
    prefix, now = releases_prefix(exports), store.server_time()
    found: list[Orphan] = []
    for name, items in groupby(store.list(prefix), lambda item: _folder(item.key, prefix)):
        found += _of_version(store, journal, exports, name, items, now)
    return tuple(found)


def sweep_version(
    store: ObjectStore, journal: Journal, exports: str, version: Version, *, by: ReviewerId
) -> tuple[Orphan, ...]:
    """Remove one version's orphans that may go; return them. Repeating it finishes a broken one.

    The journal says what will go before anything goes, and closes the name to publishers in
    between, so that no publication finds an object that is about to vanish.

    Raises:
        ReleaseError: `release.nothing_to_sweep`, `release.sweep_refused`.
        Forbidden: the desk's credentials may not delete, as they should not.
    """
    for _ in range(_RACES):
        entries = journal.replay()
        state = version_state(entries, version)
        mine = [item for item in list_orphans(store, journal, exports) if item.version == version]
        going = tuple(item for item in mine if not item.kept)
        if not going and state.sweeping is None:
            raise ReleaseError(
                "release.nothing_to_sweep",
                f"Nothing of this version may be removed; {len(mine)} objects are kept.",
                place=mine[0].kept if mine else version,
            )
        if state.sweeping is not None:
            begun = state.sweeping
            break
        event = {
            "type": SWEEP_BEGUN,
            "version": version,
            "objects": len(going),
            "bytes": sum(item.size for item in going),
            "keys_sha256": sha256_hex(canonical_bytes([item.key for item in going])),
            "keys": [item.key for item in going[:1000]],
        }
        try:
            head = entries[-1].digest if entries else EMPTY_HEAD
            begun = journal.append_after(head, by, event).digest
        except Exists:
            continue
        break
    else:
        raise OutcomeUnknown("journal.crowded", "The journal is too busy; try again.")
    for item in going:
        try:
            store.delete(item.key)
        except Missing:
            continue
    journal.append(
        by,
        {
            "type": SWEEP_DONE,
            "id": f"{SWEEP_DONE}:{begun}",
            "version": version,
            "begun": begun,
        },
    )
    return going


def _of_version(
    store: ObjectStore,
    journal: Journal,
    exports: str,
    name: str,
    items: Iterable[SourceObject],
    now: datetime,
) -> list[Orphan]:
    listed, kept = _known(store, journal, exports, name)
    found = []
    for item in items:
        if item.key in listed:
            continue
        modified = item.modified.replace(tzinfo=UTC)
        found.append(
            Orphan(
                key=item.key,
                size=item.size,
                modified=timestamp(modified),
                version=name,
                kept=kept or ("younger than 7 days" if now - modified < KEEP else ""),
            )
        )
    return found


def _known(
    store: ObjectStore, journal: Journal, exports: str, name: str
) -> tuple[frozenset[str], str]:
    """Return the keys that belong to the version's release, and why none of the rest may go."""
    try:
        version = parse_version(name)
    except BadName:
        return frozenset(), "not the name of a version"
    prefix = release_prefix(exports, version)
    state = version_state(journal.replay(), version)
    try:
        manifest = load_manifest(store, version, exports=exports)
    except NoSuchRelease:
        return frozenset(), _why_kept(store, prefix, state)
    own = {prefix + MANIFEST, prefix + WITHDRAWN}
    return frozenset({*own, *(file.key for file in manifest.files)}), ""


def _why_kept(store: ObjectStore, prefix: str, state: VersionState) -> str:
    if state.committed is not None or store.was_ever(prefix + MANIFEST):
        return "its manifest is gone: evidence"
    return "claimed by a publication" if state.live is not None else ""


def _folder(key: str, prefix: str) -> str:
    return key.removeprefix(prefix).split("/")[0]
