"""A failed gate that two people waived no longer blocks, and everything says so."""

from __future__ import annotations

import dataclasses

import pytest

from core.canonical import decode, digest_of
from core.gates.evidence import store_report
from core.model.errors import NotAllowed, ReviewError
from core.model.gate import Finding, GateReport
from core.storage.journal import Journal
from core.workbench import assemble
from tests.clock import FixedClock
from tests.desk import VERSION, a_desk, person_of, read_everything
from tests.simulator import Simulator

CODE = "distribution.drift"
WHY = "The new source is longer on purpose; the reviewers have read it."


def fail_gate(bench, candidate, gate, code, findings=2):
    """File and journal a fail of one gate, under settings of its own."""
    desk = bench.desk
    report = GateReport(
        gate=gate, candidate=candidate.digest, settings=digest_of("settings of the fail"),
        verdict="fail", examined=candidate.records, expected=candidate.records,
        findings=(Finding(code=code, blocking=True),) * findings,
        started_at=desk.now(), finished_at=desk.now(),
    )  # fmt: skip
    stored = store_report(desk.store, desk.prefix, report)
    desk.record(
        person_of(bench, "engineer"), "gate.finished", candidate=candidate.digest, gate=gate,
        verdict="fail", evidence=stored.sha256, settings=report.settings,
        fingerprint=bench.candidates._fingerprint(candidate),
    )  # fmt: skip


@pytest.fixture
def bench(tmp_path):
    clock = FixedClock()
    bench = a_desk(Simulator(clock=clock), tmp_path, clock=clock)
    fail_gate(bench, bench.candidates.current(VERSION), "distribution", CODE)
    return bench


@pytest.fixture
def digest(bench):
    return bench.candidates.current(VERSION).digest


def waive(bench, digest, gate="distribution", code=CODE, first="lead", second="owner"):
    one, two = person_of(bench, first), person_of(bench, second)
    proposal = bench.waivers.propose(digest, gate, code, WHY, 7, one.name, one)
    return bench.waivers.agree(digest, proposal.sha256, two.name, two)


def blockers(bench, digest):
    return {blocker.code for blocker in bench.releases.blockers(digest)}


def line(bench, number):
    return next(line for line in bench.sheet.lines(VERSION) if line.id == number)


def test_two_people_waive_and_the_gate_no_longer_blocks(bench, digest):
    assert "gate.failed" in blockers(bench, digest)
    (item,) = bench.waivers.blocking(digest)
    assert (item.gate, item.code, item.count, item.waivable) == ("distribution", CODE, 2, True)
    waiver = waive(bench, digest)
    assert "gate.failed" not in blockers(bench, digest)
    assert bench.waivers.blocking(digest)[0].waiver == waiver
    told = line(bench, "4.4")
    assert told.state == "waived"
    assert f"{CODE} is waived by demo:lead and demo:owner" in told.why


def test_d45_a_waiver_anchors_the_journal_like_a_signoff(bench, digest):
    waive(bench, digest)
    assert len(bench.audit.anchors()) == 2
    assert bench.audit.verify()[0]
    # Whoever cuts the tail behind the first half contradicts the second.
    entries = bench.desk.entries()
    for entry in entries[-1:-3:-1]:
        bench.desk.store.delete(entry.key)
    fresh = Journal(bench.desk.store, bench.desk.prefix, bench.desk.clock)
    cut = assemble(dataclasses.replace(bench.desk, journal=fresh, memory={}))
    holds, sentence = cut.audit.verify()
    assert not holds
    assert "journal." in sentence


def test_half_a_waiver_waives_nothing(bench, digest):
    lead = person_of(bench, "lead")
    bench.waivers.propose(digest, "distribution", CODE, WHY, 7, lead.name, lead)
    assert "gate.failed" in blockers(bench, digest)
    assert line(bench, "4.4").state == "blocked"


