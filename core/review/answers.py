"""A rating answers the rubric of its plan about the bytes that were shown, or it is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from core.canonical import canonical_bytes, decode
from core.model.dataset import Message
from core.model.errors import DeskError, NotAllowed, ReviewError
from core.model.names import ReviewerId, parse_digest, parse_reviewer
from core.model.review import Rating, Rubric, RubricItem, SamplePlan
from core.model.signoff import Person
from core.policy.types import ClaimRule
from core.review.frame import FoundRecord
from core.review.items import overall
from core.review.tags import check_span, check_tags, read_flags, read_tags

SCHEMA = "release-desk/rating/2"
# Ratings of the first form: no evidence marked inside a turn, no bias tags.
SCHEMA_1 = "release-desk/rating/1"
NOTE_LIMIT = 4000
TAG_LIMIT = 80
_OTHER_ANSWERS = ("na", "cannot_judge")
_TEXT = ("candidate", "claim", "record_id", "rubric", "reviewer", "verdict", "note", "at")
_FAMILY = re.compile(r"family\s*==\s*(\w+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingDesk:
    """What a rating is checked against; `builder` built the candidate and may not review it."""

    plan: SamplePlan
    rubric: Rubric
    claim: ClaimRule
    record: FoundRecord
    builder: ReviewerId


def check_person(
    person: Person, named: str, roles: Sequence[str], builder: ReviewerId | None
) -> None:
    """Refuse an act in another's name, without one of `roles`, or by who built the candidate."""
    if parse_reviewer(person.id) != named:
        raise NotAllowed("review.not_yourself", "Nobody acts in another person's name.")
    if not set(roles) & set(person.roles):
        raise NotAllowed("review.role", "This needs a role you do not hold.", place=roles[0])
    if builder is not None and person.id == builder:
        raise NotAllowed("review.builder", "Whoever built the candidate may not review it.")


def check_rating(rating: Rating, desk: RatingDesk) -> None:
    """Refuse a rating that is not one of this plan, rubric and record."""
    plan, record = desk.plan, desk.record
    if (rating.candidate, rating.claim) != (plan.candidate, plan.claim):
        raise ReviewError("review.not_in_plan", "The rating is of another candidate or claim.")
    if rating.record_id not in plan.records or record.record_id != rating.record_id:
        raise ReviewError("review.not_in_plan", "This record is not in the sample.")
    if not rating.rubric == desk.rubric.digest == plan.rubric:
        raise ReviewError(
            "review.stale", "The rubric has changed since the sample was frozen.", place=plan.id
        )
    if rating.shown_sha256 != record.sha256:
        raise ReviewError(
            "review.stale", "What was shown is not what would ship.", place=rating.record_id
        )
    _check_answers(rating, desk.rubric, record.family)
    _check_flags(rating, desk.rubric, record.messages)
    check_tags(rating.bias_tags, desk.rubric, record.messages)
    if len(rating.note) > NOTE_LIMIT or any(len(tag) > TAG_LIMIT for tag in rating.tags):
        raise ReviewError("review.note", "A note has at most 4,000 characters, a tag 80.")
    moment_of(rating.at)


def rating_bytes(rating: Rating, schema: str = SCHEMA) -> bytes:
    """Return the bytes a rating is stored as."""
    content: dict[str, object] = {name: getattr(rating, name) for name in _TEXT}
    content |= {
        "schema": schema,
        "scores": dict(rating.scores),
        "shown_sha256": rating.shown_sha256,
        "seconds": rating.seconds,
        "supersedes": rating.supersedes,
        "tags": rating.tags,
    }
    if schema == SCHEMA_1:
        plain = [{"id": flag.id, "turn": flag.turn, "note": flag.note} for flag in rating.flags]
        return canonical_bytes({**content, "flags": plain})
    flags = [asdict(flag) for flag in rating.flags]
    tags = [asdict(tag) for tag in rating.bias_tags]
    return canonical_bytes({**content, "flags": flags, "bias_tags": tags})


