"""Rating and signing with the Nth call to the bucket broken, for N = 1, 2, 3 … until none breaks.

Publishing has the same loop in `test_publish_faults`. The question is always the same: what was
acknowledged is there for a desk that has never seen it, what was refused can be done again, and
nothing is there twice.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.model.errors import DeskError, OutcomeUnknown, Transient
from core.policy.load import load_policy
from core.settings import Settings
from core.storage.journal import Journal
from core.storage.put_once import put_once
from core.workbench import Workbench, assemble
from core.workbench.desk import Desk
from tests.builders import PREFIX
from tests.clock import FixedClock
from tests.desk import VERSION, a_desk, clean_answers, person_of, read_everything
from tests.release_builders import no_wait
from tests.simulator import Simulator

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

CLAIM, READER = "clinician_foundation", "clinician-1"
# Faults that a healthy bucket gets over. Altered bytes are `test_publish_faults`' matter.
PASSING = ("lost_reply", "retried_reply")


@dataclass
class Bucket:
    """A bucket with a past, which every round gets a copy of."""

    store: Simulator
    workspace: Path
    rounds: Iterator[int]

    def opened(self, store: Simulator) -> Workbench:
        """A desk in a process of its own, on a machine that has never seen the bucket."""
        workspace = self.workspace / f"machine-{next(self.rounds)}"
        workspace.mkdir()
        settings = Settings(
            bucket=None, exports_prefix=PREFIX, policy_file=None, workspace=workspace
        )
        return assemble(
            Desk(
                settings=settings,
                store=store,
                journal=Journal(store, PREFIX, store.clock, sleep=no_wait),
                policy=load_policy(None, embedded=True),
                clock=store.clock,
                connect=lambda: store,
                connect_reader=lambda: store,
            )
        )


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch):
    monkeypatch.setitem(put_once.__kwdefaults__, "sleep", no_wait)


@pytest.fixture(scope="module")
def frozen(tmp_path_factory):
    """Samples frozen, nothing read."""
    workspace = tmp_path_factory.mktemp("frozen")
    store = Simulator(clock=FixedClock())
    a_desk(store, workspace / "first", clock=store.clock)
    return Bucket(store, workspace, itertools.count())


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """One claim read to its end, nothing signed."""
    workspace = tmp_path_factory.mktemp("read")
    store = Simulator(clock=FixedClock())
    read_everything(a_desk(store, workspace / "first", clock=store.clock), CLAIM, READER)
    return Bucket(store, workspace, itertools.count())


def rate_first(bench):
    """Rate the first record of the queue; return what the desk acknowledged."""
    digest = bench.candidates.current(VERSION).digest
    reader = person_of(bench, READER)
    record = bench.reviews.plans(digest)[CLAIM].records[0]
    answers = clean_answers(bench, digest, CLAIM, record, reader)
    return bench.reviews.submit(digest, CLAIM, record, reader, answers)


def sign_claim(bench):
    digest = bench.candidates.current(VERSION).digest
    signer = person_of(bench, READER)
    return bench.signing.sign(digest, CLAIM, "approve", signer.name, signer)


def ratings_seen(bench):
    return [held.rating for held in bench.reviews.ratings(_digest(bench), CLAIM)]


def signoffs_seen(bench):
    loaded = bench.signing.load(_digest(bench))
    assert loaded.faults == ()
    return list(loaded.signoffs)


def _digest(bench):
    return bench.candidates.current(VERSION).digest


ACTS = {"rate": (rate_first, ratings_seen, "frozen"), "sign": (sign_claim, signoffs_seen, "read")}


def broken_acts(bucket, plans):
    """Yield (acknowledged or None, store, how many faults struck) for each list of faults."""
    for act, faults in plans:
        store = bucket.store.copied(FixedClock())
        bench = bucket.opened(store)
        for op, nth, how in faults:
            store.fail(op=op, nth=nth, how=how)
        struck = list(store._plans)
        try:
            acknowledged = act(bench)
        except (Transient, OutcomeUnknown):
            acknowledged = None
        yield acknowledged, store, sum(plan.fired for plan in struck)
        store.heal()


def check_afterwards(bucket, store, act, seen, acknowledged):
    """A stranger sees what was acknowledged; doing it again leaves one, and the journal whole."""
    stranger = bucket.opened(store)
    before = seen(stranger)
    assert len(before) <= 1
    if acknowledged is not None:
        assert before == [acknowledged]
    refused = []
    try:
        act(stranger)
    except DeskError as error:
        refused.append(error.code)
    # Given already: the desk says so instead of signing twice. A rating is simply the same.
    assert refused in ([], ["signoff.already_given"])
    assert len(seen(bucket.opened(store))) == 1
    assert stranger.audit.verify()[0]


@pytest.mark.parametrize("name", ACTS)
@pytest.mark.parametrize("how", PASSING)
def test_whatever_breaks_once_an_acknowledged_act_stays_and_is_done_once(request, name, how):
    act, seen, past = ACTS[name]
    bucket = request.getfixturevalue(past)
    number = 0
    rounds = broken_acts(bucket, ((act, [("any", nth, how)]) for nth in itertools.count(1)))
    for acknowledged, store, struck in rounds:
        number += 1
        store.heal()
        check_afterwards(bucket, store, act, seen, acknowledged)
        if not struck:
            assert acknowledged is not None
            break
    assert number > 10, "the fault hardly ever struck"


@pytest.mark.parametrize("name", ACTS)
def test_a_call_that_breaks_and_the_next_one_too_are_no_worse(request, name):
    """What follows a broken call is what settles it, so that is what breaks as well."""
    act, seen, past = ACTS[name]
    bucket = request.getfixturevalue(past)
    pairs = (
        (act, [("any", nth, "lost_reply"), ("any", nth + 1, "timeout")])
        for nth in itertools.count(1)
    )
    struck_twice = 0
    for acknowledged, store, struck in broken_acts(bucket, pairs):
        store.heal()
        check_afterwards(bucket, store, act, seen, acknowledged)
        struck_twice += struck == 2
        if not struck:
            break
    assert struck_twice, "two faults hardly ever met"
