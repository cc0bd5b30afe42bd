"""Asking what is missing, publishing, verifying, smoke-testing and withdrawing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from core.canonical import decode, document_bytes, sha256_hex
from core.intake.document import candidate_key, decode_candidate
from core.model.names import Digest, Version, parse_version
from core.model.progress import Progress, silent
from core.model.release import Blocker, ChecklistLine, Verification
from core.model.signoff import Person
from core.release.approve import missing_before_publish
from core.release.inputs import IncludedFile, ReleaseInputs, ReviewEvidence, unwatched
from core.release.layout import release_prefix, smoke_prefix
from core.release.lock import LockOutcome, refuse_unlocked
from core.release.publish import DryRun, dry_run, publish_release
from core.release.receipt import Receipt
from core.release.smoke import run_isolated
from core.release.verify import load_manifest, verify_release
from core.release.withdraw import withdraw_release
from core.review.report_page import report_markdown
from core.settings import BucketSettings
from core.storage.embedded import read_only_settings
from core.storage.put_once import put_once
from core.workbench import history
from core.workbench.audit import Audit
from core.workbench.closing import close_sheet, shipped_sheet
from core.workbench.private_text import find_private, secrets_in
from core.workbench.release_evidence import ReleaseEvidence

DESK = "release-desk/0.1.0"
_TEXT_LIMIT = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A published release, and whether the smoke test and the secret scan passed on it."""

    version: Version
    manifest_key: str
    manifest_sha256: Digest
    files: int
    records: int
    smoke_passed: bool
    secrets_found: int
    lock: LockOutcome | None = None


