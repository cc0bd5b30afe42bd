"""What a decision to edit points at: the very words somebody proposed, re-hashed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from core.intake.edits import Edit
from core.model.errors import IntakeError, Missing
from core.model.names import parse_digest
from core.review.acts import load_act
from core.storage.ports import ObjectStore


def decided_edits(
    store: ObjectStore, prefix: str, decisions: Iterable[Mapping[str, str]]
) -> tuple[Edit, ...]:
    """Return the edits that `decisions` apply, their words read from where they were proposed.

    Raises:
        IntakeError: `intake.edit_missing` when there is no such proposal of that record and turn.
        ReviewError: `review.act_broken`.
    """
    return tuple(
        _edit(store, prefix, decision)
        for decision in decisions
        if decision.get("action") == "edit" and decision.get("gate") == "review"
    )


def _edit(store: ObjectStore, prefix: str, decision: Mapping[str, str]) -> Edit:
    record, turn = decision.get("record_id", ""), decision.get("turn", "")
    missing = IntakeError(
        "intake.edit_missing",
        "A decision to edit names no proposal of that record and turn.",
        place=f"{record}:{turn}",
    )
    try:
        act = load_act(
            store,
            prefix,
            parse_digest(decision["proposed_for"]),
            decision["claim"],
            "edit",
            parse_digest(decision["edit"]),
        )
    except (KeyError, Missing) as error:
        raise missing from error
    if (act.record_id, str(act.turn)) != (record, turn):
        raise missing
    return Edit(record_id=act.record_id, turn=act.turn, words=act.note)
