"""A version becomes a release in one atomic put, after everything it names was proven.

Each step may be killed and the whole repeated: before the commit there is no release, after it
there is a whole one, and a rerun of the same candidate ends with the same manifest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.model.dataset import Shard
from core.model.errors import Blocked, Exists, OutcomeUnknown, ReleaseError, VersionTaken
from core.model.names import Digest, Version
from core.model.release import Blocker, ReleaseFile, Verification
from core.release.approve import missing_before_publish
from core.release.choose import choose_evidence, refuse_missing_reviews
from core.release.claim import (
    COMMITTED,
    VERIFIED,
    Intent,
    abandon_intent,
    record_once,
    refuse_other_claims,
    version_state,
    write_intent,
)
from core.release.commit import commit_manifest
from core.release.document import make_documents
from core.release.draft import Chosen, draft_document, with_files
from core.release.facts import Facts
from core.release.inputs import Part, ReleaseInputs, inputs_digest
from core.release.latest import move_latest
from core.release.layout import MANIFEST, shard_name
from core.release.lock import LockOutcome, lock_release
from core.release.manifest import Manifest, encode_manifest
from core.release.objects import copy_shard, place, read_back, shard_faults, steadily
from core.release.rows import ShardReading
from core.release.standing import is_used, refuse_used_name, standing_release
from core.release.verify import verify_release
from core.storage.journal import EMPTY_HEAD

STEPS = (
    "load",
    "replay",
    "ask",
    "name",
    "intent",
    "write",
    "build",
    "look_again",
    "commit",
    "committed",
    "lock",
    "verify",
    "latest",
)
_RACES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A release that a stranger has read whole. `lock` is None when no retention was asked."""

    version: Version
    manifest_key: str
    manifest_sha256: Digest
    verification: Verification
    lock: LockOutcome | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """What publishing would write, and what stands in its way; nothing was written."""

    blockers: tuple[Blocker, ...]
    objects: tuple[ReleaseFile, ...]


def publish_release(inputs: ReleaseInputs) -> Published:
    """Publish the candidate, or finish a publication that was interrupted.

    Raises:
        Blocked: something required is unproven; no manifest was written.
        VersionTaken: the version is another candidate's, or its name was used before.
        OutcomeUnknown: the bucket did not answer; run again to settle it.
        ReleaseError: a byte is not what it should be; no release is visible unless the code
            is `release.not_verified`, which says what a stranger found.
        JournalBroken, StorageError: as their names say.
    """
    try:
        return _publish(inputs)
    except VersionTaken:
        # It may be this very candidate that another process has just published.
        standing = standing_release(inputs, inputs.journal.replay())
        if standing is None:
            raise
        return _finish(inputs, standing)


def _publish(inputs: ReleaseInputs) -> Published:
    _begin(inputs, "load")
    _load_candidate(inputs)
    _begin(inputs, "replay")
    entries = inputs.journal.replay()
    standing = standing_release(inputs, entries)
    if standing is not None:
        return _finish(inputs, standing)
    _begin(inputs, "ask")
    facts = _ask(inputs)
    _begin(inputs, "name")
    refuse_used_name(inputs, version_state(entries, inputs.candidate.version))
    _begin(inputs, "intent")
    intent, chosen = _claim(inputs, facts)
    _begin(inputs, "write")
    readings = _write(inputs, chosen)
    _begin(inputs, "build")
    body = _build(inputs, chosen, intent, readings)
    _begin(inputs, "look_again")
    _look_again(inputs, intent)
    _begin(inputs, "commit")
    manifest = commit_manifest(inputs.store, inputs.prefix + MANIFEST, body, sleep=inputs.sleep)
    return _finish(inputs, manifest, intent)