@dataclass(frozen=True, slots=True)
class Releases(ReleaseEvidence):
    """The releases of one desk."""

    def blockers(self, digest: str, by: Person | None = None) -> tuple[Blocker, ...]:
        """Return every reason this candidate cannot be published (by `by`) now."""
        return missing_before_publish(self.facts(digest, by), self.desk.policy)

    def dry_run(self, digest: str, by: Person) -> DryRun:
        """Return every object that publishing would write now, and what stands in the way."""
        self.desk.require(by, "release_owner")
        return dry_run(self._inputs(digest, by, silent, unwatched))

    def publish(
        self,
        digest: str,
        by: Person,
        progress: Progress = silent,
        *,
        on_step: Callable[[str], None] = unwatched,
    ) -> Outcome:
        """Publish, verify as a stranger, smoke-test and search for secrets.

        Raises:
            Blocked, VersionTaken, OutcomeUnknown, ReleaseError: see `publish_release`; a
            rerun finishes what a crash interrupted. `release.not_locked` comes last of all: the
            release stands, verified and smoke-tested, and a rerun locks what is left.
        """
        self.desk.require(by, "release_owner")
        published = publish_release(self._inputs(digest, by, progress, on_step))
        on_step("smoke")
        progress(0, 0, "smoke test")
        smoke = self._consume(published.version, by)
        on_step("secrets")
        found = self.scan_secrets(published.version, by)
        self._close_sheet(published.version, by)
        refuse_unlocked(published.version, published.lock)
        return Outcome(
            version=published.version,
            manifest_key=published.manifest_key,
            manifest_sha256=published.manifest_sha256,
            files=published.verification.files,
            records=published.verification.records,
            smoke_passed=bool(smoke["passed"]),
            secrets_found=found,
            lock=published.lock,
        )

    def smoke(self, version: str, by: Person) -> Mapping[str, Any]:
        """Consume the release as a trainer would, in a process that has only the bucket."""
        self.desk.require(by, "release_owner")
        evidence = self._consume(version, by)
        self._close_sheet(version, by)
        return evidence

    def _consume(self, version: str, by: Person) -> Mapping[str, Any]:
        desk = self.desk
        name = parse_version(version)
        evidence = run_isolated(self._reader_settings(), name, exports=desk.prefix)
        body = document_bytes(evidence)
        digest = sha256_hex(body)
        key = f"{smoke_prefix(desk.prefix, name)}{digest}.json"
        put_once(desk.store, key, body)
        passed = bool(evidence.get("ok"))
        desk.record(
            by,
            "smoke.finished",
            version=name,
            manifest=str(evidence.get("manifest_sha256", "")),
            passed=passed,
            evidence=digest,
            key=key,
        )
        return {**evidence, "passed": passed, "key": key, "sha256": digest}

    def scan_secrets(self, version: str, by: Person) -> int:
        """Search what the desk itself wrote for this release for key-shaped text; journal it."""
        desk = self.desk
        desk.require(by, "release_owner")
        manifest = load_manifest(desk.store, parse_version(version), exports=desk.prefix)
        texts = [file.key for file in manifest.files if file.kind != "shard"]
        texts.append(f"{release_prefix(desk.prefix, manifest.version)}manifest.json")
        found = 0
        for key in texts:
            body = desk.store.get(key, limit=_TEXT_LIMIT).body
            found += secrets_in(desk.policy, body.decode("utf-8", errors="replace"))
        for log in sorted((desk.workspace / "jobs").glob("*.log")):
            found += secrets_in(desk.policy, log.read_text(encoding="utf-8", errors="replace"))
        desk.record(
            by,
            "secrets.scanned",
            version=manifest.version,
            manifest=manifest.sha256,
            files=len(texts),
            found=found,
        )
        return found

    def verify(
        self, version: str, progress: Progress = silent, *, receipt: Receipt | None = None
    ) -> Verification:
        """Read every byte of a release with a fresh, read-only client.

        With a `receipt` kept elsewhere, a release and a journal that are whole in themselves and
        are not the ones it vouches for are faults too.
        """
        found = verify_release(
            self.desk.connect_reader(),
            parse_version(version),
            exports=self.desk.prefix,
            progress=progress,
        )
        committed = [
            str(entry.event["manifest_sha256"])
            for entry in history.of_type(self.desk.entries(), "publish.committed")
            if entry.event["version"] == found.version
        ]
        # A manifest may be whole in itself and still not be the one that was published.
        if found.manifest_sha256 not in committed:
            place = f"release.not_committed {release_prefix(self.desk.prefix, found.version)}"
            found = replace(found, faults=(*found.faults, place))
        return found if receipt is None else self._held_against(found, receipt)

    def _held_against(self, found: Verification, receipt: Receipt) -> Verification:
        faults = list(found.faults)
        if (receipt.version, receipt.manifest_sha256) != (found.version, found.manifest_sha256):
            faults.append(f"release.other_receipt {found.version}")
        if not Audit(self.desk).verify((receipt.anchor,))[0]:
            faults.append(f"release.journal_contradicts {found.version}")
        return replace(found, faults=tuple(faults))

    def withdraw(self, version: str, reason: str, by: Person) -> None:
        """Say that a release must no longer be used. Nothing is deleted."""
        self.desk.require(by, "release_owner")
        withdraw_release(
            self.desk.store,
            self.desk.journal,
            self.desk.clock,
            exports=self.desk.prefix,
            version=parse_version(version),
            by=by.id,
            reason=reason,
            find_private=partial(find_private, self.desk.policy),
        )

    def _inputs(
        self, digest: str, by: Person, progress: Progress, on_step: Callable[[str], None]
    ) -> ReleaseInputs:
        desk = self.desk
        candidate = self.candidates.get(digest)
        _, _, coverage = self.data.store_coverage(candidate.version)
        reviews = self._review_evidence(digest)
        sheet = shipped_sheet(
            self._sheet_lines(candidate.version),
            version=candidate.version,
            candidate=candidate.digest,
            exports=desk.prefix,
        )
        return ReleaseInputs(
            store=desk.store,
            fresh_store=desk.connect_reader,
            journal=desk.journal,
            clock=desk.clock,
            exports=desk.prefix,
            candidate=candidate,
            candidate_key=candidate_key(desk.prefix, candidate.digest),
            read_candidate=decode_candidate,
            policy=desk.policy,
            gather_facts=lambda: self.facts(digest, by),
            publisher=by.id,
            desk=DESK,
            reviews=reviews,
            find_private=partial(find_private, self.desk.policy),
            included=(
                IncludedFile(name="coverage", body=coverage),
                IncludedFile(name="pii_check", body=self.pii.evidence(digest)),
                *(_readable(review) for review in reviews),
                IncludedFile(name="run_sheet", body=sheet),
            ),
            progress=progress,
            on_step=on_step,
        )

    def _sheet_lines(self, version: str) -> tuple[ChecklistLine, ...]:
        # The sheet knows the releases, so it cannot be imported above.
        from core.workbench.sheet import Sheet

        parts = (self.desk, self.data, self.candidates, self.reviews, self.signing)
        return Sheet(*parts, self, self.pii).lines(version)

    def _close_sheet(self, version: str, by: Person) -> None:
        """Keep the run sheet beside the release, now that its last lines can be known."""
        held = self.manifest_or_none(version)
        if held is None:
            return
        document, digest = held
        close_sheet(
            self.desk,
            self._sheet_lines(version),
            by,
            version=parse_version(version),
            candidate=Digest(document["candidate"]["digest"]),
            manifest=digest,
        )

    def _reader_settings(self) -> BucketSettings:
        settings = self.desk.settings
        if settings.bucket is not None:
            return settings.reader or settings.bucket
        return read_only_settings(self.desk.workspace)


def _readable(review: ReviewEvidence) -> IncludedFile:
    """Return a review's report as a page for people, made from the very bytes that ship."""
    body = report_markdown(decode(review.summary)).encode()
    return IncludedFile(name=f"review-{review.state.claim}", body=body, suffix=".md")
