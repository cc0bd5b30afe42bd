"""One person reads one record at a time, blind to peers, and nothing they type is lost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from core.model.dataset import Message
from core.model.errors import ReviewError
from core.model.names import Digest
from core.model.review import Rating, SamplePlan
from core.model.signoff import Person
from core.review.answers import RatingDesk, must_judge
from core.review.drafts import IncomingDraft
from core.review.ratings import submit_rating
from core.review.tags import read_flags, read_tags
from core.workbench.reviews.basis import ReviewArea


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueItem:
    """One record of a reader's list. `state` is open, draft or done."""

    record_id: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewQueue:
    """What one person has to read under one claim, in rank order, and where they are."""

    items: tuple[QueueItem, ...]
    current: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewScreen:
    """One record as its reader sees it: exact text, and what they have answered so far."""

    record_id: str
    family: str
    messages: tuple[Message, ...]
    sha256: Digest
    draft: Mapping[str, object] | None
    draft_version: int
    draft_saved_at: str
    rating: Rating | None
    rating_sha256: str
    must_judge: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reading(ReviewArea):
    """What one reader does at this desk."""

    def queue(self, digest: str, claim: str, by: Person) -> ReviewQueue:
        """Return what `by` has to read under `claim`: open records first keep their place."""
        self._may_read(by)
        plan = self._plan(digest, claim)
        state = self.states(digest)[claim]
        done = {
            stored.rating.record_id
            for stored in self.ratings(digest, claim)
            if stored.rating.reviewer == by.id
        }
        drafts = self._drafts()
        items = tuple(
            QueueItem(
                record_id=record,
                state="done"
                if record in done
                else "draft"
                if drafts.load_draft(self._place(digest, claim, record, by))
                else "open",
            )
            for record in plan.records[: state.planned]
        )
        position = drafts.position(by.id, claim)
        waiting = [item.record_id for item in items if item.state != "done"]
        current = position if position in waiting else (waiting[0] if waiting else None)
        return ReviewQueue(items=items, current=current)

    def screen(self, digest: str, claim: str, record_id: str, by: Person) -> ReviewScreen:
        """Return one record of the plan as `by` sees it: no peer's answer, no machine's score."""
        self._may_read(by)
        found = self._planned(digest, claim, record_id)
        drafts = self._drafts()
        draft = drafts.load_draft(self._place(digest, claim, record_id, by))
        mine = self._mine(digest, claim, record_id, by)
        drafts.remember_position(by.id, claim, record_id)
        return ReviewScreen(
            record_id=record_id,
            family=found.family,
            messages=found.messages,
            sha256=found.sha256,
            draft=json.loads(draft.payload) if draft is not None else None,
            draft_version=draft.version if draft is not None else 0,
            draft_saved_at=_time_of(draft.saved_at) if draft is not None else "",
            rating=mine.rating if mine is not None else None,
            rating_sha256=mine.sha256 if mine is not None else "",
            must_judge=must_judge(self.rubric(claim), found.family),
        )

    def save_draft(
        self,
        digest: str,
        claim: str,
        record_id: str,
        by: Person,
        payload: Mapping[str, object],
        *,
        tab: str,
        seq: int,
        based_on: int,
    ) -> str:
        """Keep a half-finished answer on the disk; return when, as HH:MM:SS UTC.

        `payload["supersedes"]` is the digest of the rating that the tab showed, "" for none.
        """
        rule = self._claim(claim)
        self.desk.require(by, rule.role)
        if record_id not in self._plan(digest, claim).records:
            raise ReviewError("review.not_in_plan", "This record is not in the sample.")
        place = self._place(digest, claim, record_id, by)
        if self._drafts().load_draft(place) is None:
            # Submitting removes the draft: without this a tab left behind would start anew.
            mine = self._mine(digest, claim, record_id, by)
            if (mine.sha256 if mine is not None else "") != payload.get("supersedes", ""):
                raise ReviewError(
                    "review.conflict",
                    "You have rated this record in another tab; reload this page to see it.",
                )
        incoming = IncomingDraft(
            payload=json.dumps(dict(payload), ensure_ascii=False),
            seq=seq,
            tab=tab,
            based_on=based_on,
            at=self.desk.now(),
        )
        draft = self._drafts().save_draft(place, incoming)
        return _time_of(draft.saved_at)

    def submit(
        self,
        digest: str,
        claim: str,
        record_id: str,
        by: Person,
        answers: Mapping[str, object],
        *,
        tab: str = "",
        seq: int = 0,
        based_on: int = 0,
    ) -> Rating:
        """Store one person's rating of one record for good; the same answers again are harmless.

        `answers["supersedes"]` is the digest of the rating it replaces, "" for none.
        """
        rule = self._claim(claim)
        self.desk.require(by, rule.role)
        plan = self._plan(digest, claim)
        mine = self._mine(digest, claim, record_id, by)
        rating = _rating(answers, plan, record_id, by, self.desk.now())
        if mine is not None and _same_answers(mine.rating, rating):
            return mine.rating
        if tab:
            # Refused when another tab holds newer answers; kept if the bucket cannot take them.
            self.save_draft(
                digest, claim, record_id, by, answers, tab=tab, seq=seq, based_on=based_on
            )
        checked = RatingDesk(
            plan=plan,
            rubric=self.rubric(claim),
            claim=rule,
            record=self._planned(digest, claim, record_id),
            builder=self.builder(digest, by),
        )
        submit_rating(self.desk.store, self.desk.prefix, rating, person=by, desk=checked)
        self._drafts().delete_draft(self._place(digest, claim, record_id, by))
        return rating


def _time_of(stamp: str) -> str:
    return stamp[11:19] + " UTC"


def _rating(
    answers: Mapping[str, object],
    plan: SamplePlan,
    record_id: str,
    by: Person,
    at: str,
) -> Rating:
    """Read a form's answer; what is not of its shape is refused, never repaired."""
    scores, flags = answers.get("scores"), answers.get("flags", [])
    if not isinstance(scores, Mapping) or not isinstance(flags, list):
        raise ReviewError("review.answer", "The answer is not one of this form.")
    try:
        raised = read_flags(flags)
        tagged = read_tags(answers.get("bias_tags", []))
        seconds = max(0, int(str(answers.get("seconds", 0))))
    except (KeyError, TypeError, ValueError):
        raise ReviewError("review.answer", "The answer is not one of this form.") from None
    return Rating(
        candidate=plan.candidate,
        claim=plan.claim,
        record_id=record_id,
        rubric=plan.rubric,
        reviewer=by.id,
        scores={str(item): str(value) for item, value in scores.items()},
        verdict=str(answers.get("verdict", "")),
        flags=raised,
        note=str(answers.get("note", "")),
        shown_sha256=Digest(str(answers.get("shown_sha256", ""))),
        at=at,
        seconds=seconds,
        supersedes=str(answers.get("supersedes", "")),
        bias_tags=tagged,
    )


def _same_answers(one: Rating, other: Rating) -> bool:
    """Whether two ratings say the same; a lost reply makes a form send its answer again."""
    return all(
        getattr(one, name) == getattr(other, name)
        for name in (
            *("rubric", "scores", "verdict", "flags"),
            *("bias_tags", "note", "shown_sha256"),
        )
    )
