from __future__ import annotations

import base64
import dataclasses
import json
import os
import stat

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from core.canonical import canonical_bytes, decode, sha256_hex
from core.model.errors import NotAllowed, ReviewError, StorageError
from core.model.names import ReviewerId, Version
from core.policy.types import SignoffRule
from core.review import keys, signing
from core.review.beside import acts_statement
from core.review.envelope import PAYLOAD_TYPE, open_envelope, seal, signed_bytes, statement_bytes
from core.review.plans import plan_digest
from core.review.ratings import ratings_digest
from core.review.settlements import settlements_digest
from core.review.signoffs import load_signoffs, signoff_folder
from core.storage.journal import Journal
from tests.builders import PREFIX
from tests.reviewing import BUILDER, ISSUER, Review, a_reader

CLINICAL = SignoffRule(
    id="clinician_foundation", title="t", role="clinician", claim="clinician_foundation"
)
OTHER_CLINICAL = dataclasses.replace(CLINICAL, id="clinician_second")
DECISION = SignoffRule(id="release_decision", title="t", role="release_owner", claim="")


class Signed:
    """A reviewed candidate with a desk that can sign."""

    def __init__(self, simulator, clock, workspace):
        self.store, self.clock = simulator, clock
        self.review = Review(simulator)
        self.journal = Journal(simulator, PREFIX, clock, sleep=lambda seconds: None)
        self.key = keys.ensure_key(workspace, self.journal, "desk")
        self.candidate = self.review.candidate.digest
        self.desk = signing.SigningDesk(
            store=simulator,
            journal=self.journal,
            prefix=PREFIX,
            key=self.key,
            clock=clock,
            embedded=False,
        )

    def basis(self):
        return signing.ReviewBasis(
            plan=self.review.plan,
            state=self.review.state(),
            ratings=self.review.loaded(),
            settlements=self.review.settled(),
        )

    def request(self, requirement=CLINICAL, **changes):
        request = signing.SignoffRequest(
            version=Version("v2026-11-21"),
            candidate=self.candidate,
            requirement=requirement,
            decision="approve",
            evidence={"privacy": sha256_hex(b"report")},
            basis=self.basis() if requirement.claim else None,
            builder=BUILDER,
            statement="" if requirement.claim else "Foundation and edge are released.",
        )
        return dataclasses.replace(request, **changes)

    def sign(self, requirement=CLINICAL, person=None, typed=None, desk=None, **changes):
        person = person or a_reader("clara")
        return signing.sign(
            self.request(requirement, **changes),
            person=person,
            typed_name=person.name if typed is None else typed,
            desk=desk or self.desk,
            given=self.load().signoffs,
        )

    def load(self, candidate=None):
        entries = self.journal.replay()
        registered = keys.registered_keys(entries)
        return load_signoffs(self.store, PREFIX, entries, candidate or self.candidate, registered)


@pytest.fixture
def signed(simulator, clock, tmp_path):
    return Signed(simulator, clock, tmp_path)


@pytest.fixture
def ready(signed):
    signed.review.read_clean()
    return signed


def refusal(call, *args, **kwargs):
    with pytest.raises((ReviewError, NotAllowed)) as caught:
        call(*args, **kwargs)
    return caught.value.code


def fault_codes(found):
    return [fault.code for fault in found.faults]


def test_a_signoff_says_who_what_and_on_which_evidence(ready):
    signoff = ready.sign(exceptions=("length.long",))
    found = ready.load()
    assert found.signoffs == (signoff,)
    assert found.faults == ()
    said = signoff.statement
    assert signoff.candidate == ready.candidate
    assert said["meaning"] == "reviewed and approved with exceptions"
    assert said["statement"] == ready.review.state().sentence
    assert said["evidence"] == {"privacy": {"sha256": sha256_hex(b"report")}}
    assert said["rubric"] == {"sha256": ready.review.rubric.digest}
    assert said["auth"] == {
        "method": "oidc",
        "auth_time": "2026-11-21T08:55:00Z",
        "iss_sub_hmac": ready.key.keyed_digest(f"{ISSUER}\nsubject of clara"),
    }
    assert said["at"] == "2026-11-21T09:00:00Z"
    # Names are guessable, so no digest that anybody could compute of one is ever written.
    assert said["printed_name_hmac"] == ready.key.keyed_digest("Clara")
    assert sha256_hex(b"Clara") not in ready.store.body(signoff.key).decode()
    assert signoff.key == (
        f"{PREFIX}signoffs/{ready.candidate}/clinician_foundation-{signoff.sha256}.json"
    )


