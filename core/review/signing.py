"""A sign-off binds a named person, a meaning and the evidence shown to one candidate digest.

It is refused at the desk, never by a disabled button: role, name, fresh proof of identity,
independence from the build, one role per person and candidate, and a review that is ready.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.canonical import sha256_hex
from core.model.errors import NotAllowed, ReviewError
from core.model.names import Digest, ReviewerId, Version
from core.model.review import ReviewState, SamplePlan
from core.model.signoff import Decision, Person, Signoff
from core.policy.types import SignoffRule
from core.review.acts import StoredAct
from core.review.beside import acts_statement
from core.review.envelope import seal, statement_bytes
from core.review.identity import SigningDesk, check_signer, identity_of, login_of
from core.review.plans import plan_digest
from core.review.ratings import StoredRating, ratings_digest
from core.review.settlements import StoredSettlement, settlements_digest
from core.review.signoffs import GIVEN, REVOKED, parse_signoff, read_signoff, signoff_folder
from core.storage.journal import Journal
from core.storage.ports import timestamp
from core.storage.put_once import put_once

_REASON_LIMIT = 500
BASIS = "release-desk/review-basis/2"
_FIRST_RESTS_ON = ("sample", "rubric", "ratings", "settlements")
"""What a sign-off without a `basis` rests on: the first desks bound no more than these."""
_RESTS_ON: Mapping[object, tuple[str, ...]] = {
    None: _FIRST_RESTS_ON,
    BASIS: (*_FIRST_RESTS_ON, "acts"),
}
_INDEPENDENT = ("clinician", "bias_reviewer")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewBasis:
    """What a reviewer's sign-off rests on: the plan, what was answered, and where it stands.

    `acts` are those beside the ratings, `known_bad` the answers to known-bad records.
    """

    plan: SamplePlan
    state: ReviewState
    ratings: tuple[StoredRating, ...]
    settlements: tuple[StoredSettlement, ...]
    acts: tuple[StoredAct, ...] = ()
    known_bad: tuple[StoredRating, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SignoffRequest:
    """A decision as the person saw it. `basis` is None for the release decision.

    `evidence` maps each gate to the digest of the stored report that was shown, and
    `statement` is the sentence shown for a decision without a basis. `exceptions` are codes.
    """

    version: Version
    candidate: Digest
    requirement: SignoffRule
    decision: Decision
    evidence: Mapping[str, Digest]
    basis: ReviewBasis | None
    builder: ReviewerId
    statement: str = ""
    exceptions: tuple[str, ...] = ()


def sign(
    request: SignoffRequest,
    *,
    person: Person,
    typed_name: str,
    desk: SigningDesk,
    given: Sequence[Signoff],
) -> Signoff:
    """Sign, store and journal one decision; return it as it can be loaded again.

    Args:
        request: the decision.
        person: who signs, as their login says in this very run.
        typed_name: the name they typed.
        desk: where it goes.
        given: the candidate's sign-offs so far, revoked ones included.

    Raises:
        NotAllowed: `signoff.role`, `signoff.name`, `signoff.stale_auth`, `signoff.demo_auth`,
            `signoff.builder`, `signoff.two_roles`.
        ReviewError: `signoff.not_ready`, `signoff.wrong_candidate`, `signoff.refused_already`,
            `signoff.already_given`, `signoff.statement`.
    """
    check_signer(person, typed_name, request.requirement.role, desk)
    resumed = _resume(request.candidate, request.requirement, person, desk, given)
    for signoff in resumed:
        if signoff.decision == request.decision and not _outdated(signoff, request):
            return signoff
    _check_independence(request, person, desk, (*given, *resumed))
    _check_basis(request)
    predicate = _predicate(request, person, desk)
    body = seal(statement_bytes(request.version, request.candidate, predicate), desk.key)
    digest = sha256_hex(body)
    key = f"{signoff_folder(desk.prefix, request.candidate)}{request.requirement.id}-{digest}.json"
    put_once(desk.store, key, body)
    signoff = parse_signoff(body, key, {desk.key.key_id: desk.key.public_key})
    desk.journal.append(person.id, _event(signoff, desk))
    return signoff


def is_stale(signoff: Signoff, basis: ReviewBasis) -> bool:
    """Return whether anything a reviewer's sign-off rests on has changed since it was given."""
    return bool(changed_since(signoff, basis))


