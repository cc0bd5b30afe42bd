"""What a broken or abandoned publication leaves behind, and who may clear it away."""

from __future__ import annotations

from dataclasses import dataclass

from core.model.errors import ReleaseError
from core.model.names import parse_version
from core.model.signoff import Person
from core.release.claim import ABANDON_REASONS, Intent, abandon_publish, version_state
from core.release.sweep import Orphan, list_orphans, sweep_version
from core.storage.journal import Entry
from core.workbench.desk import Desk

REASONS = ABANDON_REASONS


@dataclass(frozen=True, slots=True)
class Leftovers:
    """The unfinished publications of one desk."""

    desk: Desk

    def claim(self, version: str) -> Intent | None:
        """Return who claimed this version for which candidate and has not finished, or None."""
        state = version_state(self.desk.entries(), parse_version(version))
        return state.live if state.committed is None else None

    def abandon(self, version: str, reason: str, by: Person) -> Entry:
        """Give up a publication that will not be finished. Nothing it wrote is deleted.

        Any release owner may: whoever began it may be gone. A publisher still at work finds
        out before its commit and stops.

        Raises:
            ReleaseError: `release.not_claimed`, `release.committed`, `release.abandon_reason`.
        """
        self.desk.require(by, "release_owner")
        entry = abandon_publish(self.desk.journal, parse_version(version), by=by.id, reason=reason)
        if entry is None:
            raise ReleaseError(
                "release.not_claimed", "No publication of this version is under way.", place=version
            )
        return entry

    def orphans(self) -> tuple[Orphan, ...]:
        """Return what lies under the releases and belongs to none, and why any of it stays."""
        return list_orphans(self.desk.store, self.desk.journal, self.desk.prefix)

    def sweep(self, version: str, by: Person) -> tuple[Orphan, ...]:
        """Remove one version's orphans that may go, and journal it; see `sweep_version`."""
        self.desk.require(by, "release_owner")
        return sweep_version(
            self.desk.store,
            self.desk.journal,
            self.desk.prefix,
            parse_version(version),
            by=by.id,
        )
