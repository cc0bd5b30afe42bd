"""Who may act is data: the people of the roster, or the demo people on the demo bucket alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from core.model.errors import NotAllowed
from core.model.names import ReviewerId, parse_reviewer
from core.model.signoff import ROLES, DeskRole, Person
from core.policy.types import PersonRule

SESSION = timedelta(hours=12)
"""A working day. Streamlit's identity cookie lasts 30 days and no setting shortens it."""
_SKEW = timedelta(minutes=5)

# Invented, and marked so in every record they leave behind.
_DEMO: tuple[tuple[str, str, tuple[DeskRole, ...]], ...] = (
    ("demo:engineer", "Demo Dataset Engineer", ("release_owner",)),
    ("demo:owner", "Demo Release Owner", ("release_owner",)),
    ("demo:lead", "Demo Review Lead", ("review_lead",)),
    ("demo:clinician-1", "Demo Clinician One", ("clinician",)),
    ("demo:clinician-2", "Demo Clinician Two", ("clinician",)),
    ("demo:bias", "Demo Bias Reviewer", ("bias_reviewer",)),
    ("demo:auditor", "Demo Auditor", ("auditor",)),
)


def demo_people(auth_time: str) -> tuple[Person, ...]:
    """Return the people one may be on the demo bucket."""
    return tuple(
        Person(id=parse_reviewer(name), name=title, roles=roles, auth="demo", auth_time=auth_time)
        for name, title, roles in _DEMO
    )


def acting_people(
    people: Sequence[PersonRule], embedded: bool
) -> Mapping[ReviewerId, tuple[DeskRole, ...]]:
    """Return who may act on this desk now, and in which roles."""
    if embedded:
        return {person.id: person.roles for person in demo_people("")}
    return {parse_reviewer(rule.id): rule.roles for rule in people}


def identify(
    people: Sequence[PersonRule], *, issuer: str, subject: str, auth_time: str
) -> Person | None:
    """Return the person an identity provider means, or None for a stranger."""
    for rule in people:
        if (rule.issuer, rule.subject) == (issuer, subject):
            return Person(
                id=parse_reviewer(rule.id),
                name=rule.name,
                roles=rule.roles,
                auth="oidc",
                auth_time=auth_time,
                issuer=issuer,
                subject=subject,
            )
    return None


def login_is_over(issued_at: float, now: datetime) -> bool:
    """Whether a login (seconds since 1970) is too old to act on, whatever its cookie says."""
    return not now - SESSION <= datetime.fromtimestamp(issued_at, UTC) <= now + _SKEW


def operator(login: str, auth_time: str) -> Person:
    """Return the person at the terminal: whoever holds the bucket's keys may build and publish.

    They cannot rate or sign; there is no command for it.
    """
    safe = re.sub(r"[^A-Za-z0-9._-]", "-", login) or "unknown"
    return Person(
        id=parse_reviewer(f"terminal:{safe}"[:80]),
        name=safe,
        roles=("release_owner",),
        auth="terminal",
        auth_time=auth_time,
    )


def check_person(people: Sequence[PersonRule], person: Person, *, embedded: bool) -> None:
    """Refuse a person whom this desk, on this bucket, does not know in the roles they claim.

    Pages keep a person for a session; this is asked again at every act.

    Raises:
        NotAllowed: a demo identity on a real bucket, a person the roster no longer lists under
            their issuer and subject, or a role they no longer hold.
    """
    if person.auth == "demo":
        known = {demo.id: demo.roles for demo in demo_people("")}
        if not embedded:
            raise NotAllowed("identity.demo_outside", "Demo identities serve the demo bucket only.")
    elif person.auth == "terminal":
        known = {person.id: ("release_owner",)}
    else:
        known = {
            parse_reviewer(rule.id): rule.roles
            for rule in people
            # An id given to somebody else since is somebody else's.
            if (rule.issuer, rule.subject) == (person.issuer, person.subject)
        }
    if person.id not in known:
        raise NotAllowed(
            "identity.unknown", "You are not on this desk's list of people; ask the release owner."
        )
    if set(person.roles) - set(known[person.id]):
        raise NotAllowed("identity.role_lost", "Your roles have changed; sign in again.")


def person_to_mapping(person: Person) -> dict[str, Any]:
    """Return `person` as JSON data for a job."""
    return {
        "id": person.id,
        "name": person.name,
        "roles": list(person.roles),
        "auth": person.auth,
        "auth_time": person.auth_time,
        "issuer": person.issuer,
        "subject": person.subject,
    }


def person_from_mapping(data: Mapping[str, Any]) -> Person:
    """Return the person a job was started by."""
    return Person(
        id=parse_reviewer(str(data["id"])),
        name=str(data["name"]),
        roles=tuple(role for role in ROLES if role in data["roles"]),
        auth=str(data["auth"]),
        auth_time=str(data["auth_time"]),
        issuer=str(data.get("issuer", "")),
        subject=str(data.get("subject", "")),
    )
