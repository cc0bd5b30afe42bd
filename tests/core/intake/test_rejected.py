"""What was refused can be browsed by code and place, and glanced at without its identifiers."""

from __future__ import annotations

import gzip
import json

import pytest

from core.intake.excerpt import excerpt_at
from core.intake.rejected import (
    count_rejections,
    list_rejections,
    list_unknown_shapes,
    source_of,
)
from core.model.errors import IntakeError
from tests.builders import PREFIX, a_policy
from tests.simulator import Simulator
from tests.sources import PRIORITY, build, jsonl, some_source_rows

POLICY = a_policy()
KEY, OTHER = f"{PRIORITY}a.jsonl", f"{PRIORITY}b.jsonl"
ROWS = [
    *some_source_rows(3),
    b'{"prompt": "write to jane.roe\\u0040example.com, or 503-555-0188" broken',
    {"case": "Ask jane.roe@example.com", "note": 2},
    {"case": "again", "note": 3},
    {"messages": [{"role": "user", "content": "x"}, {"role": "narrator", "content": "y"}]},
]


@pytest.fixture
def built(simulator: Simulator):
    simulator.put(KEY, jsonl(ROWS))
    simulator.put(OTHER, b"%PDF-1.7 and more")
    return build(simulator, policy=POLICY)


def entry(candidate, key):
    return source_of(next(item for item in candidate.sources if item.key == key))


def test_refusals_are_counted_by_object_and_code(built) -> None:
    found = {(item.key, item.code): (item.count, item.rows) for item in count_rejections(built)}

    assert found == {
        (KEY, "row.unknown_shape"): (2, 7),
        (KEY, "line.bad_json"): (1, 7),
        (KEY, "row.unknown_role"): (1, 7),
        (OTHER, "object.pdf"): (1, 1),
    }


def test_every_refusal_has_its_place(built, simulator) -> None:
    rows = list_rejections(simulator, built, PREFIX)

    assert [(row.key, row.line, row.code) for row in rows] == [
        (KEY, 4, "line.bad_json"),
        (KEY, 5, "row.unknown_shape"),
        (KEY, 6, "row.unknown_shape"),
        (KEY, 7, "row.unknown_role"),
        (OTHER, 0, "object.pdf"),
    ]
    assert list_rejections(simulator, built, PREFIX, code="row.unknown_role") == rows[3:4]
    assert list_rejections(simulator, built, PREFIX, key=OTHER) == rows[4:]
    assert list_rejections(simulator, built, PREFIX, limit=2) == rows[:2]
    assert sum(item.count for item in count_rejections(built)) == len(rows)


def test_unknown_shapes_are_gathered_by_their_fields(built, simulator) -> None:
    [shape] = list_unknown_shapes(simulator, built, PREFIX)

    assert (shape.key, shape.fields, shape.rows, shape.line) == (KEY, ("case", "note"), 2, 5)


def test_results_that_are_gone_are_said_to_be(built, simulator) -> None:
    for key in simulator.keys(PREFIX):
        if "/by-version/" in key:
            simulator.delete(key)
    with pytest.raises(IntakeError, match=r"intake\.features_gone"):
        list_rejections(simulator, built, PREFIX)


def test_an_excerpt_shows_the_row_without_its_identifiers(built, simulator) -> None:
    source = entry(built, KEY)

    broken = excerpt_at(simulator, source, 4, POLICY)
    unknown = excerpt_at(simulator, source, 5, POLICY)

    assert broken.startswith('{"prompt": "write to [EMAIL], or [PHONE]')
    assert unknown == '{"case": "Ask [EMAIL]", "note": 2}'
    assert "narrator" in excerpt_at(simulator, source, 7, POLICY)
    assert excerpt_at(simulator, source, 7, POLICY, limit=20).endswith("…")
    assert len(excerpt_at(simulator, source, 7, POLICY, limit=20)) == 20


def test_an_excerpt_is_cut_after_it_is_redacted(simulator) -> None:
    row = {"case": "a" * 20 + " jane.roe@example.com", "note": 1}
    simulator.put(KEY, jsonl([row, row]))
    [source] = simulator.list(PRIORITY)

    for limit in range(30, 60):
        assert "jane" not in excerpt_at(simulator, source, 1, POLICY, limit=limit)


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"prompt,response\na,b\n" + b"only jane.roe@example.com\n" * 1, "only [EMAIL]"),
        (json.dumps([{"case": "one"}, {"case": "two"}]).encode(), '{"case": "two"}'),
        (gzip.compress(jsonl([{"case": "one"}, {"case": "two"}])), '{"case": "two"}'),
        (b'{"a": 1}\n{"a": \x1b[31m}\n', '{"a": �[31m}'),
    ],
    ids=["table", "array", "gzip", "control characters"],
)
def test_rows_of_every_container_can_be_glanced_at(simulator, body: bytes, shown: str) -> None:
    simulator.put(KEY, body)
    [source] = simulator.list(PRIORITY)

    assert excerpt_at(simulator, source, 2, POLICY) == shown


def test_a_whole_object_and_a_place_past_its_end_show_nothing(built, simulator) -> None:
    assert excerpt_at(simulator, entry(built, OTHER), 0, POLICY) == ""
    assert excerpt_at(simulator, entry(built, KEY), 99, POLICY) == ""


def test_an_object_that_changed_is_not_shown(built, simulator) -> None:
    source = entry(built, KEY)
    simulator.put(KEY, jsonl([{"case": "other"}]))
    with pytest.raises(IntakeError, match=r"intake\.object_changed"):
        excerpt_at(simulator, source, 1, POLICY)
