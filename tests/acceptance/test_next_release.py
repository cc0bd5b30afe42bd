"""A second release of a bucket that has grown reads what is new, and signs for all of it."""

from __future__ import annotations

import json

import pytest

from tests import road
from tests.builders import some_messages
from tests.real_desk import VERSION, json_lines

pytestmark = [pytest.mark.seaweed, pytest.mark.slow]
NEXT = "v2026-11-29"
CLAIM = "clinician_foundation"
READERS = {"clinician": "clinician-1", "bias_reviewer": "bias"}


def read_what_is_open(bench, digest):
    """Every reader answers what is still open to them; return how many of a sample that were."""
    read = 0
    for claim in bench.desk.policy.claims:
        reader = road.person(bench, READERS[claim.role])
        rubric = bench.reviews.rubric(claim.id)
        plan = bench.reviews.plans(digest)[claim.id]
        for item in bench.reviews.queue(digest, claim.id, reader).items:
            if item.state != "open":
                continue
            read += item.record_id in plan.records
            screen = bench.reviews.screen(digest, claim.id, item.record_id, reader)
            answers = {
                "scores": {q.id: "4" for q in rubric.items if q.unit == "record"},
                "verdict": "accept",
                "flags": [],
                "note": "",
                "shown_sha256": screen.sha256,
                "seconds": 60,
            }
            bench.reviews.submit(digest, claim.id, item.record_id, reader, answers)
    return read


def test_a_bucket_that_has_grown_is_released_again_with_only_the_new_read(signed):
    bench = signed.bench
    owner = road.person(bench, "owner")
    bench.releases.publish(signed.digest, owner)
    before = bench.reviews.plans(signed.digest)
    readings = sum(plan.first for plan in before.values())
    rows: list[object] = [{"messages": some_messages(f"grown {number}")} for number in range(3)]
    more = "gdrive/processed/priority/more.jsonl"
    bench.desk.store.put_if_absent(more, json_lines(rows))
    bench.data.take_inventory(owner)

    road.decide_sources(bench, NEXT)
    candidate, _ = road.build_until_passed(bench, NEXT)
    bench.reviews.freeze(candidate.digest, "rain again", road.person(bench, "lead"))
    plan = bench.reviews.plans(candidate.digest)[CLAIM]
    assert [part.since for part in plan.parts] == [VERSION, ""]
    assert plan.parts[1].ships == 3
    assert read_what_is_open(bench, candidate.digest) < readings
    road.read_for_names(bench, candidate.digest, "clinician-1")
    states = bench.reviews.states(candidate.digest)
    assert {name: state.state for name, state in states.items()} == dict.fromkeys(states, "ready")
    assert f"unchanged since {VERSION}" in states[CLAIM].sentence

    road.sign_all(bench, candidate.digest)
    assert bench.releases.blockers(candidate.digest, owner) == ()
    assert bench.releases.publish(candidate.digest, owner).smoke_passed
    folder = f"{bench.desk.prefix}releases/{NEXT}/"
    shipped = {
        entry.key: bench.desk.store.get(entry.key, limit=1 << 28).body
        for entry in bench.desk.store.list(folder)
    }
    report = next(
        document
        for body in shipped.values()
        if b"release-desk/review-report/2" in body
        and (document := json.loads(body))["claim"] == CLAIM
    )
    assert [part["since"] for part in report["parts"]] == [VERSION, ""]
    assert report["frame"] == sum(part["frame"] for part in report["parts"])
