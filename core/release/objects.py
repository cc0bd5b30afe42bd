"""Every object of a release is put under its name, read back whole, and repaired or refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from core.model.dataset import Shard
from core.model.errors import (
    Changed,
    KeyTaken,
    Missing,
    OutcomeUnknown,
    ReleaseError,
    TooLarge,
    Transient,
)
from core.release.rows import ShardReading, read_shard
from core.storage.ports import Held, ObjectStore
from core.storage.put_once import put_once

Sleep = Callable[[float], None]
Result = TypeVar("Result")
TRIES = 5


def steadily(act: Callable[[], Result], *, sleep: Sleep) -> Result:
    """Do what may be repeated at will until it is done; the last failure is let through."""
    for attempt in range(TRIES - 1):
        try:
            return act()
        except Transient:
            sleep(0.1 * 2**attempt)
    return act()


def place(store: ObjectStore, key: str, body: bytes, *, sleep: Sleep) -> None:
    """Make `key` hold `body`, replacing other bytes only where no release can name them yet.

    Only for keys of a version without a manifest: under a digest name other bytes are damage,
    under a plain name they are left from an abandoned attempt.
    """
    for attempt in range(TRIES):
        try:
            put_once(store, key, body, sleep=sleep)
        except KeyTaken:
            _replace(store, key, body, sleep=sleep)
        if _holds(store, key, body, sleep=sleep):
            return
        sleep(0.05 * 2**attempt)
    raise _not_read_back(key)


def _replace(store: ObjectStore, key: str, body: bytes, *, sleep: Sleep) -> None:
    held = held_or_none(store, key, limit=1 << 30, sleep=sleep)
    if held is None or held.body == body:
        return
    try:
        store.put_if_match(key, body, held.etag)
    except (Changed, Missing, Transient):
        # Whoever was first, and whatever became of it, reading back decides.
        return


def _holds(store: ObjectStore, key: str, body: bytes, *, sleep: Sleep) -> bool:
    try:
        held = held_or_none(store, key, limit=len(body), sleep=sleep)
    except TooLarge:
        return False
    return held is not None and held.body == body


def held_or_none(store: ObjectStore, key: str, *, limit: int, sleep: Sleep) -> Held | None:
    """Return what `key` holds, or None when it is absent."""
    try:
        return steadily(lambda: store.get(key, limit=limit), sleep=sleep)
    except Missing:
        return None
    except Transient:
        raise OutcomeUnknown(
            "storage.outcome_unknown", "The bucket cannot be read; resume later.", place=key
        ) from None


def read_back(store: ObjectStore, key: str, *, sleep: Sleep) -> ShardReading:
    """Read one shard to its end, starting over when the connection breaks."""
    return steadily(lambda: read_shard(store.stream(key), key=key), sleep=sleep)


def copy_shard(store: ObjectStore, shard: Shard, target: str, *, sleep: Sleep) -> ShardReading:
    """Copy a shard inside the bucket and prove every byte of the copy."""
    for _ in range(2):
        steadily(lambda: store.copy(shard.key, target), sleep=sleep)
        reading = read_back(store, target, sleep=sleep)
        if not shard_faults(shard, reading):
            return reading
    raise _not_read_back(target)


def shard_faults(shard: Shard, reading: ShardReading) -> tuple[str, ...]:
    """Return what is wrong with a reading of a shard: codes with places, never text."""
    faults = list(reading.faults)
    for name, said, found in (
        ("digest", shard.sha256, reading.sha256),
        ("size", shard.size, reading.size),
        ("records", shard.records, reading.records),
    ):
        if said != found:
            faults.append(f"release.{name} {reading.key}")
    if set(reading.families) - {shard.family}:
        faults.append(f"release.row_family {reading.key}")
    if set(reading.splits) - {shard.split}:
        faults.append(f"release.row_split {reading.key}")
    return tuple(faults)


def _not_read_back(key: str) -> ReleaseError:
    return ReleaseError(
        "release.read_back",
        "What was written does not read back as it was sent; nothing was published.",
        place=key,
    )
