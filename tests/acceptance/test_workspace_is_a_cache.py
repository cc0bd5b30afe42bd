"""The bucket holds everything: a machine that has never seen it goes on where the other stopped."""

from __future__ import annotations

import shutil

import pytest

from tests import road
from tests.real_desk import VERSION

pytestmark = [pytest.mark.seaweed, pytest.mark.slow]


def what_is_seen(bench, digest):
    """Everything a person at the desk would see of a candidate, from one workbench."""
    claims = [claim.id for claim in bench.desk.policy.claims]
    reports = bench.candidates.reports(digest)
    return {
        "versions": bench.data.versions(),
        "snapshot": bench.data.snapshot(),
        "coverage": bench.data.coverage_document(VERSION),
        "sources": bench.data.decisions(),
        "current": bench.candidates.current(VERSION),
        "found": bench.candidates.find(digest[:8]),
        "evidence": {name: held.sha256 if held else "" for name, held in reports.items()},
        "findings": bench.candidates.findings(digest),
        "plans": bench.reviews.plans(digest),
        "ratings": {claim: bench.reviews.ratings(digest, claim) for claim in claims},
        "states": bench.reviews.states(digest),
        "signoffs": bench.signing.load(digest),
        "blockers": bench.releases.blockers(digest, road.person(bench, "owner")),
        "checklist": bench.sheet.lines(VERSION),
        "journal": bench.audit.export(),
    }


def test_a_fresh_workspace_sees_and_publishes_what_another_one_signed(signed):
    before = what_is_seen(signed.bench, signed.digest)
    # Proof by contrast: what is compared below is not simply empty.
    assert all(before[name] for name in before if name not in ("blockers", "findings"))
    assert before["blockers"] == ()
    assert all(before["evidence"].values())
    assert all(before["ratings"].values())
    assert len(before["signoffs"].signoffs) == 4

    shutil.rmtree(signed.bench.desk.workspace)
    fresh = signed.reopened("a machine that has never seen it")
    after = what_is_seen(fresh, signed.digest)
    for name, seen in before.items():
        assert after[name] == seen, name

    outcome = fresh.releases.publish(signed.digest, road.person(fresh, "owner"))
    assert outcome.smoke_passed
    assert fresh.releases.verify(VERSION).faults == ()


def test_ratings_are_kept_when_the_desk_is_lost_in_mid_review(rated):
    """Half the readers are done when the machine is lost; they go on at another one."""
    before = {
        claim.id: rated.bench.reviews.ratings(rated.digest, claim.id)
        for claim in rated.bench.desk.policy.claims
    }
    shutil.rmtree(rated.bench.desk.workspace)
    fresh = rated.reopened("another")
    assert before == {claim: fresh.reviews.ratings(rated.digest, claim) for claim in before}
    reader = road.person(fresh, "clinician-1")
    queue = fresh.reviews.queue(rated.digest, "clinician_edge", reader)
    # The four of the sample, and the known-bad record that hides among them.
    assert [item.state for item in queue.items] == ["done"] * 5

    road.sign_all(fresh, rated.digest)
    assert fresh.releases.blockers(rated.digest, road.person(fresh, "owner")) == ()


def test_a_rebuild_on_another_machine_is_the_same_candidate(signed):
    shutil.rmtree(signed.bench.desk.workspace)
    fresh = signed.reopened("another")
    engineer = road.person(fresh, "engineer")
    assert fresh.candidates.build(VERSION, engineer).digest == signed.digest
