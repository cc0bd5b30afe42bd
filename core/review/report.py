"""The report of one claim's review: who read how much of what, by which rules, and what they found.

It holds persons by id, counts, codes and record ids, and no record's text; how much hard material
was read is said for all readers together, or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from core.model.review import ReviewState, Rubric, SamplePlan
from core.review.acts import StoredAct
from core.review.agreement import Coefficient
from core.review.intervals import Interval, flag_interval, item_intervals, norming_due
from core.review.norming import NormingRoom
from core.review.plans import plan_digest
from core.review.ratings import StoredRating
from core.review.settlements import StoredSettlement

SCHEMA = "release-desk/review-report/2"
FIRST_SCHEMA = "release-desk/review-report/1"
METHOD = "sha256 rank over one record per near-duplicate cluster"
WITHHELD = "(withheld: it may name somebody)"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSource:
    """Everything a report is made from. `heavy` are the hard records of the sample.

    `edited` are the records beside the sample in which an edit was laid.
    `together_from` is how many readers there must be for a sum over them to be shown; `clean`
    returns a typed text, or `WITHHELD` where it holds something private.
    """

    title: str
    plan: SamplePlan
    rubric: Rubric
    state: ReviewState
    ratings: Sequence[StoredRating]
    settlements: Sequence[StoredSettlement]
    rooms: Sequence[NormingRoom]
    alphas: tuple[Coefficient, Coefficient]
    acts: Sequence[StoredAct]
    edited: frozenset[str]
    exceptions: Sequence[str]
    heavy: frozenset[str]
    together_from: int
    limited_items: Sequence[str]
    clean: Callable[[str], str]


def review_report(source: ReportSource) -> dict[str, Any]:
    """Return the report as data; the same inputs give the same bytes."""
    state, plan, rubric = source.state, source.plan, source.rubric
    planned = frozenset(plan.records)
    rated = [one.rating for one in source.ratings if one.rating.record_id in planned]
    intervals = item_intervals(rated, f"{plan.seed}:{plan.claim}")
    return {
        "schema": SCHEMA,
        "claim": state.claim,
        "title": source.title,
        "scope": state.scope,
        "state": state.state,
        "rubric": {"id": rubric.id, "version": rubric.version, "sha256": rubric.digest},
        "plan": plan_digest(plan),
        "seed": plan.seed,
        "method": METHOD,
        "sample": plan.attempt,
        "failed_samples": [list(pair) for pair in plan.failed],
        "failed_and_left": list(state.failed_and_left),
        "frame": state.frame,
        "planned": state.planned,
        "first": plan.first,
        "second": plan.second,
        "overlap": plan.overlap,
        "parts": [dict(part) for part in state.parts],
        "read": state.read,
        "carried": state.carried,
        "defects": state.defects,
        "cannot_judge": state.cannot_judge,
        "double_rated": state.double_rated,
        "limit": state.limit,
        "confidence": state.confidence,
        "upper": state.upper,
        "corrected": state.corrected,
        "sentence": state.sentence,
        "known_bad": dict(state.known_bad),
        "items": {name: dict(found) for name, found in state.items.items()},
        "reviewers": list(state.reviewers),
        "readings": _readings(source.ratings),
        "agreement": dict(state.agreement),
        "intervals": {
            item: {name: _limits(found) for name, found in measures.items()}
            for item, measures in intervals.items()
        },
        "flag_interval": _limits(flag_interval(rated, f"{plan.seed}:{plan.claim}")),
        "norming_due": list(norming_due(intervals, source.limited_items)),
        "norming": _norming(source),
        "adjudicated": [_settled(one, source.clean) for one in source.settlements],
        "open_points": list(state.open_points),
        "dissents": list(state.dissents) + _schools(source.rooms),
        "exceptions": list(source.exceptions),
        "beside_the_sample": sum(one.act.kind == "extra" for one in source.acts),
        "edited": sorted(source.edited),
        "edits_proposed": sum(one.act.kind == "edit" for one in source.acts),
        "exposure": _exposure(source),
    }


def _readings(ratings: Sequence[StoredRating]) -> dict[str, int]:
    found: dict[str, int] = {}
    for stored in ratings:
        found[stored.rating.reviewer] = found.get(stored.rating.reviewer, 0) + 1
    return dict(sorted(found.items()))


def _limits(found: Interval) -> dict[str, object]:
    return {"low": found.low, "high": found.high, "why": found.why}


def _settled(stored: StoredSettlement, clean: Callable[[str], str]) -> dict[str, object]:
    one = stored.settlement
    return {
        "record_id": one.record_id,
        "kind": one.kind,
        "target": one.target,
        "decision": one.decision,
        "by": one.by,
        "at": one.at,
        "reason": clean(one.reason),
        "edits": list(one.edits),
    }


def _norming(source: ReportSource) -> dict[str, object]:
    before, after = source.alphas
    return {
        "rooms": len(source.rooms),
        "alpha_before": before.value,
        "alpha_after": after.value,
        "records": [
            {
                "record_id": room.record_id,
                "before": {item: dict(votes) for item, votes in room.before.items()},
                "after": {item: dict(votes) for item, votes in room.after.items()},
                "reasons": {str(who): why for who, why in room.reasons.items()},
            }
            for room in source.rooms
        ],
    }


def _schools(rooms: Sequence[NormingRoom]) -> list[str]:
    return [
        f"clinical school {room.record_id} held to by {who}"
        for room in rooms
        for who in room.dissent
    ]


def _exposure(source: ReportSource) -> dict[str, int] | None:
    ratings = [one.rating for one in source.ratings]
    readers = {rating.reviewer for rating in ratings}
    if len(readers) < source.together_from:
        return None
    return {
        "readers": len(readers),
        "heavy": sum(rating.record_id in source.heavy for rating in ratings),
        "minutes": round(sum(rating.seconds for rating in ratings) / 60),
    }
