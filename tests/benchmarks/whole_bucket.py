"""A bucket of 20,000 keys and 1 GB, run as one thing: put, listed, covered, scanned, built twice.

    python -m tests.benchmarks.whole_bucket [MEGABYTES [KEYS [WORKERS]]]   (1000, 20000, all cores)

The bucket is the embedded server's. It holds every defect of `tests.bucket_generator`, noise up
to the number of keys, and dialogues up to the size, in objects of 2.5 MB under four families.
Prints what each step takes and the peak of memory here and in the largest worker. Fails unless
every key that is opened comes out as its table says, the candidate's books hold the same, and a
build after one large object in a hundred has changed dates those alone and loses nothing. Of the
noise, which is five kinds over and over and which no build opens, 1,900 are opened.

Measured on two cores with four times as much other work beside it: listed in 4.7 s, covered in
40 s, 2,361 of 2,361 keys as told; 229,890 records in 19 shards. The second build wrote 4 of the
19, took 10 s of processor time in 67 s and made 159 requests, where the first made 509 after the
scan. Peaks: 461 MiB in a worker, 936 MiB in the process that builds, of which 350 stand before it
begins and 290 are one shard of 256 MiB on its way out.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from core.intake.choose import choose_sources
from core.intake.compile import compile_candidate
from core.intake.coverage import measure_coverage
from core.intake.inventory import (
    Listing,
    carry_times,
    make_listing,
    store_listing,
    write_listing_snapshot,
)
from core.intake.listing_pages import ListingPages
from core.intake.scan import scan_settings_digest
from core.intake.scan_all import ScanJob, scan_all, workers_for_this_machine
from core.model.candidate import Candidate
from core.policy.load import load_policy
from core.policy.types import Policy
from core.storage import embedded
from core.storage.s3 import S3Store
from tests.benchmarks.asking import Counted
from tests.benchmarks.rebuild import AT, LATER, Phases
from tests.bucket_generator import COT, EDGE, PRIORITY, VOICE, Planted, bucket
from tests.builders import PREFIX, a_sentence

LARGE_ROWS = 600
SENTENCES = 5000
OPENED_NOISE = 1_900
FAMILIES = (PRIORITY, COT, EDGE, VOICE)


class CountedS3(Counted, S3Store):
    """The bucket, counting what this process asks."""


class Steps:
    """What each step took, on the wall and in this process."""

    def __init__(self) -> None:
        self._wall, self._own = time.monotonic(), time.process_time()

    def tell(self, words: str, *, keys: int = 0, size: int = 0) -> float:
        """Print the step that ends now and return its seconds."""
        wall, own = time.monotonic() - self._wall, time.process_time() - self._own
        rates = [f"{keys / wall:,.0f} keys/s"] if keys else []
        rates += [f"{size / wall / 1e6:.1f} MB/s"] if size else []
        print(f"{words:44} {wall:8.1f} s ({own:7.1f} s here) {', '.join(rates)}", flush=True)
        self._wall, self._own = time.monotonic(), time.process_time()
        return wall


def large_objects(size: int, seed: int = 1) -> Iterator[tuple[str, bytes]]:
    """Yield JSONL objects of about 2.5 MB, together about `size` bytes, all of invented talk."""
    pool = np.array([a_sentence(f"whole {n}") for n in range(SENTENCES)], object)
    dice = np.random.default_rng(seed)
    made = number = 0
    while made < size:
        picked = pool[dice.integers(0, SENTENCES, (LARGE_ROWS, 6, 8))]
        rows = [
            json.dumps(
                {
                    "messages": [
                        {"role": ("user", "assistant")[turn % 2], "content": " ".join(said)}
                        for turn, said in enumerate(talk)
                    ]
                }
            )
            for talk in picked.tolist()
        ]
        body = "\n".join(rows).encode() + b"\n"
        yield f"{FAMILIES[number % len(FAMILIES)]}large/{number:05}.jsonl", body
        made, number = made + len(body), number + 1


def fill(store: S3Store, size: int, keys: int) -> tuple[Mapping[str, Planted], int]:
    """Put everything; return what must become of each key, without large bodies, and the bytes."""
    told: dict[str, Planted] = {}
    total = 0
    with ThreadPoolExecutor(8) as pool:
        waiting = []
        for key, body in large_objects(size):
            waiting.append(pool.submit(store.put_if_absent, key, body))
            told[key] = Planted(body=b"", container="jsonl", records=LARGE_ROWS)
            total += len(body)
            if len(waiting) >= 16:
                waiting.pop(0).result()
        rest = bucket(noise=max(0, keys - len(told) - len(bucket(noise=0))))
        for key, item in rest.items():
            waiting.append(pool.submit(store.put_if_absent, key, item.body))
            told[key] = item
            total += len(item.body)
        for one in waiting:
            one.result()
    return told, total


def listed(store: S3Store, folder: Path, at: str, former: Listing | None = None) -> Listing:
    """List the bucket into its snapshots, as the desk does."""
    pages = ListingPages(folder / "pages", exclude=PREFIX, now=time.time())
    objects, _ = pages.list_all(store)
    pages.forget()
    listing = store_listing(store, PREFIX, make_listing(carry_times(objects, former, at)))
    write_listing_snapshot(listing, folder / "listing.duckdb")
    return listing


def built(
    store: CountedS3, listing: Listing, at: str, policy: Policy, waived: Mapping[str, str],
    workers: int, connect: partial[S3Store],
) -> Candidate:  # fmt: skip
    """Build a candidate of everything, aliases and all, and print its phases and requests."""
    phases = Phases()
    store.requests.clear()
    candidate = compile_candidate(
        store,
        listing=listing,
        snapshot_at=at,
        policy=policy,
        version="v2026-11-21",
        confirmed=aliases(policy),
        licences={rule.name: policy.licence_tags[0] for rule in policy.families},
        waived=waived,
        prefix=PREFIX,
        workers=workers,
        connect=connect,
        progress=phases.tell,
    )
    for phase, spent in phases.seconds.most_common(4):
        print(f"    {phase:40} {spent:8.1f} s here")
    print(f"    {store.said()}")
    return candidate


def aliases(policy: Policy) -> frozenset[tuple[str, str]]:
    """Return every alias of every family, as if somebody had confirmed them all."""
    return frozenset((rule.name, alias) for rule in policy.families for alias in rule.aliases)


def differences(told: Mapping[str, Planted], found: Mapping[str, tuple[object, ...]]) -> list[str]:
    """Return the keys that came out otherwise than the table says."""
    return [
        key
        for key, item in told.items()
        if key in found
        and found[key]
        != (item.container, item.rows, item.records, dict(item.rejected), dict(item.lanes))
    ]


def main(megabytes: float, keys: int, workers: int) -> int:
    """Measure and print; return an exit status."""
    policy = load_policy(None, embedded=False)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = embedded.ensure_running(folder)
        try:
            return run(CountedS3(settings), partial(S3Store, settings), folder, policy,
                       int(megabytes * 1e6), keys, workers)  # fmt: skip
        finally:
            embedded.stop(folder, patience=0.5)


def run(
    store: CountedS3, connect: partial[S3Store], folder: Path, policy: Policy,
    size: int, keys: int, workers: int,
) -> int:  # fmt: skip
    """Measure one bucket; return an exit status."""
    steps = Steps()
    told, total = fill(store, size, keys)
    steps.tell(f"put {len(told):,} keys, {total / 1e6:,.0f} MB", keys=len(told), size=total)
    first = listed(store, folder, AT)
    steps.tell("list, into DuckDB and the bucket", keys=len(first.objects))
    report = measure_coverage(
        store, first, policy, confirmed=aliases(policy), waived={}, rule=policy.intake
    )
    steps.tell("coverage")
    states = {family: found.state for family, found in report.families.items()}
    print("    " + ", ".join(f"{family}: {state}" for family, state in states.items()))
    waived = {
        family: "benchmark" for family, state in states.items() if not state.startswith("present")
    }
    job = ScanJob(policy=policy, settings=scan_settings_digest(policy), prefix=PREFIX)
    steps.tell("detectors")
    unopened = told.keys() - bucket(OPENED_NOISE).keys() - {k for k in told if "large/" in k}
    opened = [item for item in first.objects if item.key not in unopened]
    scans = scan_all(store, opened, job, workers, connect, lambda *_: None)
    read = sum(item.size for item in opened)
    steps.tell(f"scan of {len(opened):,} keys, {workers} workers", keys=len(scans), size=read)
    wrong = differences(
        told,
        {
            scan.source.key: (
                scan.container, scan.rows, scan.records, dict(scan.rejected), dict(scan.lanes)
            )
            for scan in scans
        },
    )  # fmt: skip
    missing = told.keys() ^ {item.key for item in first.objects}
    print(f"    outcomes as told: {len(scans) - len(wrong):,} of {len(scans):,}")
    steps.tell("comparing them")
    candidate = built(store, first, AT, policy, waived, workers, connect)
    steps.tell(f"build on it, {candidate.records:,} records, {len(candidate.shards)} shards")
    wrong += differences(
        told,
        {
            entry.key: (
                entry.container, entry.rows, entry.records, dict(entry.rejected), dict(entry.lanes)
            )
            for entry in candidate.sources
        },
    )  # fmt: skip
    chosen, _ = choose_sources(first, policy, aliases(policy), waived, {}, {})
    missing |= {item.source.key for item in chosen} ^ {entry.key for entry in candidate.sources}
    changed = [key for key in told if "large/" in key][::100]
    for key in changed:
        held = store.get(key, limit=1 << 30)
        store.put_if_match(key, held.body.split(b"\n", 1)[1], held.etag)
    steps.tell(f"change {len(changed)} objects")
    second = listed(store, folder, LATER, first)
    later = built(store, second, LATER, policy, waived, workers, connect)
    steps.tell("list and build again")
    dates = {entry.key for entry in later.sources if entry.listed_at == LATER}
    kept = {shard.sha256 for shard in candidate.shards} & {shard.sha256 for shard in later.shards}
    print(f"    {len(later.shards)} shards, of which {len(kept)} stood; {len(dates)} sources new")
    same = dates == set(changed) and later.records == candidate.records - len(changed)
    for who, words in ((resource.RUSAGE_SELF, "here"), (resource.RUSAGE_CHILDREN, "in a worker")):
        print(f"peak memory {words}: {resource.getrusage(who).ru_maxrss / 1024:,.0f} MiB")
    for key in [*wrong, *sorted(missing)][:10]:
        print(f"otherwise than told: {key}")
    return int(bool(wrong or missing or not same))


if __name__ == "__main__":
    given = sys.argv[1:]
    sys.exit(
        main(
            float(given[0]) if given else 1000,
            int(given[1]) if given[1:] else 20_000,
            int(given[2]) if given[2:] else workers_for_this_machine(),
        )
    )
