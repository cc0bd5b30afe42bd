"""Known-bad records meet their readers as any record does; warm-ups are practice, openly so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.model.dataset import Message
from core.model.errors import ReviewError
from core.model.names import Digest
from core.model.signoff import Person
from core.review.answers import check_scores
from core.review.invented import InventedRecord
from core.review.known_bad import invented_sha256
from core.review.reading import DISAGREEMENT
from core.workbench.reviews.basis import ReviewArea

WHY = (
    "Practice on invented dialogues. What you answer here is compared with a model answer, and "
    "kept nowhere."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUp:
    """One practice dialogue."""

    id: str
    family: str
    messages: tuple[Message, ...]
    sha256: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUpAnswer:
    """How those who wrote a warm-up would answer it, and where an answer differs from that.

    `differs` are the questions two points or more apart, `verdict` or `flags`.
    """

    scores: Mapping[str, str]
    verdict: str
    flags: tuple[str, ...]
    flag_turn: int | None
    why: str
    differs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Practice(ReviewArea):
    """Warm-ups of one desk."""

    def warm_ups(self, claim: str, by: Person) -> tuple[WarmUp, ...]:
        """Return the practice dialogues that `by` has not done today."""
        rule = self._claim(claim)
        self.desk.require(by, rule.role)
        done = self._assignments().practised(by.id, self.desk.now()[:10])
        return tuple(
            WarmUp(
                id=entry.id,
                family=rule.families[0],
                messages=entry.messages,
                sha256=invented_sha256(entry),
            )
            for entry in self.desk.bank.warm_ups(rule.rubric, rule.families)
            if entry.id not in done
        )

    def answer_warm_up(
        self, claim: str, warm_up: str, by: Person, answers: Mapping[str, object]
    ) -> WarmUpAnswer:
        """Return the model answer beside what differs from it; nothing of the answer is kept.

        Raises:
            ReviewError: `review.answer` for answers the rubric does not offer,
                `review.no_such_record` for no warm-up of this claim.
        """
        rule = self._claim(claim)
        self.desk.require(by, rule.role)
        entry = self._warm_up(claim, warm_up)
        scores = answers.get("scores")
        if not isinstance(scores, Mapping):
            raise ReviewError("review.answer", "The answer is not one of this form.")
        given = {str(name): str(value) for name, value in scores.items()}
        check_scores(given, self.rubric(claim))
        self._assignments().practise(by.id, warm_up, self.desk.now()[:10])
        flags = answers.get("flags")
        raised = {str(flag["id"]) for flag in flags} if isinstance(flags, list) else set()
        return _compared(entry, given, str(answers.get("verdict", "")), raised)

    def _warm_up(self, claim: str, warm_up: str) -> InventedRecord:
        rule = self._claim(claim)
        for entry in self.desk.bank.warm_ups(rule.rubric, rule.families):
            if entry.id == warm_up:
                return entry
        raise ReviewError("review.no_such_record", "There is no such warm-up.", place=warm_up)


def _compared(
    entry: InventedRecord, given: Mapping[str, str], verdict: str, raised: set[str]
) -> WarmUpAnswer:
    model = entry.model["scores"]
    assert isinstance(model, Mapping)
    scores = {str(name): str(value) for name, value in model.items()}
    differs = [name for name, answer in scores.items() if _apart(answer, given.get(name, ""))]
    if verdict != entry.model["verdict"]:
        differs.append("verdict")
    if raised != set(entry.shows):
        differs.append("flags")
    turn = entry.model.get("flag_turn")
    return WarmUpAnswer(
        scores=scores,
        verdict=str(entry.model["verdict"]),
        flags=entry.shows,
        flag_turn=turn if isinstance(turn, int) else None,
        why=entry.why,
        differs=tuple(differs),
    )


def _apart(one: str, other: str) -> bool:
    if one.isdecimal() and other.isdecimal():
        return abs(int(one) - int(other)) >= DISAGREEMENT
    return one != other
