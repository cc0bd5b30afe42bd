"""The same dialogue in the row shapes that the real bucket holds."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence

from core.demo.dialogues import Dialogue

Row = dict[str, object]
Shape = Callable[[Dialogue, int], Row]


def messages(dialogue: Dialogue, number: int) -> Row:
    """Return `messages` of role and content, with a topic beside them."""
    turns = [{"role": turn.role, "content": turn.text} for turn in dialogue.turns]
    if dialogue.system:
        turns.insert(0, {"role": "system", "content": dialogue.system})
    return {"messages": turns, "metadata": {"topic": dialogue.topic, "number": number}}


def client_therapist(dialogue: Dialogue, number: int) -> Row:
    """Return a `conversation` between `client` and `therapist`."""
    role = {"user": "client", "assistant": "therapist"}
    return {
        "conversation": [
            {"role": role[turn.role], "content": turn.text} for turn in dialogue.turns
        ],
        "metadata": {"category": dialogue.topic, "tier": 2, "language": "en"},
    }


def sharegpt(dialogue: Dialogue, number: int) -> Row:
    """Return `conversations` of `from` and `value`."""
    speaker = {"user": "human", "assistant": "gpt"}
    turns = [{"from": speaker[turn.role], "value": turn.text} for turn in dialogue.turns]
    if dialogue.system:
        turns.insert(0, {"from": "system", "value": dialogue.system})
    return {"id": f"row-{number:05d}", "conversations": turns}


def single_key(dialogue: Dialogue, number: int) -> Row:
    """Return `conversations` of objects with one key each, the speaker."""
    speaker = {"user": "human", "assistant": "assistant"}
    return {
        "id": f"case-{number:05d}",
        "source": "demo",
        "conversations": [{speaker[turn.role]: turn.text} for turn in dialogue.turns],
    }


def prompt_response(dialogue: Dialogue, number: int) -> Row:
    """Return `prompt` and `response`."""
    return {"prompt": dialogue.prompt, "response": dialogue.turns[1].text}


def instruction(dialogue: Dialogue, number: int) -> Row:
    """Return `instruction`, `input` and `output`."""
    return {
        "instruction": "Answer as a kind counsellor would, in one reply.",
        "input": dialogue.prompt,
        "output": dialogue.turns[1].text,
    }


def context_response(dialogue: Dialogue, number: int) -> Row:
    """Return `Context` and `Response`, capitalised as in the wild."""
    return {"Context": dialogue.prompt, "Response": dialogue.turns[1].text}


def question_answer(dialogue: Dialogue, number: int) -> Row:
    """Return `question` and `answer`."""
    return {
        "id": f"cot-{number:05d}",
        "topic": dialogue.topic,
        "question": dialogue.prompt,
        "answer": dialogue.turns[1].text,
    }


def titled_question(dialogue: Dialogue, number: int) -> Row:
    """Return the columns of a question-and-answer site, with line breaks inside the cells."""
    first, _, rest = dialogue.prompt.partition(". ")
    return {
        "questionID": str(number),
        "questionTitle": f"{first}.",
        "questionText": rest.replace(". ", ".\n", 1),
        "answerText": dialogue.turns[1].text.replace(". ", ".\n\n", 1),
        "topic": dialogue.topic,
    }


def lines(rows: Sequence[Row | str]) -> bytes:
    """Return JSONL; a string among the rows is written as it stands, which is how rows break."""
    texts = [row if isinstance(row, str) else _compact(row) for row in rows]
    return ("\n".join(texts) + "\n").encode("utf-8")


def array(rows: Sequence[Row]) -> bytes:
    """Return one JSON array."""
    return (json.dumps(list(rows), ensure_ascii=False, indent=1) + "\n").encode("utf-8")


def wrapped(rows: Sequence[Row], *, name: str) -> bytes:
    """Return a JSON object with some words about the file and the list under `name`."""
    about: Row = {"version": "1.0", "total": len(rows), name: list(rows)}
    return (json.dumps(about, ensure_ascii=False, indent=1) + "\n").encode("utf-8")


def table(rows: Sequence[Row | list[str]]) -> bytes:
    """Return CSV with a header from the first row; a list is written as it stands."""
    out = io.StringIO()
    header = next(list(row) for row in rows if isinstance(row, dict))
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow(row if isinstance(row, list) else [row[name] for name in header])
    return out.getvalue().encode("utf-8")


def _compact(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))