def test_signing_writes_the_name_nowhere(ready):
    before = set(ready.store.keys(PREFIX))
    ready.sign()
    written = set(ready.store.keys(PREFIX)) - before
    assert len(written) == 2
    for key in written:
        body = ready.store.body(key)
        payload = json.loads(body).get("payload", "") if "/signoffs/" in key else ""
        assert b"Clara" not in body + base64.b64decode(payload)


def test_the_signature_is_over_the_exact_stored_bytes(ready):
    signoff = ready.sign()
    envelope = json.loads(ready.store.body(signoff.key))
    statement = base64.b64decode(envelope["payload"])
    (entry,) = envelope["signatures"]
    assert entry["keyid"] == ready.key.key_id
    assert envelope["payloadType"] == PAYLOAD_TYPE
    message = b"DSSEv1 28 application/vnd.in-toto+json %d " % len(statement) + statement
    assert message == signed_bytes(PAYLOAD_TYPE, statement)
    public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(ready.key.public_key))
    public.verify(base64.b64decode(entry["sig"]), message)
    assert json.loads(statement)["subject"][0]["digest"]["sha256"] == ready.candidate
    assert json.loads(statement)["predicate"]["journal_head"] == ready.journal.replay()[0].digest


@pytest.mark.parametrize("where", ["payload", "sig", "keyid", "payloadType"])
def test_d40_an_altered_signoff_is_a_fault(ready, where):
    signoff = ready.sign()
    envelope = json.loads(ready.store.body(signoff.key))
    if where == "payload":
        statement = base64.b64decode(envelope["payload"])
        refused = statement.replace(b'"approve"', b'"refuse"')
        envelope["payload"] = base64.b64encode(refused).decode()
    elif where == "sig":
        envelope["signatures"][0]["sig"] = base64.b64encode(bytes(64)).decode()
    elif where == "keyid":
        envelope["signatures"][0]["keyid"] = "0" * 16
    else:
        envelope["payloadType"] = "text/plain"
    ready.store.put(signoff.key, canonical_bytes(envelope))
    found = ready.load()
    assert found.signoffs == ()
    expected = "signoff.unknown_key" if where == "keyid" else "signoff.bad_signature"
    assert fault_codes(found) == [expected]
    assert found.faults[0].key == signoff.key
    assert found.faults[0].requirement == "clinician_foundation"


def invented(signed, key, **changes):
    """A sign-off by a clinician nobody has met, put into the bucket by hand."""
    predicate = {
        "requirement": "clinician_foundation",
        "role": "clinician",
        "reviewer": "dr.invented",
        "decision": "approve",
        "at": "2026-11-21T09:00:00Z",
        **changes,
    }
    body = seal(statement_bytes("v2026-11-21", signed.candidate, predicate), key)
    digest = sha256_hex(body)
    place = f"{signoff_folder(PREFIX, signed.candidate)}clinician_foundation-{digest}.json"
    signed.store.put(place, body)
    return place, digest


def test_an_invented_clinician_with_a_key_of_their_own_is_a_fault(signed, tmp_path):
    os.makedirs(tmp_path / "elsewhere")
    other_journal = Journal(signed.store, "elsewhere/", signed.clock)
    stranger = keys.ensure_key(tmp_path / "elsewhere", other_journal, "stranger")
    invented(signed, stranger)
    found = signed.load()
    assert (found.signoffs, fault_codes(found)) == ((), ["signoff.unknown_key"])


def test_an_invented_clinician_without_an_entry_is_a_fault(signed):
    invented(signed, signed.key)
    found = signed.load()
    assert (found.signoffs, fault_codes(found)) == ((), ["signoff.not_journalled"])


