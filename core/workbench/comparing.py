"""What two releases have in common, and the receipt that a release leaves behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.model.names import parse_version
from core.model.progress import Progress, silent
from core.release.compare import (
    Change,
    Contents,
    RecordChanges,
    compare_manifests,
    compare_records,
    compare_weights,
    read_contents,
)
from core.release.consume import Release, open_release
from core.release.receipt import SCHEMA
from core.workbench.desk import Desk

_DECIDED = (
    "publish.intent",
    "publish.committed",
    "publish.verified",
    "smoke.finished",
    "secrets.scanned",
    "checklist.closed",
    "release.withdrawn",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Everything in which two releases differ, with the contents it was counted from."""

    records: RecordChanges
    mine: Contents
    theirs: Contents


@dataclass(frozen=True, slots=True)
class Comparing:
    """Two releases of one desk, read as a stranger reads them."""

    desk: Desk

    def manifests(self, version: str, other: str) -> Mapping[str, tuple[Change, ...]]:
        """Return what the two manifests and routings say differently, by heading.

        Raises:
            NoSuchRelease, ReleaseError: one of them cannot be opened.
        """
        mine, theirs = self._open(version), self._open(other)
        found = compare_manifests(mine.manifest.document, theirs.manifest.document)
        return {"routing": compare_weights(mine, theirs), **found}

    def records(self, version: str, other: str, progress: Progress = silent) -> Comparison:
        """Read every record of both releases and return which are new, gone or moved.

        Raises:
            NoSuchRelease, ReleaseError: one of them cannot be read whole.
        """
        mine, theirs = read_contents(self._open(version), self._open(other), progress)
        return Comparison(records=compare_records(mine, theirs), mine=mine, theirs=theirs)

    def receipt(self, version: str) -> Mapping[str, Any]:
        """Return what to keep outside the bucket to recognise this release by, later.

        Raises:
            NoSuchRelease: there is no such release.
        """
        manifest = self._open(version).manifest
        document = manifest.document
        acts = [
            {"entry": entry.seq, "type": kind, "at": entry.at, "by": entry.actor}
            for entry in self.desk.entries()
            for kind in (str(entry.event["type"]),)
            if kind in _DECIDED and entry.event.get("version") == version
        ]
        signed = ("requirement", "role", "reviewer", "at", "sha256")
        return {
            "schema": SCHEMA,
            "version": manifest.version,
            "manifest_sha256": manifest.sha256,
            "candidate": manifest.candidate,
            "policy": document["policy"]["digest"],
            "records": document["totals"]["records"],
            "files": document["totals"]["files"],
            "bytes": document["totals"]["bytes"],
            "journal": {"entry": document["journal_seq"], "sha256": document["journal_head"]},
            "signoffs": [{name: item[name] for name in signed} for item in document["signoffs"]],
            "acts": acts,
            "written_at": self.desk.now(),
        }

    def _open(self, version: str) -> Release:
        return open_release(
            self.desk.connect_reader(),
            parse_version(version),
            exports=self.desk.prefix,
            allow_withdrawn=True,
        )
