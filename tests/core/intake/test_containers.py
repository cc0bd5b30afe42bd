"""However an object is packed, every row in it comes out or is refused with its place."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from core.intake.containers import Row, read_rows
from core.model.dataset import Rejection
from core.policy.types import IntakeRule
from tests.builders import a_policy

RULE = a_policy().intake
TURNS = [{"role": "user", "content": "I slept badly."}, {"role": "assistant", "content": "Why?"}]
ROW = {"messages": TURNS}
LINE = json.dumps(ROW).encode()


def a_rule(**changes: int) -> IntakeRule:
    return a_policy(intake=changes).intake


def in_blocks(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


def read(
    data: bytes, *, rule: IntakeRule = RULE, size: int = 1 << 16
) -> tuple[str, list[tuple[int, object]]]:
    """The container, and for every item its line with the value or the code."""
    reader = read_rows(in_blocks(data, size), key="a/key", rule=rule)
    items = [(item.line, item.value if isinstance(item, Row) else item.code) for item in reader]
    return reader.container, items


@pytest.mark.parametrize("size", [1, 2, 7, 1 << 16])
def test_jsonl_gives_one_row_per_line_with_its_number(size: int) -> None:
    data = LINE + b"\n" + LINE + b"\n"

    assert read(data, size=size) == ("jsonl", [(1, ROW), (2, ROW)])


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (b'{"messages": [', "line.bad_json"),
        (b'{"messages": "\xff\xfe"}', "line.not_utf8"),
        (b'{"a": 1, "a": 2}', "line.duplicate_key"),
        (b'{"a": NaN}', "line.number"),
        (b"not json at all", "line.bad_json"),
        (b'{"a": "\x00"}', "line.bad_json"),
    ],
)
def test_d26_one_bad_line_costs_one_line(place: int, bad: bytes, code: str) -> None:
    lines = [LINE, LINE]
    lines.insert(place, bad)

    container, items = read(b"\n".join(lines))

    assert container == "jsonl"
    assert items == [(n + 1, code if n == place else ROW) for n in range(3)]


@pytest.mark.parametrize(
    ("bad", "code"), [(b"{broken", "line.bad_json"), (LINE[:-9] + b'\xe9"}]}', "line.not_utf8")]
)
def test_lines_that_are_all_broken_are_counted_one_by_one(bad: bytes, code: str) -> None:
    assert read(b"\n".join([bad] * 3)) == ("jsonl", [(1, code), (2, code), (3, code)])


@pytest.mark.parametrize(
    "data",
    [
        LINE + b"\n" + LINE,
        b"\xef\xbb\xbf" + LINE + b"\n" + LINE + b"\n",
        LINE + b"\r\n" + LINE + b"\r\n",
    ],
    ids=["no final newline", "byte order mark", "carriage returns"],
)
def test_d26_line_ends_and_marks_change_nothing(data: bytes) -> None:
    assert read(data) == ("jsonl", [(1, ROW), (2, ROW)])


def test_d26_blank_lines_are_neither_rows_nor_rejections_but_are_counted_as_lines() -> None:
    assert read(LINE + b"\n\n  \t\n" + LINE)[1] == [(1, ROW), (4, ROW)]


@pytest.mark.parametrize("size", [5, 100, 1 << 16])
def test_d28_a_line_one_byte_too_long_is_skipped_and_the_next_is_read(size: int) -> None:
    rule = a_rule(line_bytes=len(LINE))
    longer = LINE.replace(b"badly", b"badly!")

    items = read(b"\n".join([LINE, longer, LINE]), rule=rule, size=size)[1]

    assert items == [(1, ROW), (2, "line.too_long"), (3, ROW)]


def test_a_jsonl_whose_first_line_is_too_long_is_still_read_by_line() -> None:
    rule = a_rule(line_bytes=200)
    data = b'{"text": "' + b"a" * 500 + b'"}\n' + LINE + b"\n" + LINE

    assert read(data, rule=rule)[1] == [(1, "line.too_long"), (2, ROW), (3, ROW)]


@pytest.mark.parametrize("size", [1, 3, 1 << 16])
@pytest.mark.parametrize("indent", [None, 2])
def test_an_array_gives_its_elements(size: int, indent: int | None) -> None:
    data = json.dumps([ROW, ROW, {"text": 'a ] } , " \\ text'}], indent=indent).encode()

    container, items = read(data, size=size)

    assert container == "json_array"
    assert items == [(1, ROW), (2, ROW), (3, {"text": 'a ] } , " \\ text'})]


def test_a_cut_array_keeps_its_whole_rows_and_says_that_it_was_cut() -> None:
    data = json.dumps([ROW, ROW, ROW]).encode()

    assert read(data[:-40])[1] == [(1, ROW), (2, ROW), (3, "json.truncated")]
    assert read(data[:-1])[1][-1] == (4, "json.truncated")


def test_bytes_after_an_array_are_refused() -> None:
    assert read(b"[" + LINE + b"] extra")[1] == [(1, ROW), (2, "json.trailing")]


def test_one_broken_element_costs_one_element() -> None:
    data = b"[" + LINE + b', {"a": NaN}, {broken}, , ' + LINE + b"]"

    assert read(data)[1] == [
        (1, ROW),
        (2, "line.number"),
        (3, "line.bad_json"),
        (4, "line.bad_json"),
        (5, ROW),
    ]


@pytest.mark.parametrize("size", [9, 1 << 16])
def test_an_element_too_long_is_skipped_and_the_next_is_read(size: int) -> None:
    rule = a_rule(line_bytes=300)
    long = json.dumps({"text": 'with "quotes" ] and \\ more ' * 40}).encode()

    data = b"[" + LINE + b"," + long + b"," + LINE + b"]"

    assert read(data, rule=rule, size=size)[1] == [(1, ROW), (2, "line.too_long"), (3, ROW)]


def test_an_array_of_turns_is_one_row() -> None:
    assert read(json.dumps(TURNS, indent=1).encode()) == ("json_array", [(1, TURNS)])


def test_a_cut_array_of_turns_gives_no_half_dialogue() -> None:
    assert read(json.dumps(TURNS).encode()[:-1])[1] == [(1, "json.truncated")]


@pytest.mark.parametrize(
    "name",
    [
        "conversations",
        "filtered_conversations",
        "data",
        "items",
        "records",
        "prompts",
        "edge_case_prompts",
        "scenarios",
        "responses",
        "examples",
    ],
)
@pytest.mark.parametrize("line_bytes", [150, 1 << 20])
def test_an_object_around_a_list_gives_the_list(name: str, line_bytes: int) -> None:
    document = {"about": {"n": [1, 2]}, "tags": ["a"], name: [ROW, ROW], "end": "x"}

    container, items = read(json.dumps(document).encode(), rule=a_rule(line_bytes=line_bytes))

    assert container == "json_object"
    assert items == [(1, ROW), (2, ROW)]


def test_a_conversation_with_its_turns_under_conversations_is_itself_the_row() -> None:
    row = {"id": "7", "conversations": [{"from": "human", "value": "Hi."}]}

    assert read(json.dumps(row, indent=2).encode()) == ("json_object", [(1, row)])


def test_concatenated_and_pretty_objects_are_read_whatever_the_name_says() -> None:
    data = (json.dumps(ROW, indent=2) + "\n" + json.dumps(ROW, indent=2)).encode()

    assert read(data) == ("json_concatenated", [(1, ROW), (2, ROW)])


def test_one_object_cut_short_is_refused() -> None:
    assert read(json.dumps(ROW, indent=2).encode()[:-3])[1] == [(1, "json.truncated")]


def test_an_object_too_long_without_a_list_is_refused_and_the_next_is_read() -> None:
    data = json.dumps({"a": "x" * 500, "b": 1}, indent=1).encode() + b"\n" + LINE

    assert read(data, rule=a_rule(line_bytes=300))[1] == [(1, "line.too_long"), (2, ROW)]


@pytest.mark.parametrize(
    "data", [b"[]", b'{"data": []}', b"prompt,response\n"], ids=["array", "object", "table"]
)
def test_a_container_without_rows_is_refused_rather_than_silent(data: bytes) -> None:
    items = read(data)[1]

    assert items in ([(0, "object.no_rows")], [(1, {"data": []})])


def test_an_object_past_the_limit_is_refused_after_the_rows_before_it() -> None:
    data = b"\n".join([LINE] * 20)

    items = read(data, rule=a_rule(object_bytes=len(LINE) * 5), size=len(LINE) + 1)[1]

    assert items[0] == (1, ROW)
    assert items[-1] == (0, "object.too_large")


def test_a_table_gives_rows_under_their_header() -> None:
    data = b'Context,Response\n"one, ""two""\nthree",four\nfive,six\n'

    assert read(data) == (
        "csv",
        [
            (1, {"Context": 'one, "two"\nthree', "Response": "four"}),
            (2, {"Context": "five", "Response": "six"}),
        ],
    )


def test_line_ends_inside_quotes_are_kept_as_they_were() -> None:
    data = b'prompt,response\r\n"one\r\ntwo",b\r\nc,"three\nfour"\r\n'

    assert [value for _, value in read(data)[1]] == [
        {"prompt": "one\r\ntwo", "response": "b"},
        {"prompt": "c", "response": "three\nfour"},
    ]


def test_rows_that_do_not_fit_the_header_are_refused_not_shifted() -> None:
    data = b"prompt,response\na,b\nonly one\nc,d,e\nf,g\n"

    assert [code for _, code in read(data)[1]][1:3] == ["csv.cells", "csv.cells"]
    assert read(data)[1][3] == (4, {"prompt": "f", "response": "g"})


def test_a_table_row_that_is_not_utf8_is_refused_alone() -> None:
    data = b"prompt,response\na,b\n\xff,c\nd,e\n"

    assert [value for _, value in read(data)[1]] == [
        {"prompt": "a", "response": "b"},
        "line.not_utf8",
        {"prompt": "d", "response": "e"},
    ]


def test_quotes_that_never_close_cannot_swallow_a_table_in_silence() -> None:
    data = b'prompt,response\na,b\n"open,c\n' + b"d,e\n" * 200 + b"f,g\n"

    items = read(data, rule=a_rule(line_bytes=400))[1]

    assert items[0] == (1, {"prompt": "a", "response": "b"})
    assert items[1] == (2, "line.too_long")
    assert items[-1][1] == {"prompt": "f", "response": "g"}


def test_quotes_open_at_the_end_are_refused() -> None:
    assert read(b'prompt,response\na,b\n"open,c\n')[1][-1] == (2, "csv.bad_quotes")


def test_two_columns_of_one_name_refuse_the_table() -> None:
    assert read(b"prompt,response,prompt\na,b,c\n")[1] == [(0, "csv.duplicate_column")]


def test_semicolons_and_tabs_part_cells_too() -> None:
    assert read(b"prompt\tresponse\na\tb\n")[1] == [(1, {"prompt": "a", "response": "b"})]
    assert read(b"prompt;response\na;b\n")[1] == [(1, {"prompt": "a", "response": "b"})]


def test_a_refused_object_is_not_read_to_its_end() -> None:
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield b"%PDF" + b"\x00" * 65536

    reader = read_rows(endless(), key="k", rule=RULE)

    assert list(reader) == [Rejection(code="object.pdf", key="k", line=0)]
    assert taken < 50