def test_an_invented_clinician_under_anothers_entry_is_a_fault(signed):
    place, digest = invented(signed, signed.key)
    event = {
        "type": "signoff.given",
        "candidate": signed.candidate,
        "requirement": "clinician_foundation",
        "decision": "approve",
        "key": place,
        "sha256": digest,
    }
    signed.journal.append("clara", event)
    assert fault_codes(signed.load()) == ["signoff.not_journalled"]


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b'{"payload":"","payloadType":"","signatures":[]}', b"\xff"]
)
def test_an_object_that_is_no_envelope_is_a_fault(signed, body):
    signed.store.put(f"{signoff_folder(PREFIX, signed.candidate)}clinician-x.json", body)
    found = signed.load()
    assert (found.signoffs, fault_codes(found)) == ((), ["signoff.bad_signature"])


def test_a_signoff_copied_to_another_candidate_is_a_fault(ready):
    signoff = ready.sign()
    other = sha256_hex(b"another candidate")
    name = signoff.key.rpartition("/")[2]
    ready.store.put(signoff_folder(PREFIX, other) + name, ready.store.body(signoff.key))
    found = ready.load(other)
    assert (found.signoffs, fault_codes(found)) == ((), ["signoff.wrong_candidate"])


def test_a_refusal_that_disappears_is_a_fault(ready):
    signoff = ready.sign(decision="refuse")
    ready.store.forget(signoff.key)
    assert fault_codes(ready.load()) == ["signoff.missing"]


def test_an_envelope_without_a_signature_does_not_open(ready):
    signoff = ready.sign()
    envelope = decode(ready.store.body(signoff.key)) | {"signatures": []}
    registered = {ready.key.key_id: ready.key.public_key}
    assert refusal(open_envelope, canonical_bytes(envelope), registered) == "signoff.bad_signature"


@pytest.mark.parametrize(
    ("person", "typed", "code"),
    [
        (a_reader("clara", "bias_reviewer"), None, "signoff.role"),
        (a_reader("clara", "release_owner", "auditor"), None, "signoff.role"),
        (a_reader("clara"), "clara", "signoff.name"),
        (a_reader("clara"), "", "signoff.name"),
        (a_reader("clara", auth_time="2026-11-21T08:44:59Z"), None, "signoff.stale_auth"),
        (a_reader("clara", auth_time="2026-11-22T09:00:00Z"), None, "signoff.stale_auth"),
        (a_reader("clara", auth="demo"), None, "signoff.demo_auth"),
        (a_reader("clara", auth=""), None, "signoff.demo_auth"),
        (a_reader("olympia"), None, "signoff.builder"),
    ],
)
def test_a_signature_is_refused_to_who_may_not_give_it(ready, person, typed, code):
    assert refusal(ready.sign, person=person, typed=typed) == code
    assert ready.load().signoffs == ()
    assert ready.store.keys(f"{PREFIX}signoffs/") == []


def test_a_demo_login_signs_only_in_the_demo(ready):
    desk = dataclasses.replace(ready.desk, embedded=True)
    signoff = ready.sign(person=a_reader("clara", auth="demo"), desk=desk)
    assert signoff.statement["auth"]["method"] == "demo"


def test_what_is_not_ready_cannot_be_approved_but_can_be_refused(signed):
    signed.review.rate(0)
    assert refusal(signed.sign) == "signoff.not_ready"
    assert refusal(signed.sign, basis=None) == "signoff.not_ready"
    assert signed.sign(decision="refuse").decision == "refuse"


def test_an_open_flag_cannot_be_signed_away(ready):
    ready.review.flag(7)
    assert refusal(ready.sign) == "signoff.not_ready"


def test_a_review_of_another_candidate_cannot_be_signed(ready):
    other = sha256_hex(b"another candidate")
    assert refusal(ready.sign, candidate=other) == "signoff.wrong_candidate"


def test_d41_one_person_signs_one_candidate_in_one_role(ready):
    both = a_reader("clara", "clinician", "release_owner")
    ready.sign(person=both)
    assert refusal(ready.sign, DECISION, person=both) == "signoff.two_roles"
    assert ready.sign(OTHER_CLINICAL, person=both).requirement == "clinician_second"
    assert ready.sign(DECISION, person=a_reader("otto", "release_owner"))


