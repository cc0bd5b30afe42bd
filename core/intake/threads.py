"""Rows that are turns of a reply tree become conversations when the whole path lies in the object.

Each path ends at an answer that nobody answered further; it stands at that row's line. The other
rows are counted as turns of a thread, and those that lead to no answer as text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from core.intake.containers.row import Row
from core.intake.roles import ROLE_FIELDS, TEXT_FIELDS, role_of
from core.intake.turns import BadTurns, check_order, content_of
from core.model.dataset import Asset, Conversation, Message, Rejection

_MOST_NODES: Final = 200_000
_MOST_TEXT: Final = 64 << 20
_DEEPEST: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class _Node:
    line: int
    parent: str | None
    message: Message


class Threads:
    """Holds the turns of reply trees, up to 200,000 of them or 64 Mi characters."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._nodes: dict[str, _Node] = {}
        self._text = 0

    def take(self, row: Row) -> bool:
        """Keep the row if it is a turn of a tree and there is room for it."""
        named = _node(row)
        if named is None or named[0] in self._nodes:
            return False
        length = len(named[1].message.content)
        if len(self._nodes) >= _MOST_NODES or self._text + length > _MOST_TEXT:
            return False
        self._text += length
        self._nodes[named[0]] = named[1]
        return True

    def rebuilt(self) -> Iterator[Conversation | Asset | Rejection]:
        """Yield one item for every row that was taken, by line."""
        ends, part = self._ends()
        for name, node in sorted(self._nodes.items(), key=lambda item: item[1].line):
            if name in ends:
                yield self._conversation(name)
            else:
                lane = "thread" if name in part else "text_only"
                yield Asset(lane=lane, key=self._key, line=node.line)

    def _ends(self) -> tuple[set[str], set[str]]:
        """Return the answers at which a path ends, and every row on such a path."""
        told = {name for name, node in self._nodes.items() if node.message.role == "assistant"}
        paths = {name: self._path(name) for name in told}
        whole = {name: path for name, path in paths.items() if path}
        inner = {step for path in whole.values() for step in path[:-1]}
        ends = set(whole) - inner
        return ends, {step for name in ends for step in whole[name]}

    def _path(self, name: str) -> list[str]:
        """Return the names from the root to `name`, or nothing when the path is broken."""
        path: list[str] = []
        at: str | None = name
        while at is not None:
            if at not in self._nodes or len(path) >= _DEEPEST:
                return []
            path.append(at)
            at = self._nodes[at].parent
        return path[::-1]

    def _conversation(self, name: str) -> Conversation | Rejection:
        path = self._path(name)
        messages = tuple(self._nodes[step].message for step in path)
        line = self._nodes[name].line
        try:
            check_order(messages)
        except BadTurns as error:
            return Rejection(code=error.code, key=self._key, line=line)
        return Conversation(
            line=line, shape="thread", messages=messages, conversation_id=path[0][:200]
        )


def _node(row: Row) -> tuple[str, _Node] | None:
    """Return the row's own name and what it says, if it is one sound turn of a tree."""
    value = row.value
    if not isinstance(value, dict) or "parent_id" not in value:
        return None
    name, parent = value.get("message_id"), value.get("parent_id")
    role = next((role_of(value[field]) for field in ROLE_FIELDS if field in value), None)
    text = next((value[field] for field in TEXT_FIELDS if field in value), None)
    if not isinstance(name, str) or not (parent is None or isinstance(parent, str)):
        return None
    if role is None or not name:
        return None
    try:
        message = Message(role=role, content=content_of(text))
    except BadTurns:
        return None
    return name, _Node(line=row.line, parent=parent or None, message=message)
