"""Facts are everything the decision to publish rests on, gathered once and judged without I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.model.candidate import Candidate
from core.model.gate import StoredReport
from core.model.names import Digest, ReviewerId
from core.model.pii import PiiState
from core.model.review import ReviewState
from core.model.signoff import DeskRole, Signoff
from core.model.waiver import Waiver


@dataclass(frozen=True, slots=True, kw_only=True)
class SignoffFault:
    """A stored sign-off that proves nothing.

    `code` is the last word of a blocker's code: `bad_signature`, `unknown_key`,
    `role_not_held`, `unreadable`.
    """

    requirement: str
    code: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known about one candidate at one moment.

    Attributes:
        candidate: what would be published.
        at: the moment the facts were gathered, ISO 8601 UTC; waivers expire against it.
        required_gates: names of the gates that must be proven, besides the policy's own.
        reports: gate → the report that counts under the present settings, or None.
        reviews: claim → where its review stands.
        open_flags: one short id per hard-fail flag nobody has settled.
        signoffs: every sign-off whose signature holds, for any candidate of this version.
        signoff_faults: stored sign-offs of this candidate that prove nothing.
        people: who may act, and in which roles, at this moment.
        builder: who built the candidate; None when the journal does not say.
        publisher: who is about to publish; None while nobody has asked.
        waivers: every waiver whose signatures hold.
        waived_families: required family → why the release goes without it.
        unconfirmed_aliases: families matched only by an alias nobody confirmed.
        current_policy: digest of the policy in force now.
        probe_ok: whether the bucket proved that it keeps conditional writes and checksums.
        journal_ok: whether every link and every anchored head of the journal holds.
        version_taken: whether the version's name has been used before.
        embedded: whether this is the desk's own demo bucket.
        pii: family → where people's reading of it for personal data stands.
        waiver_faults: keys of what lies among the waivers and was not signed at this desk.
    """

    candidate: Candidate
    at: str
    required_gates: tuple[str, ...]
    reports: Mapping[str, StoredReport | None]
    reviews: Mapping[str, ReviewState]
    open_flags: tuple[str, ...]
    signoffs: tuple[Signoff, ...]
    signoff_faults: tuple[SignoffFault, ...]
    people: Mapping[ReviewerId, tuple[DeskRole, ...]]
    builder: ReviewerId | None
    publisher: ReviewerId | None
    waivers: tuple[Waiver, ...]
    waived_families: Mapping[str, str]
    unconfirmed_aliases: tuple[str, ...]
    current_policy: Digest
    probe_ok: bool
    journal_ok: bool
    version_taken: bool
    embedded: bool
    pii: Mapping[str, PiiState] = field(default_factory=dict)
    waiver_faults: tuple[str, ...] = ()
