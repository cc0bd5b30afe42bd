"""What tests of approving share: a small candidate of which everything is proven."""

from __future__ import annotations

import pytest

from core.model.candidate import Candidate
from core.release.facts import Facts
from tests.builders import a_candidate
from tests.proof import POLICY
from tests.release_builders import some_facts
from tests.simulator import Simulator


@pytest.fixture(scope="module")
def store() -> Simulator:
    return Simulator()


@pytest.fixture(scope="module")
def candidate(store: Simulator) -> Candidate:
    return a_candidate(store, {("priority", "train"): 3, ("edge_cases", "test"): 2}, POLICY)


@pytest.fixture(scope="module")
def facts(store: Simulator, candidate: Candidate) -> Facts:
    return some_facts(store, candidate, POLICY)
