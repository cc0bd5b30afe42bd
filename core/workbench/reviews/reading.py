"""One person reads one record at a time, blind to peers, and nothing they type is lost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from core.model.dataset import Message
from core.model.errors import ReviewError
from core.model.names import Digest
from core.model.review import Rating
from core.model.signoff import Person
from core.review.answers import RatingDesk, moment_of, must_judge
from core.review.drafts import IncomingDraft
from core.review.known_bad import AREA, answer_sheet
from core.review.ratings import RATINGS, UNDO_WINDOW, submit_rating
from core.workbench.reviews.assigning import Assigning
from core.workbench.reviews.forms import (
    answers_of,
    read_answers,
    same_answers,
    time_of,
    with_extra,
)


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
class Reading(Assigning):
    """What one reader does at this desk."""

    def screen(self, digest: str, claim: str, record_id: str, by: Person) -> ReviewScreen:
        """Return one record of the plan as `by` sees it: no peer's answer, no machine's score."""
        self._may_read(by)
        found = self._planned(digest, claim, record_id)
        drafts = self._drafts()
        draft = drafts.load_draft(self._place(digest, claim, record_id, by))
        known = record_id in self._done(digest, claim, by)
        mine = self._mine(digest, claim, record_id, by) if known else None
        if by.holds(self._claim(claim).role):
            drafts.remember_position(by.id, claim, record_id)
            self._open(digest, claim, record_id, by)
        return ReviewScreen(
            record_id=record_id,
            family=found.family,
            messages=found.messages,
            sha256=found.sha256,
            draft=json.loads(draft.payload) if draft is not None else None,
            draft_version=draft.version if draft is not None else 0,
            draft_saved_at=time_of(draft.saved_at) if draft is not None else "",
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
        self._planned(digest, claim, record_id)
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
        return time_of(draft.saved_at)

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
        plan = self.plan(digest, claim)
        mine = self._mine(digest, claim, record_id, by)
        rating = read_answers(answers, plan, record_id, by, self.desk.now())
        if mine is not None and same_answers(mine.rating, rating):
            return mine.rating
        if tab:
            # Refused when another tab holds newer answers; kept if the bucket cannot take them.
            self.save_draft(
                digest, claim, record_id, by, answers, tab=tab, seq=seq, based_on=based_on
            )
        planted = self.known_bad(digest).get(claim)
        invented = planted is not None and record_id in planted.ids
        checked = RatingDesk(
            plan=answer_sheet(plan, planted)
            if planted is not None and invented
            else with_extra(plan, self.extras(digest, claim)),
            rubric=self.rubric(claim),
            claim=rule,
            record=self._planned(digest, claim, record_id),
            builder=self.builder(digest, by),
        )
        submit_rating(
            self.desk.store,
            self.desk.prefix,
            rating,
            person=by,
            desk=checked,
            area=AREA if invented else RATINGS,
        )
        self._drafts().delete_draft(self._place(digest, claim, record_id, by))
        self._assignments().resume((digest, claim), record_id, by.id)
        self._noted(digest, claim, rating)
        return rating

    def undo(self, digest: str, claim: str, record_id: str, by: Person) -> ReviewScreen:
        """Bring back what `by` answered in the last ten minutes, to be changed.

        What was answered stands until they submit again, and stays on record then too.

        Raises:
            ReviewError: `review.nothing_to_undo`, or `review.undo_late` after ten minutes.
        """
        self._may_rate(digest, claim, by)
        mine = self._mine(digest, claim, record_id, by)
        if mine is None:
            raise ReviewError("review.nothing_to_undo", "You have not answered this record.")
        if self.desk.clock.now() - moment_of(mine.rating.at) > UNDO_WINDOW:
            raise ReviewError(
                "review.undo_late",
                "An answer can be undone for ten minutes; now it can only be replaced.",
            )
        place = self._place(digest, claim, record_id, by)
        if self._drafts().load_draft(place) is None:
            payload = json.dumps(answers_of(mine), ensure_ascii=False)
            incoming = IncomingDraft(
                payload=payload, seq=1, tab="undo", based_on=0, at=self.desk.now()
            )
            self._drafts().save_draft(place, incoming)
            self.desk.record(by, "rating.undone", candidate=digest, claim=claim, rating=mine.sha256)
        return self.screen(digest, claim, record_id, by)

    def _open(self, digest: str, claim: str, record_id: str, by: Person) -> None:
        """Say that `by` has a record open; looking at one that others hold is no fault."""
        for want in self._wanted(digest, claim, by):
            if want.record_id == record_id:
                now = self.desk.clock.now()
                self._assignments().touch((digest, claim), want, by.id, now)