def test_who_built_may_give_the_release_decision(ready):
    owner = a_reader("olympia", "release_owner")
    assert refusal(ready.sign, DECISION, person=owner, statement=" ") == "signoff.statement"
    signoff = ready.sign(DECISION, person=owner)
    assert signoff.statement["statement"] == "Foundation and edge are released."


def test_a_refusal_stands_for_this_candidate(ready):
    refused = ready.sign(decision="refuse")
    assert refusal(ready.sign, person=a_reader("celia")) == "signoff.refused_already"
    assert refusal(ready.sign) == "signoff.refused_already"
    clara = a_reader("clara")
    code = refusal(signing.revoke, refused, person=clara, reason="changed", journal=ready.journal)
    assert code == "signoff.refusal_stands"


def test_a_revoked_refusal_written_by_hand_changes_nothing(ready):
    refused = ready.sign(decision="refuse")
    ready.journal.append("mallory", {"type": "signoff.revoked", "signoff": refused.sha256})
    assert [signoff.revoked for signoff in ready.load().signoffs] == [False]


def test_a_revocation_is_an_entry_and_the_object_stays(ready):
    signoff = ready.sign()
    signing.revoke(signoff, person=a_reader("clara"), reason="I misread.", journal=ready.journal)
    (found,) = ready.load().signoffs
    assert found.revoked
    assert ready.store.body(signoff.key)
    assert ready.load().faults == ()
    again = {"person": a_reader("clara"), "reason": "Again.", "journal": ready.journal}
    assert refusal(signing.revoke, found, **again) == "signoff.revoked_already"
    ready.clock.tick(60)
    again = ready.sign()
    assert [entry.revoked for entry in ready.load().signoffs if entry.key == again.key] == [False]


@pytest.mark.parametrize(
    ("person", "reason", "code"),
    [
        (a_reader("celia"), "why", "signoff.role"),
        (a_reader("clara"), " ", "signoff.reason"),
        (a_reader("clara"), "x" * 501, "signoff.reason"),
    ],
)
def test_not_everybody_revokes_and_nobody_without_a_reason(ready, person, reason, code):
    signoff = ready.sign()
    found = refusal(signing.revoke, signoff, person=person, reason=reason, journal=ready.journal)
    assert found == code
    assert not ready.load().signoffs[0].revoked


@pytest.mark.parametrize("role", ["review_lead", "release_owner"])
def test_a_lead_and_an_owner_may_take_back_what_another_signed(ready, role):
    signoff = ready.sign()
    other = a_reader("olaf", role)
    signing.revoke(signoff, person=other, reason="It was misread.", journal=ready.journal)
    assert ready.load().signoffs[0].revoked
    event = ready.journal.replay()[-1].event
    assert event == {
        "type": "signoff.revoked",
        "id": f"signoff.revoked:{signoff.sha256}:olaf",
        "signoff": signoff.sha256,
        "candidate": ready.candidate,
        "requirement": "clinician_foundation",
        "reason": "It was misread.",
    }


def test_the_journal_says_of_a_signoff_all_that_a_reader_needs_to_find_it(ready):
    signoff = ready.sign()
    assert ready.journal.replay()[-1].event == {
        "type": "signoff.given",
        "id": f"signoff.given:{signoff.sha256}",
        "candidate": ready.candidate,
        "requirement": "clinician_foundation",
        "role": "clinician",
        "reviewer": "clara",
        "decision": "approve",
        "key": signoff.key,
        "sha256": signoff.sha256,
        "keyid": ready.key.key_id,
    }
    assert set(signoff.statement) >= {"dissents", "exceptions", "meaning"}
    assert set(signoff.statement["sample"]) == set(signoff.statement["ratings"]) == {"sha256"}


def test_signing_twice_is_refused_until_the_review_has_changed(ready):
    first = ready.sign()
    assert refusal(ready.sign) == "signoff.already_given"
    assert not signing.is_stale(first, ready.basis())
    ready.review.rate(3, "celia")
    assert signing.is_stale(first, ready.basis())
    ready.clock.tick(60)
    second = ready.sign()
    assert not signing.is_stale(second, ready.basis())


def test_d44_an_edited_rubric_or_sample_makes_a_signoff_stale(ready):
    signoff = ready.sign()
    basis = ready.basis()
    for change in ({"rubric": sha256_hex(b"edited")}, {"records": basis.plan.records[::-1]}):
        edited = dataclasses.replace(basis, plan=dataclasses.replace(basis.plan, **change))
        assert signing.is_stale(signoff, edited)


