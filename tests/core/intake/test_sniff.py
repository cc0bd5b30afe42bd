"""What an object is shows in its bytes; each kind we do not read is refused under its own name."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import zipfile

import pyarrow as pa
import pyarrow.parquet
import pytest

from core.intake.containers import read_rows
from core.intake.sniff import sniff
from core.model.dataset import Rejection
from tests.builders import a_policy

RULE = a_policy().intake


def parquet() -> bytes:
    buffer = io.BytesIO()
    pa.parquet.write_table(pa.table({"text": ["a"]}), buffer)
    return buffer.getvalue()


def arrow(*, stream: bool) -> bytes:
    buffer = io.BytesIO()
    table = pa.table({"text": ["a"]})
    new = pa.ipc.new_stream if stream else pa.ipc.new_file
    with new(buffer, table.schema) as writer:
        writer.write_table(table)
    return buffer.getvalue()


def zipped(name: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, "x")
    return buffer.getvalue()


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 42848\n"
MATRIX = "\n".join(
    [",".join(["post"] + [f"tfidf_{n}" for n in range(12)])]
    + [",".join(["some words"] + [f"0.{n}" for n in range(12)])] * 5
)
SOURCE = "import os\nfrom pathlib import Path\n\n\ndef main(path):\n    return os.stat(path)\n"
NOTEBOOK = json.dumps(
    {"cells": [{"cell_type": "code", "source": ["x"]}], "metadata": {}, "nbformat": 4}, indent=1
)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "object.empty"),
        (b" \n\t\n", "object.empty"),
        (b"\xef\xbb\xbf", "object.empty"),
        (LFS, "object.lfs_pointer"),
        (gzip.compress(gzip.compress(b'{"a":1}\n' * 9)), "object.compressed"),
        (bz2.compress(b'{"a":1}\n' * 9), "object.compressed"),
        (gzip.compress(b'{"a":1}\n' * 9)[:-9], "object.corrupt"),
        (b"\x28\xb5\x2f\xfd\x04\x00", "object.corrupt"),
        (parquet()[:-9], "object.corrupt"),
        (arrow(stream=False)[:-9], "object.corrupt"),
        (b"\xff\xff\xff\xff" + b"\x7f" * 90, "object.corrupt"),
        (b"a/b.jsonl".ljust(257, b"\x00") + b"ustar\x0000", "object.archive"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "object.pdf"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "object.image"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "object.image"),
        (zipped("rows.jsonl"), "object.archive"),
        (zipped("word/document.xml"), "object.office"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "object.office"),
        (b"RIFF\x24\x08\x00\x00WAVEfmt ", "object.media"),
        (b"SQLite format 3\x00\x10\x00", "object.binary"),
        (bytes(range(32)) * 20, "object.binary"),
        ("{}".encode("utf-16"), "object.not_utf8"),
        (MATRIX.encode(), "object.feature_matrix"),
        (SOURCE.encode(), "object.source_code"),
        (NOTEBOOK.encode(), "object.notebook"),
        (b'<?xml version="1.0"?>\n<Document><Q/></Document>', "object.markup"),
        (b"Welcome back, everybody.\nToday, we talk of grief.\n", "object.unsupported"),
        (b"[Music] hello and welcome\n", "object.unsupported"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_read_is_refused_as_a_whole_under_its_own_code(data: bytes, code: str) -> None:
    items = list(read_rows((data,), key="data.jsonl", rule=RULE))

    assert items == [Rejection(code=code, key="data.jsonl", line=0)]


@pytest.mark.parametrize(
    ("data", "container"),
    [
        (b'{"a":1}\n{"a":2}\n', "jsonl"),
        (b'[{"a":1}]\n[{"a":2}]\n', "jsonl"),
        (b'{\n "a": 1\n}\n', "json"),
        (b'[\n{"a":1},\n{"a":2}\n]\n', "json"),
        (b'{"conversations": [\n{"a":1},\n{"a":2}\n]}\n', "json"),
        (b"a,b,c\n1,2,3\n", "csv"),
        (b"Doctor: Hello.\nPatient: Hi.\n", "transcript"),
    ],
)
def test_what_is_read_is_told_from_content(data: bytes, container: str) -> None:
    seen = sniff(data, whole=True)

    assert (seen.container, seen.refusal) == (container, "")


def test_prose_with_commas_is_no_table() -> None:
    prose = b"Well, it was late.\nShe said, again, that nothing, nothing at all, was wrong.\n"

    assert sniff(prose, whole=True).refusal == "object.unsupported"


def test_a_dialogue_table_with_a_few_numbers_is_no_feature_matrix() -> None:
    header = "id,prompt,response,n1,n2,n3,n4,n5,n6"
    data = "\n".join([header, *["1,a,b,1,2,3,4,5,6"] * 4]).encode()

    assert sniff(data, whole=True).container == "csv"
    assert sniff(data, whole=True).refusal == ""
