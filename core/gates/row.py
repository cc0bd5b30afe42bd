"""A row that ships has one shape: these keys, this order, these types, nothing else.

A trainer's loader infers its columns from the first rows; one row that differs breaks it, or
worse, is read as something else.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Literal, get_args, get_type_hints

import msgspec

from core.canonical import canonical_bytes, decode
from core.model.dataset import Message, Role, Split

DedupStatus = Literal["unique", "kept_first", "near_duplicate_kept"]
# `requires_review` is a known status, so that its own finding can name it.
Status = Literal["none_detected", "scrubbed", "requires_review"]

_PATTERNS = {
    "record_id": re.compile(r"[0-9a-f]{32}"),
    "source_sha256": re.compile(r"[0-9a-f]{64}"),
    "content_hash": re.compile(r"sha256:[0-9a-f]{64}"),
    "group_id": re.compile(r"[0-9a-f]{32}"),
    "cluster_id": re.compile(r"[0-9a-f]{32}"),
}
_LEAST = {"source_line": 1, "stage": 0, "turns": 1, "tokens": 0}


class MessageLine(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """One message of a row."""

    role: Role
    content: str


class ProvenanceLine(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """How a row came to be."""

    original_s3_key: str
    processing_pipeline: str
    processing_steps: list[str]
    processed_at: str
    dedup_status: DedupStatus


class MetadataLine(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """Everything a row says about itself, in this order."""

    record_id: str
    source_family: str
    source_key: str
    source_sha256: str
    source_line: int
    content_hash: str
    license_tag: str
    pii_status: Status
    split: Split
    stage: int
    phase: str
    turns: int
    tokens: int
    language: str
    group_id: str
    cluster_id: str
    provenance: ProvenanceLine


class RowLine(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """One row of a shard."""

    messages: list[MessageLine]
    metadata: MetadataLine


_DECODER = msgspec.json.Decoder(RowLine, strict=True)
_ENCODER = msgspec.json.Encoder()


def row_faults(raw: bytes, metadata: Mapping[str, object]) -> tuple[str, ...]:
    """Return what is wrong with a line's shape, as short names; nothing when it is right.

    `metadata` is the line's own, decoded. A fault names a key of the schema, never a value.
    """
    try:
        exact = _ENCODER.encode(_DECODER.decode(raw)) == raw
    except (msgspec.MsgspecError, UnicodeDecodeError):
        exact = False
    faults = () if exact else tuple(_walk(RowLine, decode(raw), ""))
    return faults or tuple(_value_faults(metadata))


def _walk(kind: type[msgspec.Struct], value: object, place: str) -> Iterator[str]:
    """The slow way, for a line that is not exactly what our encoder would write."""
    if not isinstance(value, dict):
        yield f"{place or 'row'} is not an object"
        return
    wanted = kind.__struct_fields__
    for name in wanted:
        if name not in value:
            yield f"{place}{name} is missing"
    if any(name not in wanted for name in value):
        yield f"{place or 'row '}has another key"
    elif tuple(value) != wanted and len(value) == len(wanted):
        yield f"{place or 'row '}has its keys in another order"
    for name, expected in _types(kind).items():
        if name in value:
            yield from _walk_value(expected, value[name], f"{place}{name}")


def _walk_value(expected: Any, value: object, place: str) -> Iterator[str]:
    if isinstance(expected, type) and issubclass(expected, msgspec.Struct):
        yield from _walk(expected, value, f"{place}.")
        return
    inner = get_args(expected)
    if isinstance(value, list) and inner and isinstance(inner[0], type):
        for item in value:
            yield from _walk_value(inner[0], item, f"{place}[]")
        return
    try:
        msgspec.convert(value, expected, strict=True)
    except msgspec.ValidationError:
        yield f"{place} has another type or value"


@cache
def _types(kind: type[msgspec.Struct]) -> Mapping[str, Any]:
    return get_type_hints(kind)


def _value_faults(metadata: Mapping[str, object]) -> Iterator[str]:
    for name, pattern in _PATTERNS.items():
        if not pattern.fullmatch(str(metadata[name])):
            yield f"metadata.{name} is malformed"
    for name, least in _LEAST.items():
        value = metadata[name]
        if isinstance(value, int) and value < least:
            yield f"metadata.{name} is too small"
    for name in ("source_family", "source_key", "license_tag", "phase", "language"):
        if not metadata[name]:
            yield f"metadata.{name} is empty"


def content_hash(messages: Sequence[Message]) -> str:
    """Return the contract's hash: strip and lower each content, sort, join with one space."""
    joined = " ".join(sorted(message.content.strip().lower() for message in messages))
    return "sha256:" + hashlib.sha256(joined.encode()).hexdigest()


def record_id(messages: Sequence[Message]) -> str:
    """Return the first 32 hex digits of the digest of the messages' canonical bytes."""
    plain = [{"role": message.role, "content": message.content} for message in messages]
    return hashlib.sha256(canonical_bytes(plain)).hexdigest()[:32]
