"""What a gate sees is what lies in the bucket: each shard is read and proven again, every time."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from core.canonical import NotCanonical, decode, sha256_hex
from core.model.candidate import Candidate
from core.model.dataset import Message, Shard, ShippedRecord
from core.model.errors import GateError
from core.storage.ports import ObjectStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """Every record of a candidate, in the order of its shards and lines.

    Each iteration reads the store anew; a shard that is not the one the candidate names ends
    it with `GateError`, and a store that refuses ends it with the store's own error.
    """

    store: ObjectStore
    candidate: Candidate
    cache: Path | None = None

    @property
    def expected(self) -> int:
        """How many records the candidate says it has."""
        return self.candidate.records

    def __iter__(self) -> Iterator[ShippedRecord]:
        """Yield the records; a shard's records come only after its bytes were proven."""
        for shard in self.candidate.shards:
            body = self.fetch(shard)
            if self.cache is not None:
                _keep(self.cache, shard, body)
            yield from parse_shard(body, shard)

    def fetch(self, shard: Shard) -> bytes:
        """Return the bytes of one shard from the store, proven."""
        return fetch_shard(self.store, shard)


def open_corpus(store: ObjectStore, candidate: Candidate, cache: Path | None = None) -> Corpus:
    """Return the candidate's records.

    Verified shards are left under `cache` by digest, for pages that show single records; the
    gates themselves never read the cache.
    """
    return Corpus(store=store, candidate=candidate, cache=cache)


def fetch_shard(store: ObjectStore, shard: Shard) -> bytes:
    """Return the shard's bytes from the store.

    Raises:
        GateError: size or SHA-256 differ from what the candidate says.
        StorageError: the store did not give the object.
    """
    body = store.get(shard.key, limit=shard.size).body
    if len(body) != shard.size:
        raise GateError(
            "gate.shard_size",
            "The shard in the bucket is not as long as the candidate says; build it again.",
            place=shard.key,
        )
    if sha256_hex(body) != shard.sha256:
        raise GateError(
            "gate.shard_digest",
            "The shard in the bucket is not the one the candidate names; build it again.",
            place=shard.key,
        )
    return body


def read_shard(store: ObjectStore, shard: Shard, cache: Path | None) -> bytes:
    """Return the shard's bytes, from the cache when what lies there has the right SHA-256.

    For showing records; a gate reads the store.
    """
    if cache is not None:
        try:
            body = (cache / shard.sha256).read_bytes()
        except OSError:
            body = b""
        if len(body) == shard.size and sha256_hex(body) == shard.sha256:
            return body
    body = fetch_shard(store, shard)
    if cache is not None:
        _keep(cache, shard, body)
    return body


def parse_shard(body: bytes, shard: Shard) -> Iterator[ShippedRecord]:
    """Yield the records of a shard's bytes.

    Raises:
        GateError: the number of lines is not the shard's, or a line is no row at all.
    """
    lines = body.split(b"\n")
    unfinished = lines.pop()
    if unfinished or len(lines) != shard.records:
        raise GateError(
            "gate.shard_records",
            "The shard does not hold as many lines as the candidate says; build it again.",
            place=shard.key,
        )
    for number, raw in enumerate(lines, 1):
        yield parse_line(raw, shard, number)


def parse_line(raw: bytes, shard: Shard, line: int) -> ShippedRecord:
    """Return one line as a record; `line` is 1-based. Raises as `parse_turns` does."""
    turns, metadata = parse_turns(raw, shard, line)
    return ShippedRecord(
        shard=shard,
        line=line,
        # A role the policy does not know is kept as it is, so that the provenance gate can say so.
        messages=tuple(Message(role=role, content=content) for role, content in turns),  # type: ignore[arg-type]
        metadata=metadata,
        raw=raw,
    )


def parse_turns(
    raw: bytes, shard: Shard, line: int
) -> tuple[list[tuple[str, str]], Mapping[str, object]]:
    """Return the (role, content) pairs of one line and its metadata.

    Only what makes a line unjudgeable is refused here: no JSON, a key twice, text that is not
    Unicode, no list of messages. Everything else about its shape is the provenance gate's.

    Raises:
        GateError: with the shard's key and the line as its place.
    """
    try:
        value = _decode(raw)
    except NotCanonical:
        raise _refusal("gate.row_not_json", "A line is not one JSON value.", shard, line) from None
    if not isinstance(value, dict):
        raise _refusal("gate.row_shape", "A line is not a JSON object.", shard, line)
    metadata = value.get("metadata")
    return _turns(value, shard, line), metadata if isinstance(metadata, dict) else {}


def _decode(raw: bytes) -> Any:
    """Decode a line as `decode` does; what encodes to the same bytes hides no key twice."""
    try:
        value = msgspec.json.decode(raw)
        if msgspec.json.encode(value) == raw:
            return value
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    return decode(raw)


def _turns(row: Mapping[str, object], shard: Shard, line: int) -> list[tuple[str, str]]:
    found = row.get("messages")
    if not isinstance(found, list):
        raise _refusal("gate.row_shape", "A row has no list of messages.", shard, line)
    turns = []
    for item in found:
        role, content = (
            (item.get("role"), item.get("content")) if isinstance(item, dict) else (0, 0)
        )
        if not isinstance(role, str) or not isinstance(content, str):
            raise _refusal("gate.row_shape", "A message has no role or no text.", shard, line)
        if not content.isascii():
            _check_unicode(content, shard, line)
        turns.append((role, content))
    return turns


def _check_unicode(content: str, shard: Shard, line: int) -> None:
    try:
        content.encode()
    except UnicodeEncodeError:
        raise _refusal("gate.row_text", "A message is not Unicode text.", shard, line) from None


def _refusal(code: str, sentence: str, shard: Shard, line: int) -> GateError:
    return GateError(code, sentence, place=f"{shard.key}:{line}")


def keep_shard(cache: Path, shard: Shard, body: bytes) -> Path:
    """Put proven bytes under `cache`, whatever lay there, and return where."""
    target = cache / shard.sha256
    target.unlink(missing_ok=True)
    _keep(cache, shard, body)
    return target


def _keep(cache: Path, shard: Shard, body: bytes) -> None:
    target = cache / shard.sha256
    if target.exists():
        return
    cache.mkdir(parents=True, exist_ok=True)
    partial = cache / f".{shard.sha256}.{os.getpid()}"
    partial.write_bytes(body)
    partial.replace(target)
