"""What the browser is given of one record: exact text, the questions, and what was answered."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from core.model.dataset import Message
from core.model.review import Rating, Rubric
from core.model.signoff import Person
from core.review.answers import moment_of
from core.workbench import Workbench
from core.workbench.care import ContentCard
from core.workbench.reviews import ReviewScreen
from pages.frame.show import SPEAKERS

_VERDICTS = {
    "accept": "Accept",
    "accept_with_edit": "Accept with an edit",
    "reject": "Reject",
    "second_opinion": "Second opinion",
}
_EDGE = (
    "It is of the edge and crisis family: it may speak of suicide, self-harm, abuse or violence."
)
_NO_SUPPORT = (
    "Support: your organisation has not written down whom to turn to; the release owner can, "
    "under [care] in the policy."
)


def shown_care(
    bench: Workbench, person: Person, screen: ReviewScreen, card: ContentCard, opened: bool
) -> dict[str, Any]:
    """Return the content card, the rest that is due and the support contact."""
    rest = 0
    if card.withheld_until:
        left = moment_of(card.withheld_until) - bench.desk.clock.now()
        rest = max(1, math.ceil(left / timedelta(seconds=1)))
    return {
        "card": {
            "themes": [asdict(theme) for theme in card.themes],
            "intensity": card.intensity,
            "folded": card.folded,
            "opened": opened,
        },
        "withheld": rest,
        "budget": _budget(bench, person) if card.heavy else "",
        "family_words": _EDGE if screen.family == "edge_cases" else "",
        "support": support_words(bench),
    }


def support_words(bench: Workbench) -> str:
    """Return whom to turn to, or that nobody has said so."""
    support = bench.care.rule.support
    return f"Support: {support}" if support.strip() else _NO_SUPPORT


def _budget(bench: Workbench, person: Person) -> str:
    now, rule = bench.care.exposure(person), bench.care.rule
    if not now.over:
        return ""
    return (
        f"In the last 24 hours you read {now.heavy} hard records and {now.minutes:.0f} minutes; "
        f"the budget is {rule.heavy_a_day} records or {rule.minutes_a_day} minutes. This is a "
        "good place to stop for today."
    )


def shown_turns(messages: Sequence[Message]) -> list[dict[str, str]]:
    """Return the turns as they would ship."""
    return [
        {"role": turn.role, "label": SPEAKERS[turn.role], "content": turn.content}
        for turn in messages
    ]


def shown_questions(rubric: Rubric, must_judge: Sequence[str]) -> dict[str, Any]:
    """Return what is asked of one record; questions of the whole set are not."""
    return {
        "question": rubric.question,
        "scale": [str(value) for value in rubric.scale],
        "items": [
            {
                "id": item.id,
                "name": item.name,
                "definition": item.definition,
                "anchors": {str(value): text for value, text in sorted(item.anchors.items())},
                "optional": bool(item.needs),
                "must": item.id in must_judge,
            }
            for item in rubric.items
            if item.unit == "record"
        ],
        "hard_fails": [
            {"id": fail.id, "name": fail.name, "text": fail.text} for fail in rubric.hard_fails
        ],
        "verdicts": [
            {"id": verdict, "label": shown_verdict(verdict)} for verdict in rubric.verdicts
        ],
        "tags": shown_tags(rubric.tags),
    }


def shown_verdict(verdict: str) -> str:
    """Return a verdict as people read it."""
    return _VERDICTS.get(verdict, verdict)


def shown_tags(tags: Mapping[str, Sequence[str]]) -> dict[str, list[dict[str, str]]]:
    """Return the rubric's words for tags as people read them."""
    return {
        kind: [{"id": word, "label": word.replace("_", " ")} for word in words]
        for kind, words in tags.items()
    }


def shown_rating(rating: Rating | None) -> dict[str, Any] | None:
    """Return what was submitted, as the form holds an answer."""
    if rating is None:
        return None
    return {
        "scores": dict(rating.scores),
        "verdict": rating.verdict,
        "note": rating.note,
        "flags": [asdict(flag) for flag in rating.flags],
        "bias_tags": [asdict(tag) for tag in rating.bias_tags],
    }