def dry_run(inputs: ReleaseInputs) -> DryRun:
    """Return every object that publishing would write now, and every blocker; write nothing."""
    _load_candidate(inputs)
    entries = inputs.journal.replay()
    state = version_state(entries, inputs.candidate.version)
    facts = _own_facts(inputs, taken=is_used(inputs, state))
    chosen = choose_evidence(inputs, facts)
    readings = [_check_shard(inputs, shard) for shard in inputs.candidate.shards]
    intent = Intent(
        version=inputs.candidate.version,
        candidate=inputs.candidate.digest,
        inputs=inputs_digest(inputs, chosen.parts),
        by=inputs.publisher,
        at=facts.at,
        desk=inputs.desk,
        previous=None,
        seq=len(entries) + 1,
        digest=EMPTY_HEAD,
    )
    draft = draft_document(inputs, chosen, intent, readings)
    listed = [ReleaseFile(**entry) for entry in draft["files"]]
    made = make_documents(draft, inputs.prefix, chosen.parts)
    listed += [part.listed(inputs.prefix) for part in made]
    listed.sort(key=lambda file: file.key)
    return DryRun(blockers=missing_before_publish(facts, inputs.policy), objects=tuple(listed))


def _begin(inputs: ReleaseInputs, step: str) -> None:
    inputs.on_step(step)
    inputs.progress(STEPS.index(step), len(STEPS), step)


def _load_candidate(inputs: ReleaseInputs) -> None:
    """The stored candidate is the one at hand, digest and all."""
    held = steadily(
        lambda: inputs.store.get(inputs.candidate_key, limit=1 << 30), sleep=inputs.sleep
    )
    if inputs.read_candidate(held.body) != inputs.candidate:
        raise ReleaseError(
            "release.candidate_changed",
            "The stored candidate is not the one that was judged.",
            place=inputs.candidate_key,
        )


def _check_shard(inputs: ReleaseInputs, shard: Shard) -> ShardReading:
    reading = read_back(inputs.store, shard.key, sleep=inputs.sleep)
    faults = shard_faults(shard, reading)
    if faults:
        raise ReleaseError(
            "release.shard_changed",
            "A shard of the candidate is not what was judged.",
            place=faults[0],
        )
    return reading


def _own_facts(inputs: ReleaseInputs, *, taken: bool) -> Facts:
    facts = inputs.gather_facts()
    if facts.candidate != inputs.candidate:
        raise ReleaseError("release.candidate_changed", "The facts are about another candidate.")
    return replace(facts, publisher=inputs.publisher, version_taken=taken)


def _ask(inputs: ReleaseInputs, claimed_by: Intent | None = None) -> Facts:
    """Ask what is missing; the name is judged apart, since a rerun finds its own."""
    facts = _own_facts(inputs, taken=False)
    publishers = {inputs.publisher, claimed_by.by if claimed_by else inputs.publisher}
    codes: dict[str, None] = {}
    for publisher in sorted(publishers):
        asked = replace(facts, publisher=publisher)
        for blocker in missing_before_publish(asked, inputs.policy):
            codes.setdefault(blocker.code)
    if codes:
        raise Blocked(
            "release.blocked",
            f"Not published. Still in the way: {', '.join(codes)}.",
            place=inputs.candidate.digest,
        )
    refuse_missing_reviews(inputs, facts)
    return facts


def _claim(inputs: ReleaseInputs, facts: Facts) -> tuple[Intent, Chosen]:
    """Write the intent, or find the one this is a rerun of; look anew whenever the head moves."""
    candidate = inputs.candidate
    for _ in range(_RACES):
        entries = inputs.journal.replay()
        state = version_state(entries, candidate.version)
        refuse_other_claims(state, candidate.digest, candidate.version)
        chosen = choose_evidence(inputs, facts)
        digest = inputs_digest(inputs, chosen.parts)
        if state.live is not None and state.live.inputs == digest:
            _ask(inputs, claimed_by=state.live)
            return state.live, chosen
        if state.live is not None:
            abandon_intent(inputs.journal, state.live, by=inputs.publisher, reason="inputs_changed")
            continue
        try:
            intent = write_intent(
                inputs.journal,
                entries,
                version=candidate.version,
                candidate=candidate.digest,
                inputs=digest,
                by=inputs.publisher,
                desk=inputs.desk,
            )
        except Exists:
            facts = _ask(inputs)
        else:
            return intent, chosen
    raise OutcomeUnknown("journal.crowded", "The journal is too busy; try again.")


