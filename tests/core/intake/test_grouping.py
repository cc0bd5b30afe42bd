"""Rows of one document, or of one key that the policy names, never stand in two splits."""

from __future__ import annotations

import pytest

from core.intake.grouping import group_labels
from tests.builders import a_policy
from tests.sources import COT, PRIORITY, a_source_row, build, fill, rows_of

HALVES = {"train": 0.5, "val": 0.25, "test": 0.25}


def splits_by(rows):
    """{group id: the splits its rows stand in}."""
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row["metadata"]["group_id"], set()).add(row["metadata"]["split"])
    return found


def test_labels_are_short_scalars_under_one_spelling_and_the_rows_own_win():
    row = {
        "Scenario-ID": 7,
        "metadata": {"scenario_id": 9, "questionID": " q1 ", "video_id": "v"},
        "document": {"no": "scalar"},
    }
    assert group_labels(row, ("scenario_id", "questionID", "absent")) == {
        "key.scenario_id": "7",
        "key.questionid": "q1",
        "document": "video_id=v",
    }
    assert group_labels({"scenario_id": True, "doc_id": ""}, ("scenario_id",)) == {}
    assert group_labels(["no", "object"], ("scenario_id",)) == {}
    assert len(group_labels({"doc_id": "x" * 900}, ())["document"]) == len("doc_id=") + 64


def test_a_key_of_the_policy_holds_over_sources_families_and_shapes(simulator):
    fill(
        simulator,
        {
            f"{PRIORITY}a.jsonl": [a_source_row(f"a{n}", scenario_id=n) for n in range(30)],
            f"{COT}b.jsonl": [
                {
                    "prompt": f"Question of its own {n} asked in other words?",
                    "response": f"An answer of its own, number {n}, in a few plain words.",
                    "metadata": {"scenario_id": str(n)},
                }
                for n in range(30)
            ],
        },
    )
    plain = build(simulator, a_policy(splits=HALVES))
    keyed_policy = a_policy(splits=HALVES, intake={"group_keys": ("scenario_id",)})
    keyed = build(simulator, keyed_policy)
    groups = splits_by(rows_of(simulator, keyed.shards))
    assert len(splits_by(rows_of(simulator, plain.shards))) == 60
    assert len(groups) == 30
    assert all(len(splits) == 1 for splits in groups.values())


@pytest.mark.parametrize("field", ["document_id", "video_id", "transcript_title"])
def test_pieces_of_one_document_are_one_group_within_their_object(simulator, field):
    pieces = [a_source_row(f"p{n}", **{field: f"d{n // 5}"}) for n in range(40)]
    others = [a_source_row(f"o{n}", **{field: f"d{n // 5}"}) for n in range(10)]
    fill(simulator, {f"{PRIORITY}a.jsonl": pieces, f"{PRIORITY}b.jsonl": others})
    built = build(simulator, a_policy(splits=HALVES))
    rows = rows_of(simulator, built.shards)
    groups: dict[tuple[str, int], set[str]] = {}
    for row in rows:
        document = (row["metadata"]["source_key"], (row["metadata"]["source_line"] - 1) // 5)
        groups.setdefault(document, set()).add(row["metadata"]["group_id"])
    assert len(groups) == 10
    assert all(len(names) == 1 for names in groups.values())
    assert len({name for names in groups.values() for name in names}) == 10
