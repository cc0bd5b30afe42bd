"""A job is a row in SQLite and a detached process; at most one of a kind is active.

SQLite and not DuckDB, because pages and workers write at the same time: DuckDB locks every
other process out.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.model.errors import DeskError
from core.storage.ports import Clock, timestamp
from core.storage.private_files import ensure_private_file

# A worker beats every second; a machine under load may miss several beats.
STALE_SECONDS = 15.0
ACTIVE = ("queued", "running")

_SCHEMA = """
create table if not exists job (
    id text primary key, kind text not null, params text not null, person text not null,
    state text not null, done integer not null default 0, total integer not null default 0,
    message text not null default '', pid integer, beat real not null,
    cancel integer not null default 0, attempt integer not null default 0,
    result text not null default 'null', code text not null default '',
    sentence text not null default '', place text not null default '',
    created text not null, finished text not null default ''
);
create unique index if not exists one_active on job(kind) where state in ('queued', 'running');
create table if not exists step (
    job text not null, attempt integer not null, number integer not null, name text not null,
    at text not null, primary key (job, attempt, number)
);
"""


class JobError(DeskError):
    """A job cannot be started, cancelled or resumed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job as it stands. `state` is queued, running, done, failed, cancelled, interrupted."""

    id: str
    kind: str
    params: Mapping[str, Any]
    person: Mapping[str, Any]
    state: str
    done: int
    total: int
    message: str
    attempt: int
    result: Any
    code: str
    sentence: str
    place: str
    created: str
    finished: str
    steps: tuple[tuple[str, str], ...]

    @property
    def active(self) -> bool:
        """Whether it may still change by itself."""
        return self.state in ACTIVE


Launch = Callable[[Path, str], None]


def launch_worker(workspace: Path, job: str) -> None:
    """Start `python -m core.jobs.worker JOB` as a process of its own."""
    root = Path(__file__).resolve().parents[2]
    log = workspace / "jobs" / f"{job}.log"
    with log.open("ab") as output:
        subprocess.Popen(  # noqa: S603  our own interpreter and module
            [sys.executable, "-m", "core.jobs.worker", job],
            cwd=root,
            env={**os.environ, "DESK_WORKSPACE": str(workspace)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


class Queue:
    """The jobs of one workspace. Safe for many processes and threads."""

    def __init__(self, workspace: Path, clock: Clock, *, launch: Launch = launch_worker) -> None:
        self._workspace = workspace
        self._clock = clock
        self._launch = launch
        (workspace / "jobs").mkdir(parents=True, exist_ok=True)
        # Who started a job stands in it by name.
        ensure_private_file(workspace / "jobs" / "jobs.sqlite")
        with self._connect() as connection:
            connection.executescript(_SCHEMA)

    def start(self, kind: str, params: Mapping[str, Any], person: Mapping[str, Any]) -> Job:
        """Queue and launch a job; raise `JobError` while one of the kind is active."""
        self.reap()
        job = uuid.uuid4().hex[:12]
        row = (job, kind, json.dumps(params), json.dumps(person), self._seconds(), self._stamp())
        try:
            with self._connect() as connection:
                connection.execute(
                    "insert into job (id, kind, params, person, state, beat, created)"
                    " values (?, ?, ?, ?, 'queued', ?, ?)",
                    row,
                )
        except sqlite3.IntegrityError:
            raise JobError(
                "job.already_running", "A job of this kind is already running.", place=kind
            ) from None
        self._launch(self._workspace, job)
        return self.get(job)

    def resume(self, job: str) -> Job:
        """Launch an interrupted, cancelled or failed job again; finished steps are not redone."""
        self._revive(job)
        self._launch(self._workspace, job)
        return self.get(job)

    def _revive(self, job: str) -> None:
        try:
            with self._connect() as connection:
                count = connection.execute(
                    "update job set state = 'queued', beat = ?, cancel = 0, code = '',"
                    " sentence = '', place = '', finished = ''"
                    " where id = ? and state in ('interrupted', 'cancelled', 'failed')",
                    (self._seconds(), job),
                ).rowcount
        except sqlite3.IntegrityError:
            raise JobError(
                "job.already_running", "A job of this kind is already running.", place=job
            ) from None
        if count == 0:
            raise JobError("job.not_resumable", "This job is not waiting to be resumed.", place=job)

    def cancel(self, job: str) -> None:
        """Ask a job to stop at its next report of progress."""
        with self._connect() as connection:
            connection.execute("update job set cancel = 1 where id = ?", (job,))

    def reap(self) -> None:
        """Mark as interrupted every job whose worker has stopped beating."""
        with self._connect() as connection:
            connection.execute(
                "update job set state = 'interrupted', message = 'The worker stopped.'"
                " where state in ('queued', 'running') and beat < ?",
                (self._seconds() - STALE_SECONDS,),
            )

    def get(self, job: str) -> Job:
        """Return the job, or raise `JobError`."""
        with self._connect() as connection:
            row = connection.execute("select * from job where id = ?", (job,)).fetchone()
            if row is None:
                raise JobError("job.unknown", "There is no such job.", place=job)
            return _job(row, self._steps(connection, row))

    def latest(self, *kinds: str) -> Job | None:
        """Return the newest job of any of `kinds`, or None."""
        self.reap()
        marks = ", ".join("?" for _ in kinds)
        with self._connect() as connection:
            row = connection.execute(
                f"select * from job where kind in ({marks}) order by rowid desc limit 1",  # noqa: S608
                kinds,
            ).fetchone()
            return None if row is None else _job(row, self._steps(connection, row))

    def any_active(self) -> bool:
        """Whether any job is queued or running."""
        self.reap()
        with self._connect() as connection:
            query = "select 1 from job where state in ('queued', 'running') limit 1"
            return connection.execute(query).fetchone() is not None

    # What the worker says.

    def claim(self, job: str, pid: int) -> Job | None:
        """Take a queued job for this process; None when somebody else has it."""
        with self._connect() as connection:
            count = connection.execute(
                "update job set state = 'running', pid = ?, beat = ?, attempt = attempt + 1,"
                " done = 0, total = 0, message = '' where id = ? and state = 'queued'",
                (pid, self._seconds(), job),
            ).rowcount
        return self.get(job) if count else None

    def beat(self, job: str, pid: int) -> None:
        """Say that the worker lives."""
        with self._connect() as connection:
            connection.execute(
                "update job set beat = ? where id = ? and pid = ? and state = 'running'",
                (self._seconds(), job, pid),
            )

    def report(self, job: str, done: int, total: int, message: str) -> bool:
        """Store progress; return whether the job has been asked to stop."""
        with self._connect() as connection:
            connection.execute(
                "update job set done = ?, total = ?, message = ?, beat = ? where id = ?",
                (done, total, message, self._seconds(), job),
            )
            row = connection.execute("select cancel from job where id = ?", (job,)).fetchone()
        return bool(row["cancel"])

    def step(self, job: str, name: str) -> None:
        """Record that a named step has been reached."""
        with self._connect() as connection:
            connection.execute(
                "insert into step select id, attempt, (select count(*) from step"
                " where job = ? and attempt = job.attempt), ?, ? from job where id = ?",
                (job, name, self._stamp(), job),
            )

    def finish(
        self, job: str, state: str, *, result: Any = None, error: DeskError | None = None
    ) -> None:
        """End the job as `done`, `failed` or `cancelled`."""
        code, sentence, place = (
            (error.code, error.sentence, error.place) if error is not None else ("", "", "")
        )
        with self._connect() as connection:
            connection.execute(
                "update job set state = ?, result = ?, code = ?, sentence = ?, place = ?,"
                " finished = ? where id = ?",
                (state, json.dumps(result), code, sentence, place, self._stamp(), job),
            )

    def _steps(self, connection: sqlite3.Connection, row: sqlite3.Row) -> list[tuple[str, str]]:
        query = "select name, at from step where job = ? and attempt = ? order by number"
        found = connection.execute(query, (row["id"], row["attempt"])).fetchall()
        return [(step["name"], step["at"]) for step in found]

    def _seconds(self) -> float:
        return self._clock.now().timestamp()

    def _stamp(self) -> str:
        return timestamp(self._clock.now())

    @contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(
            self._workspace / "jobs" / "jobs.sqlite", timeout=30, isolation_level=None
        )
        connection.row_factory = sqlite3.Row
        try:
            connection.execute("pragma journal_mode = wal")
            connection.execute("pragma synchronous = full")
            yield connection
        finally:
            connection.close()


def _job(row: sqlite3.Row, steps: list[tuple[str, str]]) -> Job:
    return Job(
        id=row["id"],
        kind=row["kind"],
        params=json.loads(row["params"]),
        person=json.loads(row["person"]),
        state=row["state"],
        done=row["done"],
        total=row["total"],
        message=row["message"],
        attempt=row["attempt"],
        result=json.loads(row["result"]),
        code=row["code"],
        sentence=row["sentence"],
        place=row["place"],
        created=row["created"],
        finished=row["finished"],
        steps=tuple(steps),
    )
