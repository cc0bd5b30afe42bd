"""A file may stand in for a listing: an S3 Inventory, or a plain table of keys.

What such a file says is as old as the file. Nothing is read on its word alone: every object is
opened under the etag the file gives, and one that changed since is refused by name.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote_plus

import pyarrow as pa
import pyarrow.parquet as pq

from core.canonical import NotCanonical, decode, sha256_hex
from core.model.dataset import SourceObject
from core.model.errors import IntakeError, Missing
from core.model.names import Digest
from core.storage.ports import ObjectStore

FILE_LIMIT: Final = 1 << 30
"""Bytes of one listing file, unpacked."""
_PARQUET: Final = b"PAR1"
_GZIP: Final = b"\x1f\x8b"
# Names of the same column in S3 Inventory (CSV, Parquet), in the API and in people's tables.
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "bucket": ("bucket",),
    "key": ("key", "name", "path", "object"),
    "size": ("size", "bytes", "contentlength"),
    "etag": ("etag",),
    "modified": ("lastmodifieddate", "lastmodified", "modified", "date"),
    "latest": ("islatest",),
    "marker": ("isdeletemarker",),
}
_NEEDED: Final = ("key", "size", "etag", "modified")
Cells = Mapping[str, Any]
Fetch = Callable[[str], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingFile:
    """The objects a file names, and the SHA-256 of the file (of the manifest, of an inventory)."""

    objects: tuple[SourceObject, ...]
    sha256: Digest


def read_listing_key(store: ObjectStore, key: str, *, bucket: str) -> ListingFile:
    """Read the listing file or Inventory manifest at `key` of the bucket itself.

    Raises:
        Missing: there is no such object, or a manifest names a file that is not there.
        IntakeError: as `read_listing_path`.
    """
    return _read(lambda name: store.get(name, limit=FILE_LIMIT).body, key, bucket)


def read_listing_path(path: Path, *, bucket: str) -> ListingFile:
    """Read the listing file or Inventory manifest at `path` of this machine.

    A manifest's data files are looked for beside it, in `data/` beside it, and in `data/` one
    folder up, where S3 puts them; only their last name counts.

    Raises:
        IntakeError: `inventory.file_absent`, `inventory.not_a_listing`,
            `inventory.columns`, `inventory.cell`, `inventory.other_bucket`,
            `inventory.file_damaged`.
    """

    def fetch(name: str) -> bytes:
        if name == path.name:
            return _file(path)
        last = Path(name).name
        beside = path.parent
        places = (beside / last, beside / "data" / last, beside.parent / "data" / last)
        return _file(next((place for place in places if place.is_file()), beside / last))

    return _read(fetch, path.name, bucket)


def _file(path: Path) -> bytes:
    try:
        if path.stat().st_size > FILE_LIMIT:
            raise _not_a_listing(path.name)
        return path.read_bytes()
    except OSError:
        raise IntakeError(
            "inventory.file_absent", "There is no such listing file.", place=path.name
        ) from None


def _read(fetch: Fetch, name: str, bucket: str) -> ListingFile:
    body = fetch(name)
    manifest = _manifest(body)
    rows = _plain(body, name) if manifest is None else _inventory(manifest, fetch, name, bucket)
    objects = tuple(_objects(rows, name, bucket))
    if not objects:
        raise _not_a_listing(name)
    return ListingFile(objects=objects, sha256=sha256_hex(body))


def _manifest(body: bytes) -> Mapping[str, Any] | None:
    if body.lstrip()[:1] != b"{":
        return None
    try:
        value = decode(body)
    except NotCanonical:
        return None
    return value if isinstance(value, dict) and "files" in value else None


def _inventory(
    manifest: Mapping[str, Any], fetch: Fetch, name: str, bucket: str
) -> Iterator[Cells]:
    """Yield the rows of every data file of an S3 Inventory, each held against its MD5."""
    source, form, schema = (
        str(manifest.get(field, "")) for field in ("sourceBucket", "fileFormat", "fileSchema")
    )
    files = manifest["files"]
    if form not in ("CSV", "Parquet") or not isinstance(files, list):
        raise _not_a_listing(name)
    if source != bucket:
        raise _other_bucket(name)
    header = [column.strip() for column in schema.split(",")] if form == "CSV" else []
    for file in files:
        if not isinstance(file, dict) or not isinstance(file.get("key"), str):
            raise _not_a_listing(name)
        body = _data(fetch, file)
        if form == "Parquet":
            yield from _parquet(body, name)
        else:
            for row in _table(_unpacked(body, name), header, name):
                yield {**row, "key": unquote_plus(row["key"])}


def _data(fetch: Fetch, file: Mapping[str, Any]) -> bytes:
    place = str(file["key"])
    try:
        body = fetch(place)
    except Missing:
        raise IntakeError(
            "inventory.file_absent", "The manifest names a file that is not there.", place=place
        ) from None
    said = file.get("MD5checksum")
    if said and hashlib.md5(body, usedforsecurity=False).hexdigest() != str(said).lower():
        raise IntakeError(
            "inventory.file_damaged",
            "A file of the inventory is not the one its manifest describes.",
            place=place,
        )
    return body


def _plain(body: bytes, name: str) -> Iterator[Cells]:
    if body[:4] == _PARQUET:
        return _parquet(body, name)
    return _table(_unpacked(body, name), None, name)


def _unpacked(body: bytes, name: str) -> bytes:
    if body[:2] != _GZIP:
        return body
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as file:
            plain = file.read(FILE_LIMIT + 1)
    except (OSError, EOFError, ValueError):
        raise _not_a_listing(name) from None
    if len(plain) > FILE_LIMIT:
        raise _not_a_listing(name)
    return plain


def _table(body: bytes, header: Sequence[str] | None, name: str) -> Iterator[dict[str, str]]:
    """Yield the rows of a CSV; without `header` its first row is one."""
    try:
        text = body.decode("utf-8-sig")
        rows = csv.reader(io.StringIO(text, newline=""), strict=True)
        names = _known(header if header is not None else next(rows, []), name)
        for number, row in enumerate(rows, 1):
            if not row:
                continue
            if len(row) != len(names):
                raise _bad_cell(name, number)
            yield {known: cell for known, cell in zip(names, row, strict=True) if known}
    except (UnicodeDecodeError, csv.Error):
        raise _not_a_listing(name) from None


def _parquet(body: bytes, name: str) -> Iterator[Cells]:
    try:
        file = pq.ParquetFile(io.BytesIO(body))
        columns = file.schema_arrow.names
        names = dict(zip(columns, _known(columns, name), strict=True))
        wanted = [column for column, known in names.items() if known]
        for batch in file.iter_batches(batch_size=10_000, columns=wanted):
            for row in batch.to_pylist():
                yield {names[column]: cell for column, cell in row.items()}
    except (pa.ArrowException, OSError):
        raise _not_a_listing(name) from None


def _known(header: Iterable[str], place: str) -> list[str]:
    """Return our name for each column, "" for one we do not need."""
    plain = ["".join(c for c in column.casefold() if c.isalnum()) for column in header]
    names = [
        next((ours for ours, theirs in _NAMES.items() if column in theirs), "") for column in plain
    ]
    if any(names.count(needed) != 1 for needed in _NEEDED):
        raise IntakeError(
            "inventory.columns",
            "A listing file needs one column each for key, size, etag and last modified.",
            place=place,
        )
    return names


def _objects(rows: Iterable[Cells], name: str, bucket: str) -> Iterator[SourceObject]:
    for number, row in enumerate(rows, 1):
        if row.get("bucket", bucket) != bucket:
            raise _other_bucket(name)
        if _truth(row.get("marker"), default=False) or not _truth(row.get("latest"), default=True):
            continue
        try:
            yield _object(row)
        except (ValueError, TypeError, KeyError):
            raise _bad_cell(name, number) from None


def _object(row: Cells) -> SourceObject:
    key, etag, size = row["key"], row["etag"], int(row["size"])
    if not isinstance(key, str) or not isinstance(etag, str) or size < 0:
        raise ValueError
    etag = etag.strip('"')
    if not key or not etag:
        raise ValueError
    # No version id: the same objects listed either way are the same listing.
    return SourceObject(key=key, size=size, etag=etag, modified=_moment(row["modified"]))


def _moment(value: Any) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)


def _truth(value: Any, *, default: bool) -> bool:
    if value is None or value == "":
        return default
    return value if isinstance(value, bool) else str(value).casefold() == "true"


def _not_a_listing(place: str) -> IntakeError:
    return IntakeError(
        "inventory.not_a_listing",
        "This is no S3 Inventory manifest, and no CSV or Parquet table of objects.",
        place=place,
    )


def _other_bucket(place: str) -> IntakeError:
    return IntakeError(
        "inventory.other_bucket", "This file lists another bucket than the desk's.", place=place
    )


def _bad_cell(place: str, row: int) -> IntakeError:
    return IntakeError(
        "inventory.cell", "A row of the listing file cannot be used.", place=f"{place}, row {row}"
    )
