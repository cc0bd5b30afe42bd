"""What intake refused of a candidate's sources, down to the row, and a safe look at it."""

from __future__ import annotations

from dataclasses import dataclass

from core.intake.rejected import (
    RejectedCount,
    RejectedRow,
    UnknownShape,
    count_rejections,
    list_rejections,
    list_unknown_shapes,
    source_of,
)
from core.model.errors import IntakeError
from core.model.signoff import Person
from core.workbench.candidates import Candidates
from core.workbench.desk import Desk
from core.workbench.reviews import READERS

SHOWN = 500
"""Rows looked up at once."""


@dataclass(frozen=True, slots=True)
class Refusals:
    """The refusals of one desk's candidates."""

    desk: Desk
    candidates: Candidates

    def counts(self, digest: str) -> tuple[RejectedCount, ...]:
        """Return the refusals by object and code, the most frequent first."""
        return count_rejections(self.candidates.get(digest))

    def rows(self, digest: str, *, key: str, code: str = "") -> tuple[RejectedRow, ...]:
        """Return the first refused rows of one object (and code): places, never text.

        Raises:
            IntakeError: the scan results are gone; a build makes them anew.
        """
        candidate = self.candidates.get(digest)
        return list_rejections(
            self.desk.store, candidate, self.desk.prefix, key=key, code=code, limit=SHOWN
        )

    def unknown_shapes(self, digest: str) -> tuple[UnknownShape, ...]:
        """Return the shapes nobody has named yet, with their fields; raises as `rows`."""
        return list_unknown_shapes(self.desk.store, self.candidates.get(digest), self.desk.prefix)

    def excerpt(self, digest: str, key: str, line: int, by: Person) -> str:
        """Return the beginning of a refused row, redacted, to somebody who may read records.

        Raises:
            NotAllowed: `by` may not.
            IntakeError: `source.prefix` when the candidate has no such source, or as
                `excerpt_at`.
        """
        # Imported here because the detectors take seconds to load.
        from core.intake.excerpt import excerpt_at

        self.desk.require(by, *READERS)
        sources = self.candidates.get(digest).sources
        entry = next((one for one in sources if one.key == key), None)
        if entry is None:
            raise IntakeError(
                "source.prefix", "The candidate read no such object.", place=key[:200]
            )
        return excerpt_at(self.desk.store, source_of(entry), line, self.desk.policy)
