"""Of the waivers that lie in a bucket those hold whose halves are signed, journalled and one.

Each half is an envelope of its own, and the second carries the first whole: the one object that
ships with a release proves both. A waiver only ever adds permission, so what does not hold in
every part counts for nothing.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.canonical import sha256_hex
from core.model.errors import ReviewError
from core.model.names import Digest, ReviewerId
from core.model.signoff import DeskRole
from core.model.waiver import Waiver
from core.review.envelope import open_envelope
from core.review.identity import login_of
from core.review.signoffs import read_signoff
from core.storage.journal import Entry
from core.storage.ports import ObjectStore

KIND = "urn:release-desk:waiver:v1"
PROPOSED, GIVEN, REVOKED = "waiver.proposed", "waiver.given", "waiver.revoked"
MAY_WAIVE: tuple[DeskRole, ...] = ("release_owner", "review_lead", "clinician", "bias_reviewer")
_SCOPE = ("gate", "code", "count", "report", "reason", "expires_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One person's half. It waives nothing until somebody else in another role agrees.

    `login` is the keyed digest of the login it was signed by, "" for a demo identity.
    """

    candidate: Digest
    gate: str
    code: str
    count: int
    report: Digest
    reason: str
    expires_at: str
    by: ReviewerId
    role: DeskRole
    key: str
    sha256: Digest
    envelope: bytes
    login: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedWaivers:
    """What holds: whole waivers (revoked ones marked) and halves nobody has agreed to.

    `faults` are the keys of objects that lie there and were never signed at this desk.
    """

    waivers: tuple[Waiver, ...]
    proposals: tuple[Proposal, ...]
    faults: tuple[str, ...]


def load_waivers(
    store: ObjectStore,
    prefix: str,
    entries: Sequence[Entry],
    candidate: Digest,
    keys: Mapping[str, str],
) -> LoadedWaivers:
    """Return what holds of a candidate's waivers; see `load_signoffs` for the arguments."""
    journalled = {
        (str(entry.event["key"]), str(entry.event["sha256"])): entry
        for entry in entries
        if entry.event["type"] in (PROPOSED, GIVEN) and entry.event["candidate"] == candidate
    }
    revoked = {str(entry.event["waiver"]) for entry in entries if entry.event["type"] == REVOKED}
    proposals: dict[str, Proposal] = {}
    seconds: list[tuple[str, bytes, Mapping[str, Any]]] = []
    faults: list[str] = []
    for listed in store.list(waiver_folder(prefix, candidate)):
        try:
            body = read_signoff(store, listed.key)
            statement = open_envelope(body, keys, kind=KIND)
            said = statement["predicate"]
            entry = journalled.get((listed.key, sha256_hex(body)))
            here = statement["subject"][0]["digest"]["sha256"] == candidate
            if not here or entry is None or entry.actor != said["reviewer"]:
                # Signed and never journalled (a crash between the two), or copied: no waiver.
                faults += [] if here else [listed.key]
            elif entry.event["type"] == PROPOSED:
                proposals[sha256_hex(body)] = read_proposal(listed.key, body, statement)
            else:
                seconds.append((listed.key, body, statement))
        except (ReviewError, KeyError, TypeError, ValueError, AttributeError):
            faults.append(listed.key)
    waivers, agreed = _pair(seconds, proposals, revoked, faults)
    return LoadedWaivers(
        waivers=tuple(waivers),
        proposals=tuple(item for name, item in proposals.items() if name not in agreed),
        faults=tuple(faults),
    )


def waiver_folder(prefix: str, candidate: Digest) -> str:
    """Return the prefix under which a candidate's waivers stand."""
    return f"{prefix}waivers/{candidate}/"


def decode_scope(proposal: Proposal) -> dict[str, object]:
    """Return what a proposal waives, as both statements say it."""
    return {
        "gate": proposal.gate,
        "code": proposal.code,
        "count": proposal.count,
        "report": {"sha256": proposal.report},
        "reason": proposal.reason,
        "expires_at": proposal.expires_at,
    }


def _pair(
    seconds: Iterable[tuple[str, bytes, Mapping[str, Any]]],
    proposals: Mapping[str, Proposal],
    revoked: set[str],
    faults: list[str],
) -> tuple[list[Waiver], set[str]]:
    waivers: list[Waiver] = []
    agreed: set[str] = set()
    for key, body, statement in seconds:
        try:
            inner = statement["predicate"]["proposal"]
            proposal = proposals[inner["sha256"]]
            carried = base64.b64decode(inner["envelope"], validate=True)
            if carried != proposal.envelope:
                raise ValueError
            waiver = read_waiver(
                key, body, statement, proposal, revoked=sha256_hex(body) in revoked
            )
        except (ReviewError, KeyError, TypeError, ValueError, binascii.Error):
            faults.append(key)
        else:
            waivers.append(waiver)
            agreed.add(proposal.sha256)
    return waivers, agreed


def read_proposal(key: str, body: bytes, statement: Mapping[str, Any]) -> Proposal:
    """Return the first half that a signed statement says; ValueError if it says another."""
    said = statement["predicate"]
    if said["half"] != "proposed":
        raise ValueError
    return Proposal(
        candidate=Digest(statement["subject"][0]["digest"]["sha256"]),
        gate=str(said["gate"]),
        code=str(said["code"]),
        count=int(said["count"]),
        report=Digest(str(said["report"]["sha256"])),
        reason=str(said["reason"]),
        expires_at=str(said["expires_at"]),
        by=ReviewerId(str(said["reviewer"])),
        role=_named_role(said["role"]),
        key=key,
        sha256=sha256_hex(body),
        envelope=body,
        login=login_of(said),
    )


def read_waiver(
    key: str,
    body: bytes,
    statement: Mapping[str, Any],
    proposal: Proposal,
    *,
    revoked: bool = False,
) -> Waiver:
    """Return the waiver of two halves; ValueError unless two people in two roles say the same."""
    said = statement["predicate"]
    scope = decode_scope(proposal)
    role = _named_role(said["role"])
    login = login_of(said)
    other = said["reviewer"] != proposal.by and role != proposal.role
    # One login under two ids is one person.
    other = other and not (login and login == proposal.login)
    if said["half"] != "agreed" or not other or any(said[name] != scope[name] for name in _SCOPE):
        raise ValueError
    return Waiver(
        gate=proposal.gate,
        code=proposal.code,
        candidate=proposal.candidate,
        report=proposal.report,
        reason=proposal.reason,
        signers=((proposal.by, proposal.role), (ReviewerId(str(said["reviewer"])), role)),
        expires_at=proposal.expires_at,
        key=key,
        sha256=sha256_hex(body),
        revoked=revoked,
    )


def _named_role(name: object) -> DeskRole:
    for role in MAY_WAIVE:
        if role == name:
            return role
    raise ValueError
