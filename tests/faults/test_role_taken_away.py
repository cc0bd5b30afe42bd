"""Whatever can be done in somebody's name is refused once the roster says otherwise.

A session, a queued job or an open connection holds on to the person it began with; every act of
the workbench is tried with such a person.
"""

from __future__ import annotations

import dataclasses
import inspect
import typing

import pytest

from core.jobs.queue import Queue
from core.model.errors import DeskError, NotAllowed
from core.policy.roster import RosterFile
from core.settings import BucketSettings
from core.storage.ports import SystemClock
from core.workbench import Workbench, assemble
from core.workbench.long_jobs import LongJobs
from core.workbench.people import identify, person_from_mapping, person_to_mapping
from tests.desk import VERSION, a_desk
from tests.real_desk import ISSUER, people_file, real_people
from tests.simulator import Simulator

pytestmark = pytest.mark.faults
CLAIM = "clinician_foundation"
BIAS = "bias_foundation"

# Nothing of these is anybody's act: what they answer, the page that asks has already guarded.
NO_ACTS = {
    "desk.record": "writes what an act has decided, after the act itself has asked",
    "desk.require": "is what asks",
    "reviews.builder": "names whom the journal says has built",
    "waivers.built_by": "says whether the journal names somebody",
    "releases.blockers": "counts what stands in the way, as for nobody",
    "releases.facts": "collects what the journal and the bucket say",
    "sheet.next_step": "says what comes next, as the run sheet does",
}


def acts():
    """Every method of the workbench that takes a person, by its name."""
    for part, kind in typing.get_type_hints(Workbench).items():
        for name, method in inspect.getmembers(kind, inspect.isfunction):
            taken = inspect.signature(method).parameters.values()
            if not name.startswith("_") and any("Person" in str(one.annotation) for one in taken):
                yield f"{part}.{name}"


ACTS = sorted(set(acts()) - NO_ACTS.keys())


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A desk of named people, the file they stand in, and a candidate that may be read."""
    folder = tmp_path_factory.mktemp("roles")
    demo = a_desk(Simulator(clock=SystemClock()), folder).desk
    bucket = BucketSettings(
        endpoint="http://x", bucket="b", region="r", access_key="a", secret_key="s"
    )
    settings = dataclasses.replace(demo.settings, bucket=bucket)
    people = RosterFile(people_file(folder))
    found = assemble(dataclasses.replace(demo, settings=settings, people=people))
    queue = Queue(folder, SystemClock(), launch=lambda workspace, job: None)
    return folder, dataclasses.replace(found, jobs=LongJobs(found.desk, queue))


@pytest.fixture
def was(desk):
    """People as a session remembers them, by name; afterwards the roster knows them as before."""
    folder, bench = desk
    found = {
        rule.id.removeprefix("test:"): identify(
            bench.desk.people(), issuer=ISSUER, subject=rule.subject, auth_time=bench.desk.now()
        )
        for rule in bench.desk.people()
    }
    yield found
    people_file(folder, real_people())


def job_of(bench):
    """A job that waits, whoever began it."""
    held = bench.jobs.latest("build")
    return (held or bench.jobs.queue.start("build", {"version": VERSION}, {})).id


def tried(bench, name, person):
    """Do an act in somebody's name, with arguments that are as good as they can be."""
    part, _, act = name.partition(".")
    method = getattr(getattr(bench, part), act)
    digest = bench.candidates.current(VERSION).digest
    claim = BIAS if part == "bias" else CLAIM
    good = {
        "digest": digest,
        "version": VERSION,
        "claim": claim,
        "record_id": bench.reviews.plan(digest, claim).shipped[0],
        "record_ids": bench.reviews.plan(digest, claim).shipped,
        "family": "priority",
        "kind": "gates",
        "job": job_of(bench),
        "params": {"version": VERSION},
        "decision": "approve",
        "requirement": next(iter(bench.desk.policy.signoffs)).id,
        "gate": "distribution",
        "code": "distribution.drift",
        "typed_name": person.name,
        "days": 7,
        "minutes": 20,
        "turn": 0,
        "level": 1,
        "seconds": 1,
        "seq": 1,
        "based_on": 0,
        "begun": True,
        "mask": True,
        "messages": (),
        "prefixes": ["gdrive/"],
        "items": (),
        "answers": {},
        "payload": {},
        "scores": {},
        "screen": None,
    }
    arguments = {
        one.name: good.get(one.name, f"some {one.name}")
        for one in inspect.signature(method).parameters.values()
        if one.default is inspect.Parameter.empty and one.name != "by"
    }
    return method(**arguments, by=person)


@pytest.mark.parametrize("name", ACTS)
@pytest.mark.parametrize("now", ["of another role", "gone", "another's id"])
def test_d42_no_act_is_done_for_whom_the_roster_no_longer_knows_so(desk, was, name, now):
    folder, bench = desk
    people = real_people().decode()
    for role in ("release_owner", "review_lead", "clinician", "bias_reviewer"):
        if now == "of another role":
            people = people.replace(f'["{role}"]', '["auditor"]')
    if now == "another's id":
        people = people.replace('subject = "', 'subject = "successor of ')
    people_file(folder, b"" if now == "gone" else people.encode())
    before = sorted(found.key for found in bench.desk.store.list(""))
    code = "identity.role_lost" if now == "of another role" else "identity.unknown"
    for person in was.values():
        with pytest.raises(NotAllowed) as refused:
            tried(bench, name, person)
        assert refused.value.code == code
    assert sorted(found.key for found in bench.desk.store.list("")) == before


def test_what_is_called_no_act_is_there(desk):
    assert set(acts()) >= NO_ACTS.keys()


@pytest.mark.parametrize("name", ["candidates.decide", "reviews.submit", "signing.sign"])
def test_the_same_acts_come_further_for_whom_the_roster_knows(desk, was, name):
    # Else the refusals above could have another reason.
    _, bench = desk
    for person in was.values():
        with pytest.raises(DeskError) as refused:
            tried(bench, name, person)
        assert not refused.value.code.startswith("identity.")


def test_d42_a_job_is_done_for_whom_the_roster_knows_when_it_runs(desk, was):
    folder, bench = desk
    kept = person_to_mapping(was["engineer"])
    people_file(folder, b"")
    with pytest.raises(NotAllowed) as refused:
        bench.candidates.build(VERSION, person_from_mapping(kept))
    assert refused.value.code == "identity.unknown"
