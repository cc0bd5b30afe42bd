"""Asking what is missing, publishing, verifying, smoke-testing and withdrawing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

from core.canonical import decode, document_bytes, sha256_hex
from core.intake.document import candidate_key, decode_candidate
from core.model.candidate import Candidate
from core.model.errors import NoSuchRelease, ReleaseError
from core.model.names import Digest, ReviewerId, Version, parse_version
from core.model.progress import Progress, silent
from core.model.release import Blocker, ReleaseSummary, Verification
from core.model.signoff import Person, Signoff
from core.release.approve import missing_before_publish
from core.release.claim import LOCKED, NOT_LOCKED
from core.release.facts import Facts, SignoffFault
from core.release.inputs import IncludedFile, ReleaseInputs, ReviewEvidence, unwatched
from core.release.layout import MANIFEST, release_prefix, smoke_prefix
from core.release.lock import LockOutcome, refuse_unlocked, told_lock
from core.release.publish import DryRun, dry_run, publish_release
from core.release.smoke import read_evidence, run_isolated
from core.release.verify import load_manifest, verify_release
from core.release.withdraw import withdraw_release
from core.review.report_page import report_markdown
from core.review.sample import plan_digest
from core.review.signoffs import LoadedSignoffs
from core.settings import BucketSettings
from core.storage.embedded import read_only_settings
from core.storage.put_once import put_once
from core.workbench import history
from core.workbench.audit import Audit
from core.workbench.bias import known_gaps
from core.workbench.candidates import Candidates
from core.workbench.data import Data
from core.workbench.desk import Desk
from core.workbench.pii_checks import PiiChecks
from core.workbench.private_text import find_private, secrets_in
from core.workbench.review_reports import ReviewReports
from core.workbench.reviews import Reviews
from core.workbench.signing import Signing
from core.workbench.waivers import Waivers

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
class Releases:
    """The releases of one desk."""

    desk: Desk
    data: Data
    candidates: Candidates
    reviews: Reviews
    signing: Signing
    pii: PiiChecks

    # --- Before.

    def blockers(self, digest: str, by: Person | None = None) -> tuple[Blocker, ...]:
        """Return every reason this candidate cannot be published (by `by`) now."""
        return missing_before_publish(self.facts(digest, by), self.desk.policy)

    def facts(self, digest: str, by: Person | None = None) -> Facts:
        """Gather everything the decision to publish rests on."""
        desk = self.desk
        candidate = self.candidates.get(digest)
        journal_ok = Audit(desk).holds()
        entries = desk.entries()
        loaded = self.signing.load(digest)
        states = dict(self.reviews.states(digest))
        stale = self.signing.stale(digest)
        waivers = Waivers(desk, self.candidates).load(digest)
        signers = {item.reviewer for item in loaded.signoffs}
        signers |= {who for waiver in waivers.waivers for who, _ in waiver.signers}
        builders = sorted(history.builders(entries, digest))
        # Several people may have built the same bytes; one of them signing is what matters.
        builder = next((name for name in builders if name in signers), next(iter(builders), None))
        probes = list(history.of_type(entries, "probe.finished"))
        return Facts(
            candidate=candidate,
            at=desk.now(),
            required_gates=desk.policy.required_gates,
            reports=self.candidates.reports(digest),
            reviews=states,
            pii=self.pii.states(digest),
            open_flags=tuple(flag.target for flag in self.reviews.open_flags(digest)),
            signoffs=(
                *(item for item in loaded.signoffs if item not in stale),
                *self.signing.elsewhere(digest),
            ),
            signoff_faults=_faults(loaded, stale),
            people=self.reviews.people(),
            builder=ReviewerId(builder) if builder is not None else None,
            publisher=by.id if by is not None else None,
            waivers=waivers.waivers,
            waiver_faults=waivers.faults,
            waived_families=history.waived_families(entries, candidate.version),
            unconfirmed_aliases=self._unconfirmed(candidate),
            current_policy=desk.policy.digest,
            probe_ok=bool(probes) and probes[-1].event["ok"] is True,
            journal_ok=journal_ok,
            version_taken=self._taken(candidate),
            embedded=desk.settings.embedded,
        )

    def dry_run(self, digest: str, by: Person) -> DryRun:
        """Return every object that publishing would write now, and what stands in the way."""
        self.desk.require(by, "release_owner")
        return dry_run(self._inputs(digest, by, silent, unwatched))

    # --- Publishing.

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
        smoke = self.smoke(published.version, by)
        on_step("secrets")
        found = self.scan_secrets(published.version, by)
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
        desk = self.desk
        desk.require(by, "release_owner")
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

    # --- After.

    def verify(self, version: str, progress: Progress = silent) -> Verification:
        """Read every byte of a release with a fresh, read-only client."""
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
        return found

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
        """Return when and by whom this version was first verified as a stranger."""
        entries = history.of_type(self.desk.entries(), "publish.verified")
        mine = [entry for entry in entries if entry.event["version"] == version]
        if not mine:
            return None
        return {"journal": mine[-1].seq, "at": mine[-1].at, "by": mine[-1].actor}

    # --- Inner.

    def _last(self, version: str, kind: str, *names: str) -> Mapping[str, Any] | None:
        held = self.manifest_or_none(version)
        if held is None:
            return None
        for entry in reversed(self.desk.entries()):
            event = entry.event
            if event["type"] == kind and event["version"] == version:
                if event["manifest"] != held[1]:
                    return None
                return {
                    "journal": entry.seq,
                    "at": entry.at,
                    "by": entry.actor,
                    **{name: event[name] for name in names},
                }
        return None

    def _inputs(
        self, digest: str, by: Person, progress: Progress, on_step: Callable[[str], None]
    ) -> ReleaseInputs:
        desk = self.desk
        candidate = self.candidates.get(digest)
        _, _, coverage = self.data.store_coverage(candidate.version)
        reviews = self._review_evidence(digest)
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
                IncludedFile(name="run_sheet", body=self._run_sheet(candidate)),
            ),
            progress=progress,
            on_step=on_step,
        )

    def _run_sheet(self, candidate: Candidate) -> bytes:
        """Return the run sheet as it stands, to ship with the release."""
        # The sheet knows the releases, so it cannot be imported above.
        from core.workbench.sheet import Sheet

        parts = (self.desk, self.data, self.candidates, self.reviews, self.signing)
        lines = Sheet(*parts, self, self.pii).lines(candidate.version)
        document = {
            "schema": "release-desk/run-sheet/1",
            "version": candidate.version,
            "candidate": candidate.digest,
            "lines": [asdict(line) for line in lines],
        }
        return document_bytes(document)

    def _review_evidence(self, digest: str) -> tuple[ReviewEvidence, ...]:
        plans = self.reviews.plans(digest)
        states = self.reviews.states(digest)
        entries = self.desk.entries()
        reports = ReviewReports(self.desk, self.candidates, self.reviews)
        found = []
        for claim in self.desk.policy.claims:
            plan = plans.get(claim.id)
            if plan is None:
                continue
            rubric = self.reviews.rubric(claim.id)
            found.append(
                ReviewEvidence(
                    state=states[claim.id],
                    title=claim.title,
                    rubric_id=rubric.id,
                    rubric_version=rubric.version,
                    rubric=rubric.digest,
                    plan=plan_digest(plan),
                    exceptions=known_gaps(entries, digest, claim.id),
                    summary=document_bytes(reports.report(digest, claim.id)),
                )
            )
        return tuple(found)

    def _unconfirmed(self, candidate: Candidate) -> tuple[str, ...]:
        """Return the families that wait for an alias and have nothing in the candidate."""
        if self.data.snapshot() is None:
            return ()
        coverage = self.data.coverage(candidate.version)
        return tuple(
            name
            for name, found in sorted(coverage.families.items())
            if found.needs_confirmation and self.desk.policy.family(name).required
        )

    def _taken(self, candidate: Candidate) -> bool:
        """Whether another candidate, or this one, has been committed under the version's name."""
        committed = history.of_type(self.desk.entries(), "publish.committed")
        return any(entry.event["version"] == candidate.version for entry in committed)

    def _reader_settings(self) -> BucketSettings:
        settings = self.desk.settings
        if settings.bucket is not None:
            return settings.reader or settings.bucket
        return read_only_settings(self.desk.workspace)


def _readable(review: ReviewEvidence) -> IncludedFile:
    """Return a review's report as a page for people, made from the very bytes that ship."""
    body = report_markdown(decode(review.summary)).encode()
    return IncludedFile(name=f"review-{review.state.claim}", body=body, suffix=".md")


def _faults(loaded: LoadedSignoffs, stale: Sequence[Signoff]) -> tuple[SignoffFault, ...]:
    """Name what lies there as a sign-off and does not count, by what it was meant for."""
    outdated = [
        SignoffFault(requirement=item.requirement, code="outdated", key=item.key) for item in stale
    ]
    unfit = [
        SignoffFault(
            requirement=fault.requirement, code=fault.code.removeprefix("signoff."), key=fault.key
        )
        for fault in loaded.faults
    ]
    return (*outdated, *unfit)
