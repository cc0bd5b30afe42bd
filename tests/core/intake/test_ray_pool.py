"""A cluster is joined, or the build ends with a sentence; Ray itself is in tests/compatibility."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from core.intake.ray_pool import STARTS, join_cluster
from core.model.errors import IntakeError


class SlowRay(SimpleNamespace):
    """Ray as it is where its first starts take too long."""

    def __init__(self, fails: int) -> None:
        super().__init__()
        self.fails, self.asked, self.left = fails, [], 0

    def init(self, **options: object) -> None:
        self.asked.append(options)
        if len(self.asked) <= self.fails:
            # As Ray does: neither a RuntimeError nor one of its own.
            raise Exception("The current node timed out during startup.")

    def shutdown(self) -> None:
        self.left += 1


def test_a_cluster_of_our_own_that_starts_too_slowly_is_started_again(monkeypatch):
    ray = SlowRay(fails=STARTS - 1)
    monkeypatch.setitem(sys.modules, "ray", ray)
    assert join_cluster("local", 2) is ray
    assert [told["num_cpus"] for told in ray.asked] == [2] * STARTS
    assert ray.left == STARTS - 1


@pytest.mark.parametrize(("address", "starts"), [("local", STARTS), ("head:6379", 1)])
def test_a_cluster_that_does_not_answer_is_told_in_a_sentence(monkeypatch, address, starts):
    ray = SlowRay(fails=99)
    monkeypatch.setitem(sys.modules, "ray", ray)
    with pytest.raises(IntakeError, match=r"intake\.no_cluster") as told:
        join_cluster(address, 2)
    assert len(ray.asked) == starts
    assert "timed out" not in str(told.value)


def test_without_ray_the_sentence_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(IntakeError, match=r"intake\.no_ray"):
        join_cluster("local", 2)
