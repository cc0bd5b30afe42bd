"""Reading accounts for every row, and real public data comes through in the shapes it has."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from core.intake.containers.lines import split_lines
from core.intake.read import read_object
from core.model.dataset import Asset, Conversation, Rejection
from tests.builders import a_policy

RULE = a_policy().intake
SHARED = Path(os.environ.get("RELEASE_DESK_SHARED", Path(__file__).parents[4] / "shared" / "data"))


def counted(path: Path) -> tuple[str, Counter[str], int]:
    """The container, how many of each shape, lane or code, and the number of rows."""
    with path.open("rb") as file:
        reading = read_object(iter(lambda: file.read(65536), b""), key=path.name, rule=RULE)
        found: Counter[str] = Counter()
        for item in reading:
            if isinstance(item, Conversation):
                found[item.shape] += 1
            else:
                found[item.lane if isinstance(item, Asset) else item.code] += 1
    return reading.container, found, reading.rows


def test_rows_are_the_items_yielded() -> None:
    data = b'{"prompt":"a","response":"b"}\n{"text":"c"}\n{"d":1}\n{broken\n'

    reading = read_object((data,), key="k", rule=RULE)
    items = list(reading)

    assert [type(item) for item in items] == [Conversation, Asset, Rejection, Rejection]
    assert [item.line for item in items] == [1, 2, 3, 4]
    assert (reading.rows, reading.container) == (4, "jsonl")


def test_a_whole_object_refused_is_one_row_at_line_0() -> None:
    reading = read_object((), key="train.jsonl", rule=RULE)

    assert list(reading) == [Rejection(code="object.empty", key="train.jsonl", line=0)]
    assert reading.rows == 1


def test_an_error_of_the_store_is_not_rounded_to_the_end_of_the_object() -> None:
    def broken():
        yield b'{"prompt":"a","response":"b"}\n' * 3
        raise ConnectionError

    rule = a_policy(intake={"line_bytes": 40}).intake

    with pytest.raises(ConnectionError):
        list(read_object(broken(), key="k", rule=rule))


@pytest.mark.parametrize("size", [1, 3, 10])
def test_lines_are_the_same_however_the_blocks_fall(size: int) -> None:
    data = b"ab\n\nabcdef\nabc\nx"
    blocks = (data[start : start + size] for start in range(0, len(data), size))

    assert list(split_lines(blocks, limit=3)) == [b"ab", b"", None, b"abc", b"x"]


@pytest.mark.parametrize(
    ("path", "container", "expected"),
    [
        (
            "permissive/A_dialogue/counsel-chat/20200325_counsel_chat.no_therapist_cols.csv",
            "csv",
            {"counsel_chat": 2129},
        ),
        (
            "permissive/A_dialogue/mts-dialog/MTS-Dialog-ValidationSet.csv",
            "csv",
            {"dialogue_text": 83, "row.unknown_speaker": 17},
        ),
        (
            "permissive/A_persona/synthetic-persona-chat/Synthetic-Persona-Chat_valid.csv",
            "csv",
            {"best_generated_conversation_text": 982, "row.unknown_speaker": 18},
        ),
        ("permissive/A_cot/gsm8k/test.jsonl", "jsonl", {"question_answer": 1319}),
        ("permissive/A_cot/bbh/bbh/causal_judgement.json", "json_object", {"input_target": 187}),
        (
            "permissive/A_other/self-instruct/seed_tasks.jsonl",
            "jsonl",
            {"instruction_instance": 175},
        ),
        ("permissive/A_crisis/xstest/xstest_prompts.csv", "csv", {"prompt_only": 450}),
        (
            "permissive/A_crisis/safetybench-zh/mental_health.part1.json",
            "json_array",
            {"row.unknown_shape": 155},
        ),
    ],
    ids=lambda value: value.split("/")[2] if isinstance(value, str) and "/" in value else "",
)
def test_real_data_comes_through_in_the_shape_it_has(
    path: str, container: str, expected: dict[str, int]
) -> None:
    if not (SHARED / path).is_file():
        pytest.skip("the shared data is not here")

    assert counted(SHARED / path) == (container, Counter(expected), sum(expected.values()))


def test_real_arrays_of_client_and_counselor_turns_are_one_conversation_each() -> None:
    files = sorted((SHARED / "permissive/A_dialogue/smilechat-zh").glob("*.json"))
    if not files:
        pytest.skip("the shared data is not here")

    found = [counted(path) for path in files[:60]]

    assert found == [("json_array", Counter(turns=1), 1)] * 60
