"""The field names that mean something to us, in one spelling."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

# Under these names an object that is no row itself holds a list of rows.
WRAPPERS: Final = frozenset(
    {
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
    }
)
# Under these, or on its own, an object may hold its rows by their ids.
KEYED: Final = WRAPPERS | {"concepts", "entries", "dialogues", "rows", "samples"}
DIALOGUE_FIELDS: Final = (
    "messages",
    "conversation",
    "conversations",
    "dialogue",
    "dialog",
    "transcript",
    "turns",
    "utterances",
    "best_generated_conversation",
)
# What tables call the two sides; only names that belong together are read as a pair.
_COLUMNS: Final = (
    ("user", "assistant"),
    ("human", "assistant"),
    ("human", "gpt"),
    ("client", "therapist"),
    ("client", "counselor"),
    ("client", "counsellor"),
    ("patient", "therapist"),
    ("patient", "doctor"),
    ("seeker", "supporter"),
    ("query", "response"),
    ("query", "answer"),
    ("question", "response"),
    ("prompt", "answer"),
    ("prompt", "output"),
    ("input", "response"),
    ("question_text", "answer_text"),
    ("questiontext", "answertext"),
    ("user_message", "assistant_message"),
    ("user_message", "assistant_response"),
    ("user_message", "bot_response"),
    ("user_message", "ai_response"),
    ("user_input", "assistant_response"),
    ("user_input", "bot_response"),
    ("user_input", "ai_response"),
    ("user_input", "model_response"),
    ("client_message", "therapist_message"),
    ("client_message", "therapist_response"),
    ("client_message", "counselor_message"),
    ("patient_message", "doctor_response"),
    ("patient_question", "doctor_response"),
    ("来访者", "咨询师"),
    ("问题", "回答"),
)
# (shape, question fields joined by a blank line, answer field): the first that fits is taken.
PAIRS: Final[tuple[tuple[str, tuple[str, ...], str], ...]] = (
    ("prompt_response", ("prompt",), "response"),
    ("prompt_completion", ("prompt",), "completion"),
    ("instruction_context_response", ("instruction", "context"), "response"),
    ("instruction_input_response", ("instruction", "input"), "response"),
    ("instruction_response", ("instruction",), "response"),
    ("instruction_input_output", ("instruction", "input"), "output"),
    ("instruction_output", ("instruction",), "output"),
    ("input_output", ("input",), "output"),
    ("input_target", ("input",), "target"),
    ("context_response", ("context",), "response"),
    ("counsel_chat", ("questiontitle", "questiontext"), "answertext"),
    ("question_answer", ("question",), "answer"),
    ("problem_conclusion", ("problem_statement",), "conclusion"),
    ("client_counselor", ("client_message",), "counselor_response"),
    *((f"{asking}_{answering}", (asking,), answering) for asking, answering in _COLUMNS),
)
REASONING_FIELDS: Final = (
    "reasoning",
    "reasoning_steps",
    "reasoning_chain",
    "chain_of_thought",
    "steps",
    "thinking",
)
PROMPT_FIELDS: Final = ("prompt", "scenario", "instructions")
# A text under one of these may be a whole conversation that was encoded twice.
ENCODED_FIELDS: Final = ("text", "data", "row", "record", "json", "sample")
ID_FIELDS: Final = ("conversation_id", "dialogue_id", "conv_id", "questionid", "id")

KNOWN_FIELDS: Final = frozenset(
    {
        *DIALOGUE_FIELDS,
        *PROMPT_FIELDS,
        *(answer for _, _, answer in PAIRS),
        *(field for _, fields, _ in PAIRS for field in fields),
        "text",
        "chosen",
        "rejected",
    }
)


@lru_cache(maxsize=4096)
def field_name(name: str) -> str:
    """Return the one spelling of a field's name: folded case, underscores for spaces."""
    return "_".join(name.strip().casefold().replace("-", " ").split())
