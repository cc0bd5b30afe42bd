"""D1, D4, D5 over real processes: killed anywhere, or racing, a release is whole or absent."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from uuid import uuid4

import pytest

from core.model.errors import NoSuchRelease
from core.model.names import Version
from core.release.claim import COMMITTED, LOCKED
from core.release.consume import open_release
from core.release.verify import load_manifest, verify_release
from core.storage.journal import Journal
from core.storage.ports import SystemClock
from core.storage.s3 import S3Store
from tests.builders import PREFIX

# A release has ten documents, each a step to die at: slow where seven people share two cores.
pytestmark = [pytest.mark.faults, pytest.mark.timeout(420)]
VERSION = Version("v2026-11-21")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def publisher():
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.publisher"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    )
    yield process
    process.stdin.close()
    process.wait(timeout=30)
    process.stdout.close()


@pytest.fixture
def run(publisher):
    def ask(store_settings, *requests):
        settings = dataclasses.asdict(store_settings)
        whole = [{"settings": settings, "version": VERSION, **request} for request in requests]
        publisher.stdin.write(json.dumps(whole) + "\n")
        publisher.stdin.flush()
        return json.loads(publisher.stdout.readline())

    return ask


@pytest.fixture
def fresh(moto_settings):
    """Makes a bucket nobody has used: its settings, and a store on it."""
    numbers = count(1)

    def make(*, object_lock=False):
        settings = dataclasses.replace(
            moto_settings, bucket=f"kills-{uuid4().hex[:8]}-{next(numbers)}"
        )
        store = S3Store(settings)
        store.ensure_bucket(object_lock=object_lock)
        return settings, store

    return make


def is_whole(store):
    """False when there is no release, True when all of it is there; anything between fails."""
    try:
        release = open_release(store, VERSION, exports=PREFIX)
    except NoSuchRelease:
        return False
    rows = sum(1 for split in release.splits for _ in release.iterate(split))
    assert rows == release.manifest.document["totals"]["records"]
    return True


def test_killed_at_every_step_a_release_is_whole_or_absent_and_a_rerun_publishes(run, fresh):
    seen = []
    for step in count(1):
        settings, store = fresh()
        [killed] = run(settings, {"kill_at": step})
        if "signal" not in killed:
            assert killed["steps"] == step - 1
            break
        assert killed["signal"] == signal.SIGKILL
        seen.append(is_whole(store))

        [again] = run(settings, {})
        assert "manifest" in again, (step, again)
        found = verify_release(store, VERSION, exports=PREFIX)
        assert (found.faults, found.manifest_sha256) == ((), again["manifest"])
    assert len(seen) > 20
    assert seen == sorted(seen), "once visible, visible"
    assert seen[-1] is True
    assert seen[0] is False


def retentions(store):
    """Key → until when its present version is retained, of everything under the release."""
    keys = [found.key for found in store.list(f"{PREFIX}releases/")]
    return {key: store._retention(key)[1] for key in keys}


def events(store, kind):
    entries = Journal(store, PREFIX, SystemClock()).replay()
    return [entry for entry in entries if entry.event["type"] == kind]


# Each death costs three publications, so CI dies at some steps; DESK_EVERY_STEP=1 at all of them.
STRIDE = 1 if os.environ.get("DESK_EVERY_STEP") else 6


def steps_to_die_at(names):
    """Every so many steps, and whatever the stride those on which the most hangs."""
    commit, first = names.index("commit") + 1, names.index("retain") + 1
    return sorted({*range(1, len(names) + 1, STRIDE), commit, first, first + 1, len(names)})


def test_killed_while_locking_a_release_stands_and_a_rerun_locks_it_to_the_same_date(run, fresh):
    settings, store = fresh(object_lock=True)
    [whole] = run(settings, {"retention_days": 9})
    names = whole["names"]
    objects = len(retentions(store))
    assert (
        names.count("retain")
        == objects
        == 1 + len(load_manifest(store, VERSION, exports=PREFIX).files)
    )
    locked_before_the_kill = []
    for step in steps_to_die_at(names):
        settings, store = fresh(object_lock=True)
        [killed] = run(settings, {"kill_at": step, "retention_days": 9})
        assert killed == {"signal": signal.SIGKILL}, (step, names[step - 1])
        before = {key: until for key, until in retentions(store).items() if until is not None}
        assert is_whole(store) or not before, "what no release lists stays removable"
        assert len(set(before.values())) < 2
        locked_before_the_kill.append(len(before))

        [again] = run(settings, {"retention_days": 9})
        assert "manifest" in again, (step, again)
        assert verify_release(store, VERSION, exports=PREFIX).faults == ()
        [committed] = events(store, COMMITTED)
        until = datetime.fromisoformat(committed.at) + timedelta(days=9)
        after = retentions(store)
        assert after == dict.fromkeys(after, until)
        assert before.items() <= after.items()
        [entry] = events(store, LOCKED)
        assert (entry.event["locked"], len(after)) == (objects, objects)
        [third] = run(settings, {"retention_days": 9})
        assert third["manifest"] == again["manifest"]
        assert "retain" not in third["names"], "what is locked is not asked for again"
    assert locked_before_the_kill == sorted(locked_before_the_kill)
    assert {0, 1, objects} <= set(locked_before_the_kill)
    print(f"killed {len(locked_before_the_kill)} times over {len(names)} steps")


def test_publishers_of_one_candidate_end_with_one_manifest(run, fresh):
    for _ in range(4):
        settings, store = fresh()
        answers = run(settings, *[{"publisher": f"person{who}"} for who in range(3)])
        assert len({answer.get("manifest") for answer in answers}) == 1, answers
        assert verify_release(store, VERSION, exports=PREFIX).faults == ()
        entries = Journal(store, PREFIX, SystemClock()).replay()
        assert [entry.event["type"] for entry in entries].count(COMMITTED) == 1


def test_of_different_candidates_one_wins_and_the_others_are_told(run, fresh):
    for _ in range(4):
        settings, store = fresh()
        answers = run(settings, *[{"records": 2 + extra} for extra in range(3)])
        winners = [answer for answer in answers if "manifest" in answer]
        losers = [answer for answer in answers if "manifest" not in answer]
        assert len(winners) == 1, answers
        assert [loser["error"] for loser in losers] == ["VersionTaken"] * 2, answers
        found = verify_release(store, VERSION, exports=PREFIX)
        assert (found.faults, found.manifest_sha256) == ((), winners[0]["manifest"])
