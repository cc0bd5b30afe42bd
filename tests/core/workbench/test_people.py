"""Who may act is asked at every act, not once at login."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from core.model.errors import NotAllowed
from core.policy.roster import parse_roster
from core.workbench.people import (
    check_person,
    demo_people,
    identify,
    login_is_over,
    operator,
    person_from_mapping,
    person_to_mapping,
)

PEOPLE = """
[[people]]
id = "c-17"
name = "A Clinician"
issuer = "https://id.example.org"
subject = "17"
roles = ["clinician"]
"""
ROSTER = parse_roster(PEOPLE.encode())


def test_a_person_is_known_by_issuer_and_subject_together() -> None:
    person = identify(ROSTER, issuer="https://id.example.org", subject="17", auth_time="now")
    assert person is not None
    assert (person.id, person.roles, person.auth) == ("c-17", ("clinician",), "oidc")
    assert identify(ROSTER, issuer="https://other.example.org", subject="17", auth_time="") is None
    assert identify(ROSTER, issuer="https://id.example.org", subject="18", auth_time="") is None


def test_d42_somebody_the_roster_no_longer_lists_is_refused() -> None:
    person = identify(ROSTER, issuer="https://id.example.org", subject="17", auth_time="now")
    assert person is not None
    check_person(ROSTER, person, embedded=False)
    with pytest.raises(NotAllowed) as caught:
        check_person((), person, embedded=False)
    assert caught.value.code == "identity.unknown"


def test_a_role_somebody_gave_themselves_is_refused() -> None:
    person = identify(ROSTER, issuer="https://id.example.org", subject="17", auth_time="now")
    assert person is not None
    with pytest.raises(NotAllowed) as caught:
        check_person(ROSTER, replace(person, roles=("release_owner",)), embedded=False)
    assert caught.value.code == "identity.role_lost"


def test_demo_identities_refuse_to_work_on_a_real_bucket() -> None:
    for person in demo_people("now"):
        check_person(ROSTER, person, embedded=True)
        with pytest.raises(NotAllowed) as caught:
            check_person(ROSTER, person, embedded=False)
        assert caught.value.code == "identity.demo_outside"


def test_the_terminal_can_neither_rate_nor_sign() -> None:
    person = operator("some one", "now")
    check_person(ROSTER, person, embedded=False)
    assert person.id == "terminal:some-one"
    assert not person.holds("clinician", "bias_reviewer", "review_lead")


def test_a_person_survives_the_trip_to_a_worker() -> None:
    for person in demo_people("2026-11-21T00:00:00Z"):
        assert person_from_mapping(person_to_mapping(person)) == person


def test_d42_an_id_given_to_somebody_else_is_no_longer_theirs() -> None:
    person = identify(ROSTER, issuer="https://id.example.org", subject="17", auth_time="now")
    assert person is not None
    (rule,) = ROSTER
    with pytest.raises(NotAllowed) as caught:
        check_person((replace(rule, subject="18"),), person, embedded=False)
    assert caught.value.code == "identity.unknown"


def test_a_login_lasts_a_working_day_whatever_its_cookie_says() -> None:
    now = datetime(2026, 11, 21, 21, tzinfo=UTC)
    assert not login_is_over(now.timestamp() - 11.9 * 3600, now)
    assert login_is_over(now.timestamp() - 12.1 * 3600, now)
    assert login_is_over(now.timestamp() + 3600, now)
