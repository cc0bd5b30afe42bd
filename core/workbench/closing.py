"""A run sheet is kept twice: in the release, as it stood before it, and beside it, as it closed.

What only the finished release can show cannot be in a release: its manifest lists every object by
digest, the shipped sheet among them. So the shipped sheet says where the rest will be.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from core.canonical import document_bytes, sha256_hex
from core.model.names import Digest, Version
from core.model.release import ChecklistLine
from core.model.signoff import Person
from core.release.documents.sheet import AFTER, AFTERWARDS, SCHEMA
from core.release.layout import sheets_prefix
from core.storage.put_once import put_once
from core.workbench.desk import Desk

CLOSED = "checklist.closed"


def shipped_sheet(
    lines: Iterable[ChecklistLine], *, version: Version, candidate: Digest, exports: str
) -> bytes:
    """Return the sheet that goes into the release; its last lines point to the closing one."""
    place = sheets_prefix(exports, version)
    told = []
    for line in lines:
        row = asdict(line)
        if line.id in AFTER and line.state == "not_started":
            row |= {"state": AFTERWARDS, "why": f"Known once the release stands: see {place}"}
        told.append(row)
    return _document(version, candidate, "", told)


def close_sheet(
    desk: Desk,
    lines: Iterable[ChecklistLine],
    by: Person,
    *,
    version: Version,
    candidate: Digest,
    manifest: Digest,
) -> str:
    """Store the sheet as it stands now beside the release, journal it, and return its key."""
    told = [asdict(line) for line in lines]
    body = _document(version, candidate, manifest, told)
    digest = sha256_hex(body)
    key = f"{sheets_prefix(desk.prefix, version)}{digest}.json"
    put_once(desk.store, key, body)
    still_open = sorted(row["id"] for row in told if row["state"] not in ("done", "waived"))
    desk.record(
        by,
        CLOSED,
        version=version,
        manifest=manifest,
        evidence=digest,
        key=key,
        lines=len(told),
        open=still_open,
    )
    return key


def _document(
    version: Version, candidate: Digest, manifest: str, lines: list[dict[str, Any]]
) -> bytes:
    return document_bytes(
        {
            "schema": SCHEMA,
            "version": version,
            "candidate": candidate,
            "manifest": manifest,
            "lines": lines,
        }
    )
