"""Who may publish a version is settled by the order of the journal, and by nothing else.

An intent claims the version for one candidate. It stays live until it is abandoned or its
manifest is committed; a rerun finds it and goes on, so that a crash changes no byte.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from core.canonical import digest_of
from core.model.errors import Exists, KeyTaken, OutcomeUnknown, ReleaseError, VersionTaken
from core.model.names import Digest, ReviewerId, Version
from core.storage.journal import EMPTY_HEAD, Entry, Journal

INTENT, ABANDONED = "publish.intent", "publish.abandoned"
COMMITTED, VERIFIED = "publish.committed", "publish.verified"
LOCKED, NOT_LOCKED = "publish.locked", "publish.not_locked"
SWEEP_BEGUN, SWEEP_DONE = "sweep.begun", "sweep.finished"
ABANDON_REASONS = {
    "another_candidate": "another candidate shall be published under this name",
    "no_longer_wanted": "this version shall not be published",
    "cannot_finish": "this publication cannot be finished",
}
"""What a person may say when they give up a publication; the journal keeps the code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A claim on a version, as the journal holds it.

    `by`, `at`, `desk` and `previous` go into the manifest, so a rerun builds the same bytes.
    """

    version: Version
    candidate: Digest
    inputs: Digest
    by: ReviewerId
    at: str
    desk: str
    previous: Mapping[str, str] | None
    seq: int
    digest: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionState:
    """What the journal says of one version. `committed` is the manifest's digest.

    `sweeping` is the digest of a sweep's entry that has begun and not ended.
    """

    intents: tuple[Intent, ...] = ()
    live: Intent | None = None
    committed: Digest | None = None
    sweeping: Digest | None = None


def version_state(entries: tuple[Entry, ...], version: Version) -> VersionState:
    """Return what the journal says of `version`."""
    state = VersionState()
    for entry in entries:
        event = entry.event
        if event.get("version") != version:
            continue
        if event["type"] == INTENT:
            intent = _intent(entry)
            state = replace(state, intents=(*state.intents, intent), live=intent)
        elif event["type"] == ABANDONED:
            if state.live is not None and event.get("intent") == state.live.digest:
                state = replace(state, live=None)
        elif event["type"] == SWEEP_BEGUN:
            state = replace(state, sweeping=entry.digest)
        elif event["type"] == SWEEP_DONE:
            state = replace(state, sweeping=None)
        elif event["type"] == COMMITTED:
            state = replace(state, committed=Digest(str(event["manifest_sha256"])))
    return state


def previous_release(entries: tuple[Entry, ...], version: Version) -> dict[str, str] | None:
    """Return the release committed last before now, or None for the first."""
    for entry in reversed(entries):
        if entry.event["type"] == COMMITTED and entry.event["version"] != version:
            return {
                "version": str(entry.event["version"]),
                "manifest_sha256": str(entry.event["manifest_sha256"]),
            }
    return None


def refuse_other_claims(state: VersionState, candidate: Digest, version: Version) -> None:
    """Raise `VersionTaken` when the version is another candidate's, published or in progress."""
    if state.committed is not None:
        raise VersionTaken(
            "version.taken", "This version has been published; choose another name.", place=version
        )
    if state.sweeping is not None:
        raise VersionTaken(
            "version.being_swept",
            "Somebody is sweeping this version's prefix. Finish the sweep, then publish.",
            place=version,
        )
    if state.live is not None and state.live.candidate != candidate:
        raise VersionTaken(
            "version.claimed",
            "Another candidate is being published as this version. Finish or abandon it first.",
            place=version,
        )


def write_intent(
    journal: Journal,
    entries: tuple[Entry, ...],
    *,
    version: Version,
    candidate: Digest,
    inputs: Digest,
    by: ReviewerId,
    desk: str,
) -> Intent:
    """Claim the version right after the last of `entries`; raise `Exists` if that has moved."""
    head = entries[-1].digest if entries else EMPTY_HEAD
    event: dict[str, object] = {
        "type": INTENT,
        "version": version,
        "candidate": candidate,
        "inputs": inputs,
        "desk": desk,
        "head": head,
        "previous": previous_release(entries, version),
    }
    # The id follows from all of it, so that two claims on one head are two events.
    event["id"] = f"{INTENT}:{digest_of({**event, 'by': by})}"
    return _intent(journal.append_after(head, by, event))


def abandon_publish(
    journal: Journal, version: Version, *, by: ReviewerId, reason: str
) -> Entry | None:
    """Give up the live intent of `version`, if there is one; `reason` is a code, not a text.

    Raises:
        ReleaseError: `release.abandon_reason`; `release.committed` when it was published.
    """
    if reason not in ABANDON_REASONS:
        raise ReleaseError(
            "release.abandon_reason", f"Say why: one of {', '.join(ABANDON_REASONS)}."
        )
    live = version_state(journal.replay(), version).live
    return abandon_intent(journal, live, by=by, reason=reason) if live is not None else None


def abandon_intent(journal: Journal, intent: Intent, *, by: ReviewerId, reason: str) -> Entry:
    """Give up one intent; doing it twice leaves one entry.

    Raises:
        ReleaseError: the version was committed meanwhile, so it must be withdrawn instead.
    """
    for _ in range(20):
        entries = journal.replay()
        for entry in entries:
            if entry.event["type"] == ABANDONED and entry.event["intent"] == intent.digest:
                return entry
        if version_state(entries, intent.version).committed is not None:
            raise ReleaseError(
                "release.committed", "The version is published; withdraw it instead."
            )
        event = {
            "type": ABANDONED,
            "id": f"{ABANDONED}:{intent.digest}",
            "version": intent.version,
            "candidate": intent.candidate,
            "intent": intent.digest,
            "reason": reason,
        }
        try:
            return journal.append_after(entries[-1].digest, by, event)
        except (Exists, KeyTaken):
            # Somebody was quicker: look what was decided.
            continue
    raise OutcomeUnknown("journal.crowded", "The journal is too busy; try again.")


def record_once(
    journal: Journal, kind: str, intent: Intent, manifest: Digest, **more: object
) -> Entry:
    """Append `publish.committed` or `publish.verified` for this manifest, exactly once.

    The actor is the intent's, so that two finishers write the same entry.
    """
    event = {
        "type": kind,
        "id": f"{kind}:{intent.version}:{manifest}",
        "version": intent.version,
        "candidate": intent.candidate,
        "manifest_sha256": manifest,
        **more,
    }
    return journal.append(intent.by, event)


def _intent(entry: Entry) -> Intent:
    event = entry.event
    previous = event["previous"]
    return Intent(
        version=Version(str(event["version"])),
        candidate=Digest(str(event["candidate"])),
        inputs=Digest(str(event["inputs"])),
        by=ReviewerId(entry.actor),
        at=entry.at,
        desk=str(event["desk"]),
        previous=dict(previous) if isinstance(previous, Mapping) else None,
        seq=entry.seq,
        digest=entry.digest,
    )
