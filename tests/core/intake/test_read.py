"""Reading accounts for every row, and real public data comes through in the shapes it has."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from core.intake.containers.lines import split_lines
from core.intake.read import read_object
from core.model.dataset import Asset, Conversation, Rejection
from core.policy.types import IntakeRule, MappingRule
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


SAFETY = "permissive/A_crisis/safetybench-zh/mental_health.part1.json"


def test_real_multiple_choice_is_named_by_its_fields_and_taken_by_a_mapping_without_code() -> None:
    """Questions with options hold no answer: mapped as they are, they become prompts, not talk."""
    if not (SHARED / SAFETY).is_file():
        pytest.skip("the shared data is not here")
    body = (SHARED / SAFETY).read_bytes()

    unknown = list(read_object((body,), key="s.json", rule=RULE))
    assert {type(item) for item in unknown} == {Rejection}
    assert Counter(item.fields for item in unknown if isinstance(item, Rejection)) == {
        ("category", "id", "options", "question"): 155
    }

    asked = MappingRule(
        name="asked_and_placed", when=("options", "question"), user=("question",),
        assistant=("category",),
    )  # fmt: skip
    mapped = list(read_object((body,), key="s.json", rule=with_mapping(asked)))
    talks = [item for item in mapped if isinstance(item, Conversation)]
    assert len(talks) == len(mapped) == 155
    assert {talk.shape for talk in talks} == {"asked_and_placed"}
    assert {talk.messages[1].content for talk in talks} == {"Mental Health"}
    assert len({talk.conversation_id for talk in talks}) == 155

    listed = replace(asked, assistant=("options",))
    refused = list(read_object((body,), key="s.json", rule=with_mapping(listed)))
    assert Counter(item.code for item in refused if isinstance(item, Rejection)) == {
        "row.not_text": 155
    }


def test_a_nested_tree_of_replies_is_unknown_until_a_mapping_says_which_reply_counts() -> None:
    """The other layout of OASST: not one message a row, but a tree with replies inside replies."""

    def tree(*replies: str) -> dict[str, object]:
        told = [{"role": "assistant", "text": text, "replies": []} for text in replies]
        asked = {"role": "prompter", "text": "I cannot sleep.", "replies": told}
        return {"message_tree_id": "t", "prompt": asked}

    rows = (tree("What keeps you up?", "Since when?"), tree())
    body = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    unknown = list(read_object((body,), key="o.jsonl", rule=RULE))
    assert [(item.code, item.fields) for item in unknown if isinstance(item, Rejection)] == [
        ("row.unknown_shape", ("message_tree_id", "prompt"))
    ] * 2

    first = MappingRule(
        name="first_reply", when=("message_tree_id",), user=("prompt.text",),
        assistant=("prompt.replies.0.text",),
    )  # fmt: skip
    taken, empty = read_object((body,), key="o.jsonl", rule=with_mapping(first))
    assert isinstance(taken, Conversation)
    assert [message.content for message in taken.messages] == [
        "I cannot sleep.", "What keeps you up?",
    ]  # fmt: skip
    assert isinstance(empty, Rejection)
    assert empty.code == "row.empty_turn"


def with_mapping(mapping: MappingRule) -> IntakeRule:
    return replace(RULE, mappings=(mapping,))
