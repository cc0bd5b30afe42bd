"""An object's bytes become rows and refusals, each with its place; nothing becomes silence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from core.intake.containers.blocks import BYTE_ORDER_MARK, Blocks, ObjectTooLarge
from core.intake.containers.documents import DocumentReader
from core.intake.containers.lines import read_lines
from core.intake.containers.row import Refusal, Row
from core.intake.containers.tables import read_table
from core.intake.sniff import Sniffed, sniff
from core.model.dataset import Rejection
from core.policy.types import IntakeRule


class RowReader:
    """Iterates over the rows of one object. `container` is known after the first item.

    A refusal of the whole object is one item with line 0, and the last one; the object is not
    read to its end then.
    """

    def __init__(self, blocks: Iterable[bytes], *, key: str, rule: IntakeRule) -> None:
        self._key = key
        self._rule = rule
        self._container: Callable[[], str] = lambda: ""
        self._items = self._read(Blocks(iter(blocks), limit=rule.object_bytes))

    @property
    def container(self) -> str:
        """How the object is packed."""
        return self._container()

    def __iter__(self) -> Iterator[Row | Rejection]:
        return self

    def __next__(self) -> Row | Rejection:
        item = next(self._items)
        if isinstance(item, Refusal):
            return Rejection(code=item.code, key=self._key, line=item.line)
        return item

    def _read(self, blocks: Blocks) -> Iterator[Row | Refusal]:
        head, whole = blocks.peek(self._rule.line_bytes + 1)
        seen = sniff(head, whole=whole)
        self._container = lambda: seen.container
        if seen.refusal:
            yield Refusal(line=0, code=seen.refusal)
            return
        if head.startswith(BYTE_ORDER_MARK):
            blocks.skip(len(BYTE_ORDER_MARK))
        empty = True
        try:
            for item in self._unpacked(blocks, head.removeprefix(BYTE_ORDER_MARK), seen):
                empty = False
                yield item
        except ObjectTooLarge:
            empty = False
            yield Refusal(line=0, code="object.too_large")
        if empty:
            yield Refusal(line=0, code="object.no_rows")

    def _unpacked(self, blocks: Blocks, head: bytes, seen: Sniffed) -> Iterator[Row | Refusal]:
        limit = self._rule.line_bytes
        if seen.container == "jsonl":
            return read_lines(blocks, limit=limit)
        if seen.table is not None:
            return read_table(blocks, table=seen.table, limit=limit)
        if seen.container == "transcript":
            return _read_transcript(blocks, limit)
        document = DocumentReader(iter(blocks), head=head, limit=limit)
        self._container = lambda: document.container
        return document.rows()


def read_rows(blocks: Iterable[bytes], *, key: str, rule: IntakeRule) -> RowReader:
    """Return a reader over the rows of the object whose bytes `blocks` are."""
    return RowReader(blocks, key=key, rule=rule)


def _read_transcript(blocks: Iterable[bytes], limit: int) -> Iterator[Row | Refusal]:
    """A transcript is one row: the whole text, under the field a table would use."""
    held = bytearray()
    for block in blocks:
        held += block
        if len(held) > limit:
            yield Refusal(line=1, code="line.too_long")
            return
    try:
        yield Row(line=1, value={"transcript": held.decode("utf-8")})
    except UnicodeDecodeError:
        yield Refusal(line=1, code="line.not_utf8")
