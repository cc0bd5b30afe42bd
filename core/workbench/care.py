"""Readers of hard material know what comes, may stop at any time, and see what it has cost them.

What is kept about them stays in this workspace. Nobody is ranked by it, and nobody else sees it
but as a sum over several people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.model.dataset import Message
from core.model.signoff import ROLES, Person
from core.policy.types import CareRule
from core.review.exposure import Exposure, Exposures, Look, Together, exposure_of, intensity
from core.review.themes import Theme, themes_of
from core.workbench.desk import Desk


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentCard:
    """What comes, before any of it is shown. `withheld_until` is "" unless a rest is due first."""

    themes: tuple[Theme, ...]
    intensity: int
    folded: bool
    heavy: bool
    withheld_until: str


@dataclass(frozen=True, slots=True)
class Care:
    """What the desk does for the people who read."""

    desk: Desk

    @property
    def rule(self) -> CareRule:
        """The policy's care."""
        return self.desk.policy.care

    def card(
        self, messages: Sequence[Message], family: str, by: Person, *, begun: bool = False
    ) -> ContentCard:
        """Return what to say of a record before it is shown; `begun` records are not withheld."""
        self.desk.require(by, *ROLES)
        level = intensity(messages, family, self.rule)
        heavy = level >= self.rule.heavy_from
        rest = self.exposure(by).rest_until if heavy and not begun else ""
        return ContentCard(
            themes=themes_of(messages),
            intensity=level,
            folded=family in self.rule.folded_families or level >= self.rule.folded_from,
            heavy=heavy,
            withheld_until=rest,
        )

    def opened(self, digest: str, record_id: str, level: int, by: Person) -> None:
        """Keep that `by` opened a record, once."""
        self.desk.require(by, *ROLES)
        look = Look(
            candidate=digest,
            record_id=record_id,
            intensity=level,
            seconds=0,
            opened_at=self.desk.now(),
        )
        self._exposures().opened(by.id, look)

    def spent(self, digest: str, record_id: str, seconds: int, by: Person) -> None:
        """Keep how long `by` has been on a record they opened."""
        self.desk.require(by, *ROLES)
        self._exposures().spent(by.id, digest, record_id, seconds)

    def has_opened(self, digest: str, record_id: str, by: Person) -> bool:
        """Return whether `by` has opened a record before."""
        self.desk.require(by, *ROLES)
        looks = self._exposures().of(by.id)
        return any((look.candidate, look.record_id) == (digest, record_id) for look in looks)

    def exposure(self, by: Person) -> Exposure:
        """Return where `by` stands; for their own eyes."""
        self.desk.require(by, *ROLES)
        return exposure_of(self._exposures().of(by.id), self.desk.clock.now(), self.rule)

    def together(self, by: Person) -> Together | None:
        """Return all readers' last 24 hours as one sum, or None where too few have read."""
        self.desk.require(by, "review_lead")
        return self._exposures().together(self.desk.clock.now(), self.rule)

    def _exposures(self) -> Exposures:
        held = self.desk.memory.get("exposures")
        if not isinstance(held, Exposures):
            held = Exposures(self.desk.workspace)
            self.desk.memory["exposures"] = held
        return held
