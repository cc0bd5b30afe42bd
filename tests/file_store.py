"""A bucket in a folder, so that several processes can share one without a server."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, unquote

from core.model.dataset import SourceObject
from core.model.errors import Changed, Exists, Missing, StorageError, TooLarge
from core.storage.ports import Held

LISTED = datetime(2026, 11, 21, tzinfo=UTC).replace(tzinfo=None)


def etag_of(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class FileStore:
    """An `ObjectStore` without versions. Picklable; calling it returns itself."""

    folder: Path
    bucket: str = "folder"

    def __call__(self) -> FileStore:
        return self

    def put(self, key: str, body: bytes) -> None:
        self._path(key).write_bytes(body)

    def list(self, prefix: str, *, start_after: str = "") -> Iterator[SourceObject]:
        keys = sorted(unquote(path.name) for path in self.folder.iterdir())
        for key in keys:
            if key.startswith(prefix) and key > start_after:
                body = self._body(key)
                yield SourceObject(key=key, size=len(body), etag=etag_of(body), modified=LISTED)

    def get(self, key: str, *, limit: int, if_match: str | None = None) -> Held:
        body = self._body(key)
        if if_match is not None and if_match != etag_of(body):
            raise Changed("storage.changed", "The object changed.", place=key)
        if len(body) > limit:
            raise TooLarge("storage.too_large", "The object is too large.", place=key)
        return Held(body=body, etag=etag_of(body))

    def head_bytes(self, key: str, count: int) -> bytes:
        return self._body(key)[:count]

    def stream(
        self, key: str, *, if_match: str | None = None, version_id: str | None = None
    ) -> Iterator[bytes]:
        body = self.get(key, limit=1 << 40, if_match=if_match).body
        for start in range(0, len(body), 1 << 16):
            yield body[start : start + (1 << 16)]

    def put_if_absent(self, key: str, body: bytes) -> None:
        aside = self.folder / f"..{os.getpid()}"
        aside.write_bytes(body)
        try:
            os.link(aside, self._path(key))
        except FileExistsError:
            raise Exists("storage.exists", "Something is there.", place=key) from None
        finally:
            aside.unlink()

    def put_if_match(self, key: str, body: bytes, etag: str) -> None:
        self.get(key, limit=1 << 40, if_match=etag)
        self.put(key, body)

    def copy(self, source: str, target: str) -> None:
        self.put(target, self._body(source))

    def was_ever(self, key: str) -> bool:
        return False

    def can_lock(self) -> bool:
        return False

    def retain(self, key: str, until: datetime) -> None:
        raise StorageError("storage.no_lock", "A folder has no object lock.", place=key)

    def delete(self, key: str) -> None:
        self._path(key).unlink(missing_ok=True)

    def server_time(self) -> datetime:
        return datetime.now(UTC)

    def _path(self, key: str) -> Path:
        return self.folder / quote(key, safe="")

    def _body(self, key: str) -> bytes:
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError:
            raise Missing("storage.missing", "No such object.", place=key) from None
