"""A signature is about one candidate's exact bytes: change anything, and it no longer counts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.model.errors import Blocked, DeskError, NoSuchRelease
from core.release.verify import load_manifest
from tests import road
from tests.real_desk import VERSION, environment

pytestmark = [pytest.mark.seaweed, pytest.mark.slow]
ROOT = Path(__file__).resolve().parents[2]


def codes(desk: Any, digest: str = "") -> set[str]:
    """The codes of everything that stands in the owner's way."""
    owner = road.person(desk.bench, "owner")
    return {item.code for item in desk.bench.releases.blockers(digest or desk.digest, owner)}


def no_release(desk: Any) -> bool:
    """Whether no manifest stands at the version."""
    with pytest.raises(NoSuchRelease):
        load_manifest(desk.bench.desk.store, VERSION, exports=desk.bench.desk.prefix)
    return True


@pytest.mark.parametrize("where", ["first", "last"])
def test_a_changed_byte_in_a_shard_after_signing_stops_the_publisher(signed, where):
    assert codes(signed) == set()
    store = signed.bench.desk.store
    shards = signed.bench.candidates.get(signed.digest).shards
    shard = shards[0 if where == "first" else -1]
    held = store.get(shard.key, limit=1 << 28)
    # Same length, still JSON: only the digest can tell.
    changed = held.body.replace(b"the ", b"teh ", 1)
    assert changed != held.body
    assert len(changed) == len(held.body)
    store.put_if_match(shard.key, changed, held.etag)

    owner = road.person(signed.bench, "owner")
    # Whoever reads the shard first names it: the review's own report, or the publisher.
    named = ("review.shard_changed", "release.shard_changed", "release.read_back")
    with pytest.raises(DeskError) as dry:
        signed.bench.releases.dry_run(signed.digest, owner)
    assert dry.value.code in named
    assert shard.key in dry.value.place
    with pytest.raises(DeskError) as refused:
        signed.bench.releases.publish(signed.digest, owner)
    assert refused.value.code in named
    assert no_release(signed)


def test_a_rebuilt_candidate_does_not_inherit_the_signatures(signed):
    bench = signed.bench
    owner = road.person(bench, "engineer")
    record = bench.reviews.plans(signed.digest)["clinician_edge"].records[0]
    bench.candidates.decide(
        signed.digest,
        gate="privacy",
        code="privacy.person",
        action="exclude",
        reason="seen after signing",
        by=owner,
        places=[{"record_id": record}],
    )
    rebuilt = bench.candidates.build(VERSION, owner)
    assert rebuilt.digest != signed.digest
    assert rebuilt.records == bench.candidates.get(signed.digest).records - 1

    found = codes(signed, rebuilt.digest)
    assert "signoff.stale" in found
    assert {"gate.absent", "review.not_frozen"} <= found
    assert "signoff.absent" not in found
    with pytest.raises(Blocked):
        bench.releases.publish(rebuilt.digest, road.person(bench, "owner"))
    assert no_release(signed)


@pytest.mark.parametrize("requirement", ["clinician_edge", "release_decision"])
def test_a_signature_taken_back_before_publishing_stops_it(signed, requirement):
    bench = signed.bench
    standing = {item.id: item.signoff for item in bench.signing.requirements(signed.digest)}
    given = standing[requirement]
    assert given is not None
    signer = road.person(bench, given.reviewer.removeprefix("test:"))
    bench.signing.revoke(signed.digest, given.sha256, "I looked again", signer)

    assert "signoff.revoked" in codes(signed)
    with pytest.raises(Blocked) as refused:
        bench.releases.publish(signed.digest, road.person(bench, "owner"))
    assert "signoff.revoked" in refused.value.sentence
    assert no_release(signed)


def test_a_refusal_stays_a_refusal_when_a_rating_changes_after_it(rated):
    bench = rated.bench
    bias = road.person(bench, "bias")
    bench.signing.sign(rated.digest, "bias_foundation", "refuse", bias.name, bias)
    assert "signoff.refused" in codes(rated)
    change_a_rating(rated, "bias_foundation", "bias")
    assert "signoff.refused" in codes(rated)


def test_a_rating_changed_after_the_signature_asks_for_a_new_one(signed):
    change_a_rating(signed, "clinician_edge", "clinician-1")
    named = {
        item.detail
        for item in signed.bench.releases.blockers(signed.digest)
        if item.code == "signoff.outdated"
    }
    assert len(named) == 1
    assert "signed before what it rests on" in named.pop()
    with pytest.raises(Blocked):
        signed.bench.releases.publish(signed.digest, road.person(signed.bench, "owner"))
    assert no_release(signed)


def change_a_rating(desk: Any, claim: str, who: str) -> None:
    """Let a reader give other marks to the first record of their sample."""
    bench, reader = desk.bench, road.person(desk.bench, who)
    record = bench.reviews.plans(desk.digest)[claim].records[0]
    screen = bench.reviews.screen(desk.digest, claim, record, reader)
    rubric = bench.reviews.rubric(claim)
    bench.reviews.submit(
        desk.digest,
        claim,
        record,
        reader,
        {
            "scores": {item.id: "5" for item in rubric.items if item.unit == "record"},
            "verdict": "accept",
            "flags": [],
            "note": "",
            "shown_sha256": screen.sha256,
            "supersedes": screen.rating_sha256,
            "seconds": 60,
        },
    )


def test_two_publishers_at_once_make_one_release_and_tell_the_same_digest(signed):
    told = environment(signed.bucket, signed.folder)
    both = [
        subprocess.Popen(
            [sys.executable, "-m", "core", "publish", signed.digest[:12], "--json"],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "HOME": str(signed.folder), **told},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    ended = [process.communicate(timeout=180) for process in both]
    answers = [json.loads(out) for out, _ in ended]
    assert [process.returncode for process in both] == [0, 0], answers
    assert len({answer["manifest_sha256"] for answer in answers}) == 1

    entries = signed.bench.desk.entries()
    kinds = [entry.event["type"] for entry in entries]
    assert kinds.count("publish.committed") == 1
    found = signed.bench.releases.verify(VERSION)
    assert (found.faults, found.manifest_sha256) == ((), answers[0]["manifest_sha256"])
