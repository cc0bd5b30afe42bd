"""A candidate's document is its one canonical encoding, and its SHA-256 is its name."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import msgspec

from core.canonical import NotCanonical, canonical_bytes, decode, sha256_hex
from core.model.candidate import Candidate
from core.model.errors import IntakeError
from core.model.names import Digest
from core.storage.ports import ObjectStore
from core.storage.put_once import put_once

SCHEMA = "release-desk/candidate/2"
# Without a time per source: every row bears the listing's.
_FIRST = "release-desk/candidate/1"
_LIMIT = 1 << 30


def encode_candidate(candidate: Candidate) -> bytes:
    """Return the canonical bytes of everything but the digest, which is their SHA-256."""
    return canonical_bytes({"schema": SCHEMA, **_content(candidate)})


def _content(candidate: Candidate) -> dict[str, Any]:
    content: dict[str, Any] = _plain(candidate)
    del content["digest"]
    return content


def decode_candidate(body: bytes) -> Candidate:
    """Return the candidate whose document this is, with the digest of these very bytes.

    Raises:
        IntakeError: `candidate.schema` for a schema that is neither this one nor the one before,
            `candidate.malformed` for a document that is not exactly what a desk writes.
    """
    try:
        content = decode(body)
        schema = content.pop("schema") if isinstance(content, dict) else None
    except (NotCanonical, KeyError):
        raise _malformed() from None
    if schema not in (SCHEMA, _FIRST):
        raise IntakeError("candidate.schema", "The candidate has a schema this desk cannot read.")
    try:
        content["digest"] = sha256_hex(body)
        if schema == _FIRST:
            for source in content["sources"]:
                source["listed_at"] = content["snapshot_at"]
        candidate = msgspec.convert(content, Candidate, strict=True)
        exact = (_encode_first if schema == _FIRST else encode_candidate)(candidate) == body
    except (msgspec.ValidationError, TypeError, KeyError, NotCanonical):
        raise _malformed() from None
    if not exact:
        raise _malformed()
    return candidate


def _encode_first(candidate: Candidate) -> bytes:
    content = _content(candidate)
    for source in content["sources"]:
        del source["listed_at"]
    return canonical_bytes({"schema": _FIRST, **content})


def is_first_form(candidate: Candidate) -> bool:
    """Whether the candidate's document is of the first form, which dates no source."""
    return sha256_hex(_encode_first(candidate)) == candidate.digest


def seal_candidate(candidate: Candidate) -> tuple[Candidate, bytes]:
    """Return the candidate under the digest of its document, and the document."""
    body = encode_candidate(candidate)
    return dataclasses.replace(candidate, digest=sha256_hex(body)), body


def candidate_key(prefix: str, digest: Digest) -> str:
    """Return where the candidate's document lies."""
    return f"{prefix}candidates/{digest}.json"


def store_candidate(store: ObjectStore, prefix: str, candidate: Candidate) -> Candidate:
    """Seal the candidate, write its document once, and return it."""
    sealed, body = seal_candidate(candidate)
    put_once(store, candidate_key(prefix, sealed.digest), body)
    return sealed


def load_candidate(store: ObjectStore, prefix: str, digest: Digest) -> Candidate:
    """Return the stored candidate of this digest, re-hashed.

    Raises:
        IntakeError: `candidate.altered` when the bytes do not have the digest.
        Missing: there is none.
    """
    key = candidate_key(prefix, digest)
    body = store.get(key, limit=_LIMIT).body
    if sha256_hex(body) != digest:
        raise IntakeError(
            "candidate.altered", "The stored candidate is not the one named.", place=key
        )
    return decode_candidate(body)


def _malformed() -> IntakeError:
    return IntakeError("candidate.malformed", "The document is not a candidate this desk wrote.")


def _plain(value: object) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
