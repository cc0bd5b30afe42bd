"""Scanning many objects, here or in other processes, gives the same scans in the same order."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Protocol, TypeVar

from core.intake.scan import ObjectScan, StoreFactory, known_scan, scan_object
from core.intake.scan_index import WORTH, ScanIndex
from core.model.dataset import SourceObject
from core.model.errors import IntakeError
from core.model.names import Digest
from core.model.progress import Progress
from core.policy.types import Policy
from core.storage.ports import ObjectStore

WORTH_A_POOL = 24 << 20
"""Bytes to scan below which starting processes (a few seconds each) costs more than it gains."""
Question = TypeVar("Question")
Answer = TypeVar("Answer")
_LOOKERS = 8
_SETTLED = 0.5
_EVERY = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanJob:
    """What a scan needs, wherever it runs."""

    policy: Policy
    settings: Digest
    prefix: str


class ScanPool(Protocol):
    """Processes that scan, here or on other machines."""

    def submit(self, source: SourceObject) -> Future[ObjectScan]:
        """Begin to scan one source; the scan is the one that `scan_one` would give here."""

    def shutdown(self) -> None:
        """Begin nothing more, and let go of the processes."""


class StartsPools(Protocol):
    """A way to get processes that scan."""

    @property
    def worth(self) -> int:
        """Bytes to scan below which it is not worth starting them."""

    def start(self, connect: StoreFactory, job: ScanJob, workers: int) -> ScanPool:
        """Start them."""


class LocalPool:
    """Processes of this machine."""

    def __init__(self, connect: StoreFactory, job: ScanJob, workers: int) -> None:
        self._pool = ProcessPoolExecutor(
            max_workers=workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_start_worker,
            initargs=(connect, job),
        )

    def submit(self, source: SourceObject) -> Future[ObjectScan]:
        """Begin to scan one source."""
        return self._pool.submit(_scan_in_worker, source)

    def shutdown(self) -> None:
        """Begin nothing more, and let go of the processes."""
        self._pool.shutdown(cancel_futures=True)


class LocalPools:
    """Starts processes of this machine."""

    @property
    def worth(self) -> int:
        """Bytes to scan below which it is not worth starting them."""
        return WORTH_A_POOL

    def start(self, connect: StoreFactory, job: ScanJob, workers: int) -> ScanPool:
        """Start them."""
        return LocalPool(connect, job, workers)


def workers_for_this_machine() -> int:
    """Return how many processes may scan at once: one for each core this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return max(1, os.cpu_count() or 1)


def scan_all(
    store: ObjectStore,
    sources: Sequence[SourceObject],
    job: ScanJob,
    workers: int,
    connect: StoreFactory | None,
    progress: Progress,
    *,
    pools: StartsPools | None = None,
    seconds: Callable[[], float] = time.monotonic,
) -> list[ObjectScan]:
    """Return the scan of every source, in order; the first failure ends the build.

    What is known already is looked up first. Other processes are started only when there is
    more than one worker, a way to `connect`, and enough to scan. `pools` says where they are; by
    default on this machine.
    """
    pools = pools or LocalPools()
    pace = _Pace(len(sources), progress, seconds)
    index = ScanIndex(store, job.settings, job.prefix) if len(sources) >= WORTH else None
    found = _known(store, sources, job, connect, index, pace)
    # The largest first, so that the last worker is not left alone with the longest object.
    missing = sorted(
        (n for n, scan in enumerate(found) if scan is None),
        key=lambda n: (-sources[n].size, n),
    )
    pace.begin(sum(sources[n].size for n in missing))
    enough = sum(sources[n].size for n in missing) >= pools.worth
    several = len(missing) > 1 and (workers > 1 or not pools.worth)
    if several and connect is not None and enough:
        pool = pools.start(connect, job, min(workers, len(missing)))
        _scan_elsewhere(sources, missing, found, pool, pace)
    else:
        for number in missing:
            found[number] = scan_one(store, sources[number], job, fresh=True)
            pace.done(sources[number].size)
    scans = [scan for scan in found if scan is not None]
    if index is not None:
        index.write(scans)
    return scans


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


