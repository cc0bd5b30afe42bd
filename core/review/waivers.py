"""A waiver takes two people in two roles; the second signs what the first signed, word for word."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from core.canonical import sha256_hex
from core.model.errors import NotAllowed, ReviewError
from core.model.gate import StoredReport
from core.model.names import Digest, Version
from core.model.signoff import DeskRole, Person
from core.model.waiver import Waiver
from core.policy.types import Policy
from core.policy.waivable import may_be_waived
from core.review.answers import moment_of
from core.review.envelope import open_envelope, seal, statement_bytes
from core.review.identity import SigningDesk, check_signer, identity_of, login_of
from core.review.waiver_objects import (
    GIVEN,
    KIND,
    MAY_WAIVE,
    PROPOSED,
    REVOKED,
    Proposal,
    decode_scope,
    read_proposal,
    read_waiver,
    waiver_folder,
)
from core.storage.journal import Journal
from core.storage.ports import timestamp
from core.storage.put_once import put_once

LONGEST = timedelta(days=30)
_REASON = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverRequest:
    """What somebody would accept: every finding of `code` in the report they were shown.

    `builders` built the candidate and sign nothing over it; `found` is how many findings.
    """

    version: Version
    candidate: Digest
    gate: str
    code: str
    found: int
    report: StoredReport
    reason: str
    days: int
    builders: frozenset[str]


def propose(
    request: WaiverRequest, policy: Policy, *, person: Person, typed_name: str, desk: SigningDesk
) -> Proposal:
    """Sign, store and journal the first half of a waiver.

    Raises:
        NotAllowed: as `check_signer`; `waiver.role`, `waiver.builder`.
        ReviewError: `waiver.not_waivable`, `waiver.nothing_found`, `waiver.reason`,
            `waiver.expiry`.
    """
    role = _role_of(person, ())
    _check(request, policy, person)
    check_signer(person, typed_name, role, desk)
    scope = {
        "gate": request.gate,
        "code": request.code,
        "count": request.found,
        "report": {"sha256": request.report.sha256},
        "reason": request.reason.strip(),
        "expires_at": timestamp(desk.clock.now() + timedelta(days=request.days)),
    }
    said = _said("proposed", scope, role, person, desk)
    stored = _file(request.version, request.candidate, said, PROPOSED, person, desk)
    return read_proposal(stored.key, stored.body, stored.statement)


def agree(
    proposal: Proposal,
    version: Version,
    policy: Policy,
    builders: frozenset[str],
    *,
    person: Person,
    typed_name: str,
    desk: SigningDesk,
) -> Waiver:
    """Sign, store and journal the second half; the waiver is whole and in force from here on.

    Raises:
        NotAllowed: as `check_signer`; `waiver.role`, `waiver.builder`, `waiver.same_person`.
        ReviewError: `waiver.not_waivable`, `waiver.expiry` when the proposal has run out.
    """
    login = login_of(identity_of(person, desk))
    if person.id == proposal.by or (login and login == proposal.login):
        raise NotAllowed("waiver.same_person", "A second person agrees to a waiver, not the first.")
    _refuse_builder(person, builders)
    role = _role_of(person, (proposal.role,))
    if not may_be_waived(policy, proposal.gate, proposal.code):
        raise _not_waivable(proposal.code)
    if moment_of(proposal.expires_at) <= desk.clock.now():
        raise ReviewError("waiver.expiry", "The proposal has expired; propose it again.")
    check_signer(person, typed_name, role, desk)
    first = decode_scope(proposal)
    inner = {
        "sha256": proposal.sha256,
        "envelope": base64.b64encode(proposal.envelope).decode("ascii"),
    }
    said = {**_said("agreed", first, role, person, desk), "proposal": inner}
    stored = _file(version, proposal.candidate, said, GIVEN, person, desk)
    return read_waiver(stored.key, stored.body, stored.statement, proposal)


def revoke_waiver(waiver: Waiver, *, person: Person, reason: str, journal: Journal) -> None:
    """Journal that a waiver no longer counts; the object stays.

    Raises:
        NotAllowed: `waiver.role` unless a signer of it, a review lead or a release owner acts.
        ReviewError: `waiver.reason`, `waiver.revoked_already`.
    """
    signed = {who for who, _ in waiver.signers}
    if person.id not in signed and not person.holds("review_lead", "release_owner"):
        raise NotAllowed("waiver.role", "Its signers, a review lead or the owner may revoke it.")
    if waiver.revoked:
        raise ReviewError("waiver.revoked_already", "This waiver is revoked already.")
    if not reason.strip() or len(reason) > _REASON:
        raise ReviewError("waiver.reason", "Say why, in at most 500 characters.")
    journal.append(
        person.id,
        {
            "type": REVOKED,
            "id": f"{REVOKED}:{waiver.sha256}:{person.id}",
            "waiver": waiver.sha256,
            "candidate": waiver.candidate,
            "gate": waiver.gate,
            "code": waiver.code,
            "reason": reason,
        },
    )


@dataclass(frozen=True, slots=True)
class _Stored:
    key: str
    body: bytes
    statement: Mapping[str, Any]


def _check(request: WaiverRequest, policy: Policy, person: Person) -> None:
    report = request.report.report
    if not may_be_waived(policy, request.gate, request.code):
        raise _not_waivable(request.code)
    if (report.gate, report.candidate, report.verdict) != (
        request.gate,
        request.candidate,
        "fail",
    ) or request.found <= 0:
        raise ReviewError("waiver.nothing_found", "This gate found nothing of the kind to accept.")
    if not request.reason.strip() or len(request.reason) > _REASON:
        raise ReviewError("waiver.reason", "Say why, in at most 500 characters.")
    if not 0 < request.days <= LONGEST.days:
        raise ReviewError("waiver.expiry", f"A waiver lasts 1 to {LONGEST.days} days.")
    _refuse_builder(person, request.builders)


def _refuse_builder(person: Person, builders: frozenset[str]) -> None:
    if person.id in builders:
        raise NotAllowed("waiver.builder", "Whoever built the candidate waives nothing in it.")


def _role_of(person: Person, taken: Sequence[str]) -> DeskRole:
    for role in MAY_WAIVE:
        if person.holds(role) and role not in taken:
            return role
    raise NotAllowed("waiver.role", "A waiver is signed in two different roles that may sign.")


def _not_waivable(code: str) -> ReviewError:
    return ReviewError(
        "waiver.not_waivable", "Nobody may waive this; a new candidate answers it.", place=code
    )


def _said(
    half: str, scope: Mapping[str, object], role: str, person: Person, desk: SigningDesk
) -> dict[str, object]:
    return {
        **scope,
        "half": half,
        "meaning": "accepts these findings for this candidate alone",
        "role": role,
        **identity_of(person, desk),
        "journal_head": desk.journal.head(),
        "at": timestamp(desk.clock.now()),
    }


def _file(
    version: Version,
    candidate: Digest,
    said: Mapping[str, object],
    kind: str,
    person: Person,
    desk: SigningDesk,
) -> _Stored:
    body = seal(statement_bytes(version, candidate, said, kind=KIND), desk.key)
    digest = sha256_hex(body)
    key = f"{waiver_folder(desk.prefix, candidate)}{said['half']}-{digest}.json"
    put_once(desk.store, key, body)
    event = {
        "type": kind,
        "id": f"{kind}:{digest}",
        "candidate": candidate,
        "gate": said["gate"],
        "code": said["code"],
        "role": said["role"],
        "expires_at": said["expires_at"],
        "key": key,
        "sha256": digest,
        "keyid": desk.key.key_id,
    }
    desk.journal.append(person.id, event)
    public = {desk.key.key_id: desk.key.public_key}
    return _Stored(key, body, open_envelope(body, public, kind=KIND))
