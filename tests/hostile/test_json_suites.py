"""D31: public collections of broken and naughty input are refused or come back byte for byte."""

from __future__ import annotations

import gzip
import json
import os
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from core.intake.containers import Row, read_rows
from core.intake.measure import decode_messages
from core.intake.read import read_object
from core.intake.scan import load_features, read_features, scan_object, scan_settings_digest
from core.intake.strict_json import BadJson, decode_strict
from core.intake.text import is_blank
from core.model.dataset import Conversation, Rejection
from tests.builders import a_policy
from tests.simulator import Simulator

RULE = a_policy().intake
SHARED = Path(os.environ.get("RELEASE_DESK_SHARED", Path(__file__).parents[3] / "shared" / "data"))
ROBUSTNESS = SHARED / "permissive/E_robustness"
SUITE = ROBUSTNESS / "JSONTestSuite/test_parsing"
# The suite lets a parser keep either of two equal keys; two readers could then read two things.
STRICTER = {"y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json"}


def cases(prefix: str) -> list[Path]:
    return sorted(SUITE.glob(f"{prefix}_*.json"))


def needs(*paths: Path) -> None:
    if not all(path.exists() for path in paths):
        pytest.skip("the shared data is not here")


def items_of(data: bytes) -> list[Row | Rejection]:
    return list(read_rows((data,), key="k", rule=RULE))


def test_every_broken_value_is_refused_as_a_line_and_as_an_object() -> None:
    needs(SUITE)
    assert len(cases("n")) > 50
    for path in cases("n"):
        data = path.read_bytes()
        with pytest.raises(BadJson):
            decode_strict(data)
        assert any(isinstance(item, Rejection) for item in items_of(data)), path.name


def test_every_sound_value_is_accepted_as_a_line() -> None:
    needs(SUITE)
    assert len(cases("y")) > 80
    for path in cases("y"):
        if path.name in STRICTER:
            with pytest.raises(BadJson):
                decode_strict(path.read_bytes())
        else:
            assert decode_strict(path.read_bytes()) == json.loads(path.read_bytes()), path.name


def test_what_an_implementation_may_decide_never_crashes() -> None:
    needs(SUITE)
    assert cases("i")
    for path in cases("i"):
        data = path.read_bytes()
        assert items_of(data), path.name
        assert items_of(b'{"a":1}\n' + data + b'\n{"a":1}\n'), path.name


def test_a_broken_value_between_sound_lines_costs_no_sound_line() -> None:
    needs(SUITE)
    for path in cases("n"):
        data = path.read_bytes()
        if b"\n" in data:
            continue
        lines = b"\n".join([b'{"a":1}', b'{"a":2}', data, b'{"a":3}'])
        rows = [item.value for item in items_of(lines) if isinstance(item, Row)]
        assert rows == [{"a": 1}, {"a": 2}, {"a": 3}], path.name


@pytest.mark.parametrize("ascii_only", [True, False])
def test_naughty_strings_come_back_byte_for_byte(ascii_only: bool) -> None:
    needs(ROBUSTNESS / "blns/blns.json")
    strings = json.loads((ROBUSTNESS / "blns/blns.json").read_bytes())
    spoken = [text for text in strings if not is_blank(text) and "\x00" not in text]
    assert len(spoken) > 400
    lines = [
        json.dumps({"prompt": f"? {text}", "response": text}, ensure_ascii=ascii_only)
        for text in spoken
    ]

    items = list(read_object(("\n".join(lines).encode(),), key="k", rule=RULE))

    found = [item.messages for item in items if isinstance(item, Conversation)]
    assert len(found) == len(spoken)
    assert [pair[1].content.encode() for pair in found] == [text.encode() for text in spoken]
    assert [pair[0].content for pair in found] == [f"? {text}" for text in spoken]


