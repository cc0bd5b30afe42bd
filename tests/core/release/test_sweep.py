"""What belongs to no release is listed; what goes is journalled first; evidence never goes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.model.errors import Forbidden, OutcomeUnknown, ReleaseError, VersionTaken
from core.model.names import ReviewerId, Version
from core.release.claim import abandon_publish, version_state
from core.release.publish import publish_release
from core.release.sweep import KEEP, list_orphans, sweep_version
from tests.builders import PREFIX
from tests.release_builders import ROWS, event_types, some_inputs

VERSION = Version("v2026-11-21")
OWNER = ReviewerId("olympia")
OTHER_ROWS = {("priority", "train"): 2}


def orphans(inputs):
    return list_orphans(inputs.store, inputs.journal, PREFIX)


def sweep(inputs, version=VERSION):
    return sweep_version(inputs.store, inputs.journal, PREFIX, version, by=OWNER)


def left_by_a_crash(simulator, clock, **changes):
    """Inputs whose publication died before its manifest."""
    inputs = some_inputs(simulator, clock=clock, **changes)
    key = inputs.prefix + "manifest.json"
    simulator.fail(op="put_if_absent", how="forbidden", key=key)
    with pytest.raises(Forbidden):
        publish_release(inputs)
    simulator.heal()
    return inputs


def later(clock):
    clock.tick(KEEP.total_seconds() + 1)


def test_a_whole_release_has_no_orphans(simulator, clock):
    inputs = some_inputs(simulator, clock=clock)
    publish_release(inputs)
    later(clock)
    assert orphans(inputs) == ()
    with pytest.raises(ReleaseError) as caught:
        sweep(inputs)
    assert caught.value.code == "release.nothing_to_sweep"


def test_a_publication_under_way_is_listed_and_kept(simulator, clock):
    inputs = left_by_a_crash(simulator, clock)
    later(clock)
    assert {item.kept for item in orphans(inputs)} == {"claimed by a publication"}
    with pytest.raises(ReleaseError):
        sweep(inputs)
    assert publish_release(inputs).version == VERSION


def test_young_objects_are_kept_whatever_became_of_their_publication(simulator, clock):
    inputs = left_by_a_crash(simulator, clock)
    abandon_publish(inputs.journal, VERSION, by=OWNER, reason="no_longer_wanted")
    assert {item.kept for item in orphans(inputs)} == {"younger than 7 days"}
    clock.tick((KEEP - timedelta(seconds=60)).total_seconds())
    with pytest.raises(ReleaseError):
        sweep(inputs)


def test_an_abandoned_name_can_be_published_once_it_is_swept(simulator, clock):
    crashed = left_by_a_crash(simulator, clock)
    abandon_publish(crashed.journal, VERSION, by=OWNER, reason="another_candidate")
    later(clock)
    other = some_inputs(simulator, clock=clock, rows=OTHER_ROWS)
    with pytest.raises(VersionTaken) as caught:
        publish_release(other)
    assert caught.value.code == "version.not_clean"
    gone = sweep(other)
    assert gone
    assert simulator.keys(crashed.prefix) == []
    assert publish_release(other).version == VERSION
    kinds = event_types(other)
    assert (
        kinds.index("sweep.begun")
        < kinds.index("sweep.finished")
        < kinds.index("publish.committed")
    )


def test_nobody_publishes_into_a_prefix_that_is_being_swept(simulator, clock):
    crashed = left_by_a_crash(simulator, clock)
    abandon_publish(crashed.journal, VERSION, by=OWNER, reason="cannot_finish")
    later(clock)
    simulator.fail(op="delete", how="timeout", nth=2)
    with pytest.raises(Exception, match="transient"):
        sweep(crashed)
    simulator.heal()
    with pytest.raises(VersionTaken) as caught:
        publish_release(some_inputs(simulator, clock=clock))
    assert caught.value.code == "version.being_swept"
    sweep(crashed)
    assert version_state(crashed.journal.replay(), VERSION).sweeping is None
    assert publish_release(some_inputs(simulator, clock=clock)).version == VERSION


def test_a_claim_that_lands_while_the_sweep_looks_wins(simulator, clock):
    crashed = left_by_a_crash(simulator, clock)
    abandon_publish(crashed.journal, VERSION, by=OWNER, reason="cannot_finish")
    later(clock)
    rival = some_inputs(simulator, clock=clock)
    seq = len(rival.journal.replay()) + 1
    simulator.when(
        op="put_if_absent",
        key=f"{PREFIX}journal/{seq:012d}.json",
        do=lambda: publish_release(rival),
    )
    with pytest.raises((ReleaseError, OutcomeUnknown)) as caught:
        sweep(crashed)
    assert caught.value.code == "release.nothing_to_sweep"
    assert "sweep.begun" not in event_types(rival)


def test_what_a_deleted_manifest_leaves_is_evidence(simulator, clock):
    inputs = some_inputs(simulator, clock=clock)
    publish_release(inputs)
    simulator.delete(inputs.prefix + "manifest.json")
    later(clock)
    assert {item.kept for item in orphans(inputs)} == {"its manifest is gone: evidence"}
    with pytest.raises(ReleaseError):
        sweep(inputs)


def test_a_stranger_beside_a_release_may_go_and_the_release_stays_whole(simulator, clock):
    inputs = some_inputs(simulator, clock=clock)
    publish_release(inputs)
    before = set(simulator.keys(inputs.prefix))
    simulator.put(inputs.prefix + "chatml/train/stranger.jsonl", b"{}\n")
    simulator.put(f"{PREFIX}releases/notes.txt", b"mine")
    later(clock)
    found = {item.key.removeprefix(PREFIX): item.kept for item in orphans(inputs)}
    assert found == {
        f"releases/{VERSION}/chatml/train/stranger.jsonl": "",
        "releases/notes.txt": "not the name of a version",
    }
    sweep(inputs)
    assert set(simulator.keys(inputs.prefix)) == before


def test_without_the_right_to_delete_nothing_goes_and_the_refusal_says_so(simulator, clock):
    crashed = left_by_a_crash(simulator, clock)
    abandon_publish(crashed.journal, VERSION, by=OWNER, reason="cannot_finish")
    later(clock)
    before = simulator.keys(crashed.prefix)
    simulator.fail(op="delete", how="forbidden", times=None)
    with pytest.raises(Forbidden):
        sweep(crashed)
    assert simulator.keys(crashed.prefix) == before


def test_giving_up_takes_one_of_three_reasons_and_repeats_into_one_entry(simulator, clock):
    crashed = left_by_a_crash(simulator, clock, rows=ROWS)
    with pytest.raises(ReleaseError) as caught:
        abandon_publish(crashed.journal, VERSION, by=OWNER, reason="Dr. Somebody said so")
    assert caught.value.code == "release.abandon_reason"
    first = abandon_publish(crashed.journal, VERSION, by=OWNER, reason="cannot_finish")
    assert first is not None
    assert abandon_publish(crashed.journal, VERSION, by=OWNER, reason="cannot_finish") is None
    assert event_types(crashed).count("publish.abandoned") == 1


def test_a_publisher_still_at_work_finds_its_publication_given_up_before_the_commit(
    simulator, clock
):
    inputs = some_inputs(simulator, clock=clock)
    key = inputs.prefix + "croissant.json"
    simulator.when(
        op="put_if_absent",
        key=key,
        do=lambda: abandon_publish(inputs.journal, VERSION, by=OWNER, reason="cannot_finish"),
    )
    with pytest.raises(ReleaseError) as caught:
        publish_release(inputs)
    assert caught.value.code == "release.abandoned"
    assert inputs.prefix + "manifest.json" not in simulator.keys(inputs.prefix)
