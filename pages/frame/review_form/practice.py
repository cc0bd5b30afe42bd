"""Practice is answered in the form that records are read in, by the same keys, and kept nowhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import streamlit as st

from core.model.errors import DeskError
from core.review.answers import must_judge
from core.workbench.reviews import WarmUp
from pages.frame.review_form import Seat
from pages.frame.review_form.component import FORM
from pages.frame.review_form.shown import shown_questions, shown_turns, support_words

Answered = Callable[[Mapping[str, Any]], None]


def practice_form(seat: Seat, warm_up: WarmUp, answered: Answered) -> None:
    """Draw one invented dialogue with its questions; call `answered` with the finished answer."""
    key = f"practice:{seat.claim}:{seat.person.id}:{warm_up.id}"
    # How far the form's events are applied, and why the last of them was refused.
    acked, fault = st.session_state.setdefault(f"_{key}", (0, ""))
    held = FORM(
        key=key,
        data={**_shown(seat, warm_up), "acked": acked, "fault": fault},
        default={"outbox": []},
        on_outbox_change=lambda: None,
    )
    event = finished(held.get("outbox") or (), acked)
    if event is None:
        return
    try:
        answered(event["payload"])
        fault = ""
    except DeskError as error:
        fault = f"Not compared: {error.sentence} ({error.code})"
    st.session_state[f"_{key}"] = (event["seq"], fault)
    st.rerun()


def finished(events: Sequence[Mapping[str, Any]], acked: int) -> Mapping[str, Any] | None:
    """Return the finished answer among a form's events, unless it was heard of before."""
    given = [one for one in events if one["kind"] == "submit" and one["seq"] > acked]
    return given[-1] if given else None


def _shown(seat: Seat, warm_up: WarmUp) -> dict[str, Any]:
    card = seat.bench.care.card(warm_up.messages, warm_up.family, seat.person, begun=True)
    return {
        "practice": True,
        "candidate": seat.digest,
        "claim": seat.claim,
        "record_id": warm_up.id,
        "records": [{"id": warm_up.id, "state": "open"}],
        **dict.fromkeys(("saved_at", "undoable", "budget", "rating_sha256"), ""),
        **dict.fromkeys(("reopened", "withheld", "draft_version"), 0),
        **dict.fromkeys(("draft", "rating"), None),
        "reasons": [],
        "card": {
            "themes": [asdict(theme) for theme in card.themes],
            "intensity": card.intensity,
            "folded": card.folded,
            # Nobody's exposure is counted here: the dialogue is invented.
            "opened": False,
        },
        "family_words": "This dialogue is invented, as all practice is.",
        "support": support_words(seat.bench),
        "shown_sha256": warm_up.sha256,
        "messages": shown_turns(warm_up.messages),
        **shown_questions(seat.rubric, must_judge(seat.rubric, warm_up.family)),
    }
