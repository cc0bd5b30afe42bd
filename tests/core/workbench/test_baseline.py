"""A version is compared with the newest other release until somebody chooses an earlier one."""

from __future__ import annotations

import pytest

from core.model.errors import GateError, NotAllowed, ReviewError
from tests import road
from tests.clock import FixedClock
from tests.desk import VERSION, a_desk

OLD, NEW = "v2026-10-01", "v2026-11-01"


@pytest.fixture
def bench(simulator, tmp_path):
    found = a_desk(simulator, tmp_path, clock=FixedClock(), frozen=False)
    for number, version in enumerate((OLD, NEW), 1):
        event = {"type": "publish.committed", "version": version, "candidate": f"{number}" * 64}
        found.desk.journal.append("test", event)
    return found


def digest(bench):
    return bench.candidates.current(VERSION).digest


def test_the_newest_release_stands_behind_until_another_is_chosen(bench):
    candidates = bench.candidates
    assert list(candidates.earlier_releases(VERSION)) == [NEW, OLD]
    assert candidates.baseline_version(VERSION) == NEW
    before = candidates._fingerprint(candidates.get(digest(bench)))
    owner = road.person(bench, "demo:owner")
    candidates.choose_baseline(VERSION, OLD, "The last one left a family out.", owner)
    assert candidates.baseline_version(VERSION) == OLD
    assert candidates._previous_release(candidates.get(digest(bench))) == "1" * 64
    # What was judged against another release no longer counts.
    assert candidates._fingerprint(candidates.get(digest(bench))) != before
    assert candidates.baseline_version("v2026-12-01") == NEW
    assert candidates.why_compared(VERSION) == {
        "release": OLD,
        "reason": "The last one left a family out.",
        "by": owner.id,
    }
    assert candidates.why_compared("v2026-12-01")["release"] == NEW


def test_a_choice_needs_a_release_a_reason_and_a_role(bench):
    owner = road.person(bench, "demo:owner")
    with pytest.raises(GateError, match=r"gate\.baseline_unknown"):
        bench.candidates.choose_baseline(VERSION, VERSION, "because", owner)
    with pytest.raises(GateError, match=r"finding\.reason"):
        bench.candidates.choose_baseline(VERSION, OLD, " ", owner)
    with pytest.raises(ReviewError, match=r"review\.private_text"):
        bench.candidates.choose_baseline(VERSION, OLD, "ask someone@example.org", owner)
    reader = road.person(bench, "demo:clinician-1")
    with pytest.raises(NotAllowed):
        bench.candidates.choose_baseline(VERSION, OLD, "because", reader)
    assert bench.candidates.baseline_version(VERSION) == NEW