def parse_rating(body: bytes) -> Rating:
    """Return the rating of stored bytes; raise `ReviewError` `review.rating_broken` for others."""
    try:
        content = decode(body)
        rating = _rating(content)
        schema = str(content["schema"])
        whole = schema in (SCHEMA, SCHEMA_1) and rating_bytes(rating, schema) == body
        moment_of(rating.at)
    except (DeskError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise _broken("") from error
    if not whole:
        raise _broken("")
    return rating


def moment_of(at: str) -> datetime:
    """Return a stored time; raise `ReviewError` `review.time` when it is none with a zone."""
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise ReviewError("review.time", "A time is not ISO 8601.") from None
    if moment.tzinfo is None:
        raise ReviewError("review.time", "A time names no zone.")
    return moment


def check_scores(scores: Mapping[str, str], rubric: Rubric) -> None:
    """Refuse an answer to no question of the rubric, or one that it does not offer."""
    items = {item.id for item in rubric.items}
    allowed = {str(step) for step in rubric.scale} | set(_OTHER_ANSWERS)
    for name, answer in scores.items():
        if name not in items or answer not in allowed:
            raise _answer("An answer is not one this rubric offers.", name)


def _check_answers(rating: Rating, rubric: Rubric, family: str) -> None:
    check_scores(rating.scores, rubric)
    for item in rubric.items:
        answer = rating.scores.get(item.id, "")
        if item.unit == "record" and not item.needs and not answer:
            raise _answer("A question is not answered.", item.id)
        if answer in ("na", "") and _must_be_judged(item, family, rating.tags):
            raise _answer("This question cannot be left out here.", item.id)
    if rating.verdict not in rubric.verdicts:
        raise _answer("The verdict is not one this rubric offers.", "verdict")
    _check_marks(rating, rubric)


def _check_marks(rating: Rating, rubric: Rubric) -> None:
    """Refuse to accept what is under a pass mark of the rubric, or under its weighted mean."""
    if rating.verdict != "accept":
        return
    for item in rubric.items:
        answer = rating.scores.get(item.id, "")
        if answer.isdecimal() and int(answer) < item.least:
            raise _answer("A score under its pass mark cannot be accepted.", item.id)
    if rubric.least_overall and (overall(rating, rubric) or 0.0) < rubric.least_overall:
        raise _answer("The weighted mean is under the pass mark, so accept is refused.", "verdict")


def must_judge(rubric: Rubric, family: str, tags: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the ids of the questions that "not applicable" does not answer here."""
    return tuple(item.id for item in rubric.items if _must_be_judged(item, family, tags))


def _must_be_judged(item: RubricItem, family: str, tags: Sequence[str]) -> bool:
    if not item.required_when:
        return False
    risk = "risk cue" in item.required_when and "risk_cue" in tags
    return risk or family in _FAMILY.findall(item.required_when)


def _check_flags(rating: Rating, rubric: Rubric, messages: Sequence[Message]) -> None:
    known = {flag.id for flag in rubric.hard_fails}
    for flag in rating.flags:
        if flag.id not in known or not 0 <= flag.turn < len(messages) or not flag.note.strip():
            raise ReviewError(
                "review.flag", "A flag names a hard fail, a turn and one sentence of why."
            )
        check_span(flag.turn, flag.start, flag.end, messages)
        if len(flag.note) > NOTE_LIMIT:
            raise ReviewError("review.note", "A note has at most 4,000 characters.")
    if rating.flags and rating.verdict == "accept":
        raise ReviewError("review.flag", "A record with a hard-fail flag cannot be accepted.")


def _rating(content: Mapping[str, object]) -> Rating:
    scores, flags, tags = content["scores"], content["flags"], content["tags"]
    if not isinstance(scores, dict) or not isinstance(flags, list) or not isinstance(tags, list):
        raise TypeError
    return Rating(
        candidate=parse_digest(str(content["candidate"])),
        claim=str(content["claim"]),
        record_id=str(content["record_id"]),
        rubric=parse_digest(str(content["rubric"])),
        reviewer=parse_reviewer(str(content["reviewer"])),
        scores={str(name): str(answer) for name, answer in scores.items()},
        verdict=str(content["verdict"]),
        flags=read_flags(flags),
        note=str(content["note"]),
        shown_sha256=parse_digest(str(content["shown_sha256"])),
        at=str(content["at"]),
        seconds=int(str(content["seconds"])),
        supersedes=str(content["supersedes"]),
        tags=tuple(str(tag) for tag in tags),
        bias_tags=read_tags(content.get("bias_tags", [])),
    )


def _answer(sentence: str, place: str) -> ReviewError:
    return ReviewError("review.answer", sentence, place=place)


def _broken(place: str) -> ReviewError:
    return ReviewError(
        "review.rating_broken", "A stored rating is not what its name says.", place=place
    )
