"""Evidence is a turn, or a stretch of its exact text in code points; a tag names what strikes one.

Tags are the bias reviewer's: a dimension, about whom, and which harm, in the rubric's own words.
They weigh nothing by themselves and are shown in the results as they were given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from core.model.dataset import Message
from core.model.errors import ReviewError
from core.model.names import ReviewerId
from core.model.review import BiasTag, Flag, Rating, Rubric

TAG_KINDS = ("dimension", "about_whom", "harm")
TAGS_LIMIT = 200
NOTE_LIMIT = 500


def check_span(turn: int, start: int | None, end: int | None, messages: Sequence[Message]) -> None:
    """Refuse a mark that is not a stretch of the turn's exact text.

    Raises:
        ReviewError: `review.span`.
    """
    if start is None and end is None:
        return
    length = len(messages[turn].content)
    if start is None or end is None or not 0 <= start < end <= length:
        raise ReviewError("review.span", "The marked words are not a stretch of that turn.")


def check_tags(tags: Sequence[BiasTag], rubric: Rubric, messages: Sequence[Message]) -> None:
    """Refuse a tag that the rubric has no word for, or that names no turn of the record.

    Raises:
        ReviewError: `review.tag`, `review.span`, `review.note`.
    """
    if len(tags) > TAGS_LIMIT:
        raise ReviewError("review.tag", f"A record has at most {TAGS_LIMIT} tags.")
    for tag in tags:
        words = asdict(tag)
        known = all(words[kind] in rubric.tags.get(kind, ()) for kind in TAG_KINDS)
        if not known or not 0 <= tag.turn < len(messages):
            raise ReviewError(
                "review.tag", "A tag names a dimension, about whom, a harm and a turn."
            )
        if len(tag.note) > NOTE_LIMIT:
            raise ReviewError("review.note", f"A tag's note has at most {NOTE_LIMIT} characters.")
        check_span(tag.turn, tag.start, tag.end, messages)


def read_flags(found: object) -> tuple[Flag, ...]:
    """Return flags as stored or sent; raise `TypeError`, `KeyError` or `ValueError` for others."""
    return tuple(
        Flag(
            id=str(entry["id"]),
            turn=_number(entry["turn"]),
            note=str(entry["note"]),
            start=_offset(entry.get("start")),
            end=_offset(entry.get("end")),
        )
        for entry in _entries(found)
    )


def read_tags(found: object) -> tuple[BiasTag, ...]:
    """Return tags as stored or sent; raise `TypeError`, `KeyError` or `ValueError` for others."""
    return tuple(
        BiasTag(
            dimension=str(entry["dimension"]),
            about_whom=str(entry["about_whom"]),
            harm=str(entry["harm"]),
            turn=_number(entry["turn"]),
            note=str(entry.get("note", "")),
            start=_offset(entry.get("start")),
            end=_offset(entry.get("end")),
        )
        for entry in _entries(found)
    )


def _entries(found: object) -> list[Mapping[str, object]]:
    if not isinstance(found, list | tuple):
        raise TypeError
    return list(found)


def _offset(value: object) -> int | None:
    return None if value is None else _number(value)


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class TagCount:
    """How often one combination was tagged: in how many records, by which reviewers."""

    dimension: str
    about_whom: str
    harm: str
    tags: int
    records: int
    reviewers: tuple[ReviewerId, ...]


def count_tags(ratings: Iterable[Rating]) -> tuple[TagCount, ...]:
    """Return every combination that was tagged, the most frequent first."""
    counts: Counter[tuple[str, str, str]] = Counter()
    records: dict[tuple[str, str, str], set[str]] = {}
    people: dict[tuple[str, str, str], set[ReviewerId]] = {}
    for rating in ratings:
        for tag in rating.bias_tags:
            combination = (tag.dimension, tag.about_whom, tag.harm)
            counts[combination] += 1
            records.setdefault(combination, set()).add(rating.record_id)
            people.setdefault(combination, set()).add(rating.reviewer)
    return tuple(
        TagCount(
            dimension=combination[0],
            about_whom=combination[1],
            harm=combination[2],
            tags=count,
            records=len(records[combination]),
            reviewers=tuple(sorted(people[combination])),
        )
        for combination, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )
