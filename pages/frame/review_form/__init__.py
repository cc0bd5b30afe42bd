"""The keyboard form: the browser keeps the answer, Python keeps every event exactly once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from core.model.errors import DeskError
from core.model.review import Rubric
from core.model.signoff import Person
from core.workbench import Workbench
from core.workbench.reviews import ReviewScreen

_FOLDER = Path(__file__).parent
_LABELS = {"user": "Client", "assistant": "Helper", "system": "System prompt"}
_VERDICTS = {
    "accept": "Accept",
    "accept_with_edit": "Accept with an edit",
    "reject": "Reject",
    "second_opinion": "Second opinion",
}

_FORM = st.components.v2.component(
    "release_desk_review_form",
    html=(_FOLDER / "form.html").read_text(encoding="utf-8"),
    css=(_FOLDER / "form.css").read_text(encoding="utf-8"),
    js=(_FOLDER / "form.js").read_text(encoding="utf-8"),
)


def review_form(
    bench: Workbench,
    person: Person,
    *,
    digest: str,
    claim: str,
    screen: ReviewScreen,
    rubric: Rubric,
    folded: bool,
) -> None:
    """Draw one record with its rubric; save drafts and submit ratings as events arrive.

    The component keeps one key per claim and person, so that focus stays where it is when the
    next record comes.
    """
    key = f"review:{claim}:{person.id}"
    memory = st.session_state.setdefault(f"_{key}", {"acked": 0, "saved_at": "", "fault": ""})
    if memory.get("record") != screen.record_id:
        memory.update(record=screen.record_id, saved_at="", fault="")

    def receive() -> None:
        held = st.session_state.get(key) or {}
        for event in held.get("outbox") or []:
            if event["seq"] > memory["acked"]:
                memory["acked"] = event["seq"]
                _apply(bench, person, digest, claim, event, memory)

    _FORM(
        key=key,
        data={
            **_shown(screen, rubric, claim),
            "acked": memory["acked"],
            "saved_at": memory["saved_at"] or screen.draft_saved_at,
            "fault": memory["fault"],
            "folded": folded,
            "generation": memory.get("generation", 0),
        },
        default={"outbox": []},
        on_outbox_change=receive,
    )


def _apply(
    bench: Workbench,
    person: Person,
    digest: str,
    claim: str,
    event: Mapping[str, Any],
    memory: dict[str, Any],
) -> None:
    record = str(event["record_id"])
    payload = dict(event["payload"])
    try:
        if event["kind"] == "draft":
            memory["saved_at"] = bench.reviews.save_draft(
                digest,
                claim,
                record,
                person,
                payload,
                tab=str(event["tab"]),
                seq=int(event["seq"]),
                based_on=int(event["based_on"]),
            )
        else:
            answers = {**payload, "shown_sha256": event["shown_sha256"]}
            bench.reviews.submit(digest, claim, record, person, answers)
            st.session_state.pop(f"record:{claim}", None)
        memory["fault"] = ""
    except DeskError as error:
        memory["fault"] = f"Not saved: {error.sentence} ({error.code})"


def _shown(screen: ReviewScreen, rubric: Rubric, claim: str) -> dict[str, Any]:
    rating = screen.rating
    return {
        "record_id": screen.record_id,
        "claim": claim,
        "shown_sha256": screen.sha256,
        "messages": [
            {"role": turn.role, "label": _LABELS[turn.role], "content": turn.content}
            for turn in screen.messages
        ],
        "question": rubric.question,
        "scale": [str(value) for value in rubric.scale],
        "items": [
            {
                "id": item.id,
                "name": item.name,
                "definition": item.definition,
                "anchors": {str(value): text for value, text in sorted(item.anchors.items())},
                "optional": bool(item.needs),
            }
            for item in rubric.items
            if item.unit == "record"
        ],
        "hard_fails": [
            {"id": fail.id, "name": fail.name, "text": fail.text} for fail in rubric.hard_fails
        ],
        "verdicts": [
            {"id": verdict, "label": _VERDICTS.get(verdict, verdict)} for verdict in rubric.verdicts
        ],
        "draft_version": screen.draft_version,
        "draft": dict(screen.draft) if screen.draft is not None else None,
        "rating": None
        if rating is None
        else {
            "scores": dict(rating.scores),
            "verdict": rating.verdict,
            "note": rating.note,
            "flags": [{"id": f.id, "turn": f.turn, "note": f.note} for f in rating.flags],
        },
    }
