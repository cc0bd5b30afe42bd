"""Every refusal of a candidate can be looked up by object and code, with the place it stands at.

A candidate holds counts; the places lie in the features of its scans, which name no text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import pyarrow.compute as pc

from core.intake.scan import known_scan, load_features, read_features
from core.model.candidate import Candidate, SourceEntry
from core.model.dataset import SourceObject
from core.model.errors import IntakeError, Missing
from core.storage.ports import ObjectStore

_UNKNOWN: Final = "row.unknown_shape"


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRow:
    """One refusal. `line` is 0 when it stands for the whole object."""

    key: str
    line: int
    code: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedCount:
    """How many rows of one object were refused for one reason, of how many rows in all."""

    key: str
    family: str
    code: str
    count: int
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownShape:
    """Rows of one object with the same unknown fields: what an intake mapping would name.

    `line` is the first of them.
    """

    key: str
    fields: tuple[str, ...]
    rows: int
    line: int


def count_rejections(candidate: Candidate) -> tuple[RejectedCount, ...]:
    """Return the refusals by object and code, the most frequent first; reads nothing."""
    counts = [
        RejectedCount(key=entry.key, family=entry.family, code=code, count=count, rows=entry.rows)
        for entry in candidate.sources
        for code, count in entry.rejected.items()
    ]
    return tuple(sorted(counts, key=lambda item: (-item.count, item.key, item.code)))


def list_rejections(
    store: ObjectStore,
    candidate: Candidate,
    prefix: str,
    *,
    key: str = "",
    code: str = "",
    limit: int = 1000,
) -> tuple[RejectedRow, ...]:
    """Return the first `limit` refusals, by object and line; of one object or code if named.

    Raises:
        IntakeError: `intake.features_gone` or `intake.features_damaged`; a build makes them anew.
    """
    found: list[RejectedRow] = []
    for entry in _entries(candidate, key, code):
        for row in _rejections(store, candidate, prefix, entry):
            if code in ("", row.code):
                found.append(row)
            if len(found) >= limit:
                return tuple(found)
    return tuple(found)


def list_unknown_shapes(
    store: ObjectStore, candidate: Candidate, prefix: str, *, key: str = "", limit: int = 200
) -> tuple[UnknownShape, ...]:
    """Return the unknown shapes, the most frequent of each object first; raises as above."""
    found: list[UnknownShape] = []
    for entry in _entries(candidate, key, _UNKNOWN):
        places: dict[tuple[str, ...], list[int]] = {}
        for row in _rejections(store, candidate, prefix, entry):
            if row.code == _UNKNOWN:
                places.setdefault(row.fields, []).append(row.line)
        shapes = [
            UnknownShape(key=entry.key, fields=fields, rows=len(lines), line=min(lines))
            for fields, lines in places.items()
        ]
        found += sorted(shapes, key=lambda shape: (-shape.rows, shape.fields))
        if len(found) >= limit:
            break
    return tuple(found[:limit])


def _entries(candidate: Candidate, key: str, code: str) -> Iterator[SourceEntry]:
    for entry in candidate.sources:
        if key in ("", entry.key) and (code in entry.rejected if code else entry.rejected):
            yield entry


def _rejections(
    store: ObjectStore, candidate: Candidate, prefix: str, entry: SourceEntry
) -> Iterator[RejectedRow]:
    scan = known_scan(
        store, source_of(entry), settings_digest=candidate.scan_settings, prefix=prefix
    )
    if scan is None:
        raise _gone(entry.key)
    try:
        body = load_features(store, scan)
    except Missing:
        raise _gone(entry.key) from None
    table = read_features(body, ["line", "kind", "code", "labels"])
    table = table.filter(pc.equal(table["kind"], "rejection"))
    for row in table.to_pylist():
        fields = json.loads(row["labels"])["fields"] if row["labels"] else ()
        yield RejectedRow(key=entry.key, line=row["line"], code=row["code"], fields=tuple(fields))


def source_of(entry: SourceEntry) -> SourceObject:
    """Return the version of the object that a candidate's entry speaks of.

    The time it was last written is not in a candidate; nothing here asks for it.
    """
    return SourceObject(
        key=entry.key,
        size=entry.size,
        etag=entry.etag,
        version_id=entry.version_id,
        modified=datetime(1970, 1, 1),  # noqa: DTZ001 - naive UTC, as everywhere
    )


def _gone(key: str) -> IntakeError:
    return IntakeError(
        "intake.features_gone",
        "The scan results of this object are gone; build again, which makes them anew.",
        place=key,
    )