def test_the_tables_of_csv_spectrum_read_as_it_says() -> None:
    tables = sorted((ROBUSTNESS / "csv-spectrum/csvs").glob("*.csv"))
    if not tables:
        pytest.skip("the shared data is not here")
    for path in tables:
        expected = json.loads((path.parents[1] / "json" / f"{path.stem}.json").read_bytes())
        # The snapshot's tables lost their carriage returns, their expectations did not.
        if b"\r" not in path.read_bytes():
            expected = json.loads(json.dumps(expected).replace("\\r", ""))
        rows = [item.value for item in items_of(path.read_bytes()) if isinstance(item, Row)]
        assert rows == expected, path.name


def test_broken_archives_and_unknown_compression_are_refused_as_a_whole() -> None:
    files = [
        *ROBUSTNESS.glob("wuffs-compressed/*.zip"),
        *ROBUSTNESS.glob("wuffs-compressed/*.bz2"),
        *ROBUSTNESS.glob("wuffs-compressed/*.tar.gz"),
        *ROBUSTNESS.glob("yauzl-bad-zip/*.zip"),
    ]
    if not files:
        pytest.skip("the shared data is not here")
    for path in files:
        items = items_of(path.read_bytes())
        assert len(items) == 1, path.name
        assert isinstance(items[0], Rejection), path.name
        assert items[0].line == 0, path.name


def test_compressed_texts_come_back_byte_for_byte() -> None:
    files = sorted(ROBUSTNESS.glob("wuffs-compressed/*.txt.gz"))
    if not files:
        pytest.skip("the shared data is not here")
    for path in files:
        [item] = items_of(path.read_bytes())
        assert isinstance(item, Row), path.name
        assert item.value == {"monologue": gzip.decompress(path.read_bytes()).decode()}, path.name


def test_parquet_files_give_the_values_another_reader_gives() -> None:
    files = sorted(ROBUSTNESS.glob("parquet/data/*.parquet"))
    if not files:
        pytest.skip("the shared data is not here")
    for path in files:
        expected = duckdb.sql("SELECT * FROM read_parquet(?)", params=[str(path)])
        columns = expected.columns
        items = items_of(path.read_bytes())
        for item, row in zip(items, expected.fetchall(), strict=True):
            assert isinstance(item, Row), path.name
            for name, value in zip(columns, row, strict=True):
                assert same_value(item.value[name], value), (path.name, name)


def same_value(ours: object, theirs: object) -> bool:
    if isinstance(theirs, bytes):
        return ours == theirs.decode() if theirs.isascii() else ours is None
    if isinstance(theirs, datetime):
        return isinstance(ours, str) and ours[:19] == theirs.isoformat()[:19]
    return ours == theirs


@pytest.mark.parametrize("packed", [False, True])
def test_chinese_dialogues_keep_every_character_down_to_the_features(packed: bool) -> None:
    folder = SHARED / "permissive/A_dialogue"
    files = [*sorted(folder.glob("smilechat-zh/*.json"))[:20]]
    if not files:
        pytest.skip("the shared data is not here")
    store = Simulator()
    policy = a_policy()
    settings = scan_settings_digest(policy)
    for number, path in enumerate(files):
        body = path.read_bytes()
        store.put(f"zh/{number:02}.json", gzip.compress(body) if packed else body)
    for source, path in zip(store.list("zh/"), files, strict=True):
        scan = scan_object(
            store, source, policy=policy, settings_digest=settings, prefix="exports/"
        )
        assert (scan.rows, scan.records) == (1, 1), path.name
        [row] = read_features(load_features(store, scan)).to_pylist()
        told = [turn["content"] for turn in json.loads(path.read_bytes())]
        if row["pii_status"] == "none_detected":
            assert [m.content for m in decode_messages(row["messages"])] == told, path.name
        characters = sum(map(len, told))
        assert row["language"] == "zh", path.name
        assert characters / 3 < row["tokens"] < characters * 3, path.name
        assert row["shingles"] > characters / 8, path.name
