"""Every reason for refusing an object or a row, in words for the person who must act."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

# code: (title, what to do about it)
_CODES: Final = {
    "object.empty": (
        "Nothing in it",
        "The object holds no bytes, or white space only; upload it again.",
    ),
    "object.lfs_pointer": (
        "Git LFS pointer",
        "The object is a Git LFS pointer, not the data; fetch the data and upload that.",
    ),
    "object.compressed": (
        "Compressed file",
        "The object is packed in bzip2 or xz, or twice over; upload it as gzip, zstd or plain.",
    ),
    "object.corrupt": (
        "Damaged or cut short",
        "The compressed or columnar object is damaged, cut short or encrypted; upload it again.",
    ),
    "object.not_whole": (
        "Only its head was read",
        "The table keeps its directory at its end, which a look at its beginning does not reach.",
    ),
    "object.archive": ("Archive", "The object is an archive; unpack it and upload its files."),
    "object.pdf": ("PDF", "The object is a PDF, which is no dialogue."),
    "object.image": ("Image", "The object is an image, which is no dialogue."),
    "object.media": ("Sound or video", "The object is sound or video, which is no dialogue."),
    "object.office": ("Office document", "The object is an office document; export it as CSV."),
    "object.binary": ("Unknown binary", "The object is binary of a kind the desk does not read."),
    "object.not_utf8": (
        "Not UTF-8",
        "The object's text is in UTF-16; convert it to UTF-8.",
    ),
    "object.notebook": ("Notebook", "The object is a notebook: code, not dialogue."),
    "object.source_code": ("Source code", "The object is source code, not dialogue."),
    "object.markup": ("XML or HTML", "The object is XML or HTML; convert it to JSONL."),
    "object.feature_matrix": (
        "Feature matrix",
        "The table's columns are mostly numbers: features for a model, not dialogue.",
    ),
    "object.unsupported": (
        "Text without turns",
        "The object is text in which no turns, columns, rows or longer prose can be told apart.",
    ),
    "object.too_large": (
        "Object too large",
        "The object is longer, or inflates to more, than the policy lets the desk read; split it.",
    ),
    "object.no_rows": ("No rows", "The object is well formed and holds no row at all."),
    "line.too_long": (
        "Row too long",
        "One row is longer than the policy's limit; it was skipped to its end.",
    ),
    "line.not_utf8": ("Row not UTF-8", "The row holds bytes that are not UTF-8; repair it."),
    "line.bad_json": ("Broken JSON", "The row is not JSON; repair it at its source."),
    "line.duplicate_key": (
        "Duplicate key",
        "A key stands twice in one JSON object, so that two readers may read two things.",
    ),
    "line.number": (
        "Impossible number",
        "The row holds NaN, an infinity, or a number too large to hold.",
    ),
    "line.too_deep": ("Nested too deep", "The row nests more brackets than can be followed."),
    "line.surrogate": (
        "Broken character",
        "The row holds half of a character pair, which has no UTF-8 form.",
    ),
    "json.truncated": (
        "Document cut short",
        "The JSON document ends before it is closed; rows before the cut were kept.",
    ),
    "json.trailing": (
        "Something after the end",
        "More bytes follow the end of the JSON document; they were not read.",
    ),
    "csv.duplicate_column": (
        "Duplicate column",
        "Two columns of the table have one name; rename one.",
    ),
    "csv.bad_quotes": ("Broken quotes", "The table's quotes do not close where they must."),
    "csv.cells": ("Cells do not fit", "The row has more or fewer cells than the header."),
    "row.not_an_object": ("Bare value", "The row is a bare value, not an object with fields."),
    "row.unknown_shape": (
        "Unknown shape",
        "The row's fields are none the desk knows; name them in an intake mapping of the policy.",
    ),
    "row.ambiguous_fields": (
        "Two fields of one name",
        "Two of the row's fields differ only in case or spacing.",
    ),
    "row.no_turns": ("No turns", "The row's list of turns is empty."),
    "row.bad_turn": ("Malformed turn", "A turn lacks its speaker or its text."),
    "row.unknown_role": ("Unknown role", "A turn's speaker is no role the desk knows."),
    "row.unknown_speaker": (
        "Unknown speaker",
        "A paragraph of the dialogue does not open with a speaker the desk knows.",
    ),
    "row.empty_turn": ("Empty turn", "A turn has no text."),
    "row.not_text": ("Turn is not text", "A turn's content is not a text."),
    "row.nul": ("NUL character", "A turn holds a NUL character."),
    "row.no_assistant": ("No answer", "Nobody answers: the row has no assistant turn."),
    "row.role_order": (
        "Roles out of order",
        "The user never speaks, or a system turn stands inside the dialogue.",
    ),
    "row.double_encoded": (
        "Record inside a turn",
        "A user turn, or a row that does not unwrap into a sound dialogue, is a record as string.",
    ),
}

CODES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(_CODES)


def title_of(code: str) -> str:
    """Return the short name of a code; a code we do not know is its own name."""
    return CODES[code][0] if code in CODES else code
