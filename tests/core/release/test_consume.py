"""A trainer gets every record of a whole release exactly once, and none of an altered one."""

from __future__ import annotations

import pytest

from core.model.errors import BadName, NoSuchRelease, ReleaseError, Withdrawn
from core.model.names import ReviewerId, Version
from core.release.consume import open_release
from core.release.publish import publish_release
from core.release.withdraw import read_withdrawal, withdraw_release
from tests.builders import PREFIX
from tests.release_builders import event_types, no_wait, some_inputs

VERSION = Version("v2026-11-21")


@pytest.fixture
def published(simulator):
    inputs = some_inputs(simulator)
    publish_release(inputs)
    return inputs


def opened(simulator, version=VERSION, **more):
    return open_release(simulator, version, exports=PREFIX, sleep=no_wait, **more)


def test_every_row_of_a_split_comes_once(simulator, published):
    rows = list(opened(simulator).iterate("train"))
    assert len({row["metadata"]["record_id"] for row in rows}) == len(rows) == 7
    assert list(rows[0]) == ["messages", "metadata"]


@pytest.mark.parametrize("workers", [1, 2, 3, 11])
def test_workers_share_the_rows_without_gap_or_overlap(simulator, published, workers):
    release = opened(simulator)
    parts = [
        [row["metadata"]["record_id"] for row in release.iterate("train", worker=(n, workers))]
        for n in range(workers)
    ]
    together = [name for part in parts for name in part]
    assert len(together) == len(set(together)) == 7


def test_latest_opens_the_newest_release(simulator, published):
    publish_release(some_inputs(simulator, version="v2026-11-22"))
    assert opened(simulator, "latest").manifest.version == "v2026-11-22"


def test_latest_of_an_empty_bucket_is_no_release(simulator):
    with pytest.raises(NoSuchRelease):
        opened(simulator, "latest")


def test_a_prefix_full_of_objects_without_a_manifest_is_no_release(simulator, published):
    simulator.forget(f"{PREFIX}releases/{VERSION}/manifest.json")
    assert simulator.keys(f"{PREFIX}releases/{VERSION}/chatml/")
    with pytest.raises(NoSuchRelease):
        opened(simulator)


def test_an_altered_shard_yields_none_of_its_records(simulator, published):
    release = opened(simulator)
    file = release.shards("test")[0]
    simulator.put(file.key, simulator.body(file.key).replace(b"user", b"User", 1))
    with pytest.raises(ReleaseError, match=r"release\.altered") as caught:
        next(release.iterate("test"))
    assert file.key in str(caught.value)


@pytest.mark.parametrize("how", ["flip_byte", "silent_short_body", "short_body"])
def test_damage_on_the_way_is_noticed(simulator, published, how):
    release = opened(simulator)
    simulator.fail(op="stream", nth=1, times=None, how=how)
    with pytest.raises(Exception, match=r"release\.altered|storage\.transient"):
        next(release.iterate("train"))


def test_a_phase_names_its_families_with_weights_that_sum_to_one(simulator, published):
    release = opened(simulator)
    weights = release.weights("curriculum")
    assert set(weights) == {"priority", "edge_cases"}
    assert sum(weights.values()) == pytest.approx(1)
    assert {file.family for file in release.shards("train", "curriculum")} == set(weights)
    with pytest.raises(ReleaseError, match=r"release\.no_such_phase"):
        release.weights("dessert")


@pytest.mark.parametrize(
    "name",
    [
        f"{PREFIX}releases/{VERSION}/",
        f"{PREFIX}releases/{VERSION}",
        f"{PREFIX}releases/{VERSION}/manifest.json",
        f"s3://simulated/{PREFIX}releases/{VERSION}/",
    ],
)
def test_a_release_opens_by_its_prefix(simulator, published, name):
    name = name.replace("simulated", simulator.bucket)
    release = open_release(simulator, name, sleep=no_wait)
    assert release.manifest.version == VERSION
    assert release.phases == ("curriculum",)


def test_a_prefix_elsewhere_or_of_something_else_opens_nothing(simulator, published):
    with pytest.raises(ReleaseError, match=r"release\.other_bucket"):
        open_release(simulator, f"s3://another/{PREFIX}releases/{VERSION}/", sleep=no_wait)
    with pytest.raises(BadName):
        open_release(simulator, f"{PREFIX}shards/", sleep=no_wait)
    with pytest.raises(NoSuchRelease):
        open_release(simulator, f"other/releases/{VERSION}/", sleep=no_wait)


def test_a_pinned_manifest_opens_and_any_other_does_not(simulator, published):
    digest = opened(simulator).manifest.sha256
    assert opened(simulator, "latest", manifest_sha256=digest).manifest.sha256 == digest
    with pytest.raises(ReleaseError, match=r"release\.other_manifest"):
        opened(simulator, manifest_sha256="0" * 64)


def test_a_release_withdrawn_while_it_is_read_gives_no_further_shard(simulator, published, clock):
    rows = opened(simulator).iterate("train")
    next(rows)
    withdraw(simulator, published, clock)
    with pytest.raises(Withdrawn):
        list(rows)


def test_a_withdrawn_release_is_refused_unless_asked_for(simulator, published, clock):
    withdraw(simulator, published, clock)
    with pytest.raises(Withdrawn):
        opened(simulator)
    with pytest.raises(Withdrawn):
        opened(simulator, "latest")
    assert opened(simulator, allow_withdrawn=True).manifest.version == VERSION


def test_withdrawing_twice_leaves_one_note_and_one_entry(simulator, published, clock):
    withdraw(simulator, published, clock)
    clock.tick(60)
    withdraw(simulator, published, clock, by=ReviewerId("astrid"), reason="Another reason.")

    assert event_types(published).count("release.withdrawn") == 1
    note = read_withdrawal(simulator, VERSION, exports=PREFIX, sleep=no_wait)
    assert note["by"] == "olympia"
    assert note["reason"] == "A consent was revoked."


def test_a_withdrawal_cut_short_before_its_entry_is_finished_by_the_next(
    simulator, published, clock
):
    simulator.fail(op="put_if_absent", nth=2, how="forbidden")
    with pytest.raises(Exception, match=r"storage\.forbidden"):
        withdraw(simulator, published, clock)
    with pytest.raises(Withdrawn):
        opened(simulator)
    withdraw(simulator, published, clock)
    assert event_types(published).count("release.withdrawn") == 1


def test_a_withdrawal_needs_a_reason_without_private_words(simulator, published, clock):
    for reason in ("", "  ", "x" * 3000, "write to someone@example.org"):
        with pytest.raises(ReleaseError):
            withdraw(simulator, published, clock, reason=reason)
    with pytest.raises(NoSuchRelease):
        withdraw(simulator, published, clock, version=Version("v2020-01-01"))


def withdraw(simulator, inputs, clock, **changes):
    return withdraw_release(
        simulator,
        inputs.journal,
        clock,
        **{
            "exports": PREFIX,
            "version": VERSION,
            "by": ReviewerId("olympia"),
            "reason": "A consent was revoked.",
            "find_private": inputs.find_private,
            "sleep": no_wait,
            **changes,
        },
    )
