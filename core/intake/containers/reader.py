"""An object's bytes become rows and refusals, each with its place; nothing becomes silence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from core.intake.containers.blocks import BYTE_ORDER_MARK, Blocks, ObjectTooLarge
from core.intake.containers.columnar import BadTable, read_columnar
from core.intake.containers.compressed import BadStream, inflate, inflate_file
from core.intake.containers.documents import DocumentReader
from core.intake.containers.lines import read_lines
from core.intake.containers.row import RAW_BYTES, Refusal, Row
from core.intake.containers.spool import path_of, spooled
from core.intake.containers.tables import read_table
from core.intake.sniff import COLUMNAR, PACKINGS, Sniffed, sniff
from core.model.dataset import Rejection
from core.policy.types import IntakeRule

# What the end of a sample, cut through the middle of a row, looks like.
_CUT_ENDS: Final = frozenset(
    {
        "json.truncated",
        "line.bad_json",
        "line.not_utf8",
        "line.too_long",
        "csv.cells",
        "csv.bad_quotes",
    }
)


class RowReader:
    """Iterates over the rows of one object. `container` is known after the first item.

    A refusal of the whole object is one item with line 0, and the last one; the object is not
    read to its end then. With `sample`, reading ends after about that many bytes, and an end
    in the middle of a row is not held against the object.
    """

    def __init__(
        self, blocks: Iterable[bytes], *, key: str, rule: IntakeRule, sample: int | None = None
    ) -> None:
        self._key = key
        self._rule = rule
        self._sample = sample
        self._container: Callable[[], str] = lambda: ""
        self._items = self._read(Blocks(iter(blocks), limit=rule.object_bytes), packing="")

    @property
    def container(self) -> str:
        """How the object is packed; `gzip/…` and `zstd/…` say what was inside."""
        return self._container()

    def __iter__(self) -> Iterator[Row | Rejection]:
        return self

    def __next__(self) -> Row | Rejection:
        item = next(self._items)
        if isinstance(item, Refusal):
            return Rejection(code=item.code, key=self._key, line=item.line)
        return item

    def items(self) -> Iterator[Row | Refusal]:
        """Iterate over the same, with a refusal's own first bytes where there are any."""
        return self._items

    def _read(self, blocks: Blocks, packing: str) -> Iterator[Row | Refusal]:
        head, whole = blocks.peek(self._rule.line_bytes + 1)
        if packing and not head and self._sample is not None:
            yield Refusal(line=0, code="object.not_whole")
            return
        seen = sniff(head, whole=whole)
        self._container = lambda: packing + seen.container
        if seen.container in PACKINGS and not packing:
            yield from self._inflated(blocks, seen.container)
            return
        if seen.refusal or seen.container in PACKINGS:
            yield Refusal(line=0, code=seen.refusal or "object.compressed")
            return
        if head.startswith(BYTE_ORDER_MARK):
            blocks.skip(len(BYTE_ORDER_MARK))
        empty = True
        try:
            items = self._unpacked(blocks, head.removeprefix(BYTE_ORDER_MARK), seen, packing)
            for item in self._without_cut(items, blocks):
                empty = False
                yield item
        except ObjectTooLarge:
            empty = False
            yield Refusal(line=0, code="object.too_large")
        except BadTable:
            empty = False
            # Of a sample, the directory at the end may simply be missing.
            code = "object.corrupt" if self._sample is None else "object.not_whole"
            yield Refusal(line=0, code=code)
        if empty:
            yield Refusal(line=0, code="object.no_rows")

    def _inflated(self, blocks: Blocks, kind: str) -> Iterator[Row | Refusal]:
        """Inflate twice: once to see that every byte can be trusted, once to read.

        Of an object longer than the sample, the beginning is read as it comes.
        """
        limit = self._rule.object_bytes
        try:
            if self._sample is not None and self._is_longer(blocks, self._sample):
                pieces = inflate(blocks, kind=kind, limit=limit, cut=True)
                yield from self._read(Blocks(pieces, limit=limit), packing=f"{kind}/")
                return
            with spooled(blocks) as file:
                for _ in inflate_file(file, kind=kind, limit=limit):
                    pass
                pieces = inflate_file(file, kind=kind, limit=limit)
                yield from self._read(Blocks(pieces, limit=limit), packing=f"{kind}/")
        except ObjectTooLarge:
            yield Refusal(line=0, code="object.too_large")
        except BadStream:
            yield Refusal(line=0, code="object.corrupt")

    def _is_longer(self, blocks: Blocks, count: int) -> bool:
        head, ended = blocks.peek(count)
        return len(head) >= count or not ended

    def _unpacked(
        self, blocks: Blocks, head: bytes, seen: Sniffed, packing: str
    ) -> Iterator[Row | Refusal]:
        limit = self._rule.line_bytes
        if seen.container in COLUMNAR:
            return self._columnar(blocks, seen.container)
        if self._sample is not None:
            blocks.stop_after(self._sample)
        if seen.container == "jsonl":
            return read_lines(blocks, limit=limit)
        if seen.table is not None:
            return read_table(blocks, table=seen.table, limit=limit)
        if seen.container in ("transcript", "monologue"):
            return _read_text(blocks, limit, field=seen.container)
        document = DocumentReader(iter(blocks), head=head, limit=limit)
        self._container = lambda: packing + document.container
        return document.rows()

    def _columnar(self, blocks: Blocks, kind: str) -> Iterator[Row | Refusal]:
        total = self._rule.object_bytes
        with spooled(blocks) as file:
            rows = read_columnar(path_of(file), kind=kind, limit=self._rule.line_bytes, total=total)
            for number, row in enumerate(rows):
                # A sample of a table is counted in rows: its bytes are spread over the file.
                if self._sample is not None and number * 1024 >= self._sample:
                    return
                yield row

    def _without_cut(
        self, items: Iterator[Row | Refusal], blocks: Blocks
    ) -> Iterator[Row | Refusal]:
        """Leave out the last item of a sample when only the cut refused it."""
        if self._sample is None:
            yield from items
            return
        held: Row | Refusal | None = None
        for item in items:
            if held is not None:
                yield held
            held = item
        if held is None:
            return
        if not (blocks.cut and isinstance(held, Refusal) and held.code in _CUT_ENDS):
            yield held


def read_rows(
    blocks: Iterable[bytes], *, key: str, rule: IntakeRule, sample: int | None = None
) -> RowReader:
    """Return a reader over the rows of the object whose bytes `blocks` are."""
    return RowReader(blocks, key=key, rule=rule, sample=sample)


def _read_text(blocks: Iterable[bytes], limit: int, field: str) -> Iterator[Row | Refusal]:
    """A transcript is one row: the whole text, under the field a table would use."""
    held = bytearray()
    for block in blocks:
        held += block
        if len(held) > limit:
            yield Refusal(line=1, code="line.too_long")
            return
    try:
        yield Row(line=1, value={field: held.decode("utf-8")})
    except UnicodeDecodeError:
        yield Refusal(line=1, code="line.not_utf8", raw=bytes(held[:RAW_BYTES]))
