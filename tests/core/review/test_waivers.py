"""A waiver is two people's signatures over the same words, and nothing short of that."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta

import pytest

from core.canonical import sha256_hex
from core.model.errors import NotAllowed, ReviewError
from core.model.gate import Finding, GateReport, StoredReport
from core.model.names import Version, parse_reviewer
from core.model.signoff import Person
from core.policy.load import packaged_source, parse_policy
from core.review import keys, waiver_objects, waivers
from core.review.envelope import seal, statement_bytes
from core.review.identity import SigningDesk
from core.storage.journal import Journal
from core.storage.ports import timestamp
from tests.builders import PREFIX, a_policy

POLICY = a_policy()
STRICT = parse_policy(packaged_source("release0"))
CANDIDATE = sha256_hex(b"candidate")
VERSION = Version("v2026-11-21")


class Room:
    def __init__(self, simulator, clock, workspace, policy=POLICY):
        self.store, self.clock, self.policy = simulator, clock, policy
        self.journal = Journal(simulator, PREFIX, clock, sleep=lambda seconds: None)
        self.key = keys.ensure_key(workspace, self.journal, "desk")
        self.desk = SigningDesk(
            store=simulator, journal=self.journal, prefix=PREFIX, key=self.key, clock=clock,
            embedded=False,
        )  # fmt: skip

    def person(self, name, *roles, **changes):
        person = Person(
            id=parse_reviewer(name), name=name.title(), roles=roles or ("review_lead",),
            auth="oidc", auth_time=timestamp(self.clock.now()), issuer="https://id", subject=name,
        )  # fmt: skip
        return dataclasses.replace(person, **changes)

    def request(self, code="distribution.drift", **changes):
        gate = code.partition(".")[0]
        report = GateReport(
            gate=gate, candidate=CANDIDATE, settings=sha256_hex(b"settings"), verdict="fail",
            examined=3, expected=3, findings=(Finding(code=code, blocking=True),),
        )  # fmt: skip
        stored = StoredReport(report=report, key="exports/evidence/x", sha256=sha256_hex(b"r"))
        fields = {
            "version": VERSION, "candidate": CANDIDATE, "gate": gate, "code": code, "found": 1,
            "report": stored, "reason": "The new source is longer on purpose.", "days": 7,
            "builders": frozenset({"bruno"}),
        }  # fmt: skip
        return waivers.WaiverRequest(**{**fields, **changes})

    def propose(self, person=None, typed=None, policy=None, **changes):
        person = person or self.person("leander")
        return waivers.propose(
            self.request(**changes), policy or self.policy, person=person,
            typed_name=person.name if typed is None else typed, desk=self.desk,
        )  # fmt: skip

    def agree(self, proposal, person=None, **changes):
        person = person or self.person("olympia", "release_owner")
        return waivers.agree(
            proposal, VERSION, self.policy, frozenset({"bruno"}), person=person,
            typed_name=changes.get("typed", person.name), desk=self.desk,
        )  # fmt: skip

    def load(self):
        entries = self.journal.replay()
        return waiver_objects.load_waivers(
            self.store, PREFIX, entries, CANDIDATE, keys.registered_keys(entries)
        )


@pytest.fixture
def room(simulator, clock, tmp_path):
    return Room(simulator, clock, tmp_path)


def refusal(call, *args, **kwargs):
    with pytest.raises((ReviewError, NotAllowed)) as caught:
        call(*args, **kwargs)
    return caught.value.code


def test_one_signature_proposes_and_the_second_waives(room):
    proposal = room.propose()
    assert room.load() == waiver_objects.LoadedWaivers(waivers=(), proposals=(proposal,), faults=())
    waiver = room.agree(proposal)
    assert room.load() == waiver_objects.LoadedWaivers(waivers=(waiver,), proposals=(), faults=())
    assert waiver.signers == (("leander", "review_lead"), ("olympia", "release_owner"))
    assert waiver.expires_at == "2026-11-28T09:00:00Z"
    kinds = [entry.event["type"] for entry in room.journal.replay()]
    assert kinds[1:] == ["waiver.proposed", "waiver.given"]


def test_what_is_stored_names_nobody(room):
    waiver = room.agree(room.propose())
    for key in room.store.keys(f"{PREFIX}waivers/"):
        text = room.store.body(key).decode()
        assert "Leander" not in text
        assert "Olympia" not in text
        assert sha256_hex(b"Leander") not in text
    assert waiver.key in room.store.keys(PREFIX)


@pytest.mark.parametrize(
    "code", ["privacy.us_ssn", "provenance.licence_unknown", "leakage.holdout_near", "review.flag"]
)
def test_what_may_not_be_waived_is_refused_at_the_desk(room, code):
    assert refusal(room.propose, code=code) == "waiver.not_waivable"
    assert refusal(room.propose, code=code, policy=STRICT) == "waiver.not_waivable"
    # The floor holds under a policy that forgot it.
    lenient = dataclasses.replace(POLICY, unwaivable=())
    assert refusal(room.propose, code=code, policy=lenient) == "waiver.not_waivable"
    assert room.store.keys(f"{PREFIX}waivers/") == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"reason": "  "}, "waiver.reason"),
        ({"reason": "x" * 501}, "waiver.reason"),
        ({"days": 0}, "waiver.expiry"),
        ({"days": 31}, "waiver.expiry"),
        ({"found": 0}, "waiver.nothing_found"),
        ({"gate": "duplicates"}, "waiver.nothing_found"),
        ({"candidate": sha256_hex(b"other")}, "waiver.nothing_found"),
        ({"builders": frozenset({"leander"})}, "waiver.builder"),
    ],
)
def test_a_proposal_says_why_how_long_and_about_what(room, changes, code):
    assert refusal(room.propose, **changes) == code


def test_a_pass_has_nothing_to_waive(room):
    stored = room.request().report
    passed = dataclasses.replace(stored.report, verdict="pass")
    report = dataclasses.replace(stored, report=passed)
    assert refusal(room.propose, report=report) == "waiver.nothing_found"


def test_both_people_prove_who_they_are(room):
    old = timestamp(room.clock.now() - timedelta(minutes=16))
    assert refusal(room.propose, room.person("leander", auth_time=old)) == "signoff.stale_auth"
    assert refusal(room.propose, room.person("leander", auth_time="")) == "signoff.stale_auth"
    assert refusal(room.propose, room.person("leander", auth="demo")) == "signoff.demo_auth"
    assert refusal(room.propose, typed="Somebody") == "signoff.name"
    proposal = room.propose()
    stale = room.person("olympia", "release_owner", auth_time=old)
    assert refusal(room.agree, proposal, stale) == "signoff.stale_auth"
    assert refusal(room.agree, proposal, typed="Leander") == "signoff.name"


def test_the_second_is_another_person_in_another_role_and_no_builder(room):
    proposal = room.propose()
    both = room.person("leander", "review_lead", "release_owner")
    assert refusal(room.agree, proposal, both) == "waiver.same_person"
    assert refusal(room.agree, proposal, room.person("lena", "review_lead")) == "waiver.role"
    assert refusal(room.agree, proposal, room.person("otto", "auditor")) == "waiver.role"
    assert refusal(room.agree, proposal, room.person("bruno", "release_owner")) == "waiver.builder"


def test_a_proposal_runs_out(room):
    proposal = room.propose(days=1)
    room.clock.tick(timedelta(days=1).total_seconds())
    assert refusal(room.agree, proposal) == "waiver.expiry"


def test_a_revoked_waiver_stays_and_says_so(room):
    waiver = room.agree(room.propose())
    stranger = room.person("clara", "clinician")
    with pytest.raises(NotAllowed):
        waivers.revoke_waiver(waiver, person=stranger, reason="No.", journal=room.journal)
    waivers.revoke_waiver(
        waiver, person=room.person("leander"), reason="It was a mistake.", journal=room.journal
    )
    assert [item.revoked for item in room.load().waivers] == [True]
    (revoked,) = room.load().waivers
    assert refusal(
        waivers.revoke_waiver, revoked, person=room.person("leander"), reason="x",
        journal=room.journal,
    ) == "waiver.revoked_already"  # fmt: skip


def test_a_waiver_put_there_by_hand_counts_for_nothing_and_is_named(room, tmp_path):
    waiver = room.agree(room.propose())
    forged = waiver.key.replace(waiver.sha256, "f" * 64)
    room.store.put(forged, room.store.body(waiver.key)[:-1] + b" ")
    other = keys.ensure_key(tmp_path / "other", Journal(room.store, "elsewhere/", room.clock), "x")
    said = json.loads('{"half": "agreed"}')
    stranger = seal(statement_bytes(VERSION, CANDIDATE, said, kind=waiver_objects.KIND), other)
    stranger_key = f"{PREFIX}waivers/{CANDIDATE}/agreed-{sha256_hex(stranger)}.json"
    room.store.put(stranger_key, stranger)
    found = room.load()
    assert found.waivers == (waiver,)
    assert set(found.faults) == {forged, stranger_key}


def test_a_half_whose_entry_never_landed_waives_nothing_and_blocks_nothing(room):
    room.store.fail(op="put_if_absent", nth=2, how="forbidden")
    with pytest.raises(Exception, match="forbidden"):
        room.propose()
    room.store.heal()
    assert len(room.store.keys(f"{PREFIX}waivers/")) == 1
    assert room.load() == waiver_objects.LoadedWaivers(waivers=(), proposals=(), faults=())


def test_a_signoff_cannot_pass_for_a_waiver(room):
    body = seal(statement_bytes(VERSION, CANDIDATE, {"half": "agreed"}), room.key)
    key = f"{PREFIX}waivers/{CANDIDATE}/agreed-{sha256_hex(body)}.json"
    room.store.put(key, body)
    assert room.load().faults == (key,)
