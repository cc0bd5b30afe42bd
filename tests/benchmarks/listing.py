"""Listing a bucket on the embedded server, with our timestamp parser and with the SDK's own.

    python -m tests.benchmarks.listing [OBJECTS]          (default 20000)

Prints keys per second of the plain paginator, of ours, and of the whole way into the DuckDB
snapshot; fails when the whole way is slower than 1,000 keys a second.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3

from core.intake.inventory import make_listing, write_listing_snapshot
from core.intake.listing_pages import ListingPages
from core.settings import BucketSettings
from core.storage import embedded
from core.storage.s3 import S3Store

LEAST = 1000


def fill(store: S3Store, count: int) -> None:
    """Put `count` small objects under names as a real bucket has them."""

    def put(number: int) -> None:
        folder = f"datasets/gdrive/tier {number % 37}/心理 ｜{number % 11}/ "
        store.put_if_absent(f"{folder}row-{number:07d} (1).jsonl", b"{}")

    with ThreadPoolExecutor(8) as pool:
        for _ in pool.map(put, range(count)):
            pass


def by_plain_sdk(bucket: BucketSettings) -> int:
    """List with boto3 as it comes, its own timestamp parser included."""
    client = boto3.client(
        "s3",
        endpoint_url=bucket.endpoint,
        region_name=bucket.region,
        aws_access_key_id=bucket.access_key,
        aws_secret_access_key=bucket.secret_key,
    )
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket.bucket)
    return sum(len(page.get("Contents", [])) for page in pages)


def timed(act: Callable[[], int]) -> tuple[float, int]:
    started = time.perf_counter()
    count = act()
    return time.perf_counter() - started, count


def main(count: int) -> int:
    """Measure and print; return an exit status."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder)
        bucket = embedded.ensure_running(workspace)
        store = S3Store(bucket)
        try:
            seconds, _ = timed(lambda: fill(store, count) or count)
            print(f"filled with {count:,} objects in {seconds:.1f} s")

            def whole() -> int:
                pages = ListingPages(workspace / "pages", exclude="exports/", now=time.time())
                objects, _ = pages.list_all(store)
                listing = make_listing(objects)
                write_listing_snapshot(listing, workspace / "listing.duckdb")
                pages.forget()
                return len(listing.objects)

            rates = {}
            for name, act in (
                ("plain boto3", lambda: by_plain_sdk(bucket)),
                ("our client", lambda: sum(1 for _ in store.list(""))),
                ("into DuckDB", whole),
            ):
                seconds, found = min(timed(act) for _ in range(2))
                rates[name] = found / seconds
                print(f"{name:12} {found:9,} keys {seconds:7.2f} s {found / seconds:9,.0f} keys/s")
            print(f"our client is {rates['our client'] / rates['plain boto3']:.1f}x the plain one")
        finally:
            embedded.stop(workspace, patience=0.5)
    return 0 if rates["into DuckDB"] >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20000))
