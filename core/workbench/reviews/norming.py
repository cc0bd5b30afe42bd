"""Beside the ratings: extra records, and blind votes shown and cast again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.model.errors import NotAllowed, ReviewError
from core.model.signoff import Person
from core.review.acts import REASONS
from core.review.agreement import Coefficient
from core.review.answers import check_scores
from core.review.norming import NormingRoom, alphas, norming_room
from core.workbench.reviews.basis import ReviewArea

_MOST_EXTRA = 200


@dataclass(frozen=True, slots=True)
class Norming(ReviewArea):
    """The acts beside the ratings of one desk."""

    def choose_extra(
        self, digest: str, claim: str, record_ids: Sequence[str], rule: str, by: Person
    ) -> int:
        """Ask for records to be read beside the sample; return how many are new.

        They were chosen, so no bound may rest on them; a flag on one stops the family as any.

        Raises:
            ReviewError: `review.reason` without a rule they were chosen by, `review.extra` for
                too many at once, `review.no_such_record` for one the candidate does not ship.
        """
        self.desk.require(by, "review_lead")
        plan, families = self.plan(digest, claim), self._claim(claim).families
        if not rule.strip():
            raise ReviewError("review.reason", "Say by which rule these records were chosen.")
        known = set(plan.records) | self.extras(digest, claim)
        new = [name for name in dict.fromkeys(record_ids) if name not in known]
        if len(new) > _MOST_EXTRA:
            raise ReviewError("review.extra", f"At most {_MOST_EXTRA} extra records at once.")
        for name in new:
            if self._beside(digest, name).family not in families:
                raise ReviewError("review.extra", "A record is of another family.", place=name)
        for name in new:
            self._keep(digest, claim, "extra", name, by, why=rule.strip())
        if new:
            self.desk.record(by, "extra.chosen", candidate=digest, claim=claim, records=len(new))
        return len(new)

    def rooms(self, digest: str, claim: str) -> tuple[NormingRoom, ...]:
        """Return every record whose blind votes were shown, in order of record."""
        acts, ratings = self.acts(digest, claim), self.ratings(digest, claim)
        records = sorted({one.act.record_id for one in acts if one.act.kind == "reveal"})
        return tuple(norming_room(record, ratings, acts) for record in records)

    def alphas(self, digest: str, claim: str) -> tuple[Coefficient, Coefficient]:
        """Return the agreement in those rooms, blind and after the talk."""
        return alphas(self.rooms(digest, claim))

    def reveal(self, digest: str, claim: str, record_id: str, by: Person) -> NormingRoom:
        """Show the blind votes on a record to those who cast them.

        Raises:
            ReviewError: `review.still_blind` before two people have answered.
        """
        self.desk.require(by, "review_lead")
        readers = {
            stored.rating.reviewer
            for stored in self.ratings(digest, claim)
            if stored.rating.record_id == record_id
        }
        if len(readers) < 2:
            raise ReviewError(
                "review.still_blind", "Votes are shown when two people have cast one."
            )
        if not any(room.record_id == record_id for room in self.rooms(digest, claim)):
            self._keep(digest, claim, "reveal", record_id, by, why="")
            self.desk.record(
                by, "norming.opened", candidate=digest, claim=claim, record_id=record_id
            )
        return self._room(digest, claim, record_id)

    def revote(
        self,
        digest: str,
        claim: str,
        record_id: str,
        by: Person,
        scores: Mapping[str, str],
        reason: str,
        note: str,
    ) -> NormingRoom:
        """Say what one would answer now, and why one differed; the blind vote stays as it was.

        Raises:
            ReviewError: `review.still_blind`, `review.reason` for none of the reasons offered,
                `review.answer`, `review.note`.
            NotAllowed: `review.not_a_voter` for somebody who cast no blind vote on the record.
        """
        self.desk.require(by, self._claim(claim).role)
        room = self._room(digest, claim, record_id)
        if not room.revealed:
            raise ReviewError("review.still_blind", "The votes on this record are still blind.")
        if not any(by.id in answers for answers in room.before.values()):
            raise NotAllowed("review.not_a_voter", "Only those who voted blind vote again.")
        if reason not in REASONS:
            raise ReviewError("review.reason", "Say why the votes differed.")
        check_scores(scores, self.rubric(claim))
        self._keep(
            digest, claim, "revote", record_id, by, why=reason, note=note, scores=dict(scores)
        )
        return self._room(digest, claim, record_id)

    def _room(self, digest: str, claim: str, record_id: str) -> NormingRoom:
        return norming_room(record_id, self.ratings(digest, claim), self.acts(digest, claim))
