"""One process does one job, beats while it lives, and says how it ended."""

from __future__ import annotations

import dataclasses
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

from core.jobs.queue import Job, Queue
from core.logs import configure_logging, log_error
from core.model.errors import Cancelled, DeskError
from core.model.progress import Progress
from core.model.signoff import Person
from core.storage.ports import Clock, SystemClock
from core.workbench import Workbench, open_workbench
from core.workbench.anchoring import tell_journal_head
from core.workbench.people import person_from_mapping
from core.workbench.record_table import RecordTable

BEAT_SECONDS = 1.0


def main(job_id: str) -> int:
    """Do the job called `job_id` and return a process exit status."""
    configure_logging()
    # A worker is background work: the pages people are looking at come first.
    os.nice(5)
    clock: Clock = SystemClock()
    bench = open_workbench(os.environ, clock=clock)
    tell_journal_head(bench.desk.journal)
    queue = bench.jobs.queue
    job = queue.claim(job_id, os.getpid())
    if job is None:
        return 2
    stop = threading.Event()
    beating = threading.Thread(target=_beat, args=(queue, job.id, stop), daemon=True)
    beating.start()
    try:
        return _run(bench, queue, job)
    finally:
        stop.set()


def _beat(queue: Queue, job: str, stop: threading.Event) -> None:
    while not stop.wait(BEAT_SECONDS):
        queue.beat(job, os.getpid())


def _run(bench: Workbench, queue: Queue, job: Job) -> int:
    def progress(done: int, total: int, message: str) -> None:
        if queue.report(job.id, done, total, message):
            raise Cancelled("job.cancelled", "The job was cancelled.", place=job.id)

    try:
        result = _WORK[job.kind](bench, job, person_from_mapping(job.person), progress, queue)
    except Cancelled:
        queue.finish(job.id, "cancelled")
        return 1
    except DeskError as error:
        log_error(error)
        queue.finish(job.id, "failed", error=error)
        return 1
    except Exception as error:  # noqa: BLE001  a broken job says so instead of vanishing
        log_error(error, "job.broken")
        broken = DeskError(
            "job.broken",
            "The job stopped on a fault of the desk itself; resume it, and report the code.",
            place=_where(error),
        )
        queue.finish(job.id, "failed", error=broken)
        return 1
    queue.finish(job.id, "done", result=result)
    return 0


def _where(error: BaseException) -> str:
    """Return file and line of the innermost frame: a place, without the message's values."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(error).__name__
    name = trace.tb_frame.f_code.co_filename.rsplit("/", 1)[-1]
    return f"{type(error).__name__} at {name}:{trace.tb_lineno}"


Work = Callable[[Workbench, Job, Person, Progress, Queue], Any]


def _inventory(bench: Workbench, job: Job, person: Person, progress: Progress, queue: Queue) -> Any:
    del queue
    snapshot = bench.data.take_inventory(person, progress, from_key=job.params.get("from", ""))
    return dataclasses.asdict(snapshot)


def _stepper(queue: Queue, job: str) -> Callable[[str], None]:
    def say(name: str) -> None:
        queue.step(job, name)

    return say


def _build(bench: Workbench, job: Job, person: Person, progress: Progress, queue: Queue) -> Any:
    del queue
    candidate = bench.candidates.build(job.params["version"], person, progress)
    return {"candidate": candidate.digest, "records": candidate.records}


def _gates(bench: Workbench, job: Job, person: Person, progress: Progress, queue: Queue) -> Any:
    del queue
    reports = bench.candidates.run_gates(job.params["candidate"], person, progress)
    try:
        RecordTable(bench.candidates).prepare(job.params["candidate"], progress)
    except Cancelled:
        raise
    except (DeskError, OSError):
        # The table is a cache that a page makes when it is not there; the verdicts stand.
        pass
    return {name: stored.report.verdict for name, stored in reports.items()}


def _publish(bench: Workbench, job: Job, person: Person, progress: Progress, queue: Queue) -> Any:
    outcome = bench.releases.publish(
        job.params["candidate"], person, progress, on_step=_stepper(queue, job.id)
    )
    return dataclasses.asdict(outcome)


_WORK: dict[str, Work] = {
    "inventory": _inventory,
    "build": _build,
    "gates": _gates,
    "publish": _publish,
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
