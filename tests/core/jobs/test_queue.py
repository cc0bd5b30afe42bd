"""A job is a row and a process; at most one of a kind is active, and a dead one is noticed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.jobs.queue import STALE_SECONDS, JobError, Queue
from core.model.errors import DeskError
from tests.clock import FixedClock

PERSON = {"id": "demo:owner", "name": "x", "roles": ["release_owner"]}


class Launches:
    def __init__(self) -> None:
        self.jobs: list[str] = []

    def __call__(self, workspace: Path, job: str) -> None:
        self.jobs.append(job)


@pytest.fixture
def launches() -> Launches:
    return Launches()


@pytest.fixture
def queue(tmp_path: Path, clock: FixedClock, launches: Launches) -> Queue:
    return Queue(tmp_path, clock, launch=launches)


def test_starting_a_job_launches_it_once(queue: Queue, launches: Launches) -> None:
    job = queue.start("build", {"version": "v2026-11-21"}, PERSON)
    assert job.state == "queued"
    assert job.active
    assert job.params == {"version": "v2026-11-21"}
    assert launches.jobs == [job.id]


def test_a_second_job_of_the_kind_is_refused_while_one_is_active(queue: Queue) -> None:
    first = queue.start("build", {}, PERSON)
    with pytest.raises(JobError) as caught:
        queue.start("build", {}, PERSON)
    assert caught.value.code == "job.already_running"
    queue.start("gates", {}, PERSON)
    queue.finish(first.id, "done")
    assert queue.start("build", {}, PERSON).id != first.id


def test_only_one_process_can_claim_a_job(queue: Queue) -> None:
    job = queue.start("build", {}, PERSON)
    claimed = queue.claim(job.id, 11)
    assert claimed is not None
    assert (claimed.state, claimed.attempt) == ("running", 1)
    assert queue.claim(job.id, 12) is None


def test_progress_and_cancellation_travel_both_ways(queue: Queue) -> None:
    job = queue.start("build", {}, PERSON)
    queue.claim(job.id, 11)
    assert queue.report(job.id, 3, 10, "scan 3/10 objects") is False
    assert (queue.get(job.id).done, queue.get(job.id).total) == (3, 10)
    queue.cancel(job.id)
    assert queue.report(job.id, 4, 10, "scan 4/10 objects") is True


def test_a_worker_that_stops_beating_is_marked_interrupted_and_can_be_resumed(
    queue: Queue, clock: FixedClock, launches: Launches
) -> None:
    job = queue.start("build", {}, PERSON)
    queue.claim(job.id, 11)
    clock.tick(STALE_SECONDS - 1)
    queue.beat(job.id, 11)
    clock.tick(STALE_SECONDS - 1)
    latest = queue.latest("build")
    assert latest is not None
    assert latest.state == "running"
    clock.tick(2)
    assert queue.any_active() is False
    assert queue.get(job.id).state == "interrupted"
    queue.resume(job.id)
    assert launches.jobs == [job.id, job.id]
    again = queue.claim(job.id, 12)
    assert again is not None
    assert again.attempt == 2


def test_a_failed_job_keeps_its_code_and_place(queue: Queue) -> None:
    job = queue.start("build", {}, PERSON)
    queue.claim(job.id, 11)
    queue.finish(job.id, "failed", error=DeskError("intake.x", "A sentence.", place="a/key"))
    failed = queue.get(job.id)
    assert (failed.state, failed.code, failed.place) == ("failed", "intake.x", "a/key")
    queue.resume(job.id)
    assert queue.get(job.id).code == ""


def test_a_finished_job_cannot_be_resumed(queue: Queue) -> None:
    job = queue.start("build", {}, PERSON)
    queue.claim(job.id, 11)
    queue.finish(job.id, "done", result={"candidate": "abc"})
    assert queue.get(job.id).result == {"candidate": "abc"}
    with pytest.raises(JobError) as caught:
        queue.resume(job.id)
    assert caught.value.code == "job.not_resumable"


def test_steps_are_kept_in_order_per_attempt(queue: Queue) -> None:
    job = queue.start("publish", {}, PERSON)
    queue.claim(job.id, 11)
    queue.step(job.id, "load")
    queue.step(job.id, "intent")
    assert [name for name, _ in queue.get(job.id).steps] == ["load", "intent"]


def test_a_detached_worker_outlives_the_process_that_launched_it(tmp_path: Path) -> None:
    """The launcher is killed at once; what it launched still writes its mark."""
    mark = tmp_path / "mark"
    script = (
        "import subprocess, sys\n"
        "subprocess.Popen([sys.executable, '-c', "
        f"\"import time; time.sleep(1); open({str(mark)!r}, 'w').write('done')\"],"
        " start_new_session=True)\n"
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], env=os.environ, check=False)
    assert ended.returncode < 0
    until = time.monotonic() + 20
    while not mark.exists() and time.monotonic() < until:
        time.sleep(0.1)
    assert mark.read_text() == "done"
