"""What was released, and what was found out about it since, as bucket and journal say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.canonical import sha256_hex
from core.model.errors import NoSuchRelease, ReleaseError
from core.model.names import Digest, Version, parse_version
from core.model.release import ReleaseSummary
from core.release.claim import LOCKED, NOT_LOCKED, VERIFIED
from core.release.documents.sheet import read_sheet
from core.release.layout import MANIFEST, release_prefix
from core.release.lock import LockOutcome, told_lock
from core.release.smoke import read_evidence
from core.release.verify import load_manifest
from core.workbench import history
from core.workbench.desk import Desk

_TEXT_LIMIT = 64 << 20


@dataclass(frozen=True, slots=True)
class ReleaseShelf:
    """The releases of one desk, to look at."""

    desk: Desk

    def list(self) -> tuple[ReleaseSummary, ...]:
        """Return every release the journal knows, newest first."""
        entries = self.desk.entries()
        verified = {str(e.event["version"]) for e in history.of_type(entries, "publish.verified")}
        withdrawn = {str(e.event["version"]) for e in history.of_type(entries, "release.withdrawn")}
        found = []
        for entry in history.of_type(entries, "publish.committed"):
            version = Version(str(entry.event["version"]))
            manifest = self.manifest_or_none(version)
            state = "withdrawn" if version in withdrawn else "published"
            if manifest is None:
                state = "missing"
            elif version not in verified and state == "published":
                state = "unverified"
            found.append(
                ReleaseSummary(
                    version=version,
                    state=state,
                    candidate=Digest(str(entry.event["candidate"])),
                    manifest_sha256=Digest(sha256_hex(b"")) if manifest is None else manifest[1],
                    records=0 if manifest is None else int(manifest[0]["totals"]["records"]),
                    published_at=entry.at,
                    by=entry.actor,
                )
            )
        return tuple(reversed(found))

    def manifest_or_none(self, version: str) -> tuple[Mapping[str, Any], Digest] | None:
        """Return a version's manifest document and digest, or None where there is none."""
        try:
            manifest = load_manifest(
                self.desk.store, parse_version(version), exports=self.desk.prefix
            )
        except NoSuchRelease:
            return None
        return manifest.document, manifest.sha256

    def document(self, version: str, name: str) -> str:
        """Return one of a release's documents as text."""
        held = self.manifest_or_none(version)
        prefix = release_prefix(self.desk.prefix, parse_version(version))
        listed = [] if held is None else [file["key"] for file in held[0]["files"]]
        if prefix + name not in listed:
            raise ReleaseError("release.absent", "The release has no such document.", place=name)
        return self.desk.store.get(prefix + name, limit=_TEXT_LIMIT).body.decode("utf-8")

    def manifest_body(self, version: str) -> bytes:
        """Return the manifest's exact bytes, which its digest names.

        Raises:
            NoSuchRelease: the version has no manifest.
        """
        manifest = load_manifest(self.desk.store, parse_version(version), exports=self.desk.prefix)
        key = release_prefix(self.desk.prefix, manifest.version) + MANIFEST
        return self.desk.store.get(key, limit=_TEXT_LIMIT).body

    def smoke_evidence(self, version: str) -> Mapping[str, Any] | None:
        """Return what the newest smoke test of this version's manifest wrote down, or None.

        Raises:
            ReleaseError: the stored evidence is not what its key names.
        """
        held = self.last_smoke(version)
        if held is None:
            return None
        key = str(held["key"])
        body = self.desk.store.get(key, limit=_TEXT_LIMIT).body
        if not key.endswith(f"/{sha256_hex(body)}.json"):
            raise ReleaseError("release.altered", "The smoke evidence was altered.", place=key)
        return read_evidence(body, place=key)

    def last_smoke(self, version: str) -> Mapping[str, Any] | None:
        """Return the newest smoke test bound to this version's manifest."""
        return self._last(version, "smoke.finished", "key", "passed")

    def last_secret_scan(self, version: str) -> Mapping[str, Any] | None:
        """Return the newest search for secrets bound to this version's manifest."""
        found = self._last(version, "secrets.scanned", "files", "found")
        return None if found is None else {**found, "passed": found["found"] == 0}

    def last_lock(self, version: str) -> LockOutcome | None:
        """Return what became of locking this version; what was once locked stays locked."""
        entries = self.desk.entries()
        held = [
            entry.event
            for kind in (LOCKED, NOT_LOCKED)
            for entry in reversed([*history.of_type(entries, kind)])
            if entry.event["version"] == version
        ]
        return told_lock(held[0]) if held else None

    def last_verified(self, version: str) -> Mapping[str, Any] | None:
        """Return when and by whom this version's manifest was verified as a stranger."""
        return self._last(version, VERIFIED, "files", "records", manifest="manifest_sha256")

    def last_sheet(self, version: str) -> Mapping[str, Any] | None:
        """Return the newest run sheet that was kept beside this version's manifest."""
        return self._last(version, "checklist.closed", "key", "evidence", "lines", "open")

    def closing_sheet(self, version: str) -> bytes:
        """Return the exact bytes of the newest run sheet kept beside a release, or none.

        Raises:
            ReleaseError: what is stored is not what its key names, or of an unknown form.
        """
        held = self.last_sheet(version)
        if held is None:
            return b""
        key = str(held["key"])
        body = self.desk.store.get(key, limit=_TEXT_LIMIT).body
        if not key.endswith(f"/{sha256_hex(body)}.json"):
            raise ReleaseError("release.altered", "The closing run sheet was altered.", place=key)
        read_sheet(body)
        return body

    def _last(
        self, version: str, kind: str, *names: str, manifest: str = "manifest"
    ) -> Mapping[str, Any] | None:
        held = self.manifest_or_none(version)
        if held is None:
            return None
        for entry in reversed(self.desk.entries()):
            event = entry.event
            if event["type"] == kind and event["version"] == version:
                if event[manifest] != held[1]:
                    return None
                return {
                    "journal": entry.seq,
                    "at": entry.at,
                    "by": entry.actor,
                    **{name: event[name] for name in names},
                }
        return None
