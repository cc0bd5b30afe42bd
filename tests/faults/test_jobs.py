"""A killed worker leaves a job to resume, and what that ends in is what it would have been.

The workers are real detached processes, started as a page starts them, and killed with SIGKILL.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import timedelta

import pytest

from core.jobs.queue import STALE_SECONDS, Job, Queue
from core.model.errors import NoSuchRelease
from core.release.consume import open_release
from core.storage.ports import SystemClock
from core.workbench import Workbench
from tests import road
from tests.real_desk import VERSION, environment, fill_small

pytestmark = [
    pytest.mark.faults,
    pytest.mark.seaweed,
    pytest.mark.slow,
    pytest.mark.timeout(400),
]


class LaterClock(SystemClock):
    """A clock ahead of every lease."""

    def now(self):
        return super().now() + timedelta(seconds=4 * STALE_SECONDS)


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[object], Workbench]]:
    """Lets a desk's jobs start workers on its bucket; none outlives the test."""
    desks = []

    def serve(desk):
        for name, value in environment(desk.bucket, desk.folder).items():
            monkeypatch.setenv(name, value)
        desks.append(desk.bench)
        return desk.bench

    yield serve
    for bench in desks:
        job = bench.jobs.latest("build", "publish")
        if job is not None and job.active:
            kill(bench, job)


def pid_of(bench: Workbench, job: Job) -> int | None:
    path = bench.desk.workspace / "jobs" / "jobs.sqlite"
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        found = connection.execute("select pid from job where id = ?", (job.id,)).fetchone()
    return found[0]


def kill(bench: Workbench, job: Job) -> None:
    """End the job's own worker, at once and without a word."""
    pid = pid_of(bench, job)
    if pid is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def wait_for(bench: Workbench, job: Job, seen: Callable[[Job], bool], seconds: float = 90) -> Job:
    """Watch the job until `seen` says so."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        now = bench.jobs.queue.get(job.id)
        if seen(now):
            return now
        assert now.active or not now.code, (now.code, now.place)
        time.sleep(0.003)
    raise AssertionError(f"never seen; the job is {now.state} at {now.message} {now.code}")


def expire(bench: Workbench, job: Job) -> None:
    """Let the dead worker's lease run out, by the clock of somebody looking later."""
    assert bench.jobs.queue.get(job.id).state == "running"
    Queue(bench.desk.workspace, LaterClock()).reap()
    assert bench.jobs.queue.get(job.id).state == "interrupted"


def built(bench: Workbench) -> list[str]:
    return [
        str(entry.event["candidate"])
        for entry in bench.desk.entries()
        if entry.event["type"] == "candidate.built"
    ]


def scanning(job: Job) -> bool:
    return job.state == "running" and job.message.startswith("scan") and job.done >= 1


def test_a_build_cancelled_then_killed_resumes_to_the_undisturbed_candidate(unfilled, workers):
    bench = workers(unfilled)
    fill_small(bench.desk.store, professional=300, priority=300, cot=300, edge=300, voice=300)
    road.decide_sources(bench, VERSION)
    engineer = road.person(bench, "engineer")
    job = bench.jobs.start("build", {"version": VERSION}, engineer)

    wait_for(bench, job, lambda now: now.state == "running" and now.total > 0)
    bench.jobs.cancel(job.id, engineer)
    stopped = wait_for(bench, job, lambda now: not now.active)
    assert (stopped.state, stopped.result) == ("cancelled", None)
    assert built(bench) == []

    bench.jobs.resume(job.id, engineer)
    wait_for(bench, job, scanning)
    kill(bench, job)
    killed_at = time.monotonic()
    # Nobody is told at once: the lease runs out first.
    latest = bench.jobs.latest("build")
    assert latest is not None
    assert latest.state == "running"
    while (latest := bench.jobs.latest("build")) and latest.active:
        assert time.monotonic() - killed_at < 4 * STALE_SECONDS
        time.sleep(0.2)
    assert latest is not None
    assert latest.state == "interrupted"
    assert time.monotonic() - killed_at >= STALE_SECONDS - 2
    assert built(bench) == []

    bench.jobs.resume(job.id, engineer)
    done = wait_for(bench, job, lambda now: not now.active)
    assert (done.state, done.attempt) == ("done", 3)
    assert built(bench) == [done.result["candidate"]]

    # The same build, never disturbed and with nothing kept from before.
    for cached in [*bench.desk.store.list("exports/features/")]:
        bench.desk.store.delete(cached.key)
    fresh = unfilled.reopened("undisturbed")
    assert fresh.candidates.build(VERSION, engineer).digest == done.result["candidate"]


def is_visible(bench: Workbench) -> bool:
    """False when there is no release, True when every row of it can be read."""
    try:
        release = open_release(bench.desk.store, VERSION, exports="exports/")
    except NoSuchRelease:
        return False
    rows = sum(1 for split in release.splits for _ in release.iterate(split))
    assert rows == release.manifest.document["totals"]["records"]
    return True


def test_a_publisher_killed_at_one_step_after_another_publishes_once(signed, workers):
    bench = workers(signed)
    owner = road.person(bench, "owner")
    job = bench.jobs.start("publish", {"candidate": signed.digest}, owner)
    visible = []
    for step in ("ask", "write", "commit", "verify", "smoke"):
        wait_for(bench, job, lambda now, step=step: step in dict(now.steps))
        kill(bench, job)
        visible.append(is_visible(bench))
        expire(bench, job)
        bench.jobs.resume(job.id, owner)
    done = wait_for(bench, job, lambda now: not now.active)

    assert (done.state, done.attempt) == ("done", 6)
    assert visible[:2] == [False, False]
    assert visible[3:] == [True, True]
    assert visible == sorted(visible), "once visible, visible"
    kinds = [entry.event["type"] for entry in bench.desk.entries()]
    assert kinds.count("publish.intent") == 1
    assert kinds.count("publish.committed") == 1
    assert kinds.count("publish.verified") == 1
    found = bench.releases.verify(VERSION)
    assert (found.faults, found.manifest_sha256) == ((), done.result["manifest_sha256"])
    assert done.result["smoke_passed"] is True
