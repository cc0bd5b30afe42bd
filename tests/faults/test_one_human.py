"""Two pairs of eyes are two humans: no second id, entry or login of one makes them two."""

from __future__ import annotations

import dataclasses

import pytest

from core.model.errors import PolicyError
from core.model.names import ReviewerId
from core.policy.roster import RosterFile, parse_roster
from core.release.approve import missing_before_publish
from core.review.identity import identity_of, login_of
from tests.builders import a_candidate, a_policy
from tests.core.review.test_signing import DECISION, Signed, refusal
from tests.core.review.test_waivers import Room
from tests.core.review.test_waivers import refusal as waiver_refusal
from tests.real_desk import people_file, real_people
from tests.release_builders import some_facts
from tests.reviewing import a_reader
from tests.simulator import Simulator

pytestmark = pytest.mark.faults
POLICY = a_policy()
TWICE = """
[[people]]
id = "c-17"
name = "Ana  López"
issuer = "https://id.example.org"
subject = "17"
roles = ["clinician"]

[[people]]
id = "b-2"
name = "{name}"
issuer = "{issuer}"
subject = "{subject}"
roles = ["bias_reviewer"]
"""


def entries(**second):
    fields = {"name": "Bo", "issuer": "https://id.example.org", "subject": "18", **second}
    return TWICE.format(**fields).encode()


@pytest.fixture
def ready(simulator, clock, tmp_path):
    found = Signed(simulator, clock, tmp_path)
    found.review.read_clean()
    return found


def renamed(person, name, *roles):
    """The same login under another entry of the roster."""
    return dataclasses.replace(person, id=ReviewerId(name), roles=roles)


@pytest.mark.parametrize(
    "second",
    [
        {"subject": "17"},
        {"name": "Ana López"},
        {"name": "ANA LÓPEZ"},
        {"name": "Ana Lo\u0301pez"},
        {"name": "Ana López", "issuer": "https://other.example.org", "subject": "17"},
    ],
)
def test_d41_one_human_has_one_entry_and_one_login(second):
    with pytest.raises(PolicyError) as refused:
        parse_roster(entries(**second))
    assert refused.value.code == "people.duplicate"
    assert "Ana" not in str(refused.value)
    assert len(parse_roster(entries())) == 2


@pytest.mark.parametrize("mode", [0o646, 0o666, 0o602])
def test_a_roster_that_anybody_may_write_lets_nobody_act(tmp_path, mode):
    path = people_file(tmp_path, real_people())
    roster = RosterFile(path)
    assert roster()
    path.chmod(mode)
    with pytest.raises(PolicyError) as refused:
        roster()
    assert refused.value.code == "people.exposed"
    path.chmod(0o640)
    assert roster()


def test_d41_a_login_that_signed_signs_in_no_second_role_under_a_second_id(ready):
    clara = a_reader("clara")
    ready.sign(person=clara)
    again = renamed(clara, "o-9", "release_owner")
    assert refusal(ready.sign, DECISION, person=again) == "signoff.two_roles"
    # Somebody else with that id may, and so may they in the role they had.
    assert ready.sign(DECISION, person=a_reader("olga", "release_owner")).role == "release_owner"


def test_d41_what_one_login_signed_under_two_ids_is_one_persons(ready):
    store = Simulator()
    candidate = a_candidate(store, {("priority", "train"): 3, ("edge_cases", "test"): 2}, POLICY)
    facts = some_facts(store, candidate, POLICY)
    said = [
        identity_of(a_reader(f"reader {number}"), ready.desk)
        for number, _ in enumerate(facts.signoffs)
    ]

    def codes(statements):
        signoffs = tuple(
            dataclasses.replace(signoff, statement=statement)
            for signoff, statement in zip(facts.signoffs, statements, strict=True)
        )
        found = missing_before_publish(dataclasses.replace(facts, signoffs=signoffs), POLICY)
        return {blocker.code for blocker in found}

    reviewers = [signoff.reviewer for signoff in facts.signoffs]
    other = next(place for place, name in enumerate(reviewers) if name != reviewers[0])
    one_each = [said[reviewers.index(name)] for name in reviewers]
    assert codes(one_each) == set()
    both = [said[0] if place in (0, other) else one_each[place] for place in range(len(said))]
    assert codes(both) == {"four_eyes.same_person"}


def test_a_waiver_takes_two_logins_and_not_two_ids(simulator, clock, tmp_path):
    room = Room(simulator, clock, tmp_path)
    leander = room.person("leander")
    proposal = room.propose(leander)
    again = renamed(leander, "o-9", "release_owner")
    assert waiver_refusal(room.agree, proposal, again) == "waiver.same_person"
    # Nor does one count that was agreed to before anybody asked.
    room.agree(dataclasses.replace(proposal, login=""), again)
    found = room.load()
    assert (found.waivers, len(found.faults)) == ((), 1)


def test_nobody_is_taken_for_somebody_else_where_a_demo_has_no_logins(ready):
    demo = a_reader("demo:one", auth="demo", issuer="", subject="")
    assert login_of(identity_of(demo, ready.desk)) == ""
    assert login_of(identity_of(a_reader("clara"), ready.desk))
    assert login_of({"auth": "oidc"}) == login_of({}) == ""
