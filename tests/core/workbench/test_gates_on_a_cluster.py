"""Where a Ray cluster is named, the gates go there, and judge nothing when it is not there."""

from __future__ import annotations

import dataclasses

import pytest

from core.gates import ray_sketching
from core.model.errors import IntakeError
from core.storage.ports import SystemClock
from tests.desk import a_desk, add_candidate, person_of, some_rows_to_read
from tests.simulator import Simulator


def test_gates_join_the_named_cluster_and_judge_nothing_without_it(tmp_path, monkeypatch):
    asked = []

    def no_cluster(address, workers):
        asked.append(address)
        raise IntakeError("intake.no_cluster", "The cluster cannot be joined.")

    monkeypatch.setattr(ray_sketching, "join_cluster", no_cluster)
    bench = a_desk(Simulator(clock=SystemClock()), tmp_path, frozen=False)
    candidate = add_candidate(bench, some_rows_to_read("cluster"))
    settings = dataclasses.replace(bench.desk.settings, ray_address="head:6379")
    desk = dataclasses.replace(bench.desk, settings=settings)
    candidates = dataclasses.replace(bench.candidates, desk=desk)
    with pytest.raises(IntakeError, match=r"intake\.no_cluster"):
        candidates.run_gates(candidate.digest, person_of(bench, "lead"))
    assert asked == ["head:6379"]
    assert set(candidates.reports(candidate.digest).values()) == {None}