@pytest.mark.faults
def test_a_crash_between_the_object_and_its_entry_is_mended_by_signing_again(ready):
    ready.store.fail(op="put_if_absent", how="forbidden", nth=2)
    with pytest.raises(StorageError):
        ready.sign()
    ready.store.heal()
    assert fault_codes(ready.load()) == ["signoff.not_journalled"]
    ready.clock.tick(30)
    mended = ready.sign()
    found = ready.load()
    assert (found.signoffs, found.faults) == ((mended,), ())
    assert mended.at == "2026-11-21T09:00:00Z"


@pytest.mark.faults
@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("how", ["lost_reply", "error_500", "retried_reply"])
def test_a_lost_reply_signs_once(ready, monkeypatch, nth, how):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    ready.store.fail(op="put_if_absent", how=how, nth=nth)
    signoff = ready.sign()
    assert ready.store.fired == 1
    found = ready.load()
    assert (found.signoffs, found.faults) == ((signoff,), ())


def test_the_key_is_made_once_and_kept_to_the_desk(signed, tmp_path):
    path = tmp_path / keys.FILE_NAME
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = keys.ensure_key(tmp_path, signed.journal, "somebody else")
    assert again.key_id == signed.key.key_id == sha256_hex(bytes.fromhex(again.public_key))[:16]
    events = [entry.event for entry in signed.journal.replay()]
    assert [event["type"] for event in events] == ["key.registered"]
    assert events[0]["public_key"] == signed.key.public_key
    assert path.read_text().strip() not in json.dumps(events)
    assert path.read_text().strip() not in repr(signed.key)


def test_a_key_others_can_read_signs_nothing(signed, tmp_path):
    (tmp_path / keys.FILE_NAME).chmod(0o644)
    assert refusal(keys.ensure_key, tmp_path, signed.journal, "desk") == "keys.exposed"


def test_a_key_from_the_environment_leaves_no_file(signed, tmp_path):
    workspace = tmp_path / "fresh"
    key = keys.ensure_key(workspace, signed.journal, "desk", secret="ab" * 32)
    assert not workspace.exists()
    assert set(keys.registered_keys(signed.journal.replay())) == {key.key_id, signed.key.key_id}


@pytest.mark.parametrize("secret", ["", "zz" * 32, "ab" * 31])
def test_a_secret_that_is_no_key_is_refused_without_being_quoted(signed, tmp_path, secret):
    with pytest.raises(ReviewError) as caught:
        keys.ensure_key(tmp_path, signed.journal, "desk", secret=secret)
    assert caught.value.code == "keys.unreadable"
    assert not secret or secret not in str(caught.value)


def test_a_registration_under_another_keys_id_registers_nothing(signed):
    event = {"type": "key.registered", "key_id": signed.key.key_id, "public_key": "00" * 32}
    signed.journal.append("mallory", event)
    registered = keys.registered_keys(signed.journal.replay())
    assert registered == {signed.key.key_id: signed.key.public_key}


def test_the_signer_is_the_one_the_journal_names(ready):
    signoff = ready.sign()
    entry = ready.journal.replay()[-1]
    assert (entry.actor, entry.event["type"]) == ("clara", "signoff.given")
    assert entry.event["sha256"] == signoff.sha256
    assert signoff.reviewer == ReviewerId("clara")


def an_orphan(signed, *, after="", folder_name="", **changes):
    """A sign-off of this desk's key without an entry, whose name sorts after `after`."""
    for minute in range(60):
        at = f"2026-11-21T08:{minute:02d}:00Z"
        key, digest = invented(signed, signed.key, **{"reviewer": "clara", "at": at, **changes})
        if key > after:
            if folder_name:
                signed.store.put(signoff_folder(PREFIX, signed.candidate) + folder_name,
                                 signed.store.body(key))  # fmt: skip
                signed.store.forget(key)
            return key, digest
        signed.store.forget(key)
    raise AssertionError("sixty digests in a row were too small")


def faulty_keys(signed):
    return {fault.key for fault in signed.load().faults}


