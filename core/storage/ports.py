"""What the desk needs of a bucket and of a clock; the simulator and the real one both are it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from core.model.dataset import SourceObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The bytes of an object with the etag (and version id, where there is one) they came with."""

    body: bytes
    etag: str
    version_id: str | None = None


class ObjectStore(Protocol):
    """A bucket. Every method raises a child of `core.model.errors.StorageError`, or nothing.

    `Forbidden` for 401/403, `Missing` for an absent key or version, `Transient` for 5xx,
    time-outs and resets, `StorageError` for everything else.
    """

    @property
    def bucket(self) -> str:
        """The bucket's name."""

    def list(self, prefix: str, *, start_after: str = "") -> Iterator[SourceObject]:
        """Yield every object under `prefix` in key order, over all pages."""

    def get(self, key: str, *, limit: int, if_match: str | None = None) -> Held:
        """Return the whole object.

        Raises `TooLarge` beyond `limit` bytes, `Changed` when `if_match` no longer holds.
        """

    def head_bytes(self, key: str, count: int) -> bytes:
        """Return the first `count` bytes, or fewer when the object is shorter."""

    def stream(
        self, key: str, *, if_match: str | None = None, version_id: str | None = None
    ) -> Iterator[bytes]:
        """Yield the object's bytes in blocks. Raises `Changed` when `if_match` fails."""

    def put_if_absent(self, key: str, body: bytes) -> None:
        """Put with `If-None-Match: *` and the SHA-256 given.

        Raises `Exists` on 412 and `Transient` when the outcome is not known (409 included).
        """

    def put_if_match(self, key: str, body: bytes, etag: str) -> None:
        """Put with `If-Match`. Raises `Changed` on 412, `Missing` on 404, else as above."""

    def copy(self, source: str, target: str) -> None:
        """Copy inside the bucket without condition; for content-addressed keys only."""

    def was_ever(self, key: str) -> bool:
        """Whether any version or delete marker of `key` exists. False where unversioned."""

    def can_lock(self) -> bool:
        """Whether the bucket has object lock."""

    def retain(self, key: str, until: datetime) -> None:
        """Keep the present version of `key` from being removed until `until` (aware UTC).

        GOVERNANCE mode: whoever may bypass it can still remove what the law wants gone. A
        retention that lasts longer is left as it is. Raises `StorageError` with code
        `storage.not_retained` when the server says yes and keeps nothing.
        """

    def delete(self, key: str) -> None:
        """Delete one key. Only `probe` and a sweep by hand call it."""

    def server_time(self) -> datetime:
        """The server's own clock, aware UTC, from the Date header of a cheap request."""


class Clock(Protocol):
    """Where time comes from."""

    def now(self) -> datetime:
        """The present, aware UTC."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present, aware UTC."""
        return datetime.now(UTC)


def timestamp(moment: datetime) -> str:
    """Return `moment` as ISO 8601 UTC with whole seconds, the form stored everywhere."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
