"""Who may act is read again at every act; a roster that is not sound lets nobody act."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.model.errors import NotAllowed, PolicyError
from core.policy.load import packaged_source, parse_policy
from core.policy.roster import RosterFile, nobody, parse_roster, roster_at
from core.storage.ports import SystemClock
from core.workbench.people import identify
from tests.desk import a_desk
from tests.simulator import Simulator

PERSON = """
[[people]]
id = "{id}"
name = "Printed Name of {subject}"
issuer = "https://id.example.org"
subject = "{subject}"
roles = ["{role}"]
"""


def people(*rows: tuple[str, str, str]) -> bytes:
    return "".join(PERSON.format(id=i, subject=s, role=r) for i, s, r in rows).encode()


ONE = people(("c-17", "17", "clinician"))


def test_a_change_counts_at_the_next_look(tmp_path: Path) -> None:
    path = tmp_path / "people.toml"
    path.write_bytes(ONE)
    roster = RosterFile(path)
    assert [rule.roles for rule in roster()] == [("clinician",)]
    path.write_bytes(people(("c-17", "17", "auditor")))
    assert [rule.roles for rule in roster()] == [("auditor",)]
    # Also where an editor puts another file in its place.
    (tmp_path / "new").write_bytes(people(("x-1", "18", "auditor")))
    os.replace(tmp_path / "new", path)
    assert [rule.id for rule in roster()] == ["x-1"]


def test_a_roster_that_breaks_lets_nobody_act(tmp_path: Path) -> None:
    path = tmp_path / "people.toml"
    path.write_bytes(ONE)
    roster = RosterFile(path)
    roster()
    path.write_bytes(b"[[people]]\nid = ")
    with pytest.raises(PolicyError) as caught:
        roster()
    assert caught.value.code == "people.shape"
    path.unlink()
    with pytest.raises(PolicyError) as caught:
        roster()
    assert caught.value.code == "people.unreadable"
    path.write_bytes(ONE)
    assert len(roster()) == 1


@pytest.mark.parametrize(
    "source",
    [
        b"people = 3",
        b"others = []",
        ONE.replace(b"clinician", b"surgeon"),
        ONE.replace(b'"c-17"', b'"c 17 with spaces"'),
        ONE.replace(b'"c-17"', b'"terminal:root"'),
        ONE.replace(b'"c-17"', b'"demo:owner"'),
        ONE.replace(b'"Printed Name of 17"', b'" "'),
        ONE.replace(b'"17"', b'""'),
        ONE.replace(b'["clinician"]', b"[]"),
        ONE + b'email = "somebody@example.org"\n',
        b"\xff\xfe",
        b"#" * (1 << 20) + b"\n",
    ],
)
def test_what_is_no_roster_is_refused_without_quoting_it(source: bytes) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_roster(source)
    assert caught.value.code == "people.shape"
    assert "somebody" not in str(caught.value)
    assert "Printed" not in str(caught.value)


def test_d41_one_human_is_never_two_pairs_of_eyes() -> None:
    for rows in (
        (("c-17", "17", "clinician"), ("c-18", "17", "bias_reviewer")),
        (("c-17", "17", "clinician"), ("c-17", "18", "bias_reviewer")),
    ):
        with pytest.raises(PolicyError) as caught:
            parse_roster(people(*rows))
        assert caught.value.code == "people.duplicate"


def test_a_policy_with_people_inside_is_refused_because_it_would_be_stored() -> None:
    source = packaged_source("release0")
    with pytest.raises(PolicyError) as caught:
        parse_policy(source + ONE)
    assert caught.value.code == "policy.people"
    # Policies stored before people had a file of their own say that they have none.
    assert parse_policy(b"people = []\n" + source).required_gates


def test_a_desk_that_was_told_of_nobody_lets_nobody_act() -> None:
    assert roster_at(None) is nobody
    assert nobody() == ()


def test_d42_a_role_taken_away_stops_at_the_next_act(tmp_path: Path) -> None:
    from dataclasses import replace

    from core.settings import BucketSettings
    from core.workbench import assemble

    demo = a_desk(Simulator(clock=SystemClock()), tmp_path, frozen=False).desk
    path = tmp_path / "people.toml"
    path.write_bytes(people(("o-1", "1", "release_owner")))
    bucket = BucketSettings(
        endpoint="http://x", bucket="b", region="r", access_key="a", secret_key="s"
    )
    settings = replace(demo.settings, bucket=bucket)
    bench = assemble(replace(demo, settings=settings, people=roster_at(path)))
    person = identify(
        bench.desk.people(), issuer="https://id.example.org", subject="1", auth_time=""
    )
    assert person is not None
    bench.data.draft("v2026-12-01", person)
    path.write_bytes(people(("o-1", "1", "auditor")))
    with pytest.raises(NotAllowed) as caught:
        bench.data.draft("v2026-12-02", person)
    assert caught.value.code == "identity.role_lost"
    path.write_bytes(b"")
    with pytest.raises(NotAllowed) as caught:
        bench.data.draft("v2026-12-02", person)
    assert caught.value.code == "identity.unknown"
