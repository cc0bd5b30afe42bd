"""Reading an object accounts for every row of it: a conversation, an asset or a rejection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from core.intake.containers.reader import RowReader
from core.intake.containers.row import Row
from core.intake.packed import split_row
from core.intake.shapes import map_row
from core.intake.threads import Threads
from core.model.dataset import Asset, Conversation, Rejection
from core.policy.types import IntakeRule

Item = Conversation | Asset | Rejection


class ObjectReading:
    """Iterates over what one object holds. `rows` is how many items it has yielded so far."""

    def __init__(
        self, blocks: Iterable[bytes], *, key: str, rule: IntakeRule, sample: int | None = None
    ) -> None:
        self._key = key
        self._rule = rule
        self._reader = RowReader(blocks, key=key, rule=rule, sample=sample)
        self._items = self._read()
        self.rows = 0

    @property
    def container(self) -> str:
        """How the object is packed; known after the first item."""
        return self._reader.container

    def __iter__(self) -> Iterator[Item]:
        return self

    def __next__(self) -> Item:
        item = next(self._items)
        self.rows += 1
        return item

    def _read(self) -> Iterator[Item]:
        threads = Threads(self._key)
        last: Rejection | None = None
        for row in self._reader:
            if isinstance(row, Rejection):
                if row.line == 0:
                    last = row
                    break
                yield row
            elif not threads.take(row):
                for part in split_row(row):
                    yield map_row(part, key=self._key, rule=self._rule)
        yield from threads.rebuilt()
        if last is not None:
            yield last


def read_object(
    blocks: Iterable[bytes], *, key: str, rule: IntakeRule, sample: int | None = None
) -> ObjectReading:
    """Return a reading of the object at `key`.

    A refusal of the whole object is its last item, with line 0, and leaves `blocks` unread past
    what was needed to see it. With `sample`, about that many bytes are read, and an end in the
    middle of a row is not held against the object; a table that keeps its directory at its end
    is still taken whole.
    """
    return ObjectReading(blocks, key=key, rule=rule, sample=sample)


__all__ = ["Item", "ObjectReading", "Row", "read_object"]
