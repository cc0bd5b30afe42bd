"""Whatever rows go into a container come out of it, wherever blocks fall and wherever it is cut."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from core.intake.containers import Row, read_rows
from core.model.dataset import Rejection
from tests.builders import a_policy

# A small limit makes the reader stream instead of looking at the whole document first.
RULE = a_policy(intake={"line_bytes": 4096}).intake
# An object full of control characters is refused as binary, and rightly.
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12) | st.sampled_from(
    ['"', "\\", '\\"', "]}", "[{", ",", "\n", "\r\n", " "]
)
OBJECTS = st.dictionaries(
    st.sampled_from(["a", "b", "c]", 'd"', "e\\"]),
    st.recursive(TEXTS | st.none() | st.integers(), lambda inner: st.lists(inner, max_size=3)),
    min_size=1,
    max_size=3,
)
LISTS = st.lists(OBJECTS, min_size=1, max_size=5)
INDENTS = st.sampled_from([None, 0, 2])
SIZES = st.integers(1, 40)


def blocks(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


def items(data: bytes, size: int) -> list[Row | Rejection]:
    return list(read_rows(blocks(data, size), key="k", rule=RULE))


def values(found: list[Row | Rejection]) -> list[object]:
    return [item.value for item in found if isinstance(item, Row)]


@given(LISTS, INDENTS, SIZES, st.booleans())
@settings(max_examples=60, deadline=None)
def test_an_array_gives_what_was_put_in(
    rows: list[object], indent: int | None, size: int, ascii_only: bool
) -> None:
    data = json.dumps(rows, indent=indent, ensure_ascii=ascii_only).encode()

    found = items(data, size)

    assert values(found) == rows
    assert [item.line for item in found] == list(range(1, len(rows) + 1))


@given(LISTS, INDENTS, SIZES, st.integers(0, 400))
@settings(max_examples=60, deadline=None)
def test_an_array_cut_anywhere_keeps_whole_rows_and_is_never_taken_for_whole(
    rows: list[object], indent: int | None, size: int, cut: int
) -> None:
    whole = json.dumps(rows, indent=indent).encode()
    data = whole[: 1 + cut % (len(whole) - 1)]

    found = items(data, size)

    kept = values(found)
    assert kept == rows[: len(kept)]
    assert isinstance(found[-1], Rejection)


@given(LISTS, INDENTS, SIZES)
@settings(max_examples=60, deadline=None)
def test_a_wrapped_list_gives_what_was_put_in(
    rows: list[object], indent: int | None, size: int
) -> None:
    document = {"about": {"x": ["]", "}"]}, "data": rows, "end": [1, 2], "filler": "y" * 5000}

    assert values(items(json.dumps(document, indent=indent).encode(), size)) == rows


@given(LISTS, SIZES)
@settings(max_examples=60, deadline=None)
def test_pretty_objects_one_after_another_give_what_was_put_in(
    rows: list[object], size: int
) -> None:
    data = "\n".join(json.dumps(row, indent=2) for row in rows).encode()

    assert values(items(data, size)) == rows


@given(
    st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=6),
    SIZES,
    st.sampled_from(["\n", "\r\n"]),
)
@settings(max_examples=60, deadline=None)
def test_a_table_gives_what_was_put_in(rows: list[tuple[str, str]], size: int, ending: str) -> None:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator=ending, quoting=csv.QUOTE_ALL)
    writer.writerows([("prompt", "response"), *rows])

    found = items(buffer.getvalue().encode(), size)

    assert values(found) == [{"prompt": a, "response": b} for a, b in rows]
