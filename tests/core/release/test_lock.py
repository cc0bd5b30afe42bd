"""A release is locked after it stands; that it could not be is said, and never undoes it."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from typing import Any

import pytest

from core.model.errors import ReleaseError
from core.model.names import ReviewerId, Version
from core.policy.types import Policy, ReleaseRule
from core.release.claim import LOCKED, NOT_LOCKED
from core.release.lock import refuse_unlocked
from core.release.publish import publish_release
from core.release.verify import load_manifest, verify_release
from core.storage.journal import Entry
from tests.builders import PREFIX, a_policy
from tests.desk import a_desk
from tests.release_builders import event_types, some_inputs
from tests.simulator import Simulator

VERSION = Version("v2026-11-21")
RELEASE = f"{PREFIX}releases/{VERSION}/"
DAYS = 90


def keeping(days: int = DAYS) -> Policy:
    return dataclasses.replace(a_policy(), release=ReleaseRule(retention_days=days))


def inputs_over(store: Simulator, **changes: Any) -> Any:
    return some_inputs(store, policy=keeping(), **changes)


def entries_of(inputs: Any, kind: str) -> list[Entry]:
    return [entry for entry in inputs.journal.replay() if entry.event["type"] == kind]


def listed_keys(store: Simulator) -> set[str]:
    manifest = load_manifest(store, VERSION, exports=PREFIX)
    return {file.key for file in manifest.files} | {RELEASE + "manifest.json"}


def test_every_listed_object_and_the_manifest_are_retained_from_the_commit_on(simulator, clock):
    inputs = inputs_over(simulator, clock=clock)
    published = publish_release(inputs)

    [committed] = entries_of(inputs, "publish.committed")
    until = datetime.fromisoformat(committed.at) + timedelta(days=DAYS)
    keys = listed_keys(simulator)
    assert {key: simulator.retained(key) for key in keys} == dict.fromkeys(keys, until)
    [locked] = entries_of(inputs, LOCKED)
    assert locked.event["objects"] == len(keys) == published.lock.objects
    assert locked.event["until"] == "2027-02-19T09:00:00Z"
    assert (locked.event["mode"], published.lock.code) == ("GOVERNANCE", "")


def test_nothing_is_retained_before_the_manifest_stands(simulator):
    standing = []
    simulator.when(op="retain", do=lambda: standing.extend(simulator.keys(RELEASE)))
    publish_release(inputs_over(simulator))

    assert RELEASE + "manifest.json" in standing
    retained = {key for key in simulator.keys(PREFIX) if simulator.retained(key)}
    assert all(key.startswith(RELEASE) for key in retained)


def test_a_policy_that_asks_for_no_retention_asks_the_bucket_nothing(simulator):
    inputs = some_inputs(simulator)
    published = publish_release(inputs)

    assert published.lock is None
    assert simulator.count("can_lock") == simulator.count("retain") == 0
    assert event_types(inputs) == ["publish.intent", "publish.committed", "publish.verified"]


def test_a_bucket_without_object_lock_still_gives_a_release_and_says_so(simulator):
    simulator.object_lock = False
    inputs = inputs_over(simulator)
    published = publish_release(inputs)
    publish_release(inputs)

    assert verify_release(simulator, VERSION, exports=PREFIX).faults == ()
    assert (published.lock.code, published.lock.failed) == ("storage.no_lock", False)
    [told] = entries_of(inputs, NOT_LOCKED)
    assert (told.event["code"], told.event["locked"]) == ("storage.no_lock", 0)
    assert entries_of(inputs, LOCKED) == []


@pytest.mark.parametrize(
    ("how", "code"), [("forbidden", "storage.forbidden"), ("error_500", "storage.transient")]
)
def test_a_failure_to_lock_leaves_the_release_whole_and_is_told(simulator, how, code):
    simulator.fail(op="retain", nth=3, how=how, times=None)
    inputs = inputs_over(simulator)
    published = publish_release(inputs)

    assert published.verification.faults == ()
    assert simulator.keys(f"{PREFIX}latest.json")
    assert (published.lock.code, published.lock.failed) == (code, True)
    [told] = entries_of(inputs, NOT_LOCKED)
    assert (told.event["code"], told.event["locked"]) == (code, 2)
    assert told.event["objects"] == len(listed_keys(simulator))
    assert entries_of(inputs, LOCKED) == []


def test_a_failure_to_lock_is_made_good_by_publishing_again_with_the_same_date(simulator, clock):
    simulator.fail(op="retain", nth=3, how="forbidden")
    publish_release(inputs_over(simulator, clock=clock))
    clock.tick(3600)
    again = inputs_over(simulator, clock=clock, publisher=ReviewerId("petra"))
    published = publish_release(again)
    asked = simulator.count("retain")
    publish_release(again)

    assert published.lock.code == ""
    assert {simulator.retained(key) for key in listed_keys(simulator)} == {
        datetime.fromisoformat("2027-02-19T09:00:00Z")
    }
    assert len(entries_of(again, LOCKED)) == 1
    # What the journal says is locked is not asked of the bucket again.
    assert simulator.count("retain") == asked


def test_a_desk_that_died_before_or_amid_the_locking_finishes_it_on_resume(simulator):
    for step, nth in (("lock", 1), ("retain", 2)):
        store = simulator.copied(simulator.clock)

        def die() -> None:
            raise KeyboardInterrupt

        changes: dict[str, Any] = {}
        if step == "lock":
            changes["on_step"] = lambda name: die() if name == "lock" else None
        else:
            store.when(op="retain", nth=nth, do=die)
        with pytest.raises(KeyboardInterrupt):
            publish_release(inputs_over(store, **changes))
        assert "publish.committed" in event_types(inputs_over(store))
        store.heal()

        published = publish_release(inputs_over(store))
        assert published.lock.code == ""
        assert all(store.retained(key) for key in listed_keys(store))


def test_a_longer_retention_is_left_as_it_is(simulator, clock):
    longer = clock.now() + timedelta(days=4000)
    key = RELEASE + "manifest.json"
    simulator.when(op="can_lock", do=lambda: simulator.retain(key, longer))
    published = publish_release(inputs_over(simulator, clock=clock))

    assert published.lock.code == ""
    assert simulator.retained(key) == longer


def test_a_retention_that_has_run_out_is_not_asked_for(simulator, clock):
    simulator.fail(op="retain", how="forbidden")
    publish_release(inputs_over(simulator, clock=clock))
    clock.tick((DAYS + 1) * 24 * 3600)

    assert publish_release(inputs_over(simulator, clock=clock)).lock is None


def test_the_desk_tells_the_journals_word_and_refuses_to_pass_over_a_failure(simulator, tmp_path):
    simulator.fail(op="retain", nth=3, how="forbidden")
    failed = publish_release(inputs_over(simulator)).lock
    releases = a_desk(simulator, tmp_path).releases
    assert releases.last_lock(VERSION) == failed
    with pytest.raises(ReleaseError, match="is published and whole, but only 2 of its") as caught:
        refuse_unlocked(VERSION, releases.last_lock(VERSION))
    assert caught.value.code == "release.not_locked"

    made_good = publish_release(inputs_over(simulator)).lock
    assert releases.last_lock(VERSION) == made_good
    refuse_unlocked(VERSION, releases.last_lock(VERSION))
    assert releases.last_lock("v2026-11-22") is None
