"""D2, D6 to D12 on the simulator: whatever the bucket does, nobody is told something untrue.

Each loop breaks the Nth call for N = 1, 2, 3 … until no fault strikes any more, then heals the
bucket and publishes again.
"""

from __future__ import annotations

import threading

import pytest

from core.model.errors import (
    DeskError,
    Forbidden,
    JournalBroken,
    NoSuchRelease,
    OutcomeUnknown,
    Transient,
    VersionTaken,
)
from core.model.names import Version
from core.release.consume import open_release
from core.release.publish import publish_release
from core.release.verify import verify_release
from tests.builders import PREFIX
from tests.faults.publisher import POLICY
from tests.release_builders import event_types, no_wait, some_inputs
from tests.simulator import Simulator

pytestmark = [pytest.mark.faults, pytest.mark.timeout(170)]
VERSION = Version("v2026-11-21")
MANIFEST = f"{PREFIX}releases/{VERSION}/manifest.json"
# How many calls of a kind one publication makes at the least, so that a loop is known to loop.
LEAST = {"put_if_absent": 15, "get": 20, "stream": 4, "copy": 2, "list": 5}
ROWS = {("priority", "train"): 2, ("priority", "test"): 1}


def prepared(**changes):
    store = changes.pop("store", None) or Simulator()
    return store, some_inputs(store, policy=POLICY, rows=changes.pop("rows", ROWS), **changes)


def again(store):
    """The inputs of another process on a bucket that works again; its journal knows nothing."""
    store.heal()
    return some_inputs(store, policy=POLICY, rows=ROWS)


def is_visible(store):
    store.heal()
    try:
        release = open_release(store, VERSION, exports=PREFIX, sleep=no_wait)
    except NoSuchRelease:
        return False
    assert verify_release(store, VERSION, exports=PREFIX).faults == ()
    assert sum(1 for split in release.splits for _ in release.iterate(split)) == 3
    return True


def each_fault(op, how, times=1):
    """Yield (store, inputs) with the Nth `op` broken, for every N that still strikes."""
    number = 0
    while True:
        number += 1
        store, inputs = prepared()
        store.fail(op=op, nth=number, how=how, times=times)
        plan = store._plans[0]
        yield store, inputs
        if not plan.fired:
            assert number > LEAST.get(op, 1), "the fault hardly ever struck"
            return


PASSING = ["lost_reply", "retried_reply", "error_500", "slow_down", "reset", "timeout",
           "conflict_409"]  # fmt: skip


@pytest.mark.parametrize("how", PASSING)
@pytest.mark.parametrize("times", [1, 2])
def test_a_put_that_fails_for_a_moment_changes_nothing(how, times):
    for store, inputs in each_fault("put_if_absent", how, times):
        published = publish_release(inputs)
        assert published.verification.faults == ()
        assert store.versions(MANIFEST) == 1
        kinds = event_types(again(store))
        assert kinds == ["publish.intent", "publish.committed", "publish.verified"]


@pytest.mark.parametrize("op", ["copy", "get", "stream", "list", "head_bytes", "was_ever"])
def test_a_read_or_copy_that_times_out_is_repeated_or_said(op):
    for store, inputs in each_fault(op, "timeout"):
        try:
            publish_release(inputs)
        except (Transient, OutcomeUnknown):
            assert store.fired
            publish_release(again(store))
        assert is_visible(store)


def test_an_upload_altered_on_the_wire_is_repaired_or_stops_publishing():
    for op in ("put_if_absent", "copy"):
        for store, inputs in each_fault(op, "flip_byte"):
            try:
                publish_release(inputs)
            except JournalBroken:
                assert not is_visible(store) or store.versions(MANIFEST) == 1
            else:
                assert is_visible(store)


@pytest.mark.parametrize("op", ["get", "stream"])
def test_a_short_body_never_passes_for_the_whole(op):
    for store, inputs in each_fault(op, "silent_short_body"):
        try:
            publish_release(inputs)
        except DeskError:
            assert store.fired
            publish_release(again(store))
        assert is_visible(store)


def test_a_refusal_is_not_retried_and_a_rerun_publishes():
    number, struck = 0, True
    while struck:
        number += 1
        store, inputs = prepared()
        store.fail(op="put_if_absent", nth=number, how="forbidden")
        try:
            publish_release(inputs)
        except Forbidden:
            assert store.fired == 1
        struck = store.fired > 0
        publish_release(again(store))
        assert is_visible(store)
    assert number > 10


def test_a_bucket_that_stays_down_is_said_to_be_unknown_and_a_rerun_finishes():
    number, struck = 0, True
    while struck:
        number += 3
        store, inputs = prepared()
        store.fail(op="any", nth=number, how="timeout", times=None)
        try:
            publish_release(inputs)
        except (Transient, OutcomeUnknown):
            assert store.fired
        struck = store.fired > 0
        assert publish_release(again(store)).verification.faults == ()
        assert store.versions(MANIFEST) == 1
    assert number > 30


@pytest.mark.parametrize("times", [1, None])
def test_a_reply_lost_after_the_commit_is_still_one_release(times):
    store, inputs = prepared()
    store.fail(op="put_if_absent", key=MANIFEST, nth=1, how="lost_reply", times=times)
    published = publish_release(inputs)

    assert store.fired
    assert published.verification.faults == ()
    assert store.versions(MANIFEST) == 1


def test_a_reader_who_polls_sees_nothing_and_then_all_of_it():
    store = Simulator()
    seen = []
    _, inputs = prepared(store=store, on_step=lambda name: seen.append(is_visible(store)))
    publish_release(inputs)

    assert seen == sorted(seen)
    assert seen[0] is False
    assert seen[-1] is True


def test_a_button_clicked_twice_gives_one_intent_and_one_commit():
    for _ in range(5):
        store = Simulator()
        outcomes = _publish_together(again(store), again(store))
        assert len({outcome.manifest_sha256 for outcome in outcomes}) == 1
        kinds = event_types(again(store))
        assert kinds == ["publish.intent", "publish.committed", "publish.verified"]
        assert store.versions(MANIFEST) == 1


def test_two_candidates_of_one_version_at_once_leave_one_release():
    for _ in range(5):
        store = Simulator()
        _, other = prepared(store=store, rows={("priority", "train"): 3})
        outcomes = _publish_together(again(store), other)
        losers = [outcome for outcome in outcomes if isinstance(outcome, DeskError)]
        assert [type(loser) for loser in losers] == [VersionTaken]
        assert verify_release(store, VERSION, exports=PREFIX).faults == ()
        assert store.versions(MANIFEST) == 1


def _publish_together(*wanted):
    """Publish each in a thread of its own, all released at once; return results or errors."""
    barrier = threading.Barrier(len(wanted))
    outcomes = [None] * len(wanted)

    def run(place, inputs):
        barrier.wait()
        try:
            outcomes[place] = publish_release(inputs)
        except DeskError as error:
            outcomes[place] = error

    threads = [threading.Thread(target=run, args=item) for item in enumerate(wanted)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes
