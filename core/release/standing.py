"""A version's name is used once; only a rerun of the same candidate finds it its own."""

from __future__ import annotations

from core.model.errors import VersionTaken
from core.release.claim import VersionState, refuse_other_claims, version_state
from core.release.commit import standing_manifest
from core.release.inputs import ReleaseInputs
from core.release.layout import MANIFEST, shard_name
from core.release.manifest import MANIFEST_LIMIT, Manifest
from core.release.objects import held_or_none, steadily
from core.storage.journal import Entry


def standing_release(inputs: ReleaseInputs, entries: tuple[Entry, ...]) -> Manifest | None:
    """Return the manifest that stands already, if it came of an intent for this very candidate.

    Raises:
        VersionTaken: another candidate's manifest stands, or one the journal knows nothing of.
    """
    manifest = standing_manifest(inputs.store, inputs.prefix + MANIFEST, sleep=inputs.sleep)
    if manifest is None:
        return None
    document = manifest.document
    anchored = any(
        intent.digest == document["journal_head"] and intent.seq == document["journal_seq"]
        for intent in version_state(entries, inputs.candidate.version).intents
        if intent.candidate == inputs.candidate.digest
    )
    shards = sorted(shard.sha256 for shard in inputs.candidate.shards)
    if manifest.candidate != inputs.candidate.digest or not anchored:
        raise _used(inputs)
    if document["shards"] != shards:
        raise _used(inputs)
    return manifest


def is_used(inputs: ReleaseInputs, state: VersionState) -> bool:
    """Whether publishing would be refused for the version's name."""
    try:
        refuse_used_name(inputs, state)
    except VersionTaken:
        return True
    return False


def refuse_used_name(inputs: ReleaseInputs, state: VersionState) -> None:
    """Refuse a name that has been a release, is claimed, or whose prefix holds other data.

    Raises:
        VersionTaken: `version.taken`, `version.claimed` or `version.not_clean`.
    """
    candidate = inputs.candidate
    refuse_other_claims(state, candidate.digest, candidate.version)
    key = inputs.prefix + MANIFEST
    damaged = held_or_none(inputs.store, key, limit=MANIFEST_LIMIT, sleep=inputs.sleep)
    # Damaged bytes under our own live intent are a commit that went wrong on the wire.
    committing = damaged is not None and state.live is not None
    if not committing and steadily(lambda: inputs.store.was_ever(key), sleep=inputs.sleep):
        raise _used(inputs)
    planned = {inputs.prefix + shard_name(shard) for shard in candidate.shards}
    data = inputs.prefix + "chatml/"
    found = steadily(lambda: list(inputs.store.list(data)), sleep=inputs.sleep)
    for item in found:
        if item.key not in planned:
            raise VersionTaken(
                "version.not_clean",
                "Data of an abandoned attempt lies in the release's prefix. Choose another name, "
                "or have it swept by hand.",
                place=item.key,
            )


def _used(inputs: ReleaseInputs) -> VersionTaken:
    return VersionTaken(
        "version.taken",
        "This version's name has been used; choose another.",
        place=inputs.candidate.version,
    )
