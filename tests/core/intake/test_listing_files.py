"""A listing file of the same objects is the same listing, and a file of other things is refused."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote_plus

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.intake.inventory import make_listing
from core.intake.listing_files import read_listing_key, read_listing_path
from core.model.dataset import SourceObject
from core.model.errors import IntakeError
from tests.listed import take_listing
from tests.simulator import Simulator

KEYS = ("a/b c .jsonl", "a/trailing /x+y%20z.csv", "q#&?'\"/\n.txt", "心理/：｜⧸.md", "plain.jsonl")
SCHEMA = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag"
PARQUET_SCHEMA = "message s3.inventory { required binary bucket (STRING); }"


def objects(simulator: Simulator) -> list[SourceObject]:
    for key in KEYS:
        simulator.put(key, key.encode())
    return list(take_listing(simulator, exclude_prefix="exports/").objects)


def inventory_csv(items: Iterable[SourceObject], bucket: str) -> bytes:
    held = io.StringIO(newline="")
    writer = csv.writer(held, quoting=csv.QUOTE_ALL)
    for item in items:
        row = [bucket, quote_plus(item.key), "v1", "true", "false", item.size]
        writer.writerow([*row, item.modified.isoformat() + "Z", item.etag])
        writer.writerow([bucket, quote_plus(item.key), "v0", "false", "false", 9, "", "old"])
    writer.writerow([bucket, "gone", "v2", "true", "true", "", "", ""])
    return gzip.compress(held.getvalue().encode())


def inventory_parquet(items: Iterable[SourceObject], bucket: str) -> bytes:
    rows = [
        {
            "bucket": bucket,
            "key": item.key,
            "is_latest": True,
            "is_delete_marker": False,
            "size": item.size,
            "last_modified_date": item.modified,
            "e_tag": item.etag,
        }
        for item in items
    ]
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    return sink.getvalue()


def manifest(
    body: bytes, form: str, *, bucket: str, name: str = "data/1.gz", md5: str | None = None
) -> bytes:
    file = {"key": name, "size": len(body), "MD5checksum": md5 or hashlib.md5(body).hexdigest()}
    schema = SCHEMA if form == "CSV" else PARQUET_SCHEMA
    return json.dumps(
        {"sourceBucket": bucket, "fileFormat": form, "fileSchema": schema, "files": [file]}
    ).encode()


@pytest.mark.parametrize("form", ["CSV", "Parquet"])
def test_an_inventory_is_the_listing_it_stands_for(simulator: Simulator, form: str) -> None:
    items = objects(simulator)
    make = inventory_csv if form == "CSV" else inventory_parquet
    body = make(items, simulator.bucket)
    simulator.put("inv/data/1.gz", body)
    said = manifest(body, form, bucket=simulator.bucket, name="inv/data/1.gz")
    simulator.put("inv/manifest.json", said)

    found = read_listing_key(simulator, "inv/manifest.json", bucket=simulator.bucket)

    assert make_listing(list(found.objects)).digest == make_listing(items).digest
    assert [item.modified for item in found.objects] == [item.modified for item in items]
    assert found.sha256 == hashlib.sha256(said).hexdigest()


def test_an_inventory_is_read_from_a_folder_as_s3_lays_it_out(
    simulator: Simulator, tmp_path: Path
) -> None:
    items = objects(simulator)
    body = inventory_csv(items, simulator.bucket)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "1.csv.gz").write_bytes(body)
    (tmp_path / "2026-01-01T00-00Z").mkdir()
    path = tmp_path / "2026-01-01T00-00Z" / "manifest.json"
    path.write_bytes(
        manifest(body, "CSV", bucket=simulator.bucket, name="x/../../../data/1.csv.gz")
    )
    found = read_listing_path(path, bucket=simulator.bucket)
    assert {item.key for item in found.objects} == set(KEYS)


@pytest.mark.parametrize("form", ["csv", "csv.gz", "parquet"])
def test_a_plain_table_is_the_listing_it_stands_for(
    simulator: Simulator, tmp_path: Path, form: str
) -> None:
    items = objects(simulator)
    path = tmp_path / f"listing.{form}"
    if form == "parquet":
        path.write_bytes(inventory_parquet(items, simulator.bucket))
    else:
        held = io.StringIO(newline="")
        writer = csv.writer(held)
        writer.writerow(["Last-Modified", "ETag", "Size", "Key", "Owner"])
        for item in items:
            etag = f'"{item.etag}"'
            writer.writerow([item.modified.isoformat() + "+00:00", etag, item.size, item.key, "x"])
        body = held.getvalue().encode("utf-8-sig")
        path.write_bytes(gzip.compress(body) if form == "csv.gz" else body)
    found = read_listing_path(path, bucket=simulator.bucket)
    assert make_listing(list(found.objects)).digest == make_listing(items).digest


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "inventory.columns"),
        (b"key,size\na,1\n", "inventory.columns"),
        (b"key,size,etag,modified\n", "inventory.not_a_listing"),
        (b"key,size,etag,modified\na,many,e,2026-01-01\n", "inventory.cell"),
        (b"key,size,etag,modified\na,-1,e,2026-01-01\n", "inventory.cell"),
        (b"key,size,etag,modified\na,1,,2026-01-01\n", "inventory.cell"),
        (b"key,size,etag,modified\na,1,e\n", "inventory.cell"),
        (b"key,size,etag,modified\na,1,e,yesterday\n", "inventory.cell"),
        (b"bucket,key,size,etag,modified\nother,a,1,e,2026-01-01\n", "inventory.other_bucket"),
        (b"key,size,etag,modified\n\xff,1,e,2026-01-01\n", "inventory.not_a_listing"),
        (b"\x1f\x8bnot gzip", "inventory.not_a_listing"),
        (b"PAR1 not parquet PAR1", "inventory.not_a_listing"),
        (b'{"files": [], "fileFormat": "ORC"}', "inventory.not_a_listing"),
        (b'{"files": [1], "fileFormat": "CSV", "sourceBucket": "b"}', "inventory.not_a_listing"),
        (manifest(b"", "CSV", bucket="another"), "inventory.other_bucket"),
        (manifest(b"", "CSV", bucket="b"), "inventory.file_absent"),
    ],
)
def test_what_is_no_listing_is_refused_by_name(tmp_path: Path, body: bytes, code: str) -> None:
    path = tmp_path / "listing"
    path.write_bytes(body)
    with pytest.raises(IntakeError) as caught:
        read_listing_path(path, bucket="b")
    assert caught.value.code == code


def test_a_data_file_that_is_not_the_manifests_is_refused(simulator: Simulator) -> None:
    body = inventory_csv(objects(simulator), simulator.bucket)
    simulator.put("1.gz", body)
    said = manifest(body, "CSV", bucket=simulator.bucket, name="1.gz", md5="0" * 32)
    simulator.put("manifest.json", said)
    with pytest.raises(IntakeError) as caught:
        read_listing_key(simulator, "manifest.json", bucket=simulator.bucket)
    assert caught.value.code == "inventory.file_damaged"
