"""What an object is shows in its first bytes; its name is never asked.

Everything recognised but not read has its own refusal code, so that nothing is passed over in
silence and nothing is read as what it is not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from core.intake.containers.blocks import BYTE_ORDER_MARK
from core.intake.containers.plan import plan_document
from core.intake.fields import KEYED
from core.intake.monologue import is_monologue
from core.intake.speakers import opens_with_speaker
from core.intake.strict_json import BadJson, decode_strict
from core.intake.tabular import Table, guess_table

_MAGIC: Final[tuple[tuple[bytes, str], ...]] = (
    (b"version https://git-lfs", "object.lfs_pointer"),
    (b"BZh", "object.compressed"),
    (b"\xfd7zXZ\x00", "object.compressed"),
    (b"%PDF", "object.pdf"),
    (b"\x89PNG", "object.image"),
    (b"\xff\xd8\xff", "object.image"),
    (b"GIF8", "object.image"),
    (b"\xd0\xcf\x11\xe0", "object.office"),
    (b"7z\xbc\xaf\x27\x1c", "object.archive"),
    (b"Rar!", "object.archive"),
    (b"RIFF", "object.media"),
    (b"OggS", "object.media"),
    (b"fLaC", "object.media"),
    (b"ID3", "object.media"),
    (b"SQLite format 3\x00", "object.binary"),
    (b"\xff\xfe", "object.not_utf8"),
    (b"\xfe\xff", "object.not_utf8"),
)
# What is unpacked before it is looked at again, or read from a file of its own.
_PACKED: Final[tuple[tuple[bytes, str], ...]] = (
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
)
_COLUMNAR: Final[tuple[tuple[bytes, str], ...]] = (
    (b"PAR1", "parquet"),
    (b"ARROW1", "arrow"),
    (b"\xff\xff\xff\xff", "arrow_stream"),
)
PACKINGS: Final = frozenset(name for _, name in _PACKED)
COLUMNAR: Final = frozenset(name for _, name in _COLUMNAR)
_OFFICE = re.compile(rb"\[Content_Types\]\.xml|word/|xl/|ppt/|mimetypeapplication/vnd\.")
_CONTROL = bytes(byte for byte in range(32) if byte not in b"\t\n\r\f\x1b")
_CONTROL_SHARE: Final = 0.05
_SOURCE = re.compile(
    r"^(?:#!|import [\w.]+\s*$|from [\w.]+ import |def \w+\(|class \w+[(:]|#include\s*[<\"]"
    r"|package \w+|(?:const|let|var) \w+\s*=|function \w+\(|using \w+)",
    re.MULTILINE,
)
_MARKUP = re.compile(r"<(?:\?xml|!doctype|html|[a-z][\w:.-]*[\s>/])", re.IGNORECASE)
_ARRAY = re.compile(r"\[\s*(?:[\[{\"\]0-9-]|true|false|null|$)")
_WRAPPED = re.compile(rb'"(?:%s)"\s*:\s*[\[{]\s*[\[{"]' % "|".join(sorted(KEYED)).encode())
_VOTERS: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Sniffed:
    """Either a container to read (`table` set for csv), or a refusal code of the whole object.

    A container in `PACKINGS` is inflated and looked at again; one in `COLUMNAR` is read from a
    file.
    """

    container: str
    refusal: str = ""
    table: Table | None = None


def sniff(head: bytes, *, whole: bool) -> Sniffed:
    """Return what an object beginning with `head` is; `whole` says that nothing follows."""
    for magic, name in (*_PACKED, *_COLUMNAR):
        if head.startswith(magic):
            return Sniffed(container=name)
    refusal = _binary_refusal(head, whole=whole)
    if refusal:
        return Sniffed(container=refusal.removeprefix("object."), refusal=refusal)
    body = head.removeprefix(BYTE_ORDER_MARK)
    if b"\n" not in body.strip(b"\n") and not whole:
        return _one_endless_line(body)
    lines = _first_lines(body, whole=whole)
    if _is_json_lines(lines):
        return Sniffed(container="jsonl")
    text = body.decode("utf-8", errors="replace").lstrip()
    if text.startswith("{") or _ARRAY.match(text):
        return _document(body)
    return _text(text, whole=whole)


def _binary_refusal(head: bytes, *, whole: bool) -> str:
    if not head.removeprefix(BYTE_ORDER_MARK).strip():
        return "object.empty" if whole else "object.binary"
    for magic, code in _MAGIC:
        if head.startswith(magic):
            return code
    if head[257:262] == b"ustar":
        return "object.archive"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "object.office" if _OFFICE.search(head[:4096]) else "object.archive"
    sample = head[:8192]
    controls = len(sample) - len(sample.translate(None, _CONTROL))
    # A JSON text may hold a stray control character: its line is refused, not the object.
    share = 0.3 if sample.lstrip(b" \t\r\n\xef\xbb\xbf")[:1] in (b"{", b"[") else _CONTROL_SHARE
    return "object.binary" if controls > max(share * len(sample), 8) else ""


def _one_endless_line(body: bytes) -> Sniffed:
    """One line longer than all that was looked at: a wrapped list is JSON, the rest goes by line.

    Going by line refuses that line as too long and reads whatever follows it.
    """
    start = body.lstrip()[:1]
    wraps = start == b"{" and (_WRAPPED.search(body) or plan_document(body, 0).itself_keyed)
    if start == b"[" or wraps:
        return _document(body)
    return Sniffed(container="jsonl")


def _first_lines(body: bytes, *, whole: bool) -> list[bytes]:
    """Return the first non-blank lines, without one that may be cut."""
    lines = body.split(b"\n", _VOTERS * 4)
    complete = lines if whole and len(lines) <= _VOTERS * 4 else lines[:-1]
    return [line for line in complete if line.strip()][:_VOTERS]


def _is_json_lines(lines: list[bytes]) -> bool:
    """Two lines or more, of which at least half stand for a JSON value of their own."""
    if len(lines) < 2:
        return False
    if all(_opens_alone(line.strip()) for line in lines):
        return True
    alone = sum(1 for line in lines if _is_json(line))
    return alone > 0 and alone * 2 >= len(lines)


def _opens_alone(line: bytes) -> bool:
    """Whether a line, sound or broken, opens an object that does not go on with the next line."""
    return len(line) > 1 and line[:1] == b"{" and line[-1:] not in (b",", b"[", b"{")


def _is_json(line: bytes) -> bool:
    if line[:1] not in (b"{", b"[", b'"'):
        return False
    try:
        value = decode_strict(line)
        if isinstance(value, str):
            # A row that was encoded twice is a string that opens as a row does.
            return value.lstrip()[:1] in ("{", "[")
        return isinstance(value, (dict, list))
    except BadJson as error:
        # Well formed for its line, though refused: the object is still JSONL.
        return line[:1] != b'"' and error.code not in ("line.bad_json", "line.not_utf8")


def _document(body: bytes) -> Sniffed:
    head = body[:65536]
    if b'"nbformat"' in body or (b'"cell_type"' in head and b'"cells"' in head):
        return Sniffed(container="notebook", refusal="object.notebook")
    return Sniffed(container="json")


def _text(text: str, *, whole: bool) -> Sniffed:
    if _MARKUP.match(text):
        return Sniffed(container="markup", refusal="object.markup")
    if opens_with_speaker(text):
        return Sniffed(container="transcript")
    table = guess_table(text, whole=whole)
    if table is not None:
        if table.numeric:
            return Sniffed(container="csv", refusal="object.feature_matrix")
        return Sniffed(container="csv", table=table)
    if _SOURCE.search(text[:65536]):
        return Sniffed(container="source_code", refusal="object.source_code")
    if is_monologue(text):
        return Sniffed(container="monologue")
    return Sniffed(container="text", refusal="object.unsupported")