def test_the_builder_takes_no_part(bench, digest):
    with pytest.raises(NotAllowed) as caught:
        waive(bench, digest, first="engineer")
    assert caught.value.code == "waiver.builder"
    with pytest.raises(NotAllowed) as caught:
        waive(bench, digest, second="engineer")
    assert caught.value.code == "waiver.builder"


def test_an_auditor_waives_nothing(bench, digest):
    with pytest.raises(NotAllowed) as caught:
        waive(bench, digest, first="auditor")
    assert caught.value.code == "role.required"


def test_a_revoked_waiver_blocks_again(bench, digest):
    waiver = waive(bench, digest)
    bench.waivers.revoke(digest, waiver.sha256, "It was a mistake.", person_of(bench, "lead"))
    assert "gate.failed" in blockers(bench, digest)
    assert line(bench, "4.4").state == "blocked"


def test_what_may_not_be_waived_is_said_and_refused(bench, digest):
    fail_gate(bench, bench.candidates.current(VERSION), "privacy", "privacy.us_ssn")
    item = next(item for item in bench.waivers.blocking(digest) if item.gate == "privacy")
    assert not item.waivable
    with pytest.raises(ReviewError) as caught:
        waive(bench, digest, "privacy", "privacy.us_ssn")
    assert caught.value.code == "waiver.not_waivable"


def test_a_reason_that_names_somebody_is_not_kept(bench, digest):
    lead = person_of(bench, "lead")
    with pytest.raises(ReviewError) as caught:
        bench.waivers.propose(
            digest, "distribution", CODE, "Ask sam.t@mail.example.org, 555-867-5309.", 7,
            lead.name, lead,
        )  # fmt: skip
    assert caught.value.code == "review.private_text"
    assert not [e for e in bench.desk.entries() if e.event["type"].startswith("waiver.")]


def test_a_signoff_is_not_revoked_with_a_reason_that_names_somebody(bench, digest):
    read_everything(bench, "clinician_edge", "clinician-1")
    rule = next(r for r in bench.desk.policy.signoffs if r.claim == "clinician_edge")
    clara = person_of(bench, "clinician-1")
    signoff = bench.signing.sign(digest, rule.id, "approve", clara.name, clara)
    with pytest.raises(ReviewError) as caught:
        bench.signing.revoke(digest, signoff.sha256, "Write to sam.t@mail.example.org.", clara)
    assert caught.value.code == "review.private_text"
    bench.signing.revoke(digest, signoff.sha256, "A slip.", clara)


def test_a_later_report_is_not_covered(bench, digest):
    waive(bench, digest)
    later = dataclasses.replace(bench.candidates.current(VERSION))
    bench.desk.clock.tick(1)
    fail_gate(bench, later, "distribution", "distribution.alike", findings=3)
    assert "gate.failed" in blockers(bench, digest)


def test_the_release_ships_the_waiver_whole_and_names_it(bench, digest):
    waiver = waive(bench, digest)
    bench.data.take_inventory(person_of(bench, "engineer"))
    objects = bench.releases.dry_run(digest, person_of(bench, "owner")).objects
    shipped = [item for item in objects if "/evidence/waiver-distribution-" in item.key]
    assert [item.sha256 for item in shipped] == [waiver.sha256]
    notes = decode(bench.desk.store.get(waiver.key, limit=1 << 20).body)
    assert notes["payloadType"] == "application/vnd.in-toto+json"


def test_d17_a_clock_set_back_brings_no_expired_waiver_back(bench, digest):
    waive(bench, digest)
    assert "gate.failed" not in blockers(bench, digest)
    bench.desk.clock.tick(8 * 86_400)
    assert "gate.failed" in blockers(bench, digest)
    bench.desk.record(person_of(bench, "engineer"), "version.drafted", version="v2026-12-01")
    bench.desk.clock.tick(-8 * 86_400)
    assert "gate.failed" in blockers(bench, digest)
    assert bench.waivers.in_force(digest) == ()
