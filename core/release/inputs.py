"""What a publication is made of: ports, a candidate, ways to ask, and texts that ship beside it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from core.canonical import digest_of, sha256_hex
from core.model.candidate import Candidate
from core.model.names import Digest, ReviewerId
from core.model.progress import Progress, silent
from core.model.release import ReleaseFile
from core.model.review import ReviewState
from core.policy.types import Policy
from core.release.facts import Facts
from core.release.layout import release_prefix
from core.storage.journal import Journal
from core.storage.ports import Clock, ObjectStore


def unwatched(name: str) -> None:
    """A step that nobody watches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewEvidence:
    """One claim as it ships: its state, what it was judged by, and its summary's exact bytes.

    `exceptions` are points of the review that a reader is owed; `summary` is JSON without
    record text.
    """

    state: ReviewState
    title: str
    rubric_id: str
    rubric_version: str
    rubric: Digest
    plan: Digest
    exceptions: tuple[str, ...]
    summary: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class IncludedFile:
    """Further evidence that ships, such as the coverage report: JSON, or a page of Markdown.

    `name` is `coverage`; `suffix` is `.json` or `.md`.
    """

    name: str
    body: bytes = field(repr=False)
    suffix: str = ".json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseInputs:
    """Everything `publish_release` needs; it reads and writes nothing else.

    Attributes:
        store: the bucket, with the right to write under the exports prefix.
        fresh_store: makes the stranger's client: new, read-only where there is such a key.
        journal: where every decision stands.
        exports: the exports prefix, with its closing slash.
        candidate_key: where the candidate's bytes lie.
        read_candidate: decodes those bytes and proves their digest.
        gather_facts: asks anew, every time, what is known about the candidate.
        publisher: who publishes.
        desk: name and version of this program.
        find_private: names what is private in a text a person typed; empty means nothing.
        on_step: told the name of each step, and of each object, before it happens.
    """

    store: ObjectStore
    fresh_store: Callable[[], ObjectStore]
    journal: Journal
    clock: Clock
    exports: str
    candidate: Candidate
    candidate_key: str
    read_candidate: Callable[[bytes], Candidate]
    policy: Policy
    gather_facts: Callable[[], Facts]
    publisher: ReviewerId
    desk: str
    reviews: tuple[ReviewEvidence, ...]
    find_private: Callable[[str], tuple[str, ...]]
    included: tuple[IncludedFile, ...] = ()
    progress: Progress = silent
    on_step: Callable[[str], None] = unwatched
    sleep: Callable[[float], None] = time.sleep

    @property
    def prefix(self) -> str:
        """The release's own prefix."""
        return release_prefix(self.exports, self.candidate.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One small object of a release, whole. `name` is relative to the release's prefix."""

    name: str
    kind: str
    body: bytes = field(repr=False)

    @property
    def sha256(self) -> Digest:
        """The digest of the body."""
        return sha256_hex(self.body)

    def listed(self, prefix: str) -> ReleaseFile:
        """Return the part as the manifest lists it."""
        return ReleaseFile(
            key=prefix + self.name, sha256=self.sha256, size=len(self.body), kind=self.kind
        )


def inputs_digest(inputs: ReleaseInputs, parts: tuple[Part, ...]) -> Digest:
    """Return the digest of what the release will hold, apart from when and by whom."""
    return digest_of(
        {
            "candidate": inputs.candidate.digest,
            "policy": inputs.policy.digest,
            "desk": inputs.desk,
            "parts": sorted([part.name, part.sha256] for part in parts),
        }
    )
