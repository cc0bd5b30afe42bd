"""A listing that was cut short goes on where it stopped, and never mixes two buckets' pages.

Pages are kept in the workspace as they arrive, each named by the key it begins after. Whoever
goes on first asks the bucket for the last page again: when it answers otherwise, or the pages
have grown old, everything is listed anew. What changes behind the resuming hand meanwhile is
caught where it matters: an object is read only under the etag that was listed.
"""

from __future__ import annotations

import gzip
import os
import time
import uuid
import zlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path

import msgspec

from core.canonical import sha256_hex
from core.model.dataset import SourceObject
from core.model.progress import Progress, silent
from core.storage.ports import ObjectStore

PAGE = 5000
"""Objects in a stored page."""
OLDEST_SECONDS = 3600
"""Pages older than this are listed anew: too much may have happened before their last key."""

_SUFFIX = ".page.gz"


class _Page(msgspec.Struct, frozen=True):
    """One stored page: after which key it begins, when its listing began, and its objects."""

    after: str
    at: float
    sha256: str
    rows: bytes


_Row = tuple[str, int, str, str, str | None]


class ListingPages:
    """The pages of one listing under way, in a folder of their own.

    Args:
        folder: where pages lie; one folder per bucket.
        exclude: our own prefix, which is never listed.
        now: when this listing (or the going on) begins, in seconds since the epoch.
        page: objects per page.
        seconds: a clock that never goes back, by which the rate is told.
    """

    def __init__(
        self,
        folder: Path,
        *,
        exclude: str,
        now: float,
        page: int = PAGE,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._exclude = exclude
        self._now = now
        self._page = page
        self._seconds = seconds

    def list_all(
        self, store: ObjectStore, progress: Progress = silent
    ) -> tuple[list[SourceObject], bool]:
        """Return every object not our own, and whether stored pages were gone on from.

        Progress is told the count so far and how fast it grows; the total is not known
        beforehand, and so is 0.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        kept = self._standing(store)
        objects = [item for page in kept for item in page]
        resumed = bool(objects)
        number = len(kept)
        after = objects[-1].key if objects else ""
        listed = self._listed(store, after)
        before, began = len(objects), self._seconds()
        while page := list(islice(listed, self._page)):
            objects.extend(page)
            self._keep(number, after, page)
            number, after = number + 1, page[-1].key
            rate = (len(objects) - before) / max(self._seconds() - began, 0.001)
            progress(len(objects), 0, f"{len(objects):,} objects so far, {rate:,.0f} a second")
        return objects, resumed

    def forget(self) -> None:
        """Drop the stored pages, once the listing they made is safe elsewhere."""
        for path in self._folder.glob(f"*{_SUFFIX}"):
            path.unlink(missing_ok=True)

    def _standing(self, store: ObjectStore) -> list[list[SourceObject]]:
        """Return the stored pages that still hold; otherwise forget them all."""
        pages = self._stored()
        if pages and not self._same(pages, store):
            pages = []
        if not pages:
            self.forget()
        return pages

    def _listed(self, store: ObjectStore, after: str) -> Iterator[SourceObject]:
        listed = store.list("", start_after=after)
        return (item for item in listed if not item.key.startswith(self._exclude))

    def _same(self, pages: list[list[SourceObject]], store: ObjectStore) -> bool:
        """Whether the bucket still answers the last page as it was stored."""
        after = pages[-2][-1].key if len(pages) > 1 else ""
        again = islice(self._listed(store, after), len(pages[-1]))
        return [_row(item) for item in again] == [_row(item) for item in pages[-1]]

    def _stored(self) -> list[list[SourceObject]]:
        pages: list[list[SourceObject]] = []
        after = ""
        for number, path in enumerate(sorted(self._folder.glob(f"*{_SUFFIX}"))):
            page = _read(path)
            if page is None or path.name != _name(number) or page.after != after:
                return []
            if not 0 <= self._now - page.at <= OLDEST_SECONDS:
                return []
            objects = list(_objects(page.rows))
            if not objects:
                return []
            pages.append(objects)
            after = objects[-1].key
        return pages

    def _keep(self, number: int, after: str, page: Sequence[SourceObject]) -> None:
        rows = msgspec.json.encode([_row(item) for item in page])
        body = msgspec.msgpack.encode(
            _Page(after=after, at=self._now, sha256=sha256_hex(rows), rows=rows)
        )
        aside = self._folder / f".{uuid.uuid4().hex}"
        aside.write_bytes(gzip.compress(body, compresslevel=1, mtime=0))
        os.replace(aside, self._folder / _name(number))


def _name(number: int) -> str:
    return f"{number:08d}{_SUFFIX}"


def _row(item: SourceObject) -> _Row:
    return (item.key, item.size, item.etag, item.modified.isoformat(), item.version_id)


def _read(path: Path) -> _Page | None:
    """Return a page, or None when it was cut short or altered."""
    try:
        page = msgspec.msgpack.decode(gzip.decompress(path.read_bytes()), type=_Page)
    except (OSError, EOFError, zlib.error, msgspec.DecodeError):
        return None
    return page if sha256_hex(page.rows) == page.sha256 else None


def _objects(rows: bytes) -> Iterator[SourceObject]:
    for key, size, etag, modified, version_id in msgspec.json.decode(rows, type=list[_Row]):
        yield SourceObject(
            key=key,
            size=size,
            etag=etag,
            modified=datetime.fromisoformat(modified),
            version_id=version_id,
        )
