"""The manifest is the release: canonical bytes, one strict schema, everything named by digest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema import Draft202012Validator

from core.canonical import NotCanonical, canonical_bytes, decode, sha256_hex
from core.model.errors import ReleaseError
from core.model.names import Digest, Version, parse_version
from core.model.release import ReleaseFile

SCHEMA = "release-desk/manifest/1"
MANIFEST_LIMIT = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A manifest that parsed. `document` is all of it; `sha256` names its bytes."""

    version: Version
    sha256: Digest
    candidate: Digest
    files: tuple[ReleaseFile, ...]
    document: Mapping[str, Any]

    @property
    def anchor(self) -> tuple[int, Digest]:
        """The journal entry this release vouches for, as `Journal.verify` takes it."""
        return self.document["journal_seq"], Digest(self.document["journal_head"])

    def of_kind(self, kind: str) -> tuple[ReleaseFile, ...]:
        """Return the listed objects of one kind, in key order."""
        return tuple(file for file in self.files if file.kind == kind)

    def counts(self) -> dict[str, dict[str, int]]:
        """Return records by family and split, as the listed shards say."""
        found: dict[str, dict[str, int]] = {}
        for file in self.of_kind("shard"):
            splits = found.setdefault(file.family, {})
            splits[file.split] = splits.get(file.split, 0) + file.records
        return found


def encode_manifest(document: Mapping[str, Any]) -> bytes:
    """Return the bytes of a manifest, proven to parse back to the same document."""
    body = canonical_bytes(document)
    if canonical_bytes(parse_manifest(body).document) != body:
        raise ReleaseError("release.manifest_unstable", "The manifest does not parse back.")
    return body


def parse_manifest(body: bytes, *, place: str = "") -> Manifest:
    """Return the manifest of `body`.

    Raises:
        ReleaseError: `release.manifest_unreadable` when it is not canonical JSON,
            `release.manifest_schema_unknown` for a schema version we do not know,
            `release.manifest_invalid` when it breaks the schema or contradicts itself.
    """
    document = _decoded(body, place)
    if document.get("schema") != SCHEMA:
        raise ReleaseError(
            "release.manifest_schema_unknown",
            "The manifest has a schema this desk does not know; a newer desk may read it.",
            place=place,
        )
    error = next(iter(_validator().iter_errors(document)), None)
    if error is not None:
        where = "/".join(str(part) for part in list(error.absolute_path)[:4])
        raise _invalid(f"The manifest breaks its schema ({error.validator}).", f"{place} {where}")
    listed = tuple(ReleaseFile(**entry) for entry in document["files"])
    _refuse_contradictions(document, listed, place)
    return Manifest(
        version=parse_version(document["version"]),
        sha256=sha256_hex(body),
        candidate=Digest(document["candidate"]["digest"]),
        files=listed,
        document=document,
    )


def decimal(value: float) -> str:
    """Return a share or level as decimal text: a manifest holds no floats."""
    text = f"{value:.6f}".rstrip("0").rstrip(".")
    return text or "0"


def _decoded(body: bytes, place: str) -> dict[str, Any]:
    try:
        document = decode(body)
        canonical = canonical_bytes(document)
    except NotCanonical:
        document, canonical = None, b""
    if not isinstance(document, dict) or canonical != body:
        raise ReleaseError(
            "release.manifest_unreadable", "The manifest is not canonical JSON.", place=place
        )
    return document


@cache
def _validator() -> Draft202012Validator:
    text = files("core.release").joinpath("manifest_schema.json").read_text("utf-8")
    schema = json.loads(text)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def _refuse_contradictions(
    document: Mapping[str, Any], listed: tuple[ReleaseFile, ...], place: str
) -> None:
    by_key = {file.key: file for file in listed}
    if len(by_key) != len(listed):
        raise _invalid("A key is listed twice.", place)
    if [file.key for file in listed] != sorted(by_key):
        raise _invalid("The files are not in key order.", place)
    shards = [file for file in listed if file.kind == "shard"]
    if document["shards"] != sorted(file.sha256 for file in shards):
        raise _invalid("The shards are not the listed shards.", place)
    exported: dict[str, list[str]] = {}
    for file in shards:
        exported.setdefault(file.split, []).append(file.key)
    if document["export"]["splits"] != exported:
        raise _invalid("The export does not name the listed shards.", place)
    references = [document["routing"], *document["gates"], *document["signoffs"]]
    references += [*document["reviews"], *document["waivers"]]
    for reference in references:
        named = by_key.get(reference["key"])
        if named is None or named.sha256 != reference["sha256"]:
            raise _invalid("A referenced object is not listed under its digest.", place)
    _refuse_wrong_totals(document, listed, shards, place)


def _refuse_wrong_totals(
    document: Mapping[str, Any],
    listed: tuple[ReleaseFile, ...],
    shards: list[ReleaseFile],
    place: str,
) -> None:
    families: dict[str, dict[str, int]] = {}
    splits = {"train": 0, "val": 0, "test": 0}
    for file in shards:
        cell = families.setdefault(file.family, {})
        cell[file.split] = cell.get(file.split, 0) + file.records
        splits[file.split] += file.records
    said = {entry["name"]: entry["records"] for entry in document["families"]}
    counted = {name: {k: v for k, v in cells.items() if v} for name, cells in said.items()}
    if {name: cells for name, cells in counted.items() if cells} != families:
        raise _invalid("The families' records are not those of the shards.", place)
    if document["splits"] != splits:
        raise _invalid("The splits' records are not those of the shards.", place)
    totals = {
        "records": sum(file.records for file in shards),
        "rows": document["provenance"]["rows"],
        "files": len(listed),
        "shards": len(shards),
        "bytes": sum(file.size for file in listed),
        "shard_bytes": sum(file.size for file in shards),
    }
    if document["totals"] != totals or not totals["records"]:
        raise _invalid("The totals are not those of the listed files.", place)


def _invalid(sentence: str, place: str) -> ReleaseError:
    return ReleaseError("release.manifest_invalid", sentence, place=place.strip())
