"""A JSON document is a list of rows, an object around rows, or objects one after another.

It is read in one pass and in bounded memory. Rows before damage are kept, the damage is
counted, and nothing after the document's end passes unseen.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator

from core.intake.containers.lines import decode_row
from core.intake.containers.plan import Plan, plan_document
from core.intake.containers.row import RAW_BYTES, Refusal, Row
from core.intake.containers.splitter import Cursor, Piece, take_piece, take_value
from core.intake.fields import ID_FIELDS, WRAPPERS
from core.intake.roles import looks_like_turn
from core.intake.strict_json import BadJson, decode_strict


class DocumentReader:
    """Yields the rows of one document; `container` is known once the first item is out."""

    def __init__(self, blocks: Iterator[bytes], *, head: bytes, limit: int) -> None:
        """`head` is what `blocks` will begin with, as far as it has been looked at."""
        self._cursor = Cursor(blocks)
        self._head = head
        self._limit = limit
        self._line = 0
        self.container = "json"

    def rows(self) -> Iterator[Row | Refusal]:
        """Yield what the document gives, in order."""
        if self._cursor.skip_space() == ord("["):
            self.container = "json_array"
            self._cursor.at += 1
            closed = yield from self._list()
            if closed:
                yield from self._nothing_more()
            return
        self.container = "json_object"
        plan = plan_document(self._head, self._limit)
        if plan.itself_keyed:
            self.container = "json_keyed"
            self._cursor.at += 1
            if (yield from self._keyed()):
                yield from self._nothing_more()
            return
        if plan.why:
            self._cursor.at += 1
            ended = yield from self._members(plan)
            if ended:
                return
        yield from self._objects()

    def _objects(self) -> Iterator[Row | Refusal]:
        """Read objects that stand one after another, each a row."""
        while (first := self._cursor.skip_space()) >= 0:
            if first != ord("{"):
                yield self._refused("json.trailing")
                return
            self._line += 1
            if self._line > 1:
                self.container = "json_concatenated"
            piece = take_value(self._cursor, limit=self._limit)
            yield self._judged(piece, cut=not piece.end)

    def _members(self, plan: Plan) -> Generator[Row | Refusal, None, bool]:
        """Read one object's members; yield the elements of each list of rows among them.

        Returns whether the document is over. An object without such a list, or object of rows
        by their ids, is refused as the plan says.
        """
        wrapped = False
        while True:
            piece = take_piece(self._cursor, limit=self._limit, stop_at_open=True)
            name = _member_name(piece.data)
            if piece.end == b"[" and name in WRAPPERS:
                wrapped = True
                if not (yield from self._list()):
                    return True
                continue
            if piece.end == b"{" and name in plan.keyed:
                wrapped = True
                self.container = "json_keyed"
                if not (yield from self._keyed()):
                    return True
                continue
            if piece.end in (b"[", b"{"):
                self._cursor.at -= 1
                piece = take_piece(self._cursor, limit=self._limit)
            if piece.end == b"}":
                break
            if piece.end != b",":
                yield self._refused("line.bad_json" if piece.end else "json.truncated")
                return True
        if wrapped:
            yield from self._nothing_more()
        else:
            yield self._refused(plan.why)
        return wrapped

    def _keyed(self) -> Generator[Row | Refusal, None, bool]:
        """Read members up to the closing brace, each a row; return whether it was found."""
        while True:
            piece = take_piece(self._cursor, limit=self._limit)
            if piece.data is not None and not piece.data.strip() and piece.end == b"}":
                return True
            self._line += 1
            if piece.end not in (b",", b"}"):
                yield self._unclosed(piece)
                return False
            yield self._member(piece)
            if piece.end == b"}":
                return True

    def _unclosed(self, piece: Piece) -> Refusal:
        code = "line.bad_json" if piece.end else "json.truncated"
        return Refusal(line=self._line, code=code, raw=(piece.data or b"")[:RAW_BYTES])

    def _member(self, piece: Piece) -> Row | Refusal:
        """Return the row a member's value is, with the member's name as its id if it has none."""
        if piece.data is None:
            return Refusal(line=self._line, code="line.too_long")
        item = decode_row(b"{" + piece.data + b"}", self._line)
        if isinstance(item, Refusal) or not isinstance(item.value, dict) or len(item.value) != 1:
            bad = Refusal(line=self._line, code="line.bad_json", raw=piece.data[:RAW_BYTES])
            return item if isinstance(item, Refusal) else bad
        [(name, value)] = item.value.items()
        if isinstance(value, dict) and not any(field in value for field in ID_FIELDS):
            value = {**value, "id": name}
        return Row(line=self._line, value=value)

    def _list(self) -> Generator[Row | Refusal, None, bool]:
        """Read elements up to the closing bracket; return whether it was found."""
        first = True
        while True:
            piece = take_piece(self._cursor, limit=self._limit)
            if first and piece.end == b"]" and piece.data is not None and not piece.data.strip():
                return True
            if first and piece.data is not None and _is_turn(piece.data):
                return (yield from self._one_dialogue(piece))
            first = False
            if piece.end and piece.end != b"}":
                self._line += 1
                yield self._judged(piece, cut=False)
            if piece.end == b"]":
                return True
            if piece.end != b",":
                yield from self._last_whole(piece)
                yield self._refused("line.bad_json" if piece.end else "json.truncated")
                return False

    def _last_whole(self, piece: Piece) -> Iterator[Row]:
        """Yield the element before a cut when it is closed: half a number looks like a number."""
        if not piece.end and piece.data is not None and piece.data.rstrip()[-1:] in (b"}", b"]"):
            row = decode_row(piece.data, self._line + 1)
            if isinstance(row, Row):
                self._line += 1
                yield row

    def _one_dialogue(self, piece: Piece) -> Generator[Row | Refusal, None, bool]:
        """A list of turns is one row, whole or not at all."""
        self._line += 1
        turns = bytearray(b"[")
        too_long = False
        while True:
            too_long = too_long or piece.data is None or len(turns) > self._limit
            if not too_long and piece.data is not None:
                turns += piece.data + (b"," if piece.end == b"," else b"]")
            if piece.end != b",":
                break
            piece = take_piece(self._cursor, limit=self._limit)
        if piece.end != b"]":
            yield Refusal(line=self._line, code="line.bad_json" if piece.end else "json.truncated")
            return False
        if too_long:
            yield Refusal(line=self._line, code="line.too_long")
        else:
            yield decode_row(bytes(turns), self._line)
        return True

    def _judged(self, piece: Piece, *, cut: bool) -> Row | Refusal:
        if cut:
            return self._unclosed(Piece(piece.data, b""))
        if piece.data is None:
            return Refusal(line=self._line, code="line.too_long")
        return decode_row(piece.data, self._line)

    def _refused(self, code: str) -> Refusal:
        self._line += 1
        return Refusal(line=self._line, code=code)

    def _nothing_more(self) -> Iterator[Refusal]:
        if self._cursor.skip_space() >= 0:
            yield self._refused("json.trailing")


def _is_turn(data: bytes) -> bool:
    try:
        return looks_like_turn(decode_strict(data))
    except BadJson:
        return False


def _member_name(data: bytes | None) -> str:
    """Return the name in `"name":`, or nothing."""
    if data is None or not data.rstrip().endswith(b":"):
        return ""
    try:
        name = decode_strict(data.rstrip()[:-1])
    except BadJson:
        return ""
    return name if isinstance(name, str) else ""
