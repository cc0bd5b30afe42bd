"""Readers who differ show one another their blind votes, talk, and vote again.

The blind votes are ratings and stay what they are; the votes afterwards stand beside them, and
what follows from different clinical schools is kept as dissent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.model.names import ReviewerId
from core.review.acts import StoredAct
from core.review.agreement import Coefficient, krippendorff_alpha
from core.review.ratings import StoredRating

SCHOOL = "clinical_school"


@dataclass(frozen=True, slots=True, kw_only=True)
class NormingRoom:
    """One record that readers talk about.

    `before` are the blind answers and `after` the last vote of each reader, by question and
    reader. `reasons` says why each thinks they differed.
    """

    record_id: str
    revealed: bool
    before: Mapping[str, Mapping[ReviewerId, str]]
    after: Mapping[str, Mapping[ReviewerId, str]]
    reasons: Mapping[ReviewerId, str]
    notes: Mapping[ReviewerId, str]

    @property
    def dissent(self) -> tuple[ReviewerId, ...]:
        """Who holds to another clinical school."""
        return tuple(who for who, why in sorted(self.reasons.items()) if why == SCHOOL)


def norming_room(
    record_id: str, ratings: Sequence[StoredRating], acts: Sequence[StoredAct]
) -> NormingRoom:
    """Return the room of one record; before it is opened nobody's answer is in it."""
    here = [stored.act for stored in acts if stored.act.record_id == record_id]
    revealed = any(act.kind == "reveal" for act in here)
    blind = [stored.rating for stored in ratings if stored.rating.record_id == record_id]
    last = {act.by: act for act in here if act.kind == "revote"}
    return NormingRoom(
        record_id=record_id,
        revealed=revealed,
        before=_by_question({one.reviewer: one.scores for one in blind}) if revealed else {},
        after=_by_question({who: act.scores for who, act in last.items()}) if revealed else {},
        reasons={who: act.why for who, act in last.items()} if revealed else {},
        notes={who: act.note for who, act in last.items() if act.note} if revealed else {},
    )


def alphas(rooms: Sequence[NormingRoom]) -> tuple[Coefficient, Coefficient]:
    """Return alpha (ordinal) over every answer in these rooms, blind and after the talk.

    A reader who has not voted again is taken as they were.
    """
    before, after = [], []
    for room in rooms:
        for item, answers in room.before.items():
            again = room.after.get(item, {})
            before.append(_numbers(answers.values()))
            after.append(_numbers([again.get(who, was) for who, was in answers.items()]))
    return krippendorff_alpha(before, "ordinal"), krippendorff_alpha(after, "ordinal")


def _by_question(
    scores: Mapping[ReviewerId, Mapping[str, str]],
) -> Mapping[str, Mapping[ReviewerId, str]]:
    items = sorted({item for answers in scores.values() for item in answers})
    return {
        item: {who: answers[item] for who, answers in sorted(scores.items()) if item in answers}
        for item in items
    }


def _numbers(answers: Iterable[str]) -> list[int]:
    return [int(answer) for answer in answers if answer.isdecimal()]
