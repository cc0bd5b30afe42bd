"""One desk: a bucket, its journal, a policy, a clock and a local cache that may be deleted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from core.model.errors import NotAllowed
from core.model.names import Digest
from core.model.signoff import DeskRole, Person
from core.policy.roster import nobody
from core.policy.types import PersonRule, Policy
from core.review.invented import Bank, packaged_bank
from core.review.keys import registered_keys
from core.settings import Settings
from core.storage.journal import Entry, Journal
from core.storage.ports import Clock, ObjectStore, timestamp
from core.workbench.people import check_person


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What every act needs. `connect` makes a fresh client, `connect_reader` one that may
    only read, where such credentials exist; both are picklable for worker processes.

    `policy` is the one in force when the desk was opened and never changes under an act;
    `base` is the configured policy's digest where another one has been adopted over it.
    `people` is asked at every act. `bank` holds the known-bad records and the warm-ups.
    """

    settings: Settings
    store: ObjectStore
    journal: Journal
    policy: Policy
    clock: Clock
    connect: Callable[[], ObjectStore]
    connect_reader: Callable[[], ObjectStore]
    base: Digest | None = None
    people: Callable[[], tuple[PersonRule, ...]] = nobody
    bank: Bank = field(default_factory=packaged_bank)
    memory: dict[str, object] = field(default_factory=dict)

    @property
    def prefix(self) -> str:
        """Where everything of ours lies in the bucket, with its final slash."""
        return self.settings.exports_prefix

    def signing_keys(self) -> Mapping[str, str]:
        """Return the public keys believed: all registered, or of those the ones in the settings."""
        registered, listed = registered_keys(self.entries()), self.settings.trusted_keys
        return {name: key for name, key in registered.items() if not listed or name in listed}

    @property
    def configured(self) -> Digest:
        """The digest of the policy this desk was configured with."""
        return self.base or self.policy.digest

    @property
    def workspace(self) -> Path:
        """The local cache."""
        return self.settings.workspace

    def now(self) -> str:
        """The present as a stored timestamp."""
        return timestamp(self.clock.now())

    def now_at_least(self) -> str:
        """The present, or the newest entry's moment if a clock set back says less.

        What has expired is held against it, so that no clock brings it back to life.
        """
        entries = self.entries()
        return max(self.now(), entries[-1].at) if entries else self.now()

    def require(self, person: Person, *roles: DeskRole) -> None:
        """Refuse unless `person` is known here and holds one of `roles`."""
        check_person(self.people(), person, embedded=self.settings.embedded)
        if not person.holds(*roles):
            names = " or ".join(role.replace("_", " ") for role in roles)
            raise NotAllowed("role.required", f"This needs a {names}.", place=person.id)

    def record(self, person: Person, kind: str, **values: object) -> Entry:
        """Append one decision to the journal in `person`'s name."""
        event: Mapping[str, object] = {"type": kind, **values}
        return self.journal.append(person.id, event)

    def entries(self) -> tuple[Entry, ...]:
        """Every verified journal entry, oldest first; while a page is drawn, as it began."""
        return self.journal.glance()
