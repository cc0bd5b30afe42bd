"""Compressed and columnar objects give their rows, or are refused whole: never half trusted."""

from __future__ import annotations

import gzip
import io
import json
import tracemalloc
import zlib
from collections.abc import Callable
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from core.intake.containers import Row, read_rows
from core.intake.read import read_object
from core.model.dataset import Asset, Conversation, Rejection
from tests.builders import a_policy

RULE = a_policy().intake
ROWS = [{"prompt": f"Question {n}?", "response": f"Answer {n}."} for n in range(200)]
LINES = b"".join(json.dumps(row).encode() + b"\n" for row in ROWS)


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


PACK: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "zstd": zstd}


def read(data: bytes, *, size: int = 1000, **options: Any) -> tuple[str, list[object]]:
    blocks = (data[start : start + size] for start in range(0, len(data), size))
    reader = read_rows(blocks, key="k", rule=options.pop("rule", RULE), **options)
    items = [item.value if isinstance(item, Row) else item.code for item in reader]
    return reader.container, items


@pytest.mark.parametrize("kind", PACK)
@pytest.mark.parametrize("size", [1, 700, 1 << 20])
def test_a_compressed_object_is_read_as_what_is_in_it(kind: str, size: int) -> None:
    assert read(PACK[kind](LINES), size=size) == (f"{kind}/jsonl", ROWS)
    table = b"prompt,response\na,b\n"
    assert read(PACK[kind](table), size=size)[0] == f"{kind}/csv"


