"""The five families as they lie in the bucket: keys, containers, shapes, and what is wrong."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TypeVar

from core.demo import rows
from core.demo.dialogues import (
    Dialogue,
    Turn,
    considered_answer,
    counselling,
    crisis,
    single_answer,
    topic_named,
)
from core.demo.lessons import persona_profile, persona_talk, reasoning
from core.demo.planting import NAMED
from core.demo.shelf import Shelf

T = TypeVar("T")
U = TypeVar("U")

PROFESSIONAL = "gdrive/processed/professional_therapeutic/"
PRIORITY = "gdrive/processed/priority/"
REASONING = "datasets/gdrive/tier3_cot_reasoning/"
EDGE = "gdrive/processed/edge_cases/"
VOICE = "voice/"

_SHARED_TRANSCRIPTS = 12
_BROKEN_LINES: tuple[str, ...] = (
    '{"messages": [{"role": "user", "content": "I wanted to say',
    '{"messages": [{"role": "user", "content": ""}, {"role": "assistant", "content": "Yes."}]}',
    '{"note": "row kept for the format only", "count": 4}',
    "not json at all",
    '{"messages": []}',
    '{"messages": [{"role": "narrator", "content": "They sat down."}]}',
)


def professional(shelf: Shelf) -> None:
    """Put counselling sessions, transcripts, question sites and many answers to one question."""
    key = PROFESSIONAL + "counselling_sessions.jsonl"
    written = shelf.write(key, counselling, 380)
    shelf.plant_names(written, NAMED[:7], every=50)
    shelf.plant_identifiers(key, written, every=16)
    written += shelf.exact_copies(written[200:], 15) + shelf.near_copies(written[230:], 20)
    shelf.plant_systems(key, written, share=0.3)
    good = _number(written, rows.messages)
    body = rows.lines(_spread(good, _BROKEN_LINES))
    shelf.put(
        "professional_therapeutic",
        key,
        body,
        dialogues=len(good),
        malformed=len(_BROKEN_LINES),
    )
    key = PROFESSIONAL + "client_therapist_sessions.json"
    written = shelf.write(key, counselling, 260)
    shelf.plant_identifiers(key, written, every=26)
    body = rows.array(_number(written, rows.client_therapist))
    shelf.put("professional_therapeutic", key, body, dialogues=len(written))
    _questions(shelf)
    _many_answers(shelf)


def _questions(shelf: Shelf) -> None:
    key = PROFESSIONAL + "questions and answers.csv"
    written = shelf.write(key, single_answer, 200)
    shelf.plant_identifiers(key, written, every=40)
    good = _number(written, rows.titled_question)
    broken = [["17", "a row that lost its other cells"], ["18", "one", "too", "many", "x", "cells"]]
    body = rows.table(_spread(good, broken))
    shelf.put("professional_therapeutic", key, body, dialogues=len(written), malformed=len(broken))


def _many_answers(shelf: Shelf) -> None:
    """One question with several good answers: they must stay in one split."""
    key = PROFESSIONAL + "context_response.jsonl"
    dice = shelf.dice(f"{key}/answers")
    written: list[Dialogue] = []
    for first in shelf.write(key, single_answer, 30):
        answers = {first.turns[1].text}
        while len(answers) < 5:
            answers.add(considered_answer(topic_named(first.topic), dice))
        written += [first.with_turn(1, answer) for answer in sorted(answers)]
    shelf.ledger.facts["shared_prompts"] += 30
    body = rows.lines(_number(written, rows.context_response))
    shelf.put("professional_therapeutic", key, body, dialogues=len(written))


def priority(shelf: Shelf) -> None:
    """Put the curated sets, one of them twice under two keys, and preference rows."""
    key = PRIORITY + "priority_1.json"
    written = shelf.write(key, counselling, 290)
    shelf.plant_names(written, NAMED[7:], every=50)
    shelf.plant_identifiers(key, written, every=24)
    written += shelf.near_copies(written[20:], 10)
    body = rows.wrapped(_number(written, rows.messages), name="conversations")
    shelf.put("priority", key, body, dialogues=len(written))
    key = PRIORITY + "priority_2.jsonl"
    written = shelf.write(key, counselling, 240)
    shelf.plant_systems(key, written, share=0.2)
    body = rows.lines(_number(written, rows.sharegpt))
    shelf.put("priority", key, body, dialogues=len(written))
    key = PRIORITY + "priority_3.json"
    written = shelf.write(key, single_answer, 110)
    body = rows.array(_number(written, rows.instruction))
    shelf.put("priority", key, body, dialogues=len(written))
    key = PRIORITY + "prompt_response.jsonl"
    written = shelf.write(key, single_answer, 70)
    body = rows.lines(_number(written, rows.prompt_response))
    shelf.put("priority", key, body, dialogues=len(written))
    key = PRIORITY + 'hand picked｜"best of"：sample.jsonl'
    written = shelf.write(key, counselling, 40)
    body = rows.lines(_number(written, rows.messages))
    shelf.put("priority", key, body, dialogues=len(written))
    shelf.exact_copies(written, len(written))
    shelf.put("priority", PRIORITY + "sample (1).jsonl", body, dialogues=len(written))
    _preferences(shelf)


def _preferences(shelf: Shelf) -> None:
    key = PRIORITY + "preference_pairs.jsonl"
    written = shelf.write(key, single_answer, 24)
    pairs = [
        json.dumps(
            {
                "prompt": dialogue.prompt,
                "chosen": dialogue.turns[1].text,
                "rejected": "Just try not to think about it.",
            }
        )
        for dialogue in written
    ]
    shelf.put("priority", key, rows.lines(pairs), dialogues=0)
    shelf.ledger.rows["priority"] += len(pairs)
    shelf.ledger.facts["preference_rows"] += len(pairs)


def cot_reasoning(shelf: Shelf) -> None:
    """Put the reasoning sets where no canonical prefix points: an alias must be confirmed."""
    key = REASONING + "cot_reasoning_conversations_consolidated.jsonl"
    written = shelf.write(key, reasoning, 300)
    broken = _BROKEN_LINES[2:5]
    body = rows.lines(_spread(_number(written, rows.question_answer), broken))
    shelf.put("cot_reasoning", key, body, dialogues=len(written), malformed=len(broken))
    key = REASONING + "CoT_supervision_notes.json"
    written = shelf.write(key, reasoning, 200)
    body = rows.array(_number(written, rows.sharegpt))
    shelf.put("cot_reasoning", key, body, dialogues=len(written))


def edge_cases(shelf: Shelf) -> None:
    """Put crisis conversations, tests of limits, and scenario prompts that train nothing."""
    key = EDGE + "crisis_dialogues.jsonl"
    written = shelf.write(key, crisis, 180)
    written += shelf.exact_copies(written[40:], 5)
    _count_crisis_lines(shelf, written)
    broken = _BROKEN_LINES[:3]
    body = rows.lines(_spread(_number(written, rows.messages), broken))
    shelf.put("edge_cases", key, body, dialogues=len(written), malformed=len(broken))
    key = EDGE + "limits_and_boundaries.json"
    written = shelf.write(key, crisis, 110)
    _count_crisis_lines(shelf, written)
    body = rows.wrapped(_number(written, rows.single_key), name="conversations")
    shelf.put("edge_cases", key, body, dialogues=len(written))
    key = EDGE + "scenario_prompts.jsonl"
    prompts = [
        json.dumps({"prompt": dialogue.prompt, "scenario": dialogue.topic})
        for dialogue in shelf.write(key, crisis, 20)
    ]
    shelf.put("edge_cases", key, rows.lines(prompts), dialogues=0)
    shelf.ledger.rows["edge_cases"] += len(prompts)
    shelf.ledger.facts["prompt_only_rows"] += len(prompts)


def voice(shelf: Shelf) -> None:
    """Put a persona profile and its talks; some transcripts also lie among the edge cases."""
    key = VOICE + "steady companion /persona_profile.json"
    profile = json.dumps(persona_profile(), ensure_ascii=False, indent=1)
    shelf.put("voice", key, profile.encode(), dialogues=0)
    shelf.ledger.rows["voice"] += 1
    shelf.ledger.facts["persona_profiles"] += 1
    key = VOICE + "steady companion /talks｜part 1：starting again.jsonl"
    written = shelf.write(key, persona_talk, 230)
    shelf.plant_identifiers(key, written, every=38)
    written += shelf.near_copies(written[60:], 8)
    body = rows.lines(_number(written, rows.sharegpt))
    shelf.put("voice", key, body, dialogues=len(written))
    key = VOICE + "steady companion /talks part 2.json"
    written = shelf.write(key, persona_talk, 162)
    body = rows.wrapped(_number(written, rows.messages), name="conversations")
    shelf.put("voice", key, body, dialogues=len(written))
    shared = shelf.exact_copies(written[30:], _SHARED_TRANSCRIPTS)
    body = rows.array(_number(shared, rows.client_therapist))
    shelf.put("edge_cases", EDGE + "transcripts.json", body, dialogues=len(shared))


def _number(written: Sequence[Dialogue], shape: rows.Shape) -> list[rows.Row]:
    return [shape(dialogue, number) for number, dialogue in enumerate(written, start=1)]


def _spread(good: Sequence[T], broken: Sequence[U]) -> list[T | U]:
    """Return the good rows with the broken ones at even distances among them."""
    mixed: list[T | U] = list(good)
    gap = len(good) // (len(broken) + 1)
    for number, row in enumerate(broken, start=1):
        mixed.insert(number * gap, row)
    return mixed


def _count_crisis_lines(shelf: Shelf, written: Sequence[Dialogue]) -> None:
    shelf.ledger.facts["crisis_lines"] += sum(
        _offers_a_line(turn) for dialogue in written for turn in dialogue.turns
    )


def _offers_a_line(turn: Turn) -> bool:
    return "988" in turn.text or "741741" in turn.text
