"""A bar of a picture leads to exactly the records that were counted in it."""

from __future__ import annotations

import pytest

from core.gates.corpus import open_corpus
from core.gates.distribution import DistributionGate
from core.gates.run import run_gate
from core.gates.statistics import EDGES
from core.model.errors import GateError
from core.storage.duck import open_snapshot, write_snapshot
from core.workbench.record_table import (
    Choice,
    _batches,
    bar_at,
    fill_table,
    histogram_of,
    quantiles_of,
    records_of,
)
from tests.builders import FAMILIES, a_candidate, a_policy, a_row, some_messages
from tests.clock import FixedClock


@pytest.fixture
def told(simulator, tmp_path):
    """The gate's measures of a candidate, and a connection to the table of its records."""
    rows = {
        ("priority", "train"): [
            a_row(some_messages(n, turns=2 + 2 * (n % 4)), source_line=n + 1) for n in range(61)
        ],
        ("voice", "test"): 9,
    }
    policy = a_policy()
    candidate = a_candidate(simulator, rows, policy)
    corpus = open_corpus(simulator, candidate)
    measures = run_gate(DistributionGate(policy, candidate), corpus, clock=FixedClock()).measures
    path = tmp_path / "table.duckdb"
    stages = {name: stage for name, (stage, *_) in FAMILIES.items()}
    told: list[int] = []
    batches = _batches(corpus, stages.get, candidate.records, lambda *_: told.append(1))
    write_snapshot(path, lambda connection: fill_table(connection, batches, FAMILIES))
    connection = open_snapshot(path)
    yield measures, connection
    connection.close()


@pytest.mark.parametrize("measure", ["turns", "tokens", "words", "assistant_user_ratio"])
def test_every_bar_of_the_evidence_holds_as_many_records_as_it_says(told, measure):
    measures, connection = told
    edges = (None, *EDGES[measure], None)
    for family, split in (("priority", "train"), ("voice", "test")):
        histogram = measures["families"][family][split][measure]["histogram"]
        for count, low, high in zip(histogram, edges, edges[1:], strict=False):
            choice = Choice(measure=measure, family=family, split=split, low=low, high=high)
            found = records_of(connection, choice)
            assert found.records == len(found.rows) == count
            assert {(row["family"], row["split"]) for row in found.rows} <= {(family, split)}
    counted = {
        (family, split, bar): n for family, split, bar, n in histogram_of(connection, measure)
    }
    whole = measures["families"]["priority"]["train"][measure]["histogram"]
    assert [counted.get(("priority", "train", bar), 0) for bar in range(len(whole))] == whole


def test_the_quantiles_are_those_of_the_evidence(told):
    measures, connection = told
    rows = {(row[0], row[2]): row for row in quantiles_of(connection, "tokens")}
    cell = measures["families"]["priority"]["train"]["tokens"]
    family, stage, split, count, mean, quantiles = rows["priority", "train"]
    assert (family, stage, split, count) == ("priority", 1, "train", 61)
    assert mean == pytest.approx(cell["mean"], abs=1e-5)
    assert quantiles == [cell["quantiles"][name] for name in ("5", "25", "50", "75", "95")]


def test_the_list_is_cut_and_the_count_is_not(told):
    _, connection = told
    found = records_of(connection, Choice(measure="turns"), limit=5)
    assert (found.records, len(found.rows)) == (70, 5)
    assert [row["record_id"] for row in found.rows] == sorted(
        row["record_id"] for row in found.rows
    )


def test_only_measures_that_are_taken_can_be_asked_for(told):
    with pytest.raises(GateError, match=r"gate\.unknown_measure"):
        records_of(told[1], Choice(measure="1; DROP TABLE records"))


def test_a_bar_is_named_by_any_value_in_it():
    assert bar_at("turns", 4) == (4, 5)
    assert bar_at("turns", 13) == (12, 16)
    assert bar_at("turns", 0) == (None, 1)
    assert bar_at("turns", 9_999) == (512, None)


def test_stages_hold_the_families_the_policy_gives_them(told):
    stages = told[0]["stages"]
    assert {number: told["families"] for number, told in stages.items()} == {
        "1": ["priority"],
        "4": ["voice"],
    }
    assert stages["1"]["splits"]["all"]["records"] == 61
    assert stages["4"]["splits"]["test"]["turns"]["n"] == 9
