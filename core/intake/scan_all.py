"""Scanning many objects, here or in other processes, gives the same scans in the same order."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from core.intake.scan import ObjectScan, StoreFactory, scan_object
from core.model.dataset import SourceObject
from core.model.errors import IntakeError
from core.model.names import Digest
from core.model.progress import Progress
from core.policy.types import Policy
from core.storage.ports import ObjectStore


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanJob:
    """What a scan needs, wherever it runs."""

    policy: Policy
    settings: Digest
    prefix: str


def scan_all(
    store: ObjectStore,
    sources: Sequence[SourceObject],
    job: ScanJob,
    workers: int,
    connect: StoreFactory | None,
    progress: Progress,
) -> list[ObjectScan]:
    """Return the scan of every source, in order; the first failure ends the build."""
    total = len(sources)
    progress(0, total, f"scan 0/{total} objects")
    if workers <= 1 or connect is None or total < 2:
        scans = []
        for done, source in enumerate(sources, 1):
            scans.append(scan_one(store, source, job))
            progress(done, total, f"scan {done}/{total} objects")
        return scans
    pool = ProcessPoolExecutor(
        max_workers=min(workers, total),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start_worker,
        initargs=(connect, job),
    )
    try:
        futures = [pool.submit(_scan_in_worker, source) for source in sources]
        for done, future in enumerate(as_completed(futures), 1):
            future.result()
            progress(done, total, f"scan {done}/{total} objects")
        return [future.result() for future in futures]
    except BrokenProcessPool:
        raise IntakeError(
            "intake.worker_died",
            "A scanning process ended without a word, perhaps for want of memory; build again.",
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def scan_one(
    store: ObjectStore, source: SourceObject, job: ScanJob, *, fresh: bool = False
) -> ObjectScan:
    """Return the scan of one source; `fresh` reads it again whatever the cache says."""
    return scan_object(
        store,
        source,
        policy=job.policy,
        settings_digest=job.settings,
        prefix=job.prefix,
        fresh=fresh,
    )


# One store and one job per worker process, set once by the pool.
_worker: list[tuple[ObjectStore, ScanJob]] = []


def _start_worker(connect: StoreFactory, job: ScanJob) -> None:
    _worker[:] = [(connect(), job)]


def _scan_in_worker(source: SourceObject) -> ObjectScan:
    [(store, job)] = _worker
    return scan_one(store, source, job)