def _known(
    store: ObjectStore,
    sources: Sequence[SourceObject],
    job: ScanJob,
    connect: StoreFactory | None,
    index: ScanIndex | None,
    pace: _Pace,
) -> list[ObjectScan | None]:
    """Look every source up in the index, and those it does not name in the cache, one by one."""

    def look(source: SourceObject) -> ObjectScan | None:
        scan = None if index is None else index.find(source)
        if scan is not None:
            return scan
        return known_scan(store, source, settings_digest=job.settings, prefix=job.prefix)

    found: list[ObjectScan | None] = []
    for scan in ask_at_once(look, sources, connect):
        found.append(scan)
        pace.known(scan is not None)
    return found


def ask_at_once(
    ask: Callable[[Question], Answer], about: Sequence[Question], connect: StoreFactory | None
) -> Iterator[Answer]:
    """Yield the answers in order; a bucket one has to `connect` to is asked several at a time."""
    if connect is None or len(about) <= _LOOKERS:
        yield from map(ask, about)
        return
    pool = ThreadPoolExecutor(max_workers=_LOOKERS)
    try:
        yield from pool.map(ask, about)
    finally:
        pool.shutdown(cancel_futures=True)


def _scan_elsewhere(
    sources: Sequence[SourceObject],
    missing: Sequence[int],
    found: list[ObjectScan | None],
    pool: ScanPool,
    pace: _Pace,
) -> None:
    try:
        futures = {pool.submit(sources[number]): number for number in missing}
        waiting = set(futures)
        while waiting:
            # Woken while nothing is done, so that a person who cancels is heard at once.
            ready, waiting = wait(waiting, timeout=_EVERY, return_when=FIRST_COMPLETED)
            for future in ready:
                found[futures[future]] = future.result()
                pace.done(sources[futures[future]].size)
            pace.tell()
    except BrokenProcessPool:
        raise worker_died() from None
    finally:
        pool.shutdown()


def worker_died() -> IntakeError:
    """Return the error for a scanning process that is gone."""
    return IntakeError(
        "intake.worker_died",
        "A scanning process ended without a word, perhaps for want of memory; build again.",
    )


class _Pace:
    """How far a scan is, how fast it goes, and how long it may still take, in one sentence."""

    def __init__(self, total: int, progress: Progress, seconds: Callable[[], float]) -> None:
        self._total = total
        self._progress = progress
        self._seconds = seconds
        self._done = 0
        self._read = 0
        self._bytes = 0
        self._started = seconds()
        progress(0, total, f"looking {total:,} objects up")

    def known(self, known: bool) -> None:
        """One more object was looked up."""
        if known:
            self._done += 1
            self._progress(self._done, self._total, "scanned before")

    def begin(self, size: int) -> None:
        """The rest, of `size` bytes, is scanned from now on."""
        self._bytes = size
        self._started = self._seconds()
        self.tell()

    def done(self, size: int) -> None:
        """One more object was scanned."""
        self._done += 1
        self._read += size
        self.tell()

    def tell(self) -> None:
        """Report; may raise `Cancelled`."""
        self._progress(self._done, self._total, self._words())

    def _words(self) -> str:
        words = f"scan {self._done:,}/{self._total:,} objects"
        passed = self._seconds() - self._started
        if passed < _SETTLED or not self._read:
            return words
        rate = self._read / passed
        left = (self._bytes - self._read) / rate
        return f"{words}, {rate / 1e6:.1f} MB/s, {_duration(left)} left"


def _duration(seconds: float) -> str:
    whole = max(0, round(seconds))
    if whole < 100:
        return f"{whole} s"
    if whole < 100 * 60:
        return f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


# One store and one job per worker process, set once by the pool.
_worker: list[tuple[ObjectStore, ScanJob]] = []


def _start_worker(connect: StoreFactory, job: ScanJob) -> None:
    _worker[:] = [(connect(), job)]


def _scan_in_worker(source: SourceObject) -> ObjectScan:
    [(store, job)] = _worker
    return scan_one(store, source, job, fresh=True)
