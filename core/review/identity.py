"""Whoever signs holds the role, types their name, and has proved who they are just now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from core.model.errors import NotAllowed
from core.model.signoff import DeskRole, Person
from core.review.answers import moment_of
from core.review.keys import SigningKey
from core.storage.journal import Journal
from core.storage.ports import Clock, ObjectStore

FRESH = timedelta(minutes=15)
"""How long ago somebody may have proved who they are (reference: 21 CFR 11.200(a), re-signing)."""
_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningDesk:
    """Where what people sign goes. Only an `embedded` desk accepts a demo login."""

    store: ObjectStore
    journal: Journal
    prefix: str
    key: SigningKey
    clock: Clock
    embedded: bool


def check_signer(person: Person, typed_name: str, role: DeskRole, desk: SigningDesk) -> None:
    """Refuse a signature that nobody has proved to be theirs.

    Raises:
        NotAllowed: `signoff.role`, `signoff.name`, `signoff.demo_auth`, `signoff.stale_auth`.
    """
    if not person.holds(role):
        raise NotAllowed("signoff.role", "You do not hold the role.", place=role)
    if typed_name.strip() != person.name:
        raise NotAllowed("signoff.name", "The name typed is not the name you are known by.")
    if person.auth != "oidc" and not (person.auth == "demo" and desk.embedded):
        raise NotAllowed("signoff.demo_auth", "A demo login signs nothing outside the demo.")
    if not is_fresh(person, desk.clock):
        raise NotAllowed(
            "signoff.stale_auth", "Prove who you are again: the last time is too long ago."
        )


def is_fresh(person: Person, clock: Clock) -> bool:
    """Whether the provider saw this person prove who they are at most `FRESH` ago.

    Somebody whose provider does not say when (no `auth_time`) is never fresh.
    """
    if not person.auth_time:
        return False
    age = clock.now() - moment_of(person.auth_time)
    return -_SKEW <= age <= FRESH


def login_of(statement: Mapping[str, object]) -> str:
    """Return the keyed digest of the login that signed, or "" for a demo identity, which has none.

    Two statements under one key with the same digest were signed by one login, whatever ids it
    went by. Under different keys nothing can be said.
    """
    auth = statement.get("auth")
    if not isinstance(auth, Mapping) or auth.get("method") != "oidc":
        return ""
    return str(auth.get("iss_sub_hmac", ""))


def identity_of(person: Person, desk: SigningDesk) -> Mapping[str, object]:
    """Return what a signed statement says of its signer: an id, and digests only we can check.

    Printed name and subject are personal data and easy to guess, so their digests are keyed
    with the desk's own key: who holds the key can prove them, a reader learns nothing.
    """
    return {
        "reviewer": person.id,
        "printed_name_hmac": desk.key.keyed_digest(person.name),
        "auth": {
            "method": person.auth,
            "auth_time": person.auth_time,
            "iss_sub_hmac": desk.key.keyed_digest(f"{person.issuer}\n{person.subject}"),
        },
    }
