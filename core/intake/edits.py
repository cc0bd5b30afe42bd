"""Words that people decided a turn should have; they fit one text only, whole and unchanged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.model.dataset import Message
from core.model.errors import IntakeError

Decision = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What the turn `turn` (0-based) of the record with this id says from now on.

    A record's id is the digest of its whole text as it would ship, so an edit can never be laid
    over a text other than the one that its author read.
    """

    record_id: str
    turn: int
    words: str


def wanted_edits(
    edits: Iterable[Edit], decisions: Iterable[Decision], leaving: Collection[str]
) -> Mapping[str, Sequence[Edit]]:
    """Return the decided edits by record; a record that leaves is left alone to leave.

    Raises:
        IntakeError: `intake.edit_missing` when a decision comes without its words.
    """
    words = {(edit.record_id, str(edit.turn)): edit for edit in edits}
    found: defaultdict[str, list[Edit]] = defaultdict(list)
    for item in decisions:
        signed = item.get("by", "").strip() and item.get("reason", "").strip()
        if item.get("action") != "edit" or item.get("gate") != "review" or not signed:
            continue
        record, turn = item.get("record_id", ""), item.get("turn", "")
        if record in leaving:
            continue
        if (record, turn) not in words:
            raise IntakeError(
                "intake.edit_missing",
                "A decision to edit names no proposal of that record and turn.",
                place=f"{record}:{turn}",
            )
        found[record].append(words[record, turn])
    return found


def replace_turns(
    messages: Sequence[Message], edits: Sequence[Edit], redacted: Collection[int]
) -> tuple[Message, ...]:
    """Return the messages with the edited turns' words.

    Raises:
        IntakeError: `intake.edit_stale` for a turn that is not there, `intake.edit_conflict`
            for one in which something is decided to be `redacted` too.
    """
    shown = list(messages)
    for edit in edits:
        place = f"{edit.record_id}:{edit.turn}"
        if not 0 <= edit.turn < len(shown):
            raise stale(place)
        if edit.turn in redacted:
            raise IntakeError(
                "intake.edit_conflict",
                "One decision edits a turn and another redacts words in it; take one back.",
                place=place,
            )
        shown[edit.turn] = Message(role=shown[edit.turn].role, content=edit.words)
    return tuple(shown)


def stale(place: str) -> IntakeError:
    """Return the refusal of an edit whose text is no longer there."""
    return IntakeError(
        "intake.edit_stale",
        "An edit was decided for a text that the sources no longer hold; take the decision back.",
        place=place,
    )


def circle(record_id: str) -> IntakeError:
    """Return the refusal of edits that lead back to where they began."""
    return IntakeError(
        "intake.edit_circle",
        "Decided edits lead back to a text they began with; take one of them back.",
        place=record_id,
    )