def test_a_crash_is_mended_behind_what_others_signed_and_what_nobody_can_read(ready):
    first = ready.sign(person=a_reader("celia"))
    odd = f"{signoff_folder(PREFIX, ready.candidate)}clinician_foundation-{'0' * 64}.json"
    ready.store.put(odd, b"{}")
    orphan, digest = an_orphan(ready, after=first.key)
    assert faulty_keys(ready) == {odd, orphan}
    mine = ready.sign()
    assert faulty_keys(ready) == {odd}
    given = [entry.event["sha256"] for entry in ready.journal.replay()[1:]]
    assert given == [first.sha256, digest, mine.sha256]


def test_signing_journals_no_orphan_but_ones_own_under_its_own_name(ready):
    theirs, _ = an_orphan(ready, reviewer="celia")
    renamed = f"clinician_foundation-{'f' * 64}.json"
    an_orphan(ready, folder_name=renamed)
    ready.sign()
    assert faulty_keys(ready) == {
        theirs,
        signoff_folder(PREFIX, ready.candidate) + renamed,
    }


@pytest.mark.faults
def test_a_refusal_that_a_crash_left_without_its_entry_still_refuses(ready):
    ready.store.fail(op="put_if_absent", how="forbidden", nth=2)
    with pytest.raises(StorageError):
        ready.sign(decision="refuse")
    ready.store.heal()
    assert refusal(ready.sign) == "signoff.refused_already"
    (found,) = ready.load().signoffs
    assert (found.decision, ready.load().faults) == ("refuse", ())
    assert found.statement["meaning"] == "reviewed and refused"


def test_a_refusal_behind_another_signoff_of_the_candidate_is_not_overlooked(ready):
    ready.sign(person=a_reader("celia"))
    ready.sign(OTHER_CLINICAL, person=a_reader("cora"), decision="refuse")
    assert refusal(ready.sign, OTHER_CLINICAL) == "signoff.refused_already"


def test_what_was_revoked_no_longer_ties_a_person_to_a_role(ready):
    both = a_reader("clara", "clinician", "release_owner")
    signoff = ready.sign(person=both)
    assert refusal(ready.sign, DECISION, person=both) == "signoff.two_roles"
    signing.revoke(signoff, person=both, reason="I step back.", journal=ready.journal)
    assert ready.sign(DECISION, person=both).role == "release_owner"


def test_what_was_signed_for_another_candidate_ties_nobody_here(ready):
    elsewhere = dataclasses.replace(
        ready.sign(person=a_reader("celia")), candidate=sha256_hex(b"x"), decision="refuse"
    )
    person = a_reader("clara")
    signoff = signing.sign(
        ready.request(), person=person, typed_name="Clara", desk=ready.desk, given=(elsewhere,)
    )
    assert signoff.reviewer == "clara"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"claim": "clinician_edge"}, "signoff.wrong_candidate"),
        ({"candidate": sha256_hex(b"another candidate")}, "signoff.wrong_candidate"),
    ],
)
def test_one_rating_of_something_else_is_enough_to_refuse(ready, change, code):
    basis = ready.basis()
    first, *others = basis.ratings
    odd = dataclasses.replace(first, rating=dataclasses.replace(first.rating, **change))
    for ratings in ((odd, *others), (*others, odd)):
        mixed = dataclasses.replace(basis, ratings=ratings)
        assert refusal(ready.sign, basis=mixed) == code
    carried = dataclasses.replace(odd, carried=True)
    mixed = dataclasses.replace(basis, ratings=(carried, *others))
    if "claim" in change:  # what is carried is carried within one claim
        assert refusal(ready.sign, basis=mixed) == code
    else:
        assert ready.sign(basis=mixed)


def test_a_plan_or_a_state_of_something_else_is_refused(ready):
    basis = ready.basis()

    def with_(**changes):
        return dataclasses.replace(basis, **changes)

    other = dataclasses.replace(basis.plan, candidate=sha256_hex(b"another candidate"))
    assert refusal(ready.sign, basis=with_(plan=other)) == "signoff.wrong_candidate"
    other = dataclasses.replace(basis.plan, claim="clinician_edge")
    assert refusal(ready.sign, basis=with_(plan=other)) == "signoff.not_ready"
    state = dataclasses.replace(basis.state, claim="clinician_edge")
    assert refusal(ready.sign, basis=with_(state=state)) == "signoff.not_ready"
    for change in ({"open_points": ("one is unread",)}, {"state": "reading"}):
        state = dataclasses.replace(basis.state, **change)
        assert refusal(ready.sign, basis=with_(state=state)) == "signoff.not_ready"


