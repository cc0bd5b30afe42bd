"""A release's objects are retained once it stands: before the commit orphans stay removable, and
a failure to lock says so without undoing what was published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from core.model.errors import ReleaseError, StorageError
from core.model.names import Version
from core.release.claim import LOCKED, NOT_LOCKED, Intent
from core.release.inputs import ReleaseInputs
from core.release.layout import MANIFEST
from core.release.manifest import Manifest
from core.release.objects import steadily
from core.storage.journal import Entry
from core.storage.ports import timestamp

MODE = "GOVERNANCE"
"""Not COMPLIANCE: a person's right to erasure stays possible through a break-glass key."""
NO_LOCK = "storage.no_lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class LockOutcome:
    """How many of a release's objects (manifest included) are retained until when.

    `code` says why not all of them are; it is empty when they are.
    """

    objects: int
    locked: int
    until: str
    code: str = ""

    @property
    def failed(self) -> bool:
        """Whether a lock that the bucket offers could not be set; trying again may help."""
        return self.code not in ("", NO_LOCK)


def lock_release(
    inputs: ReleaseInputs, manifest: Manifest, intent: Intent, committed: Entry
) -> LockOutcome | None:
    """Retain every listed object and the manifest, and journal what became of it.

    The date counts from the commit's entry, so that a rerun asks for the same one. What the
    journal says is locked is not asked of the bucket again.

    Returns:
        None when the policy asks for no retention, or it has run out.

    Raises:
        OutcomeUnknown, JournalBroken, StorageError: the journal could not be written. What the
            bucket refuses to lock is an outcome, and no error.
    """
    days = timedelta(days=inputs.policy.release.retention_days)
    until = datetime.fromisoformat(committed.at).astimezone(UTC) + days
    if not days or until <= inputs.clock.now():
        return None
    keys = [*sorted(file.key for file in manifest.files), inputs.prefix + MANIFEST]
    day = timestamp(until)
    whole = LockOutcome(objects=len(keys), locked=len(keys), until=day)
    if any(_says_locked(entry, manifest, day) for entry in inputs.journal.replay()):
        return whole
    locked = 0
    try:
        if not steadily(inputs.store.can_lock, sleep=inputs.sleep):
            raise StorageError(NO_LOCK, "The bucket has no object lock.")
        for key in keys:
            _retain(inputs, key, until)
            locked += 1
    except StorageError as error:
        whole = LockOutcome(objects=len(keys), locked=locked, until=day, code=error.code)
    _record(inputs, manifest, intent, whole)
    return whole


def refuse_unlocked(version: Version, outcome: LockOutcome | None) -> None:
    """Raise when a lock failed that the bucket offers, after everything else was done.

    Raises:
        ReleaseError: `release.not_locked`; the release stands all the same.
    """
    if outcome is not None and outcome.failed:
        raise ReleaseError(
            "release.not_locked",
            f"The release is published and whole, but only {outcome.locked} of its "
            f"{outcome.objects} objects are locked ({outcome.code}). Publish again to lock the "
            "rest.",
            place=version,
        )


def told_lock(event: Mapping[str, object]) -> LockOutcome:
    """Return the outcome a `publish.locked` or `publish.not_locked` event tells of."""
    return LockOutcome(
        objects=int(str(event["objects"])),
        locked=int(str(event["locked"])),
        until=str(event["until"]),
        code=str(event.get("code", "")),
    )


def _retain(inputs: ReleaseInputs, key: str, until: datetime) -> None:
    steadily(lambda: inputs.store.retain(key, until), sleep=inputs.sleep)


def _says_locked(entry: Entry, manifest: Manifest, until: str) -> bool:
    event = entry.event
    return (
        event["type"] == LOCKED
        and event["manifest_sha256"] == manifest.sha256
        and event["until"] == until
    )


def _record(
    inputs: ReleaseInputs, manifest: Manifest, intent: Intent, outcome: LockOutcome
) -> None:
    """Write the outcome down; the same outcome of a rerun is the same entry."""
    kind = NOT_LOCKED if outcome.code else LOCKED
    event: dict[str, object] = {
        "type": kind,
        "version": manifest.version,
        "candidate": manifest.candidate,
        "manifest_sha256": manifest.sha256,
        "mode": MODE,
        "until": outcome.until,
        "objects": outcome.objects,
        "locked": outcome.locked,
    }
    name = f"{kind}:{manifest.version}:{manifest.sha256}:{outcome.until}"
    if outcome.code:
        event["code"] = outcome.code
        name += f":{outcome.code}:{outcome.locked}"
    inputs.journal.append(intent.by, {**event, "id": name})
