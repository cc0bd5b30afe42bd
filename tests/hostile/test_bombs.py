"""D27 and D28: what is meant to exhaust a reader costs one rejection and bounded memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest

from core.intake.containers import Row, read_rows
from core.intake.read import read_object
from core.model.dataset import Conversation, Rejection
from tests.builders import a_policy

RULE = a_policy().intake
GOOD = b'{"prompt":"a","response":"b"}\n'
BLOCK = b"a" * (1 << 20)


def peak_of(blocks: Iterator[bytes]) -> tuple[list[object], int]:
    """What was read, and the most memory that reading it took, in bytes."""
    tracemalloc.start()
    try:
        items: list[object] = list(read_object(blocks, key="k", rule=RULE))
        return items, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def long_line(megabytes: int, before: bytes, after: bytes) -> Iterator[bytes]:
    yield before
    for _ in range(megabytes):
        yield BLOCK
    yield after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b"\n" + GOOD),
        (b'{"text":"', b'"}\n' + GOOD),
        (GOOD + GOOD + b'{"text":"', b'"}\n' + GOOD),
        (b'[{"text":"', b'"},' + GOOD + b"]"),
        (b'{"data":[{"text":"', b'"},' + GOOD + b"]}"),
        (b'prompt,response\na,b\n"', b'",c\nd,e\n'),
    ],
    ids=["bare", "first line", "third line", "array", "wrapped array", "table"],
)
def test_d28_a_row_of_64_mib_is_skipped_in_bounded_memory(before: bytes, after: bytes) -> None:
    items, peak = peak_of(long_line(64, before, after))

    assert "line.too_long" in [item.code for item in items if isinstance(item, Rejection)]
    assert isinstance(items[-1], Conversation)
    assert peak < 16 << 20


@pytest.mark.parametrize(
    "bomb",
    [
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b"9" * 5000,
        b'{"n":' + b"9" * 5000 + b"}",
        b'{"n":1e999}',
        b'{"a":"\\ud800"}',
        b'{"a":"\x00"}',
        b'{"a":1,"a":1}',
        b"\\" * 100_000,
        b'"' * 100_001,
    ],
    ids=lambda value: repr(value[:12]),
)
def test_d27_a_bomb_between_good_lines_costs_itself_alone(bomb: bytes) -> None:
    data = GOOD * 2 + bomb + b"\n" + GOOD

    items = list(read_object((data,), key="k", rule=RULE))

    assert [isinstance(item, Conversation) for item in items] == [True, True, False, True]
    assert isinstance(items[2], Rejection)


def test_d27_a_bomb_alone_is_refused_and_the_process_lives() -> None:
    for bomb in (b"[" * 200_000, b'{"a":[' * 100_000, b'[{"data":' * 100_000):
        items = list(read_rows((bomb,), key="k", rule=RULE))
        assert items
        assert not any(isinstance(item, Row) for item in items)


def test_d30_keys_are_names_only_and_are_given_back_untouched() -> None:
    for key in ("../../etc/passwd", "a b /c ", "｜：？⧸", "a\nb", "a?b#c&d", "x.jsonl.jsonl"):
        items = list(read_object((b"",), key=key, rule=RULE))
        assert items == [Rejection(code="object.empty", key=key, line=0)]
