"""A verdict is its stored bytes; a fail is final for its candidate and settings, an error is not.

Reports lie under `evidence/<candidate>/<gate>-<sha256>.json`, named by their own digest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from core.canonical import NotCanonical, decode, document_bytes, sha256_hex
from core.gates.gate import settings_digest
from core.model.errors import GateError
from core.model.gate import Finding, GateReport, StoredReport
from core.model.names import Digest
from core.storage.ports import ObjectStore
from core.storage.put_once import put_once

__all__ = [
    "SCHEMA",
    "decide",
    "decode_report",
    "encode_report",
    "load_reports",
    "settings_digest",
    "store_report",
]

SCHEMA = "release-desk/evidence/1"
# A report holds at most some thousands of findings per code and the measures.
REPORT_BYTES = 256 * 1024 * 1024
_ABSENT: Mapping[str, object] = {
    "family": "",
    "shard": "",
    "line": 0,
    "record_id": "",
    "turn": -1,
    "start": -1,
    "end": -1,
    "other": "",
    "detail": "",
}


def encode_report(report: GateReport) -> bytes:
    """Return the bytes a report is stored as."""
    return document_bytes(
        {
            "schema": SCHEMA,
            "gate": report.gate,
            "candidate": report.candidate,
            "settings": report.settings,
            "verdict": report.verdict,
            "examined": report.examined,
            "expected": report.expected,
            "findings": [_finding_document(finding) for finding in report.findings],
            "measures": report.measures,
            "reason": report.reason,
            "started_at": report.started_at,
            "finished_at": report.finished_at,
        }
    )


def decode_report(body: bytes, *, place: str = "") -> GateReport:
    """Return the report that `body` holds.

    Raises:
        GateError: it is no report, or it claims what its own numbers do not bear out.
    """
    try:
        document = decode(body)
        if document.pop("schema") != SCHEMA:
            raise ValueError
        report = msgspec.convert(document, GateReport, strict=True)
    except (NotCanonical, ValueError, KeyError, AttributeError, TypeError):
        raise GateError(
            "gate.evidence_unreadable",
            "A stored gate report cannot be read; run the gates again.",
            place=place,
        ) from None
    if not _bears_out(report):
        raise GateError(
            "gate.evidence_contradicts_itself",
            "A stored gate report claims a verdict that its own numbers do not bear out.",
            place=place,
        )
    return report


def store_report(store: ObjectStore, prefix: str, report: GateReport) -> StoredReport:
    """Write the report under its own digest and return it with its key."""
    body = encode_report(report)
    sha256 = sha256_hex(body)
    key = f"{prefix}evidence/{report.candidate}/{report.gate}-{sha256}.json"
    put_once(store, key, body)
    return StoredReport(report=report, key=key, sha256=sha256)


def load_reports(store: ObjectStore, prefix: str, candidate: Digest) -> tuple[StoredReport, ...]:
    """Return every report stored for the candidate, in key order.

    Raises:
        GateError: a report's bytes are not those its key names, or it is about something else.
    """
    folder = f"{prefix}evidence/{candidate}/"
    return tuple(
        _load(store, item.key, folder, candidate)
        for item in store.list(folder)
        if item.key.endswith(".json")
    )


def decide(
    reports: Iterable[StoredReport],
    gate: str,
    settings: Digest,
    *,
    candidate: Digest | None = None,
) -> StoredReport | None:
    """Return the report that counts for one gate under one settings digest, or None.

    Any fail counts before everything else and for good. Without one, the latest report counts,
    an error before a pass of the same second. A report for other settings never counts.

    Raises:
        GateError: `candidate` is not given and the reports are about more than one.
    """
    found = [
        stored
        for stored in reports
        if stored.report.gate == gate
        and stored.report.settings == settings
        and candidate in (None, stored.report.candidate)
    ]
    if len({stored.report.candidate for stored in found}) > 1:
        raise GateError("gate.mixed_evidence", "Reports of several candidates were mixed up.")
    return max(found, key=_standing, default=None)


def _standing(stored: StoredReport) -> tuple[bool, str, bool, str]:
    report = stored.report
    return (
        report.verdict == "fail",
        report.finished_at,
        report.verdict == "error",
        stored.sha256,
    )


def _load(store: ObjectStore, key: str, folder: str, candidate: Digest) -> StoredReport:
    body = store.get(key, limit=REPORT_BYTES).body
    sha256 = sha256_hex(body)
    report = decode_report(body, place=key)
    if key != f"{folder}{report.gate}-{sha256}.json" or report.candidate != candidate:
        raise GateError(
            "gate.evidence_altered",
            "A stored gate report is not the one its key names; somebody changed the bucket.",
            place=key,
        )
    return StoredReport(report=report, key=key, sha256=sha256)


def _bears_out(report: GateReport) -> bool:
    if report.verdict == "error":
        return bool(report.reason)
    proven = not report.reason and 0 < report.examined == report.expected
    return proven and (report.verdict == "fail") == bool(report.blocking)


def _finding_document(finding: Finding) -> dict[str, Any]:
    document: dict[str, Any] = {"code": finding.code, "blocking": finding.blocking}
    for name, absent in _ABSENT.items():
        value = getattr(finding, name)
        if value != absent:
            document[name] = value
    return document
