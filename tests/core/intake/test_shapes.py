"""A row becomes a conversation by the names of its fields, or it is refused: never a guess."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.intake.containers import Row
from core.intake.roles import ROLES
from core.intake.shapes import map_row
from core.model.dataset import Asset, Conversation, Rejection

ASKED, TOLD = "I slept badly again.", "What kept you awake?"


def mapped(value: object) -> Conversation | Asset | Rejection:
    return map_row(Row(line=3, value=value), key="a/key")


def conversation(value: object) -> Conversation:
    found = mapped(value)
    assert isinstance(found, Conversation), found
    return found


def texts(value: object) -> list[tuple[str, str]]:
    return [(message.role, message.content) for message in conversation(value).messages]


def code_of(value: object) -> str:
    found = mapped(value)
    assert isinstance(found, Rejection), found
    assert (found.key, found.line) == ("a/key", 3)
    return found.code


def lane_of(value: object) -> str:
    found = mapped(value)
    assert isinstance(found, Asset), found
    assert (found.key, found.line) == ("a/key", 3)
    return found.lane


def turns(*pairs: tuple[str, Any]) -> list[dict[str, Any]]:
    return [{"role": role, "content": content} for role, content in pairs]


BOTH = turns(("user", ASKED), ("assistant", TOLD))


@pytest.mark.parametrize(
    "row",
    [
        {"messages": BOTH, "metadata": {"a": 1}},
        {"conversation_id": "1", "messages": turns(("client", ASKED), ("therapist", TOLD))},
        {"conversation": turns(("client", ASKED), ("Licensed_Therapist", TOLD))},
        {
            "conversation": [
                {"speaker": "patient", "text": ASKED},
                {"from": "Doctor", "value": TOLD},
            ]
        },
        {"conversations": [{"from": "human", "value": ASKED}, {"from": "gpt", "value": TOLD}]},
        {"conversations": [{"human": ASKED}, {"assistant": TOLD}], "id": "x"},
        {"conversations": [{"human": ASKED, "assistant": TOLD}]},
        {"prompt": ASKED, "response": TOLD},
        {"text": "ignored", "prompt": ASKED, "response": TOLD, "metadata": {}},
        {"instruction": ASKED, "output": TOLD},
        {"instruction": ASKED, "input": "", "output": TOLD},
        {"instruction": ASKED, "response": TOLD},
        {"input": ASKED, "output": TOLD},
        {"input": ASKED, "target": TOLD},
        {"Context": ASKED, "Response": TOLD},
        {"context": ASKED, "response": TOLD},
        {"question": ASKED, "answer": TOLD},
        {"questionTitle": "", "questionText": ASKED, "answerText": TOLD, "topic": "sleep"},
        {"problem_statement": ASKED, "reasoning_chain": ["a"], "conclusion": TOLD},
        {"crisis_type": "x", "client_message": ASKED, "counselor_response": TOLD},
        {"instruction": ASKED, "instances": [{"input": "", "output": TOLD}]},
        {"dialogue": f"Patient: {ASKED}\nDoctor: {TOLD}"},
        {"Best Generated Conversation": f"User 1: {ASKED}\nUser 2: {TOLD}"},
        {"dialogue": f"[patient] {ASKED}\n[doctor] {TOLD}"},
        BOTH,
    ],
    ids=lambda row: "-".join(row) if isinstance(row, dict) else "list",
)
def test_every_known_shape_gives_the_same_two_messages(row: object) -> None:
    assert texts(row) == [("user", ASKED), ("assistant", TOLD)]


def test_instruction_and_input_are_joined_as_the_question() -> None:
    row = {"instruction": "Sort these.", "input": "b a", "output": "a b"}

    assert texts(row)[0] == ("user", "Sort these.\n\nb a")
    assert conversation(row).shape == "instruction_input_output"


def test_title_and_text_are_joined_as_the_question() -> None:
    row = {"questionTitle": "Sleep?", "questionText": ASKED, "answerText": TOLD}

    assert texts(row)[0] == ("user", f"Sleep?\n\n{ASKED}")


def test_text_is_kept_to_the_last_space() -> None:
    row = {"messages": turns(("user", "  two\u2028lines \r\n"), ("assistant", "\tyes "))}

    assert texts(row) == [("user", "  two\u2028lines \r\n"), ("assistant", "\tyes ")]


@pytest.mark.parametrize("name", sorted(ROLES))
def test_roles_are_known_whatever_their_case(name: str) -> None:
    other = ("user", "x") if ROLES[name] == "assistant" else ("assistant", "x")
    rows = turns((f" {name.upper()} ", "x"), other)
    if ROLES[name] == "system":
        rows.insert(1, {"role": "user", "content": "x"})

    assert texts({"messages": rows})[0][0] == ROLES[name]


def test_a_system_turn_is_kept_in_front() -> None:
    assert texts({"messages": [{"role": "system", "content": "Be kind."}, *BOTH]})[0] == (
        "system",
        "Be kind.",
    )


def test_two_turns_of_one_role_are_kept_as_they_were() -> None:
    row = {"messages": turns(("user", "a"), ("user", "b"), ("assistant", "c"))}

    assert texts(row) == [("user", "a"), ("user", "b"), ("assistant", "c")]


def test_a_dialogue_the_assistant_opens_is_kept_and_marked() -> None:
    row = {"messages": turns(("assistant", "Hello."), ("user", "Hi."))}

    assert conversation(row).labels == {"opened_by": "assistant"}


def test_reasoning_is_dropped_and_said_to_be() -> None:
    row = {"question": ASKED, "answer": TOLD, "metadata": {"reasoning": "because"}}

    assert conversation(row).labels == {"reasoning": "dropped"}
    assert all("because" not in text for _, text in texts(row))


@pytest.mark.parametrize(
    ("fields", "identity"),
    [
        ({"conversation_id": "c-9", "id": 4}, "c-9"),
        ({"id": 4}, "4"),
        ({"questionID": "12"}, "12"),
        ({"id": True}, None),
        ({"id": ""}, None),
        ({}, None),
    ],
)
def test_the_source_s_own_id_is_kept(fields: Mapping[str, object], identity: str | None) -> None:
    assert conversation({"messages": BOTH, **fields}).conversation_id == identity


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"messages": turns(("user", ASKED), ("assistant", " \n"))}, "row.empty_turn"),
        ({"messages": turns(("user", None), ("assistant", TOLD))}, "row.empty_turn"),
        ({"messages": turns(("user", " \u200b\ufeff"), ("assistant", TOLD))}, "row.empty_turn"),
        ({"conversations": [{"human": ASKED}, {"gpt": "\u200d"}]}, "row.empty_turn"),
        ({"messages": turns(("user", [ASKED]), ("assistant", TOLD))}, "row.not_text"),
        ({"messages": turns(("user", "a\x00b"), ("assistant", TOLD))}, "row.nul"),
        ({"messages": turns(("user", ASKED), ("tool", TOLD))}, "row.unknown_role"),
        ({"messages": turns(("user", ASKED), (None, TOLD))}, "row.unknown_role"),
        ({"conversations": [{"human": ASKED}, {"narrator": TOLD}]}, "row.bad_turn"),
        ({"conversations": [{"assistant": TOLD, "human": ASKED}]}, "row.bad_turn"),
        ({"messages": turns(("user", ASKED), ("user", TOLD))}, "row.no_assistant"),
        ({"messages": turns(("system", ASKED))}, "row.no_assistant"),
        ({"messages": turns(("assistant", TOLD))}, "row.role_order"),
        ({"messages": [*BOTH, {"role": "system", "content": "x"}]}, "row.role_order"),
        ({"messages": [ASKED, TOLD]}, "row.bad_turn"),
        ({"messages": [{"role": "user"}, {"role": "assistant"}]}, "row.bad_turn"),
        ({"messages": []}, "row.no_turns"),
        ({"prompt": "", "response": TOLD}, "row.empty_turn"),
        ({"prompt": ASKED, "response": ""}, "row.empty_turn"),
        ({"prompt": ASKED, "response": 7}, "row.not_text"),
        ({"Prompt": ASKED, "prompt": ASKED, "response": TOLD}, "row.ambiguous_fields"),
        ({"dialogue": f"Patient: {ASKED}\nGuest_family: {TOLD}"}, "row.unknown_speaker"),
        ({"dialogue": f"Patient: {ASKED}\n\n(a silence)"}, "row.unknown_speaker"),
        ({"dialogue": "It was a long day."}, "row.unknown_speaker"),
        ({"anything": "else"}, "row.unknown_shape"),
        ({}, "row.unknown_shape"),
        ([], "row.unknown_shape"),
        ([1, 2], "row.unknown_shape"),
        ("text", "row.not_an_object"),
        (7, "row.not_an_object"),
        (None, "row.not_an_object"),
    ],
)
def test_what_is_no_dialogue_is_refused_by_name(row: object, code: str) -> None:
    assert code_of(row) == code


@pytest.mark.parametrize(
    "text",
    [
        '{"messages": [{"role": "user", "content": "x"}]}',
        '  [{"role": "user", "content": "x"}]',
        '{"Context": "x", "Response": "y"}',
        "{'conversation': [{'role': 'client', 'content': 'x'}]}",
        '{"prompt": "x", "response": "cut of',
        '"{\\"prompt\\": \\"x\\", \\"response\\": \\"y\\"}"',
    ],
)
def test_a_source_record_turned_into_a_string_is_never_a_user_turn(text: str) -> None:
    placeholder = "[Therapeutic response pattern for stage 1]"

    assert code_of({"messages": turns(("user", text), ("assistant", placeholder))}) == (
        "row.double_encoded"
    )


def test_a_conversation_field_that_holds_a_string_of_json_is_double_encoded() -> None:
    assert code_of({"messages": '[{"role": "user", "content": "x"}]'}) == "row.double_encoded"


def test_a_question_about_json_is_not_taken_for_a_record() -> None:
    row = {"prompt": 'What does {"role": "user"} mean?', "response": "It is an object."}

    assert conversation(row)


@pytest.mark.parametrize(
    ("row", "lane"),
    [
        ({"text": ASKED, "label": 1}, "text_only"),
        ({"role": "user", "text": ASKED, "message_id": "1", "parent_id": None}, "text_only"),
        ({"prompt": ASKED, "type": "homonyms"}, "prompt_only"),
        ({"scenario": ASKED}, "prompt_only"),
        ({"messages": turns(("user", ASKED))}, "prompt_only"),
        ({"prompt": ASKED, "chosen": TOLD, "rejected": "no"}, "preference"),
        ({"conversations": BOTH, "chosen": {}, "rejected": {}}, "preference"),
        ({"messages": turns(("user", ASKED)), "expected_safety": "safe"}, "evaluation"),
        ({"sentence_starters": {"So": 4}, "empathy_markers": {"I hear": 2}}, "persona"),
        ({"name": "Ada", "traits": ["calm"], "background": "a nurse"}, "persona"),
        ({"profile": {"name": "Ada", "speaking_style": "plain"}}, "persona"),
    ],
)
def test_what_is_no_training_pair_goes_to_its_lane(row: object, lane: str) -> None:
    assert lane_of(row) == lane


def test_a_task_with_a_name_is_no_persona() -> None:
    row = {"name": "breakfast", "instruction": ASKED, "instances": [{"input": "", "output": TOLD}]}

    assert conversation(row).shape == "instruction_instance"


def test_lines_without_a_speaker_go_on_with_the_turn_above() -> None:
    row = {"dialogue": "User 1: A recipe?\nUser 2: Yes:\nIngredients:\n1 egg\n\nUser 1: Thanks."}

    assert texts(row) == [
        ("user", "A recipe?"),
        ("assistant", "Yes:\nIngredients:\n1 egg"),
        ("user", "Thanks."),
    ]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "messages",
                    "conversations",
                    "role",
                    "content",
                    "from",
                    "value",
                    "human",
                    "assistant",
                    "prompt",
                    "response",
                    "text",
                    "dialogue",
                    "id",
                    "chosen",
                    "instances",
                    "instruction",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(_JSON)
@settings(max_examples=300, deadline=None)
def test_no_row_whatever_raises(value: object) -> None:
    found = mapped(value)

    assert isinstance(found, (Conversation, Asset, Rejection))
    if isinstance(found, Conversation):
        roles = {message.role for message in found.messages}
        assert {"user", "assistant"} <= roles
        assert all(message.content.strip() for message in found.messages)
