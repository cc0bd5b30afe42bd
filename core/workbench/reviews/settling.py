"""What one reviewer flagged, or two saw differently, waits here for another person."""

from __future__ import annotations

from dataclasses import dataclass

from core.model.errors import ReviewError
from core.model.names import Digest, ReviewerId
from core.model.signoff import Person
from core.review.settlements import Settlement, flag_target, outcomes, settle
from core.workbench.reviews.basis import ReviewArea


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFlag:
    """A hard fail somebody raised and nobody has settled."""

    claim: str
    record_id: str
    flag_id: str
    turn: int
    note: str
    by: ReviewerId
    target: str
    kind: str


@dataclass(frozen=True, slots=True)
class Settling(ReviewArea):
    """The open flags and differences of one desk."""

    def open_flags(self, digest: str) -> tuple[OpenFlag, ...]:
        """Return every hard-fail flag that waits for a second person."""
        found = []
        for claim in self.desk.policy.claims:
            ratings = self.ratings(digest, claim.id)
            settled = outcomes(
                self.settlements(digest, claim.id),
                ratings,
                self._holders(digest, "review_lead", claim.role),
            )
            for stored in ratings:
                rating = stored.rating
                for flag in stored.standing:
                    target = flag_target(flag.id, flag.turn, rating.reviewer)
                    if (rating.record_id, "flag", target) not in settled:
                        found.append(
                            OpenFlag(
                                claim=claim.id,
                                record_id=rating.record_id,
                                flag_id=flag.id,
                                turn=flag.turn,
                                note=flag.note,
                                by=rating.reviewer,
                                target=target,
                                kind="flag",
                            )
                        )
        return tuple(found)

    def open_differences(self, digest: str) -> tuple[OpenFlag, ...]:
        """Return every difference of two points or more, or of verdicts, that is not settled."""
        found = []
        for claim, state in self.states(digest).items():
            for point in state.open_points:
                kind, _, rest = point.partition(" ")
                if kind == "difference":
                    record, _, target = rest.partition(" ")
                    found.append(
                        OpenFlag(
                            claim=claim,
                            record_id=record,
                            flag_id=target,
                            turn=-1,
                            note="",
                            by=ReviewerId(""),
                            target=target,
                            kind="difference",
                        )
                    )
        return tuple(found)

    def settle(self, digest: str, point: OpenFlag, decision: str, reason: str, by: Person) -> None:
        """Confirm or dismiss a flag or a difference, as a second person, with a reason."""
        rule = self._claim(point.claim)
        self.desk.require(by, "review_lead", rule.role)
        if decision not in ("confirm", "dismiss") or point.kind not in ("flag", "difference"):
            raise ReviewError("review.nothing_to_settle", "Confirm or dismiss.")
        settlement = Settlement(
            candidate=Digest(digest),
            claim=point.claim,
            record_id=point.record_id,
            kind="flag" if point.kind == "flag" else "difference",
            target=point.target,
            decision="confirm" if decision == "confirm" else "dismiss",
            reason=reason,
            by=by.id,
            at=self.desk.now(),
        )
        key = settle(
            self.desk.store,
            self.desk.prefix,
            settlement,
            person=by,
            claim=rule,
            ratings=self.ratings(digest, point.claim),
            builder=self.builder(digest, by),
        )
        self.desk.record(
            by, "flag.settled", candidate=digest, claim=point.claim, decision=decision, key=key
        )
