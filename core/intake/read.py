"""Reading an object accounts for every row of it: a conversation, an asset or a rejection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from core.intake.containers.reader import RowReader
from core.intake.shapes import map_row
from core.model.dataset import Asset, Conversation, Rejection
from core.policy.types import IntakeRule

Item = Conversation | Asset | Rejection


class ObjectReading:
    """Iterates over what one object holds. `rows` is how many items it has yielded so far."""

    def __init__(self, blocks: Iterable[bytes], *, key: str, rule: IntakeRule) -> None:
        self._key = key
        self._reader = RowReader(blocks, key=key, rule=rule)
        self.rows = 0

    @property
    def container(self) -> str:
        """How the object is packed; known after the first item."""
        return self._reader.container

    def __iter__(self) -> Iterator[Item]:
        return self

    def __next__(self) -> Item:
        row = next(self._reader)
        self.rows += 1
        return row if isinstance(row, Rejection) else map_row(row, key=self._key)


def read_object(blocks: Iterable[bytes], *, key: str, rule: IntakeRule) -> ObjectReading:
    """Return a reading of the object at `key`.

    A refusal of the whole object is its last item, with line 0, and leaves `blocks` unread past
    what was needed to see it.
    """
    return ObjectReading(blocks, key=key, rule=rule)