@pytest.mark.parametrize("kind", PACK)
def test_members_one_after_another_are_one_object(kind: str) -> None:
    middle = LINES.index(b"\n", len(LINES) // 2) + 1
    data = PACK[kind](LINES[:middle]) + PACK[kind](LINES[middle:])

    assert read(data)[1] == ROWS


def test_zeros_after_the_last_gzip_member_are_padding_and_anything_else_is_damage() -> None:
    assert read(gzip.compress(LINES) + b"\x00" * 512)[1] == ROWS
    assert read(gzip.compress(LINES) + b"more")[1] == ["object.corrupt"]


@pytest.mark.parametrize("kind", PACK)
@pytest.mark.parametrize("cut", [1, 9, 200])
def test_d29_a_compressed_object_cut_short_gives_no_row_at_all(kind: str, cut: int) -> None:
    assert read(PACK[kind](LINES)[:-cut])[1] == ["object.corrupt"]


def test_a_wrong_checksum_gives_no_row_at_all() -> None:
    data = bytearray(gzip.compress(LINES))
    data[-8] ^= 1
    assert zlib.decompressobj(wbits=-15).decompress(bytes(data[10:])) == LINES

    assert read(bytes(data))[1] == ["object.corrupt"]


@pytest.mark.parametrize("kind", PACK)
def test_d29_a_bomb_is_given_up_in_bounded_memory(kind: str) -> None:
    step = b"a" * (1 << 20)
    whole = io.BytesIO()
    if kind == "gzip":
        with gzip.GzipFile(fileobj=whole, mode="wb") as file:
            for _ in range(300):
                file.write(step)
    else:
        with zstandard.ZstdCompressor().stream_writer(whole, closefd=False) as writer:
            for _ in range(300):
                writer.write(step)
    assert len(whole.getvalue()) < 400_000

    tracemalloc.start()
    found = read(whole.getvalue())[1]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert found == ["object.too_large"]
    assert peak < 96 << 20


def test_what_inflates_past_the_policy_s_limit_is_refused_before_any_row() -> None:
    rule = a_policy(intake={"object_bytes": len(LINES) - 1}).intake

    assert read(gzip.compress(LINES), rule=rule)[1] == ["object.too_large"]


def parquet(rows: list[dict[str, Any]], **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink, **options)
    return sink.getvalue()


def arrow(rows: list[dict[str, Any]], *, stream: bool) -> bytes:
    sink = io.BytesIO()
    table = pa.Table.from_pylist(rows)
    new = pa.ipc.new_stream if stream else pa.ipc.new_file
    with new(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


TALKS = [
    {
        "id": n,
        "messages": [
            {"role": "user", "content": f"I am tired, {n}."},
            {"role": "assistant", "content": "Since when?"},
        ],
        "seen": date(2026, 1, 2),
        "embedding": [0.5, 0.25],
    }
    for n in range(150)
]


@pytest.mark.parametrize(
    ("data", "container"),
    [
        (parquet(TALKS, row_group_size=40), "parquet"),
        (arrow(TALKS, stream=False), "arrow"),
        (arrow(TALKS, stream=True), "arrow_stream"),
        (gzip.compress(parquet(TALKS)), "gzip/parquet"),
    ],
    ids=["parquet", "arrow file", "arrow stream", "gzip parquet"],
)
def test_a_columnar_object_gives_its_conversations(data: bytes, container: str) -> None:
    reading = read_object((data,), key="k", rule=RULE)
    items = list(reading)

    assert reading.container == container
    assert [item.line for item in items] == list(range(1, 151))
    assert all(isinstance(item, Conversation) for item in items)
    assert isinstance(items[7], Conversation)
    assert (items[7].conversation_id, items[7].messages[0].content) == ("7", "I am tired, 7.")


def test_binary_text_is_text_and_other_bytes_are_none() -> None:
    rows = [{"prompt": b"caf\xc3\xa9?", "response": b"yes"}, {"prompt": b"\xff", "response": b"x"}]

    assert read(parquet(rows))[1] == [
        {"prompt": "café?", "response": "yes"},
        {"prompt": None, "response": "x"},
    ]


def test_a_row_of_a_columnar_object_too_long_costs_itself_alone() -> None:
    rule = a_policy(intake={"line_bytes": 400}).intake
    rows = [*ROWS[:3], {"prompt": "p" * 900, "response": "r"}, *ROWS[3:5]]

    assert read(parquet(rows), rule=rule)[1] == [*ROWS[:3], "line.too_long", *ROWS[3:5]]


def test_a_columnar_object_of_numbers_is_a_feature_matrix() -> None:
    rows = [{f"tfidf_{n}": 0.5 for n in range(12)} | {"post": "words"}]

    assert read(parquet(rows))[1] == ["object.feature_matrix"]
    assert read(parquet([{"a": 1}]))[1] == ["object.feature_matrix"]


def test_a_small_columnar_object_that_stands_for_too_much_is_refused() -> None:
    rule = a_policy(intake={"object_bytes": 200_000}).intake
    data = parquet([{"prompt": "p" * 900, "response": "r"}] * 5000)
    assert len(data) < 200_000

    assert read(data, rule=rule)[1][-1] == "object.too_large"


def test_a_columnar_object_damaged_anywhere_never_ends_the_process() -> None:
    for whole in (parquet(TALKS), arrow(TALKS, stream=True), arrow(TALKS, stream=False)):
        for place in range(8, len(whole), max(1, len(whole) // 60)):
            data = bytearray(whole)
            data[place] ^= 0xFF
            items = list(read_object((bytes(data),), key="k", rule=RULE))
            assert items
            assert all(isinstance(item, (Conversation, Asset, Rejection)) for item in items)


@pytest.mark.parametrize("kind", PACK)
def test_a_sample_is_not_blamed_for_where_it_was_cut(kind: str) -> None:
    for data in (LINES, PACK[kind](LINES)):
        found = read(data, sample=2_000)[1]
        assert 0 < len(found) < len(ROWS)
        assert found == ROWS[: len(found)]
    # One zstd block is all or nothing; deflate gives what it has.
    cut = read(PACK[kind](LINES)[:-20], sample=200)[1]
    assert cut == ["object.not_whole"] if kind == "zstd" else cut[:1] == ROWS[:1]


@pytest.mark.parametrize("kind", PACK)
def test_a_sample_that_reaches_the_end_trusts_no_more_than_a_whole_reading(kind: str) -> None:
    assert read(PACK[kind](LINES)[:-5], sample=1 << 20)[1] == ["object.corrupt"]
    assert read(PACK[kind](LINES), sample=1 << 20)[1] == ROWS


def test_the_head_of_a_columnar_object_is_said_to_be_only_that() -> None:
    assert read(parquet(TALKS)[:500], sample=500)[1] == ["object.not_whole"]