def _write(inputs: ReleaseInputs, chosen: Chosen) -> list[ShardReading]:
    """Put everything but the documents under its digest, and read every byte back."""
    readings: list[ShardReading] = []
    for shard in inputs.candidate.shards:
        target = inputs.prefix + shard_name(shard)
        inputs.on_step(target)
        reading = copy_shard(inputs.store, shard, target, sleep=inputs.sleep)
        if shard_faults(shard, reading):
            raise ReleaseError("release.read_back", "A shard does not read back.", place=target)
        readings.append(reading)
    _place_parts(inputs, chosen.parts)
    return readings


def _place_parts(inputs: ReleaseInputs, parts: tuple[Part, ...]) -> None:
    for part in parts:
        inputs.on_step(inputs.prefix + part.name)
        place(inputs.store, inputs.prefix + part.name, part.body, sleep=inputs.sleep)


def _build(
    inputs: ReleaseInputs, chosen: Chosen, intent: Intent, readings: list[ShardReading]
) -> bytes:
    """Write the documents and return the manifest that lists them and all the rest."""
    draft = draft_document(inputs, chosen, intent, readings)
    documents = make_documents(draft, inputs.prefix, chosen.parts)
    _place_parts(inputs, documents)
    listed = [ReleaseFile(**entry) for entry in draft["files"]]
    listed += [part.listed(inputs.prefix) for part in documents]
    return encode_manifest(with_files(draft, listed))


def _look_again(inputs: ReleaseInputs, intent: Intent) -> None:
    """What was decided since the intent counts: ask everything again before the commit."""
    state = version_state(inputs.journal.replay(), intent.version)
    if state.committed is not None:
        return
    if state.live != intent:
        raise ReleaseError(
            "release.abandoned",
            "This attempt was given up meanwhile; nothing was published.",
            place=intent.version,
        )
    try:
        _ask(inputs, claimed_by=intent)
    except Blocked:
        abandon_intent(inputs.journal, intent, by=inputs.publisher, reason="blocked")
        raise


def _finish(inputs: ReleaseInputs, manifest: Manifest, intent: Intent | None = None) -> Published:
    """Journal the commit, lock what was asked for, have a stranger read all, move the pointer."""
    if intent is None:
        state = version_state(inputs.journal.replay(), manifest.version)
        head = manifest.document["journal_head"]
        intent = next(item for item in state.intents if item.digest == head)
    _begin(inputs, "committed")
    committed = record_once(inputs.journal, COMMITTED, intent, manifest.sha256)
    _begin(inputs, "lock")
    lock = lock_release(inputs, manifest, intent, committed)
    _begin(inputs, "verify")
    found = verify_release(
        inputs.fresh_store(), manifest.version, exports=inputs.exports, progress=inputs.progress
    )
    if found.faults or found.manifest_sha256 != manifest.sha256:
        raise ReleaseError(
            "release.not_verified",
            "The manifest stands, but a stranger does not find what it lists. Do not use it.",
            place=found.faults[0] if found.faults else manifest.version,
        )
    record_once(
        inputs.journal,
        VERIFIED,
        intent,
        manifest.sha256,
        files=found.files,
        records=found.records,
        bytes=found.bytes,
    )
    _begin(inputs, "latest")
    move_latest(inputs.store, inputs.exports, manifest.version, manifest.sha256, sleep=inputs.sleep)
    inputs.progress(len(STEPS), len(STEPS), "published")
    return Published(
        version=manifest.version,
        manifest_key=inputs.prefix + MANIFEST,
        manifest_sha256=manifest.sha256,
        verification=found,
        lock=lock,
    )
