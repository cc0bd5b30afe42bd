"""A row into which several conversations were packed is as many rows, all of the same line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from core.intake.containers.row import Row
from core.intake.double import split_turns
from core.intake.fields import DIALOGUE_FIELDS, field_name
from core.intake.roles import looks_like_turn, role_of


def split_row(row: Row) -> Iterator[Row]:
    """Yield the rows that `row` packs: itself, unless it holds a list of dialogues.

    A text of turns in a row is cut where a new system turn begins a new conversation.
    """
    value = row.value
    if not isinstance(value, dict):
        yield row
        return
    for name, held in value.items():
        if isinstance(held, list) and _is_packed(held) and field_name(name) in DIALOGUE_FIELDS:
            for dialogue in held:
                yield replace(row, value={**value, name: dialogue})
            return
        if name == "text" and isinstance(held, str) and held.lstrip()[:1] == "{":
            parts = _by_system(split_turns(held) or [])
            if len(parts) > 1:
                rest = {field: item for field, item in value.items() if field != name}
                for part in parts:
                    yield replace(row, value={**rest, "messages": part})
                return
    yield row


def _is_packed(held: list[object]) -> bool:
    return bool(held) and all(
        isinstance(dialogue, list) and dialogue and all(map(looks_like_turn, dialogue))
        for dialogue in held
    )


def _by_system(turns: list[object]) -> list[list[object]]:
    parts: list[list[object]] = []
    for turn in turns:
        assert isinstance(turn, dict), "split_turns gives turns only"
        if not parts or role_of(turn.get("role", turn.get("from"))) == "system":
            parts.append([])
        parts[-1].append(turn)
    return parts
