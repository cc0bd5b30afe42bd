"""Bias review beyond single records: matched pairs, the set as a whole, tags, and known gaps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from core.model.dataset import Message
from core.model.errors import ReviewError
from core.model.names import Digest
from core.model.review import SamplePlan
from core.model.signoff import ROLES, Person
from core.review.frame import FoundRecord, find_records, read_frame
from core.review.pairs import (
    MatchedPair,
    PairAnswer,
    as_matchable,
    load_answers,
    masked,
    match_pairs,
    paired_item,
    sides,
    submit_answer,
)
from core.review.sample import rank_of
from core.review.set_view import SetView, draw_set_view, load_lexicon
from core.review.signoffs import GIVEN
from core.review.tags import TagCount, count_tags
from core.storage.journal import Entry
from core.workbench import history
from core.workbench.candidates import Candidates
from core.workbench.desk import Desk
from core.workbench.reviews import READERS, Reviews

# A set larger than this is read by rank of the frozen seed up to here, and the page says so.
SET_RECORDS = 2_000
GAP = "gap.recorded"
_GAP_LIMIT = 500


def known_gaps(entries: Iterable[Entry], candidate: str, claim: str) -> tuple[str, ...]:
    """Return what reviewers wrote down as missing from the set, oldest first, each once."""
    found = [
        str(entry.event["gap"])
        for entry in history.of_type(entries, GAP)
        if (entry.event.get("candidate"), entry.event.get("claim")) == (candidate, claim)
    ]
    return tuple(dict.fromkeys(found))


@dataclass(frozen=True, slots=True, kw_only=True)
class PairScreen:
    """One pair as its reader sees it: left and right, and what they have answered so far."""

    pair: MatchedPair
    left: FoundRecord
    right: FoundRecord
    question: str
    scale: tuple[str, ...]
    answer: PairAnswer | None

    def turns(self, *, left: bool, mask: bool) -> tuple[Message, ...]:
        """Return the turns of one side, with the words that name a group struck out or not."""
        messages = (self.left if left else self.right).messages
        if not mask:
            return messages
        lexicon = load_lexicon()
        return tuple(
            Message(role=turn.role, content=masked(turn.content, lexicon)) for turn in messages
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Set:
    """What was read of a set once; a candidate's bytes never change."""

    view: SetView
    pairs: tuple[MatchedPair, ...]
    records: Mapping[str, FoundRecord]


