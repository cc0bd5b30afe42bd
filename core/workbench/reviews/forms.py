"""What a form sends becomes a rating, or is refused; nothing of it is ever repaired."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import asdict

from core.model.errors import ReviewError
from core.model.names import Digest
from core.model.review import Rating, SamplePlan
from core.model.signoff import Person
from core.review.ratings import StoredRating
from core.review.tags import read_flags, read_tags


def answers_of(stored: StoredRating) -> Mapping[str, object]:
    """Return a stored rating as the form would have sent it, to be replaced."""
    rating = stored.rating
    return {
        "scores": dict(rating.scores),
        "verdict": rating.verdict,
        "note": rating.note,
        "flags": [asdict(flag) for flag in rating.flags],
        "bias_tags": [asdict(tag) for tag in rating.bias_tags],
        "tags": list(rating.tags),
        "seconds": rating.seconds,
        "supersedes": stored.sha256,
    }


def with_extra(plan: SamplePlan, extra: frozenset[str]) -> SamplePlan:
    """Return the plan an answer is checked against: records beside the sample may be answered."""
    return dataclasses.replace(plan, records=(*plan.records, *sorted(extra - set(plan.records))))


def time_of(stamp: str) -> str:
    """Return the time of a stored timestamp as a reader sees it."""
    return stamp[11:19] + " UTC"


def read_answers(
    answers: Mapping[str, object],
    plan: SamplePlan,
    record_id: str,
    by: Person,
    at: str,
) -> Rating:
    """Read a form's answer; what is not of its shape is refused, never repaired."""
    scores, flags = answers.get("scores"), answers.get("flags", [])
    tags = answers.get("tags", [])
    if not isinstance(scores, Mapping) or not isinstance(flags, list) or not isinstance(tags, list):
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
        tags=tuple(str(tag) for tag in tags),
    )


def same_answers(one: Rating, other: Rating) -> bool:
    """Whether two ratings say the same; a lost reply makes a form send its answer again."""
    return all(
        getattr(one, name) == getattr(other, name)
        for name in (
            *("rubric", "scores", "verdict", "flags"),
            *("tags", "bias_tags", "note", "shown_sha256"),
        )
    )
