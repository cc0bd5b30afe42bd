"""The lines of the run sheet that only a finished release can close, from what was found in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core.model.names import Digest
from core.model.release import ChecklistLine, LineState
from core.release.layout import MANIFEST, NOTES, release_prefix
from core.workbench.release_shelf import ReleaseShelf
from core.workbench.sheet_words import Judged, checklist_line

Evidence = Mapping[str, object]


class Published:
    """What stands of a version's release, asked once per sheet."""

    def __init__(self, releases: ReleaseShelf, version: str) -> None:
        self.manifest = releases.manifest_or_none(version) if version else None
        stands = self.manifest is not None
        self.smoke = releases.last_smoke(version) if stands else None
        self.secrets = releases.last_secret_scan(version) if stands else None
        self.verified = releases.last_verified(version) if stands else None
        self._exports = releases.desk.prefix

    @property
    def document(self) -> Mapping[str, Any]:
        """The manifest; empty while there is none."""
        return {} if self.manifest is None else self.manifest[0]

    @property
    def candidate(self) -> Digest | None:
        """The candidate that was published."""
        return None if self.manifest is None else Digest(self.document["candidate"]["digest"])

    def named(self) -> Evidence:
        """Return the manifest as evidence: its key and its digest."""
        if self.manifest is None:
            return {}
        prefix = release_prefix(self._exports, self.document["version"])
        return {"key": prefix + MANIFEST, "sha256": self.manifest[1]}

    def file(self, begins: str) -> Evidence | None:
        """Return the first listed object whose name inside the release begins so."""
        for file in self.document.get("files", ()):
            name = file["key"].removeprefix(release_prefix(self._exports, self.document["version"]))
            if name.startswith(begins):
                return {"key": file["key"], "sha256": file["sha256"]}
        return None

    def waived_gates(self) -> frozenset[str]:
        """Return the gates for which the release ships a waiver."""
        return frozenset(str(item["gate"]) for item in self.document.get("waivers", ()))

    def shipped_gates(self) -> Mapping[str, Judged]:
        """Return what the release says of each gate; empty while there is none."""
        return {str(item["gate"]): item for item in self.document.get("gates", ())}


def access_lines(facts: Published) -> Iterator[ChecklistLine]:
    """Yield the ground rules that are shown by a release: read from the bucket, no secrets."""
    yield checklist_line(
        "0.2",
        "S3-first: training reads from S3, local is a cache",
        _passed(facts.smoke),
        _smoke_words(facts.smoke, "without the desk's folders, by a key that may only read"),
        "releases",
        *_given(facts.smoke),
    )
    secrets = facts.secrets
    yield checklist_line(
        "0.3",
        "No secrets committed or printed",
        _passed(secrets),
        "Searched when the release is published."
        if secrets is None
        else f"{secrets['files']} of the release's own files and the jobs' logs were searched "
        f"for key-shaped text; found: {secrets['found']}.",
        "releases",
        *_given(secrets),
    )


def artefact_lines(facts: Published) -> Iterator[ChecklistLine]:
    """Yield the lines about what stands under the release's prefix."""
    titles = (
        ("3.1", "Manifest under the release prefix, every field proven"),
        ("3.2", "ChatML JSONL export exists and the manifest references it"),
        ("3.3", "Routing config matches the included families; weights sum to 1"),
    )
    words = _artefact_words(facts)
    for number, title in titles:
        if facts.manifest is None:
            why = "Nothing has been published."
            yield checklist_line(number, title, "not_started", why, "publish")
        elif facts.verified is None:
            why = "Published, not yet verified."
            yield checklist_line(number, title, "blocked", why, "releases")
        else:
            why, evidence = words[number]
            yield checklist_line(number, title, "done", why, "releases", *evidence)


def _artefact_words(facts: Published) -> Mapping[str, tuple[str, list[Evidence]]]:
    if facts.manifest is None or facts.verified is None:
        return {}
    verified, named, document = facts.verified, facts.named(), facts.document
    totals, routing = document["totals"], document["routing"]
    splits = [
        {"split": split, "shards": len(keys), "records": document["splits"][split]}
        for split, keys in document["export"]["splits"].items()
    ]
    return {
        "3.1": (
            f"{totals['files']:,} objects re-read as a stranger, every digest and count proven.",
            [named, verified],
        ),
        "3.2": (
            f"{totals['shards']:,} shards with {totals['records']:,} records, each row parsed.",
            [*splits, verified],
        ),
        "3.3": (
            "Each phase's shares sum to 1 over the families that hold records.",
            [{"key": routing["key"], "sha256": routing["sha256"]}, verified],
        ),
    }


def training_lines(facts: Published) -> Iterator[ChecklistLine]:
    """Yield the lines about training and notes."""
    yield checklist_line(
        "6.1",
        "Training consumes the release from S3 end to end",
        _passed(facts.smoke),
        _smoke_words(facts.smoke, "every row parsed, rendered and counted"),
        "releases",
        *_given(facts.smoke),
    )
    notes = facts.file(NOTES)
    if facts.manifest is None:
        state: LineState = "not_started"
        why, page = "Written when published.", "publish"
    elif notes is None:
        state, why, page = "blocked", "The release has no RELEASE_NOTES.md.", "releases"
    else:
        state, page = ("done" if facts.verified else "blocked"), "releases"
        why = "RELEASE_NOTES.md stands in the release, with the text to paste elsewhere."
    yield checklist_line("6.2", "Release notes updated", state, why, page, *_given(notes))


def _passed(evidence: Evidence | None) -> LineState:
    if evidence is None:
        return "not_started"
    return "done" if evidence.get("passed") is True else "blocked"


def _smoke_words(smoke: Evidence | None, how: str) -> str:
    if smoke is None:
        return "The smoke test has not run on this release."
    if smoke.get("passed") is not True:
        return "The smoke test failed."
    return f"The smoke test read the release from the bucket: {how}."


def _given(evidence: Evidence | None) -> list[Evidence]:
    return [] if evidence is None else [evidence]