@dataclass(frozen=True, slots=True)
class Bias:
    """What the desk holds for bias review."""

    desk: Desk
    candidates: Candidates
    reviews: Reviews

    def covers(self, claim: str) -> bool:
        """Return whether a claim's rubric is one of bias: only such a rubric has tags."""
        return bool(self.reviews.rubric(claim).tags)

    def set_view(self, digest: str, claim: str, by: Person) -> SetView:
        """Return who appears in the claim's families, in which roles, with which problems."""
        self.desk.require(by, *READERS)
        return self._set(digest, claim).view

    def pairs(self, digest: str, claim: str, by: Person) -> tuple[MatchedPair, ...]:
        """Return the matched pairs, the same for every reader."""
        self.desk.require(by, *READERS)
        return self._set(digest, claim).pairs

    def pair_screen(self, digest: str, claim: str, pair_id: str, by: Person) -> PairScreen:
        """Return one pair with sides drawn for `by`; nobody else's answer is in it."""
        self.desk.require(by, *READERS)
        found = self._set(digest, claim)
        pair = self._pair(found, pair_id)
        left, right = sides(pair, self._plan(digest, claim).seed, by.id)
        rubric = self.reviews.rubric(claim)
        item = next(one for one in rubric.items if one.id == paired_item(rubric))
        return PairScreen(
            pair=pair,
            left=found.records[left],
            right=found.records[right],
            question=f"{item.id} {item.name}: {item.definition}",
            scale=tuple(str(step) for step in rubric.scale),
            answer=self.answered(digest, claim, by).get(pair_id),
        )

    def answered(self, digest: str, claim: str, by: Person) -> Mapping[str, PairAnswer]:
        """Return one's own answers by pair."""
        self.desk.require(by, *ROLES)
        return {one.pair: one for one in self._answers(digest, claim) if one.reviewer == by.id}

    def answer_pair(
        self,
        digest: str,
        claim: str,
        screen: PairScreen,
        by: Person,
        *,
        score: str,
        worse: str,
        note: str,
        mask: bool,
    ) -> None:
        """Store one's answer to a pair for good; answering again adds a later one."""
        self.desk.require(by, self.desk.policy.claim(claim).role)
        rubric = self.reviews.rubric(claim)
        held = self.answered(digest, claim, by).get(screen.pair.id)
        answer = PairAnswer(
            candidate=Digest(digest),
            claim=claim,
            pair=screen.pair.id,
            rubric=rubric.digest,
            item=paired_item(rubric),
            reviewer=by.id,
            seed=self._plan(digest, claim).seed,
            left=screen.left.record_id,
            right=screen.right.record_id,
            masked=mask,
            score=score,
            worse=worse,
            note=note,
            number=(held.number if held is not None else 0) + 1,
            shown={one.record_id: one.sha256 for one in (screen.left, screen.right)},
            at=self.desk.now(),
        )
        submit_answer(
            self.desk.store,
            self.desk.prefix,
            answer,
            person=by,
            pair=self._pair(self._set(digest, claim), screen.pair.id),
            rubric=rubric,
            builder=self.reviews.builder(digest, by),
        )

    def tags(self, digest: str, claim: str) -> tuple[TagCount, ...]:
        """Return every combination that was tagged in a rating that stands."""
        return count_tags(stored.rating for stored in self.reviews.ratings(digest, claim))

    # --- Gaps.

    def gaps(self, digest: str, claim: str) -> tuple[str, ...]:
        """Return what the set is known to lack; it ships as a known exclusion."""
        return known_gaps(self.desk.entries(), digest, claim)

    def record_gap(self, digest: str, claim: str, gap: str, by: Person) -> None:
        """Write down what the set lacks, before anybody signs for it.

        Raises:
            ReviewError: `review.gap` when it says nothing, too much, or comes after a sign-off.
        """
        self.desk.require(by, self.desk.policy.claim(claim).role)
        words = " ".join(gap.split())
        if not words or len(words) > _GAP_LIMIT:
            raise ReviewError("review.gap", "Say what is missing, in at most 500 characters.")
        if self._signed(digest, claim):
            raise ReviewError(
                "review.gap", "This review is signed already; revoke the sign-off first."
            )
        if words not in self.gaps(digest, claim):
            self.desk.record(by, GAP, candidate=digest, claim=claim, gap=words)

    def _signed(self, digest: str, claim: str) -> bool:
        wanted = {rule.id for rule in self.desk.policy.signoffs if rule.claim == claim}
        entries = self.desk.entries()
        revoked = {
            entry.event.get("signoff") for entry in history.of_type(entries, "signoff.revoked")
        }
        return any(
            entry.event.get("candidate") == digest
            and entry.event.get("requirement") in wanted
            and entry.event.get("sha256") not in revoked
            for entry in history.of_type(entries, GIVEN)
        )

    # --- For the release.

    def summary(self, digest: str, claim: str) -> Mapping[str, Any]:
        """Return what ships of a bias review beside its ratings: counts and words of our own."""
        if not self.covers(claim) or claim not in self.reviews.plans(digest):
            return {}
        found = self._set(digest, claim)
        answers = self._answers(digest, claim)
        view = found.view
        return {
            "tags": [asdict(count) for count in self.tags(digest, claim)],
            "pairs": {
                "matched": len(found.pairs),
                "answered": len({one.pair for one in answers}),
                "scores": _tally(one.score for one in answers),
                "worse_by_value": _tally(_worse_values(found.pairs, answers)),
                "masked": sum(one.masked for one in answers),
            },
            "set": {
                "frame": view.frame,
                "records": view.records,
                "lexicon": view.lexicon,
                "appearances": [asdict(one) for one in view.appearances if not one.problem],
                "unknown": dict(view.unknown),
                "problems": dict(view.problems),
                "resources": dict(view.resources),
            },
        }

    # --- Inner.

    def _plan(self, digest: str, claim: str) -> SamplePlan:
        plan = self.reviews.plans(digest).get(claim)
        if plan is None:
            raise ReviewError("review.not_frozen", "The sample is not frozen yet.", place=claim)
        return plan

    def _answers(self, digest: str, claim: str) -> tuple[PairAnswer, ...]:
        return load_answers(self.desk.store, self.desk.prefix, Digest(digest), claim)

    def _pair(self, found: _Set, pair_id: str) -> MatchedPair:
        pair = next((one for one in found.pairs if one.id == pair_id), None)
        if pair is None:
            raise ReviewError("review.pair", "There is no such matched pair.", place=pair_id)
        return pair

    def _set(self, digest: str, claim: str) -> _Set:
        kept = self.desk.memory.setdefault("sets", {})
        assert isinstance(kept, dict)
        if (digest, claim) not in kept:
            kept[digest, claim] = self._read_set(digest, claim)
        found = kept[digest, claim]
        assert isinstance(found, _Set)
        return found

    def _read_set(self, digest: str, claim: str) -> _Set:
        candidate, lexicon = self.candidates.get(digest), load_lexicon()
        families = self.desk.policy.claim(claim).families
        seed = self._plan(digest, claim).seed
        names = [
            row.record_id
            for row in read_frame(self.desk.store, candidate)
            if row.family in families
        ]
        ranked = sorted(names, key=lambda name: rank_of(seed, name))[:SET_RECORDS]
        records = find_records(self.desk.store, candidate, ranked, families=families)
        matchable = [as_matchable(name, records[name].messages, lexicon) for name in ranked]
        pairs = match_pairs(matchable, lexicon.dimension_names)
        paired = {name for pair in pairs for name in pair.records}
        return _Set(
            view=draw_set_view([one.portrait for one in matchable], len(names), lexicon),
            pairs=pairs,
            records={name: records[name] for name in paired},
        )


def _worse_values(pairs: Sequence[MatchedPair], answers: Sequence[PairAnswer]) -> Iterable[str]:
    by_id = {pair.id: pair for pair in pairs}
    for answer in answers:
        pair = by_id.get(answer.pair)
        if pair is not None and answer.worse:
            yield f"{pair.dimension}: {pair.values[pair.records.index(answer.worse)]}"


def _tally(values: Iterable[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return dict(sorted(counts.items()))
