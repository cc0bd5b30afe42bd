"""What lies in the bucket beyond plain rows: packed, doubled, keyed, threaded, unforeseen."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.intake.monologue import is_monologue, name_of_transcript
from core.intake.read import read_object
from core.model.dataset import Asset, Conversation, Rejection
from core.policy.types import IntakeRule, MappingRule, ReasoningRule
from tests.builders import a_policy

RULE = a_policy().intake
ASKED, TOLD = "I slept badly again.", "What kept you awake?"
BOTH = [{"role": "user", "content": ASKED}, {"role": "assistant", "content": TOLD}]
PROSE = (
    "Today I want to talk about what happens when we grow up without being heard, and how "
    "the body keeps looking for danger long after the danger has gone. "
) * 8


def read(body: object, rule: IntakeRule = RULE) -> list[Conversation | Asset | Rejection]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return list(read_object((data,), key="a/key", rule=rule))


def lines(*rows: object) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def said(item: object) -> list[str]:
    assert isinstance(item, Conversation), item
    return [message.content for message in item.messages]


def names(items: list[Conversation | Asset | Rejection]) -> list[str]:
    return [
        item.shape
        if isinstance(item, Conversation)
        else item.lane
        if isinstance(item, Asset)
        else item.code
        for item in items
    ]


def test_a_list_of_dialogues_in_one_row_is_one_record_each_of_one_conversation_id() -> None:
    other = [{"from": "human", "value": "Hi."}, {"from": "gpt", "value": "Hello."}]
    body = lines({"id": "p-1", "conversations": [BOTH, other]}, {"messages": BOTH})

    items = read(body)

    assert [said(item) for item in items] == [[ASKED, TOLD], ["Hi.", "Hello."], [ASKED, TOLD]]
    assert [item.line for item in items] == [1, 1, 2]
    assert [getattr(item, "conversation_id", "") for item in items] == ["p-1", "p-1", None]


def test_a_whole_object_whose_conversations_are_lists_is_one_record_each() -> None:
    assert names(read({"conversations": [BOTH, BOTH]})) == ["turns", "turns"]


@pytest.mark.parametrize("between", ["", "\n", ", ", "\n\n"])
def test_a_text_of_turns_one_after_another_is_a_dialogue(between: str) -> None:
    text = between.join(json.dumps(turn) for turn in BOTH)

    [item] = read({"text": text})

    assert (names([item]), said(item)) == (["turns_unwrapped"], [ASKED, TOLD])


def test_a_system_turn_inside_such_a_text_begins_the_next_conversation() -> None:
    system = {"role": "system", "content": "Be calm."}
    text = "\n".join(json.dumps(turn) for turn in [system, *BOTH] * 3)

    assert [said(item) for item in read(lines({"text": text}, {"text": "x"}))[:3]] == [
        ["Be calm.", ASKED, TOLD]
    ] * 3


@pytest.mark.parametrize(
    "row",
    [
        {"text": json.dumps({"messages": BOTH})},
        {"text": json.dumps({"question": ASKED, "answer": TOLD})},
        {"text": json.dumps(json.dumps({"messages": BOTH}))},
        {"messages": json.dumps(BOTH)},
        {"conversations": json.dumps({"messages": BOTH})},
        json.dumps({"messages": BOTH}),
    ],
)
def test_a_row_encoded_twice_is_unwrapped_when_all_of_it_is_sound(row: object) -> None:
    [item, _] = read(lines(row, {"messages": BOTH}))

    assert said(item) == [ASKED, TOLD]


@pytest.mark.parametrize(
    "row",
    [
        {"text": json.dumps({"messages": BOTH})[:-9]},
        {"text": json.dumps({"messages": BOTH[:1]})},
        {"text": json.dumps({"messages": [*BOTH, {"role": "narrator", "content": "x"}]})},
        {"text": json.dumps({"prompt": ASKED, "chosen": TOLD, "rejected": "no"})},
        {"messages": json.dumps(BOTH[:1])},
        {"text": "{'messages': [{'role': 'user', 'content': 'x'}]}"},
        {
            "messages": [
                {"role": "user", "content": json.dumps({"messages": BOTH})},
                {"role": "assistant", "content": "[Therapeutic response pattern for stage 1]"},
            ]
        },
        {"text": json.dumps({"prompt": json.dumps({"messages": BOTH}), "response": TOLD})},
    ],
)
def test_a_row_encoded_twice_that_is_not_sound_is_refused(row: object) -> None:
    assert names(read(lines(row, {"messages": BOTH})))[0] == "row.double_encoded"


def test_lines_that_are_rows_encoded_twice_are_no_table() -> None:
    whole, cut = json.dumps({"messages": BOTH}), json.dumps({"messages": BOTH[:1]})
    items = read(lines(whole, whole, cut))
    assert [said(item) for item in items[:2]] == [[ASKED, TOLD]] * 2
    assert names(items)[2] == "row.double_encoded"
    # Quoted cells are a table all the same.
    assert len(read(f'"question","answer"\n"{ASKED}","{TOLD}"\n'.encode())) == 1


@pytest.mark.parametrize("line_bytes", [300, 1 << 20])
def test_rows_kept_by_their_ids_are_rows_with_these_ids(line_bytes: int) -> None:
    rule = a_policy(intake={"line_bytes": line_bytes}).intake
    rows = {f"row-{n}": {"prompt": f"{ASKED} {n}", "response": TOLD} for n in range(9)}
    for document in (rows, {"about": {"n": 1}, "concepts": rows, "end": [1]}):
        items = read(document, rule)
        assert names(items) == ["prompt_response"] * 9
        assert [item.line for item in items] == list(range(1, 10))
        assert [getattr(item, "conversation_id", "") for item in items] == list(rows)


@pytest.mark.parametrize("line_bytes", [900, 1 << 20])
@pytest.mark.parametrize("around", [False, True])
def test_rows_by_their_ids_may_be_nothing_but_a_dialogue(line_bytes: int, around: bool) -> None:
    rule = a_policy(intake={"line_bytes": line_bytes}).intake
    rows = {f"k{n}": {"messages": BOTH} for n in range(40)}

    assert names(read({"concepts": rows} if around else rows, rule)) == ["messages"] * 40


def test_concepts_by_their_ids_are_counted_one_by_one_with_their_fields() -> None:
    concepts = {f"c{n}": {"name": "grief", "definition": "x", "rank": n} for n in range(3)}

    items = read({"concepts": concepts})

    assert names(items) == ["row.unknown_shape"] * 3
    assert isinstance(items[0], Rejection)
    assert items[0].fields == ("definition", "id", "name", "rank")


def test_keyed_rows_cut_short_keep_the_whole_ones() -> None:
    rows = {f"row-{n}": {"prompt": ASKED, "response": TOLD} for n in range(3)}

    assert names(read(json.dumps(rows).encode()[:-30])) == ["prompt_response"] * 2 + [
        "json.truncated"
    ]


def test_dialogues_by_their_ids_are_dialogues() -> None:
    assert names(read({"a": BOTH, "b": BOTH})) == ["turns", "turns"]


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": {"text": ASKED, "role": "user"}, "reply": {"text": TOLD, "role": "assistant"}},
        {"settings": {"a": 1, "b": 2}, "limits": {"a": 1, "b": 2}},
        {"id": "1", "messages": BOTH, "context": {"disorder": "x"}},
    ],
)
def test_a_row_of_objects_is_not_taken_for_rows_by_their_ids(row: dict[str, Any]) -> None:
    assert len(read(row)) == 1


def node(name: str, parent: str | None, role: str, text: str) -> dict[str, Any]:
    return {"message_id": name, "parent_id": parent, "role": role, "text": text}


def test_a_reply_tree_becomes_one_conversation_for_every_last_answer() -> None:
    rows = [
        node("q", None, "prompter", "Hello?"),
        node("a1", "q", "assistant", "Hi."),
        node("a2", "q", "assistant", "Good day."),
        node("q2", "a1", "prompter", "How are you?"),
        node("a3", "q2", "assistant", "Fine."),
        node("q3", "a2", "prompter", "Nobody answers."),
        node("lost", "gone", "assistant", "An answer to what?"),
    ]
    for order in (rows, rows[::-1]):
        items = read(lines(*order))
        assert len(items) == len(rows)
        found = {tuple(said(item)): item for item in items if isinstance(item, Conversation)}
        assert set(found) == {("Hello?", "Good day."), ("Hello?", "Hi.", "How are you?", "Fine.")}
        assert {item.conversation_id for item in found.values()} == {"q"}
        lanes = sorted(item.lane for item in items if isinstance(item, Asset))
        assert lanes == ["text_only"] * 2 + ["thread"] * 3


def test_a_tree_that_turns_on_itself_gives_no_conversation() -> None:
    rows = [node("a", "b", "assistant", "x"), node("b", "a", "prompter", "y")]

    assert names(read(lines(*rows))) == ["text_only", "text_only"]


def test_prose_of_one_voice_is_a_transcript_and_its_key_says_whose() -> None:
    assert names(read(PROSE.encode())) == ["transcript"]
    assert is_monologue("我们今天来谈谈孤独。很多人都会感到孤独，这并不可耻。" * 12)
    key = "tier4/Patrick Teahan /PLpvbEN3KkqoJ_NA_The Part 21 ｜ What： Why？.md"
    assert name_of_transcript(key).creator == "Patrick Teahan"
    assert name_of_transcript(key).title.endswith("The Part 21 ｜ What： Why？")


@pytest.mark.parametrize(
    "text",
    [
        "toothpaste\n",
        "# Readme\n\n- one\n- two\n\n## Usage\n\n" + "- run the thing with care\n" * 60,
        "1, 2, 3, 4, 5, 6, 7\n" * 200,
        "https://example.org/a-page\n" * 90,
    ],
)
def test_notes_lists_and_numbers_are_no_transcript(text: str) -> None:
    assert not is_monologue(text)


@pytest.mark.parametrize(
    "header",
    [b"Client,Therapist", b"Patient,Doctor", b"user_message,bot_response", "问题,回答".encode()],
)
def test_tables_may_name_the_two_sides_in_many_ways(header: bytes) -> None:
    items = read(header + f'\n"{ASKED}","{TOLD}"\n"a, b","c"\n'.encode())

    assert [said(item) for item in items] == [[ASKED, TOLD], ["a, b", "c"]]


def test_a_column_of_names_is_not_taken_for_answers() -> None:
    assert names(read(lines({"prompt": ASKED, "doctor": "Dr. Roe"}, {"text": "x"}))) == [
        "prompt_only",
        "text_only",
    ]


COT = {"question": ASKED, "answer": TOLD, "reasoning_steps": ["first", {"text": "then"}]}
THOUGHT = {"prompt": ASKED, "response": f"<think>hm, {ASKED}</think>\n{TOLD}"}


@pytest.mark.parametrize(
    ("mode", "row", "answer"),
    [
        ("drop", COT, TOLD),
        ("drop", THOUGHT, TOLD),
        ("keep_in_answer", COT, f"<think>\nfirst\nthen\n</think>\n\n{TOLD}"),
        ("keep_in_answer", THOUGHT, f"<think>hm, {ASKED}</think>\n{TOLD}"),
        ("keep_in_answer", {"question": ASKED, "answer": TOLD}, TOLD),
    ],
)
def test_reasoning_goes_where_the_policy_says(mode: str, row: object, answer: str) -> None:
    rule = a_policy(intake={"reasoning": ReasoningRule(mode=mode)}).intake

    [item] = read(row, rule)

    assert said(item) == [ASKED, answer]
    assert isinstance(item, Conversation)
    beside = "dropped" if mode == "drop" else "kept"
    assert item.labels == ({} if row not in (COT, THOUGHT) else {"reasoning": beside})


def test_rows_with_reasoning_can_be_laid_aside() -> None:
    rule = a_policy(intake={"reasoning": ReasoningRule(mode="lane")}).intake

    assert names(read(lines(COT, THOUGHT, {"question": ASKED, "answer": TOLD}), rule)) == [
        "reasoning",
        "reasoning",
        "question_answer",
    ]


def test_an_answer_that_was_nothing_but_reasoning_is_empty() -> None:
    row = {"prompt": ASKED, "response": "<think>hm</think>\n"}

    assert names(read(row)) == ["row.empty_turn"]


NOTES = MappingRule(
    name="case_notes",
    when=("Case Text", "advice.words"),
    user=("title", "case_text"),
    assistant=("advice.words",),
    system=("role_play",),
)
NOTE = {"title": "Sleep", "Case_Text": ASKED, "advice": {"Words": TOLD, "by": "x"}}


def test_a_mapping_of_the_policy_reads_a_shape_nobody_foresaw() -> None:
    rule = a_policy(intake={"mappings": (NOTES,)}).intake

    assert names(read(NOTE)) == ["row.unknown_shape"]
    [item] = read(NOTE, rule)
    assert (names([item]), said(item)) == (["case_notes"], [f"Sleep\n\n{ASKED}", TOLD])
    assert names(read({**NOTE, "case_text": " "}, rule)) == ["row.ambiguous_fields"]
    assert names(read({**NOTE, "title": "", "Case_Text": " "}, rule)) == ["row.empty_turn"]
    assert names(read({**NOTE, "chosen": 1, "rejected": 2}, rule)) == ["preference"]


def test_the_fields_of_an_unknown_shape_are_named_and_never_a_value() -> None:
    row = {"case": 1, "jane@example.com": 2, "call 555-0100": 3, "she told me once": 4, "b c": 5}

    [item] = read(row)

    assert isinstance(item, Rejection)
    assert item.fields == ("…",)
    [item] = read({"case": 1, "b c": 2, "call 5550100": 3, "she told me once": 4})
    assert isinstance(item, Rejection)
    assert item.fields == ("b c", "case", "…")
    [item] = read({"T1": 1, "Madrid": 2, "case_text": 3, "answerText2": 4})
    assert isinstance(item, Rejection)
    assert item.fields == ("case_text", "…")
    many = {f"field {chr(97 + n)}": n for n in range(26)}
    [item] = read(many)
    assert isinstance(item, Rejection)
    assert len(item.fields) == 16