def changed_since(signoff: Signoff, basis: ReviewBasis) -> tuple[str, ...]:
    """Name what has changed since a reviewer's sign-off was given; nothing while it holds.

    One of another form than this desk knows counts as changed: `basis`.
    """
    said, now = signoff.statement, _reviewed(basis)
    rests_on = _RESTS_ON.get(said.get("basis"))
    if rests_on is None:
        return ("basis",)
    return tuple(name for name in rests_on if said.get(name) != now[name])


def revoke(signoff: Signoff, *, person: Person, reason: str, journal: Journal) -> None:
    """Journal that a sign-off no longer counts; the object stays.

    Raises:
        NotAllowed: `signoff.role` unless the signer, a review lead or a release owner acts,
            `signoff.refusal_stands` for a refusal: only a new candidate answers it.
        ReviewError: `signoff.reason`, `signoff.revoked_already`.
    """
    if person.id != signoff.reviewer and not person.holds("review_lead", "release_owner"):
        raise NotAllowed("signoff.role", "Only the signer, a review lead or the owner may revoke.")
    if signoff.decision == "refuse":
        raise NotAllowed("signoff.refusal_stands", "A refusal stands until a new candidate.")
    if signoff.revoked:
        raise ReviewError("signoff.revoked_already", "This sign-off is revoked already.")
    if not reason.strip() or len(reason) > _REASON_LIMIT:
        raise ReviewError("signoff.reason", "Say why, in at most 500 characters.")
    journal.append(
        person.id,
        {
            "type": REVOKED,
            "id": f"{REVOKED}:{signoff.sha256}:{person.id}",
            "signoff": signoff.sha256,
            "candidate": signoff.candidate,
            "requirement": signoff.requirement,
            "reason": reason,
        },
    )


def _check_independence(
    request: SignoffRequest, person: Person, desk: SigningDesk, given: Sequence[Signoff]
) -> None:
    requirement = request.requirement
    if requirement.role in _INDEPENDENT and person.id == request.builder:
        raise NotAllowed("signoff.builder", "Whoever built the candidate may not review it.")
    standing = [
        signoff
        for signoff in given
        if signoff.candidate == request.candidate and not signoff.revoked
    ]
    login = login_of(identity_of(person, desk))
    for signoff in standing:
        same = signoff.reviewer == person.id or (login and login_of(signoff.statement) == login)
        if same and signoff.role != requirement.role:
            raise NotAllowed(
                "signoff.two_roles",
                "You have signed this candidate in another role.",
                place=signoff.role,
            )
        if signoff.requirement != requirement.id:
            continue
        if signoff.decision == "refuse" and request.decision == "approve":
            raise ReviewError(
                "signoff.refused_already", "This was refused; only a new candidate answers that."
            )
        again = (signoff.reviewer, signoff.decision) == (person.id, request.decision)
        if again and not _outdated(signoff, request):
            raise ReviewError("signoff.already_given", "You have signed this already.")


