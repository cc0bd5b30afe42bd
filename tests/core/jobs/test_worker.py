"""A worker tells the journal's head before it does anything, and does nobody's job twice."""

from __future__ import annotations

import dataclasses
import io
import json

import pytest

from core import logs
from core.jobs import worker
from core.jobs.queue import Queue
from core.storage.journal import Journal
from core.storage.ports import SystemClock
from core.workbench.long_jobs import LongJobs
from tests.builders import PREFIX
from tests.desk import VERSION, a_bare_desk, person_of
from tests.release_builders import no_wait

PERSON = {"id": "demo:auditor", "name": "x", "roles": ["auditor"], "auth": "demo", "auth_time": ""}


@pytest.fixture
def bench(simulator, tmp_path, monkeypatch):
    """A desk that the worker finds whatever the environment says, its queue launching nobody."""
    found = a_bare_desk(simulator, tmp_path, clock=SystemClock())
    queue = Queue(tmp_path, SystemClock(), launch=lambda workspace, job: None)
    found = dataclasses.replace(found, jobs=LongJobs(found.desk, queue))
    monkeypatch.setattr(worker, "open_workbench", lambda environment, clock: found)
    monkeypatch.setattr(worker.os, "nice", lambda by: 0)
    return found


def worked(monkeypatch, job):
    """Do a job as its process would; return its exit status and what it logged."""
    stream = io.StringIO()
    monkeypatch.setattr(worker, "configure_logging", lambda: logs.configure_logging(stream))
    try:
        status = worker.main(job)
    finally:
        logs.configure_logging()
    return status, [json.loads(line) for line in stream.getvalue().splitlines()]


def test_the_first_line_of_every_job_is_the_journals_head(bench, monkeypatch):
    bench.data.draft(VERSION, person_of(bench, "engineer"))
    newest = bench.desk.entries()[-1]
    job = bench.jobs.queue.start("build", {"version": VERSION}, PERSON)
    status, lines = worked(monkeypatch, job.id)
    first = lines[0]
    assert (first["code"], first["seq"], first["digest"]) == (
        "journal.head",
        newest.seq,
        newest.digest,
    )
    # An auditor builds nothing; the refusal comes after the head, and the job says so.
    ended = bench.jobs.queue.get(job.id)
    assert (status, ended.state, ended.code) == (1, "failed", lines[1]["code"])
    assert lines[1]["code"] == "role.required"


def test_a_job_that_is_not_there_to_be_done_still_tells_the_head(bench, monkeypatch):
    job = bench.jobs.queue.start("gates", {"candidate": "0" * 64}, PERSON)
    assert bench.jobs.queue.claim(job.id, 1) is not None
    status, lines = worked(monkeypatch, job.id)
    assert (status, [line["code"] for line in lines]) == (2, ["journal.head"])


def test_a_journal_that_cannot_be_read_is_told_instead(bench, simulator, monkeypatch):
    for number in range(2):
        bench.data.draft(f"{VERSION}.{number + 2}", person_of(bench, "engineer"))
    simulator.forget(bench.desk.entries()[0].key)
    journal = Journal(simulator, PREFIX, SystemClock(), sleep=no_wait)
    cut = dataclasses.replace(bench, desk=dataclasses.replace(bench.desk, journal=journal))
    monkeypatch.setattr(worker, "open_workbench", lambda environment, clock: cut)
    status, lines = worked(monkeypatch, "none")
    assert status == 2
    assert lines[0]["code"].startswith("journal.")
    assert lines[0]["code"] != "journal.head"
