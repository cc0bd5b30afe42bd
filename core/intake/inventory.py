"""A listing is what the bucket held at one moment, named by a digest that dates do not change.

With each object it keeps since when listings have held that very version. A build dates its rows
by that, so that a new listing leaves the rows of everything unchanged as they are.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Final

import msgspec
import pyarrow as pa
from duckdb import DuckDBPyConnection as Connection

from core.canonical import canonical_bytes, sha256_hex
from core.model.dataset import SourceObject
from core.model.errors import IntakeError, KeyTaken
from core.model.names import Digest
from core.storage.duck import write_snapshot
from core.storage.ports import ObjectStore
from core.storage.put_once import put_once

SCHEMA: Final = "release-desk/listing/2"
_EVERY: Final = 1000
_STORED_LIMIT: Final = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Every object outside our own prefix, in key order. `bytes` is their size together."""

    objects: tuple[SourceObject, ...]
    digest: Digest
    bytes: int


def make_listing(objects: list[SourceObject]) -> Listing:
    """Return the listing of these objects, whatever order they come in.

    Raises:
        IntakeError: `intake.listed_twice` when a key stands twice.
    """
    ordered = tuple(sorted(objects, key=lambda item: item.key))
    for former, item in pairwise(ordered):
        if former.key == item.key:
            raise IntakeError(
                "intake.listed_twice",
                "The bucket listed one key twice; list again.",
                place=item.key,
            )
    named = [(item.key, item.size, item.etag, item.version_id) for item in ordered]
    return Listing(
        objects=ordered,
        digest=sha256_hex(_canonical(named)),
        bytes=sum(item.size for item in ordered),
    )


def carry_times(
    objects: Iterable[SourceObject], former: Listing | None, now: str
) -> list[SourceObject]:
    """Return the objects, each with the time `former` gives this very version of it, else `now`."""
    held = {} if former is None else {item.key: item for item in former.objects}
    dated = []
    for item in objects:
        old = held.get(item.key)
        same = old is not None and _version(old) == _version(item)
        dated.append(replace(item, listed_at=(old.listed_at if old and same else "") or now))
    return dated


def date_listing(listing: Listing, at: str) -> Listing:
    """Return the listing with `at`, its own time, where an object's is not known or is later.

    Later is what another desk's clock said that runs ahead.
    """
    if all("" < item.listed_at <= at for item in listing.objects):
        return listing
    objects = (replace(item, listed_at=min(item.listed_at or at, at)) for item in listing.objects)
    return replace(listing, objects=tuple(objects))


def _version(item: SourceObject) -> tuple[int, str, str | None]:
    return item.size, item.etag, item.version_id


def _canonical(value: object) -> bytes:
    """Return canonical bytes of lists and of tables whose keys stand in order.

    Of these msgspec writes the same bytes as `canonical_bytes`, ten times sooner.
    """
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return canonical_bytes(value)  # which refuses, by its own name


def write_listing_snapshot(listing: Listing, path: Path) -> None:
    """Put the listing at `path` as a DuckDB file with one table, `objects`, in key order."""

    def build(connection: Connection) -> None:
        connection.register("listed", _table(listing.objects))
        connection.execute("CREATE TABLE objects AS SELECT * FROM listed")
        connection.unregister("listed")

    write_snapshot(path, build)


def _table(objects: tuple[SourceObject, ...]) -> pa.Table:
    columns = pa.schema(
        [
            ("key", pa.string()),
            ("size", pa.int64()),
            ("etag", pa.string()),
            ("modified", pa.timestamp("us")),
            ("version_id", pa.string()),
        ]
    )
    rows = {name: [getattr(item, name) for item in objects] for name in columns.names}
    return pa.table(rows, schema=columns)


def listing_key(prefix: str, digest: Digest) -> str:
    """Return where the listing of this digest is kept."""
    return f"{prefix}inventory/{digest}.jsonl.gz"


def store_listing(store: ObjectStore, prefix: str, listing: Listing) -> Listing:
    """Keep the listing in the bucket under its digest; return the one that stands there.

    The first one kept stands: a later one of the same digest may differ in dates alone.

    Raises:
        IntakeError: `intake.listing_damaged` when what stands there is another listing.
    """
    try:
        put_once(store, listing_key(prefix, listing.digest), _encode(listing))
    except KeyTaken:
        return load_listing(store, prefix, listing.digest)
    return listing


def load_listing(store: ObjectStore, prefix: str, digest: Digest) -> Listing:
    """Return the listing kept under `digest`, its digest computed anew.

    One of the first format names no format and knows of no object since when it was listed.

    Raises:
        Missing: no such listing is kept.
        IntakeError: `intake.listing_damaged` when the bytes are not that listing,
            `intake.listing_schema` when they are of a format this desk cannot read.
    """
    key = listing_key(prefix, digest)
    body = store.get(key, limit=_STORED_LIMIT).body
    try:
        listing = make_listing(list(_decode(body)))
    except (OSError, EOFError, ValueError, zlib.error, msgspec.DecodeError):
        raise _damaged(key) from None
    if listing.digest != digest:
        raise _damaged(key)
    return listing


def _encode(listing: Listing) -> bytes:
    buffer = io.BytesIO()
    # No file name and no time in the header: equal listings give equal bytes.
    with gzip.GzipFile(filename="", fileobj=buffer, mode="wb", compresslevel=6, mtime=0) as file:
        file.write(_canonical({"schema": SCHEMA}) + b"\n")
        for start in range(0, len(listing.objects), _EVERY):
            some = listing.objects[start : start + _EVERY]
            file.write(b"".join(_canonical(_row(item)) + b"\n" for item in some))
    return buffer.getvalue()


def _row(item: SourceObject) -> dict[str, object]:
    return {
        "etag": item.etag,
        "key": item.key,
        "listed_at": item.listed_at,
        "modified": item.modified.isoformat(),
        "size": item.size,
        "version_id": item.version_id,
    }


def _decode(body: bytes) -> Iterator[SourceObject]:
    with gzip.GzipFile(fileobj=io.BytesIO(body)) as file:
        for number, line in enumerate(file):
            if number == 0 and b'"schema"' in line[:10]:
                if msgspec.json.decode(line) != {"schema": SCHEMA}:
                    raise IntakeError(
                        "intake.listing_schema",
                        "The stored listing has a format this desk cannot read.",
                    )
                continue
            row = msgspec.json.decode(line, type=_Row)
            yield SourceObject(
                key=row.key,
                size=row.size,
                etag=row.etag,
                modified=_naive(datetime.fromisoformat(row.modified)),
                version_id=row.version_id,
                listed_at=row.listed_at,
            )


class _Row(msgspec.Struct, forbid_unknown_fields=True):
    """One line of a stored listing; of the first format, without its time."""

    key: str
    size: int
    etag: str
    modified: str
    version_id: str | None
    listed_at: str = ""


def _naive(moment: datetime) -> datetime:
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)


def _damaged(key: str) -> IntakeError:
    return IntakeError(
        "intake.listing_damaged",
        "The stored listing is not the one its name says; take a new inventory.",
        place=key,
    )
