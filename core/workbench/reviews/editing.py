"""Other words for a turn are a proposal for a next candidate; this one keeps its bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.model.dataset import Message
from core.model.errors import NotAllowed, ReviewError
from core.model.names import Digest
from core.model.signoff import Person
from core.review.acts import StoredAct
from core.workbench import history
from core.workbench.private_text import refuse_private
from core.workbench.reviews.basis import ReviewArea


@dataclass(frozen=True, slots=True)
class Editing(ReviewArea):
    """The edits proposed at one desk."""

    def propose_edit(
        self, digest: str, claim: str, record_id: str, turn: int, words: str, why: str, by: Person
    ) -> StoredAct:
        """Propose what a turn should say in a next candidate; this one is never changed.

        It binds to the record's id, which is the digest of its whole text, and to the turn.

        Raises:
            ReviewError: `review.edit` when there is no such turn, nothing is proposed or nothing
                would change, `review.reason` without a reason, `review.private_text` for words
                that hold something private.
        """
        rule = self._claim(claim)
        self.desk.require(by, "review_lead", rule.role)
        if by.id in history.builders(self.desk.entries(), digest):
            raise NotAllowed("review.builder", "Whoever built the candidate may not review it.")
        messages = self._planned(digest, claim, record_id).messages
        if not why.strip():
            raise ReviewError("review.reason", "Say why the turn should change.")
        planted = self.known_bad(digest).get(claim)
        if planted is not None and record_id in planted.ids:
            raise ReviewError("review.edit", "There is nothing to edit in this record.")
        _check_words(messages, turn, words)
        # They are to ship, and nobody redacts them afterwards.
        refuse_private(self.desk.policy, words)
        known = self._same(digest, claim, record_id, turn, words)
        if known is not None:
            return known
        stored = self._keep(
            digest, claim, "edit", record_id, by, why=why.strip(), note=words, turn=turn
        )
        self.desk.record(
            by,
            "edit.proposed",
            candidate=digest,
            claim=claim,
            record_id=record_id,
            turn=turn,
            key=stored.key,
        )
        return stored

    def proposals(
        self, digest: str, claim: str, record_id: str | None = None
    ) -> tuple[StoredAct, ...]:
        """Return the edits proposed for a next candidate (of one record), oldest first.

        Those carried with a record's readings are among them.
        """
        carried = self.carried(digest).get(claim)
        sources = [Digest(digest)]
        if carried is not None:
            sources += [name for name in carried.settlements if name != digest]
        return tuple(
            one
            for source in reversed(sources)
            for one in self.acts(source, claim)
            if one.act.kind == "edit" and record_id in (None, one.act.record_id)
        )

    def _same(
        self, digest: str, claim: str, record_id: str, turn: int, words: str
    ) -> StoredAct | None:
        """Return the proposal that says just this already, whoever made it."""
        for one in self.proposals(digest, claim, record_id):
            if (one.act.turn, one.act.note) == (turn, words):
                return one
        return None


def _check_words(messages: Sequence[Message], turn: int, words: str) -> None:
    if not 0 <= turn < len(messages) or not words.strip() or words == messages[turn].content:
        raise ReviewError("review.edit", "Name a turn, and words that change it.")
    if any(_is_no_text(sign) for sign in words):
        raise ReviewError("review.edit", "These words hold a sign that no text has.")


def _is_no_text(sign: str) -> bool:
    """Whether a code point is a control (but line feed and tab) or half of a surrogate pair."""
    code = ord(sign)
    return (code < 32 and sign not in "\n\t") or 0xD800 <= code < 0xE000
