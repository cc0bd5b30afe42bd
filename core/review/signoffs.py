"""A stored sign-off counts when its signature holds, its key is registered and its entry stands.

What does not count is a fault with a name, so that publishing stops at it: an object somebody
put by hand, and an entry whose object is gone, are both reasons to look.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.canonical import sha256_hex
from core.model.errors import ReviewError, TooLarge
from core.model.names import Digest, ReviewerId
from core.model.signoff import Decision, Signoff
from core.review.envelope import open_envelope
from core.storage.journal import Entry
from core.storage.ports import ObjectStore

GIVEN = "signoff.given"
REVOKED = "signoff.revoked"
_OBJECT_LIMIT = 4 << 20
_NAME = re.compile(r"(?P<requirement>.+)-[0-9a-f]{64}\.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignoffFault:
    """A sign-off that does not count, and why.

    Codes: `signoff.bad_signature`, `signoff.unknown_key`, `signoff.not_journalled`,
    `signoff.wrong_candidate`, `signoff.missing` (journalled, but the object is gone).
    `requirement` is what the object's name says, no more to be trusted than the name.
    """

    code: str
    key: str

    @property
    def requirement(self) -> str:
        """The requirement in the object's name, or "" where the name is not one of ours."""
        match = _NAME.fullmatch(self.key.rpartition("/")[2])
        return match["requirement"] if match else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedSignoffs:
    """Every sign-off that verifies (revoked ones marked), and every fault."""

    signoffs: tuple[Signoff, ...]
    faults: tuple[SignoffFault, ...]


def load_signoffs(
    store: ObjectStore,
    prefix: str,
    entries: Sequence[Entry],
    candidate: Digest,
    keys: Mapping[str, str],
) -> LoadedSignoffs:
    """Return a candidate's sign-offs and faults.

    Args:
        store: the bucket.
        prefix: the exports prefix.
        entries: the replayed journal.
        candidate: whose sign-offs.
        keys: registered public keys (hex) by key id.
    """
    signoffs: list[Signoff] = []
    faults: list[SignoffFault] = []
    journalled = _journalled(entries, candidate)
    revoked = _revoked(entries)
    seen: set[str] = set()
    for listed in store.list(signoff_folder(prefix, candidate)):
        seen.add(listed.key)
        try:
            signoff = _checked(
                read_signoff(store, listed.key), listed.key, candidate, keys, journalled
            )
        except ReviewError as error:
            faults.append(SignoffFault(code=error.code, key=listed.key))
        else:
            # A refusal stands whatever the journal says: only a new candidate answers it.
            taken_back = signoff.decision == "approve" and signoff.sha256 in revoked
            signoffs.append(dataclasses.replace(signoff, revoked=taken_back))
    faults += [
        SignoffFault(code="signoff.missing", key=key) for key in journalled if key not in seen
    ]
    return LoadedSignoffs(signoffs=tuple(signoffs), faults=tuple(faults))


def parse_signoff(body: bytes, key: str, keys: Mapping[str, str]) -> Signoff:
    """Return the sign-off of stored bytes whose signature holds.

    Raises:
        ReviewError: `signoff.bad_signature`, `signoff.unknown_key`.
    """
    statement = open_envelope(body, keys)
    predicate = statement["predicate"]
    decisions: Mapping[object, Decision] = {"approve": "approve", "refuse": "refuse"}
    try:
        return Signoff(
            id=sha256_hex(body)[:16],
            requirement=str(predicate["requirement"]),
            candidate=Digest(statement["subject"][0]["digest"]["sha256"]),
            role=str(predicate["role"]),
            reviewer=ReviewerId(str(predicate["reviewer"])),
            decision=decisions[predicate["decision"]],
            statement=predicate,
            key=key,
            sha256=sha256_hex(body),
            at=str(predicate["at"]),
        )
    except (KeyError, TypeError) as error:
        raise ReviewError(
            "signoff.bad_signature", "The statement lacks what a sign-off says.", place=key
        ) from error


def signoff_folder(prefix: str, candidate: Digest) -> str:
    """Return the prefix under which a candidate's sign-offs stand."""
    return f"{prefix}signoffs/{candidate}/"


def _checked(
    body: bytes,
    key: str,
    candidate: Digest,
    keys: Mapping[str, str],
    journalled: Mapping[str, Entry],
) -> Signoff:
    signoff = parse_signoff(body, key, keys)
    if signoff.candidate != candidate:
        raise ReviewError("signoff.wrong_candidate", "It speaks of another candidate.", place=key)
    entry = journalled.get(key)
    if entry is None or entry.actor != signoff.reviewer:
        raise _not_journalled(key)
    said = (entry.event.get("sha256"), entry.event.get("requirement"), entry.event.get("decision"))
    if said != (signoff.sha256, signoff.requirement, signoff.decision):
        raise _not_journalled(key)
    return signoff


def read_signoff(store: ObjectStore, key: str) -> bytes:
    """Return the stored bytes of one sign-off; too many of them are no sign-off."""
    try:
        return store.get(key, limit=_OBJECT_LIMIT).body
    except TooLarge:
        raise ReviewError(
            "signoff.bad_signature", "The object is too large to be a sign-off.", place=key
        ) from None


def _journalled(entries: Iterable[Entry], candidate: Digest) -> Mapping[str, Entry]:
    return {
        str(entry.event.get("key")): entry
        for entry in entries
        if entry.event.get("type") == GIVEN and entry.event.get("candidate") == candidate
    }


def _revoked(entries: Iterable[Entry]) -> frozenset[str]:
    return frozenset(
        str(entry.event.get("signoff")) for entry in entries if entry.event.get("type") == REVOKED
    )


def _not_journalled(key: str) -> ReviewError:
    return ReviewError("signoff.not_journalled", "The journal knows nothing of it.", place=key)
