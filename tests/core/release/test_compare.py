"""Two releases differ exactly in what was changed between them, counted from their rows."""

from __future__ import annotations

import pytest

from core.model.candidate import Exclusion
from core.model.errors import ReleaseError
from core.release.compare import (
    EDGES,
    compare_manifests,
    compare_records,
    compare_weights,
    count_places,
    read_contents,
)
from core.release.consume import open_release
from core.release.publish import publish_release
from tests.builders import PREFIX, a_candidate, a_policy, a_row
from tests.release_builders import no_wait, some_inputs

OLD, NEW = "v2026-11-21", "v2026-11-22"


def rows(family, split, names):
    return [a_row(family=family, split=split, seed=name, source_line=1) for name in names]


def released(store, version, contents, **more):
    candidate = a_candidate(store, contents, a_policy(), version=version, **more)
    publish_release(some_inputs(store, candidate=candidate, version=version))
    return open_release(store, version, exports=PREFIX, sleep=no_wait)


@pytest.fixture
def pair(simulator):
    shared = rows("edge_cases", "train", "xyz")
    old = {("priority", "train"): rows("priority", "train", "abc"), ("edge_cases", "train"): shared}
    new = {
        ("priority", "train"): rows("priority", "train", "bcde"),
        ("edge_cases", "train"): shared,
    }
    left_out = [Exclusion(scope="family:voice", reason="Persona assets are missing.")]
    return released(simulator, NEW, new, exclusions=left_out), released(simulator, OLD, old)


def test_records_are_added_removed_and_kept_as_the_rows_say(pair):
    mine, theirs = read_contents(*pair)
    found = compare_records(mine, theirs)
    assert count_places(found.added) == {("priority", "train"): 2}
    assert count_places(found.removed) == {("priority", "train"): 1}
    assert (found.moved, found.kept) == ({}, 5)
    back = compare_records(theirs, mine)
    assert (back.added, back.removed) == (found.removed, found.added)


def test_a_record_in_another_split_has_moved(simulator):
    said = a_row(seed="s")["messages"]
    old = released(simulator, OLD, {("priority", "train"): [a_row(said), a_row(seed="t")]})
    new = released(
        simulator,
        NEW,
        {("priority", "train"): [a_row(seed="t")], ("priority", "val"): [a_row(said, split="val")]},
    )
    found = compare_records(*read_contents(new, old))
    assert list(found.moved.values()) == [(("priority", "train"), ("priority", "val"))]
    assert not found.added
    assert not found.removed


def test_a_shared_shard_is_read_once_and_counted_for_both(pair, simulator):
    before = simulator.count("stream")
    mine, theirs = read_contents(*pair)
    assert simulator.count("stream") - before == 3
    assert mine.histograms["edge_cases"] == theirs.histograms["edge_cases"]
    for contents, count in ((mine, 4), (theirs, 3)):
        for measure, edges in EDGES.items():
            counts = contents.histograms["priority"][measure]
            assert len(counts) == len(edges) + 1
            assert sum(counts) == count
    # Four turns lie at or above the edge 4 and below 6.
    assert mine.histograms["priority"]["turns"][EDGES["turns"].index(4) + 1] == 4


def test_manifests_differ_where_something_was_decided(pair):
    new, old = pair
    found = compare_manifests(new.manifest.document, old.manifest.document)
    assert [(c.about, c.mine, c.theirs) for c in found["known exclusions"]] == [
        ("family:voice", "Persona assets are missing.", "")
    ]
    assert found["policy and rubrics"] == ()
    assert [change.about for change in found["sources"]]
    assert compare_weights(new, old) == ()


def test_a_release_is_no_different_from_itself(pair):
    new, _ = pair
    found = compare_manifests(new.manifest.document, new.manifest.document)
    assert not any(found.values())
    changes = compare_records(*read_contents(new, new))
    assert (changes.added, changes.removed, changes.moved, changes.kept) == ({}, {}, {}, 7)


def test_nothing_is_compared_when_a_shard_was_altered(pair, simulator):
    new, old = pair
    key = old.shards("train", "curriculum")[-1].key
    simulator.put(key, simulator.body(key)[:-2])
    with pytest.raises(ReleaseError, match=r"release\.altered"):
        read_contents(new, old)
