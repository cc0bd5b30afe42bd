"""What one reviewer flagged, or two saw differently, waits here for another person.

Of a record they accept, fix or reject; whichever it is, this candidate keeps its bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.model.errors import NotAllowed, ReviewError
from core.model.names import Digest, ReviewerId
from core.model.signoff import Person
from core.review.ratings import StoredRating
from core.review.settlements import (
    AGAINST,
    OUTCOMES,
    VERDICT,
    Kind,
    Settlement,
    StoredSettlement,
    flag_target,
    outcomes,
    parties_to,
    settle,
    strongest,
)
from core.workbench.reviews.editing import Editing


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFlag:
    """A hard fail somebody raised, or a difference, that nobody has settled."""

    claim: str
    record_id: str
    flag_id: str
    turn: int
    note: str
    by: ReviewerId
    target: str
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCase:
    """One record about which a second person has something to decide.

    `answers` are the readers' answers where they differ, by question (`verdict` is one) and
    reader; `notes` what readers wrote. `stops` says whether it keeps the claim from being signed;
    what is merely against the record waits for a word about the next candidate. `parties` are
    those who raised any of it.
    """

    claim: str
    record_id: str
    flags: tuple[OpenFlag, ...]
    differences: tuple[str, ...]
    answers: Mapping[str, Mapping[ReviewerId, str]]
    notes: Mapping[ReviewerId, str]
    stops: bool
    parties: frozenset[ReviewerId]

    def open_to(self, who: ReviewerId) -> bool:
        """Whether somebody else than `who` raised any of it."""
        if not self.stops:
            return who not in self.parties
        apart = any(who not in self.answers[target] for target in self.differences)
        return apart or any(flag.by != who for flag in self.flags)


@dataclass(frozen=True, slots=True)
class Settling(Editing):
    """The open flags and differences of one desk."""

    def open_flags(self, digest: str) -> tuple[OpenFlag, ...]:
        """Return every hard-fail flag that waits for a second person."""
        return tuple(
            flag
            for claim in self.desk.policy.claims
            for flag in self._flags(claim.id, self.ratings(digest, claim.id), digest)
            if flag.record_id not in self._gone(digest, claim.id)
        )

    def _gone(self, digest: str, claim: str) -> tuple[str, ...]:
        plan = self.plans(digest).get(claim)
        return plan.gone if plan is not None else ()

    def open_differences(self, digest: str) -> tuple[OpenFlag, ...]:
        """Return every difference of two points or more, or of verdicts, that is not settled."""
        return tuple(
            _difference(claim, record.record_id, target)
            for claim in self.plans(digest)
            for record in self.progress(digest, claim).everything
            for target in record.differences
        )

    def open_cases(self, digest: str) -> tuple[OpenCase, ...]:
        """Return every record that waits for accept, fix or reject; what stops a claim first."""
        found = []
        for claim in self.plans(digest):
            ratings = self.ratings(digest, claim)
            flags: dict[str, list[OpenFlag]] = {}
            for flag in self._flags(claim, ratings, digest):
                flags.setdefault(flag.record_id, []).append(flag)
            for record in self.progress(digest, claim).everything:
                raised = flags.pop(record.record_id, [])
                if record.gone:
                    # There is nothing left to read, and what was said counts for good.
                    continue
                undecided = record.rejected and not record.hard_fail and not record.outcome
                if raised or record.differences or undecided:
                    case = _case(claim, record.record_id, raised, record.differences, ratings)
                    found.append(case)
            # A flag stops the family wherever it was raised.
            found += [_case(claim, name, raised, (), ratings) for name, raised in flags.items()]
        return tuple(sorted(found, key=lambda case: not case.stops))

    def adjudicate(
        self,
        digest: str,
        claim: str,
        record_id: str,
        outcome: str,
        reason: str,
        by: Person,
        *,
        turn: int = -1,
        words: str = "",
        edits: Sequence[Digest] = (),
    ) -> tuple[Settlement, ...]:
        """Accept, fix or reject a record: settle all that is open about it and not one's own.

        A fix says in `words` what a turn should say in the next candidate, or names `edits`
        that were proposed. Nothing of this candidate changes: what is fixed or rejected is a
        fail of it.

        Raises:
            NotAllowed: `review.second_person` when all that is open is one's own,
                `review.role`, `review.builder`.
            ReviewError: `review.reason`, `review.outcome`, `review.nothing_to_settle`, and for
                a fix as `propose_edit` does.
        """
        rule = self._claim(claim)
        self.desk.require(by, "review_lead", rule.role)
        if outcome not in OUTCOMES:
            raise ReviewError("review.outcome", "Accept, fix or reject.", place=record_id)
        if not reason.strip():
            raise ReviewError("review.reason", "Say why, in at most 4,000 characters.")
        targets = self._targets(digest, claim, record_id, outcome, by)
        chosen = tuple(edits)
        if outcome == "fix" and not chosen:
            stored = self.propose_edit(digest, claim, record_id, turn, words, reason, by)
            chosen = (stored.sha256,)
        settled = []
        for kind, target in targets:
            settlement = Settlement(
                candidate=Digest(digest),
                claim=claim,
                record_id=record_id,
                kind=kind,
                target=target,
                decision=OUTCOMES[outcome],
                reason=reason.strip(),
                by=by.id,
                at=self.desk.now(),
                edits=chosen,
            )
            self._settle(digest, settlement, by)
            settled.append(settlement)
        return tuple(settled)

    def decided(self, digest: str, claim: str) -> Mapping[str, StoredSettlement]:
        """Return by record the settlement that says what becomes of it."""
        rule = self._claim(claim)
        found: dict[str, list[StoredSettlement]] = {}
        settled = outcomes(
            self.settlements(digest, claim),
            self.ratings(digest, claim),
            self._holders(digest, "review_lead", rule.role),
        )
        for (record, _, _), stored in settled.items():
            found.setdefault(record, []).append(stored)
        last = {record: strongest(stored) for record, stored in sorted(found.items())}
        return {record: stored for record, stored in last.items() if stored is not None}

    def _settle(self, digest: str, settlement: Settlement, by: Person) -> None:
        claim = settlement.claim
        known = self.proposals(digest, claim, settlement.record_id)
        key = settle(
            self.desk.store,
            self.desk.prefix,
            settlement,
            person=by,
            claim=self._claim(claim),
            ratings=self.ratings(digest, claim),
            builder=self.builder(digest, by),
            proposed=[one.sha256 for one in known],
        )
        self.desk.record(
            by,
            "flag.settled",
            candidate=digest,
            claim=claim,
            decision=settlement.decision,
            key=key,
        )

    def _targets(
        self, digest: str, claim: str, record_id: str, outcome: str, by: Person
    ) -> list[tuple[Kind, str]]:
        """Return what of a record `by` settles with this outcome."""
        ratings = self.ratings(digest, claim)
        cases = [
            case
            for case in self.open_cases(digest)
            if (case.claim, case.record_id) == (claim, record_id)
        ]
        wanted: list[tuple[Kind, str]] = []
        for case in cases:
            wanted += [("flag", flag.target) for flag in case.flags]
            wanted += [("difference", target) for target in case.differences]
            # With its flags the verdict of those who raised them falls too.
            if outcome == "accept" and case.flags and VERDICT not in case.differences:
                wanted.append(("difference", VERDICT))
            if not case.flags and not case.differences:
                wanted.append(("verdict", VERDICT))
        if not wanted:
            raise ReviewError(
                "review.nothing_to_settle", "Nothing is open about this record.", place=record_id
            )
        others = [
            (kind, target)
            for kind, target in wanted
            if by.id not in parties_to(record_id, kind, target, ratings)
        ]
        if not others:
            raise NotAllowed("review.second_person", "A second person has to settle this.")
        return others

    def _flags(
        self, claim: str, ratings: Iterable[StoredRating], digest: str
    ) -> tuple[OpenFlag, ...]:
        given = tuple(ratings)
        rule = self._claim(claim)
        settled = outcomes(
            self.settlements(digest, claim),
            given,
            self._holders(digest, "review_lead", rule.role),
        )
        found = []
        for stored in given:
            rating = stored.rating
            for flag in stored.standing:
                target = flag_target(flag.id, flag.turn, rating.reviewer)
                if (rating.record_id, "flag", target) not in settled:
                    found.append(
                        OpenFlag(
                            claim=claim,
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


def _difference(claim: str, record_id: str, target: str) -> OpenFlag:
    return OpenFlag(
        claim=claim,
        record_id=record_id,
        flag_id=target,
        turn=-1,
        note="",
        by=ReviewerId(""),
        target=target,
        kind="difference",
    )


def _case(
    claim: str,
    record_id: str,
    flags: Sequence[OpenFlag],
    differences: tuple[str, ...],
    ratings: Sequence[StoredRating],
) -> OpenCase:
    given = [one.rating for one in ratings if one.rating.record_id == record_id]
    answers = {
        target: {
            one.reviewer: one.verdict if target == VERDICT else one.scores.get(target, "")
            for one in given
        }
        for target in dict.fromkeys((VERDICT, *differences))
    }
    against = {one.reviewer for one in given if one.verdict in AGAINST}
    apart = {who for target in differences for who in answers[target]}
    raised = {flag.by for flag in flags}
    return OpenCase(
        claim=claim,
        record_id=record_id,
        flags=tuple(flags),
        differences=differences,
        answers=answers,
        notes={one.reviewer: one.note for one in given if one.note},
        stops=bool(flags or differences),
        parties=frozenset(raised | apart or against),
    )
