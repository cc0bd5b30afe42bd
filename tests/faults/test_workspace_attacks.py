"""What somebody put into the workspace beforehand is not followed, believed or signed with."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
from pathlib import Path

import pytest

from core.gates.corpus import open_corpus
from core.jobs.queue import Queue
from core.model.errors import DeskError
from core.review import keys
from core.review.drafts import Drafts
from core.storage.journal import Journal
from core.storage.ports import SystemClock
from core.storage.private_files import ensure_private_folder
from tests.builders import PREFIX, a_candidate, a_policy
from tests.clock import FixedClock
from tests.desk import some_rows_to_read

pytestmark = pytest.mark.faults
THEIRS = "ab" * 32
"""A key of the intruder's, in hex."""


@pytest.fixture
def elsewhere(tmp_path):
    found = tmp_path / "elsewhere"
    found.mkdir()
    return found


@pytest.fixture
def workspace(tmp_path):
    found = tmp_path / "workspace"
    found.mkdir()
    return found


def code_of(act, *arguments, **named):
    with pytest.raises(DeskError) as refused:
        act(*arguments, **named)
    return refused.value.code


def a_key(simulator, workspace):
    return keys.ensure_key(workspace, Journal(simulator, PREFIX, FixedClock()), "desk")


def test_a_key_that_is_a_link_signs_nothing_and_is_never_registered(
    simulator, workspace, elsewhere
):
    planted = elsewhere / "key"
    planted.write_text(THEIRS)
    planted.chmod(0o600)
    (workspace / keys.FILE_NAME).symlink_to(planted)
    assert code_of(a_key, simulator, workspace) == "workspace.not_ours"
    assert list(simulator.list(PREFIX)) == []


def test_a_link_to_nowhere_does_not_carry_the_new_key_away(simulator, workspace, elsewhere):
    away = elsewhere / "fetched-later"
    (workspace / keys.FILE_NAME).symlink_to(away)
    assert code_of(a_key, simulator, workspace) == "workspace.not_ours"
    assert list(elsewhere.iterdir()) == []
    assert [path.name for path in workspace.iterdir()] == [keys.FILE_NAME]


def test_no_file_that_lies_in_wait_where_a_key_is_written_gets_the_key(
    simulator, workspace, elsewhere
):
    # What the first desks wrote a new key to, before it had its name.
    waiting = elsewhere / "waiting"
    waiting.write_text("")
    waiting.chmod(0o644)
    (workspace / f"{keys.FILE_NAME}.{os.getpid()}.new").symlink_to(waiting)
    a_key(simulator, workspace)
    assert waiting.read_text() == ""
    assert stat.S_IMODE((workspace / keys.FILE_NAME).stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_key_that_others_may_read_or_write_signs_nothing(simulator, workspace, mode):
    a_key(simulator, workspace)
    (workspace / keys.FILE_NAME).chmod(mode)
    assert code_of(a_key, simulator, workspace) == "keys.exposed"


@pytest.mark.skipif(os.geteuid() != 0, reason="Only root can give a file to another user.")
def test_a_key_of_another_user_signs_nothing(simulator, workspace):
    path = workspace / keys.FILE_NAME
    path.write_text(THEIRS)
    path.chmod(0o600)
    os.chown(path, 65534, 65534)
    assert code_of(a_key, simulator, workspace) == "workspace.not_ours"


def test_a_pipe_in_the_keys_place_is_refused_and_nobody_waits_for_it(simulator, workspace):
    os.mkfifo(workspace / keys.FILE_NAME, 0o600)
    assert code_of(a_key, simulator, workspace) == "workspace.not_ours"


def test_drafts_are_not_written_through_a_link(workspace, elsewhere):
    theirs = elsewhere / "theirs.sqlite"
    with sqlite3.connect(theirs) as connection:
        connection.execute("create table mine (number integer)")
    Drafts(workspace)
    [own] = list(workspace.rglob("*.sqlite"))
    for left in workspace.rglob(f"{own.name}*"):
        left.unlink()
    own.symlink_to(theirs)
    assert code_of(Drafts, workspace) == "workspace.not_ours"
    with sqlite3.connect(theirs) as connection:
        names = [row[0] for row in connection.execute("select name from sqlite_master")]
    assert names == ["mine"]


def test_the_job_queue_is_not_written_through_a_link_and_is_the_desks_alone(workspace, elsewhere):
    Queue(workspace, SystemClock())
    path = workspace / "jobs" / "jobs.sqlite"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    Queue(workspace, SystemClock())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for left in path.parent.glob("jobs.sqlite*"):
        left.unlink()
    path.symlink_to(elsewhere / "jobs")
    assert code_of(Queue, workspace, SystemClock()) == "workspace.not_ours"
    assert list(elsewhere.iterdir()) == []


def test_gates_judge_the_candidates_bytes_whatever_a_link_in_the_cache_leads_to(
    simulator, workspace, elsewhere
):
    candidate = a_candidate(simulator, some_rows_to_read(), a_policy(), prefix=PREFIX)
    cache = workspace / "shards"
    cache.mkdir()
    harmless = elsewhere / "harmless"
    for shard in candidate.shards:
        body = simulator.body(shard.key)
        rows = [json.loads(line) for line in body.splitlines()]
        for row in rows:
            row["messages"] = [{**turn, "content": "Harmless."} for turn in row["messages"]]
        harmless.write_bytes(b"".join(json.dumps(row).encode() + b"\n" for row in rows))
        (cache / shard.sha256).symlink_to(harmless)
    before = harmless.read_bytes()
    seen = [
        turn.content
        for record in open_corpus(simulator, candidate, cache)
        for turn in record.messages
    ]
    assert len(seen) >= candidate.records
    assert "Harmless." not in seen
    assert harmless.read_bytes() == before


def test_a_workspace_that_is_itself_a_link_is_an_operators_choice(tmp_path, elsewhere):
    (tmp_path / "workspace").symlink_to(elsewhere)
    ensure_private_folder(tmp_path / "workspace")
    Drafts(tmp_path / "workspace")
    assert list(elsewhere.iterdir())


def test_a_new_workspace_is_the_desks_alone_and_one_open_to_all_is_refused(tmp_path):
    made = tmp_path / "made" / "workspace"
    ensure_private_folder(made)
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    Path(made).chmod(0o777)
    assert code_of(ensure_private_folder, made) == "workspace.exposed"
    # As /tmp is: nobody replaces what is another's there.
    made.chmod(0o1777)
    ensure_private_folder(made)