def _check_basis(request: SignoffRequest) -> None:
    claim, basis = request.requirement.claim, request.basis
    if not claim:
        if basis is not None or not request.statement.strip():
            raise ReviewError("signoff.statement", "A release decision states what it decides.")
        return
    if basis is None:
        raise ReviewError("signoff.not_ready", "No sample is frozen for this claim.", place=claim)
    plan, state = basis.plan, basis.state
    strangers = [
        stored
        for stored in basis.ratings
        if stored.rating.claim != claim
        or not (stored.carried or stored.rating.candidate == request.candidate)
    ]
    if plan.candidate != request.candidate or strangers:
        raise ReviewError("signoff.wrong_candidate", "The review is of another candidate.")
    if plan.claim != claim or state.claim != claim:
        raise ReviewError("signoff.not_ready", "The review is of another claim.", place=claim)
    if request.decision == "approve" and (state.state != "ready" or state.open_points):
        raise ReviewError(
            "signoff.not_ready", "The review is not finished, or did not pass.", place=claim
        )


def _predicate(request: SignoffRequest, person: Person, desk: SigningDesk) -> Mapping[str, object]:
    basis = request.basis
    reviewed = {} if basis is None else {**_reviewed(basis), "dissents": basis.state.dissents}
    return {
        "requirement": request.requirement.id,
        "role": request.requirement.role,
        "decision": request.decision,
        "meaning": meaning_of(request.decision, request.exceptions),
        "statement": basis.state.sentence if basis is not None else request.statement,
        "evidence": {gate: {"sha256": digest} for gate, digest in request.evidence.items()},
        **reviewed,
        "exceptions": request.exceptions,
        **identity_of(person, desk),
        "journal_head": desk.journal.head(),
        "at": timestamp(desk.clock.now()),
    }


def _reviewed(basis: ReviewBasis) -> Mapping[str, object]:
    return {
        "basis": BASIS,
        "sample": {"sha256": plan_digest(basis.plan)},
        "rubric": {"sha256": basis.plan.rubric},
        "ratings": {"sha256": ratings_digest(basis.ratings)},
        "settlements": {"sha256": settlements_digest(basis.settlements)},
        "acts": acts_statement(basis.acts, basis.known_bad),
    }


def meaning_of(decision: Decision, exceptions: Sequence[str]) -> str:
    """Return what the signature means, in the words shown beside it."""
    if decision == "refuse":
        return "reviewed and refused"
    return "reviewed and approved" + (" with exceptions" if exceptions else "")


def _event(signoff: Signoff, desk: SigningDesk) -> Mapping[str, object]:
    return {
        "type": GIVEN,
        "id": f"{GIVEN}:{signoff.sha256}",
        "candidate": signoff.candidate,
        "requirement": signoff.requirement,
        "role": signoff.role,
        "reviewer": signoff.reviewer,
        "decision": signoff.decision,
        "key": signoff.key,
        "sha256": signoff.sha256,
        "keyid": desk.key.key_id,
    }


def _resume(
    candidate: Digest,
    requirement: SignoffRule,
    person: Person,
    desk: SigningDesk,
    given: Sequence[Signoff],
) -> list[Signoff]:
    """Journal what this person signed before a crash came between the object and its entry.

    Without this the orphan would be a fault that blocks the candidate for ever.
    """
    known = {signoff.key for signoff in given}
    resumed = []
    for listed in desk.store.list(f"{signoff_folder(desk.prefix, candidate)}{requirement.id}-"):
        if listed.key in known:
            continue
        signoff = _made_here(listed.key, desk)
        if signoff is None:
            continue
        said = (signoff.candidate, signoff.requirement, signoff.reviewer)
        named = listed.key.endswith(f"/{signoff.requirement}-{signoff.sha256}.json")
        if named and said == (candidate, requirement.id, person.id):
            desk.journal.append(person.id, _event(signoff, desk))
            resumed.append(signoff)
    return resumed


def _made_here(key: str, desk: SigningDesk) -> Signoff | None:
    """Return the sign-off if this desk's key signed it; others are faults when they are loaded."""
    own = {desk.key.key_id: desk.key.public_key}
    try:
        return parse_signoff(read_signoff(desk.store, key), key, own)
    except ReviewError:
        return None


def _outdated(signoff: Signoff, request: SignoffRequest) -> bool:
    return request.basis is not None and is_stale(signoff, request.basis)