def test_a_release_decision_rests_on_a_sentence_and_on_no_review(ready):
    otto = a_reader("otto", "release_owner")
    assert refusal(ready.sign, DECISION, person=otto, basis=ready.basis()) == "signoff.statement"
    assert refusal(ready.sign, DECISION, person=otto, statement="") == "signoff.statement"
    said = ready.sign(DECISION, person=otto).statement
    assert "sample" not in said
    assert "dissents" not in said


def test_a_statement_says_these_things_and_no_others(ready):
    state = dataclasses.replace(ready.review.state(), dissents=("One would have asked more.",))
    basis = dataclasses.replace(ready.basis(), state=state)
    signoff = ready.sign(basis=basis, exceptions=("length.long",))
    envelope = json.loads(ready.store.body(signoff.key))
    statement = json.loads(base64.b64decode(envelope["payload"]))
    assert statement["subject"] == [
        {"name": "v2026-11-21", "digest": {"sha256": ready.candidate}}
    ]  # fmt: skip
    assert statement["predicate"] == {
        "requirement": "clinician_foundation",
        "role": "clinician",
        "reviewer": "clara",
        "decision": "approve",
        "meaning": "reviewed and approved with exceptions",
        "statement": state.sentence,
        "evidence": {"privacy": {"sha256": sha256_hex(b"report")}},
        "sample": {"sha256": plan_digest(basis.plan)},
        "rubric": {"sha256": basis.plan.rubric},
        "ratings": {"sha256": ratings_digest(basis.ratings)},
        "settlements": {"sha256": settlements_digest(basis.settlements)},
        "basis": signing.BASIS,
        "acts": acts_statement((), ()),
        "dissents": ["One would have asked more."],
        "exceptions": ["length.long"],
        "printed_name_hmac": ready.key.keyed_digest("Clara"),
        "auth": {
            "method": "oidc",
            "auth_time": "2026-11-21T08:55:00Z",
            "iss_sub_hmac": ready.key.keyed_digest(f"{ISSUER}\nsubject of clara"),
        },
        "journal_head": ready.journal.replay()[0].digest,
        "at": "2026-11-21T09:00:00Z",
    }
    assert signing.meaning_of("approve", ()) == "reviewed and approved"


def test_each_thing_a_signoff_rests_on_makes_it_stale_by_itself(ready):
    signoff, basis = ready.sign(), ready.basis()
    assert not signing.is_stale(signoff, basis)
    for name in ("sample", "rubric", "ratings", "settlements", "acts"):
        other = {**signoff.statement, name: {"sha256": sha256_hex(b"another")}}
        assert signing.is_stale(dataclasses.replace(signoff, statement=other), basis)
        less = {key: value for key, value in signoff.statement.items() if key != name}
        assert signing.is_stale(dataclasses.replace(signoff, statement=less), basis)


def test_a_reason_of_five_hundred_characters_is_a_reason(ready):
    clara = a_reader("clara")
    signing.revoke(ready.sign(), person=clara, reason="x" * 500, journal=ready.journal)
    assert ready.load().signoffs[0].revoked


def test_a_refusal_at_the_desk_names_the_claim_or_the_role_it_is_about(ready):
    both = a_reader("clara", "clinician", "release_owner")
    ready.sign(person=both)
    with pytest.raises(NotAllowed) as caught:
        ready.sign(DECISION, person=both)
    assert caught.value.place == "clinician"
    for basis in (
        None,
        dataclasses.replace(
            ready.basis(), state=dataclasses.replace(ready.review.state(), state="reading")
        ),
        dataclasses.replace(
            ready.basis(), state=dataclasses.replace(ready.review.state(), claim="other")
        ),
    ):
        with pytest.raises(ReviewError) as refused:
            ready.sign(person=a_reader("celia"), basis=basis)
        assert refused.value.place == "clinician_foundation"
