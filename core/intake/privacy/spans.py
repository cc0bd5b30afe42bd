"""A span is a place, an entity and a score. It never carries the text it stands for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from core.model.personal import ENTITIES

CONFIDENT = 0.5
"""Spans below this score are hints: they are reported alone, and never widen another span."""

_RANK = ENTITIES
_ORDER = {entity: place for place, entity in enumerate(_RANK)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Characters `start` to `end` of one text look like `entity`.

    `score` is between 0 and 1; `tier` is `pattern` or `name`.
    """

    start: int
    end: int
    entity: str
    score: float
    tier: str


def merge(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Return spans that do not overlap, in order of place.

    Where spans overlap, the highest score names the result, then the more specific entity,
    then the longer span. Confident spans that overlap become one span over all of them, so
    that redaction leaves no tail behind.
    """
    merged: list[Span] = []
    chain: list[Span] = []
    reach = 0
    for span in sorted(spans, key=lambda span: span.start):
        if chain and span.start >= reach:
            merged.extend(_merge_chain(chain))
            chain = []
        reach = max(reach, span.end) if chain else span.end
        chain.append(span)
    merged.extend(_merge_chain(chain))
    return tuple(merged)


def _merge_chain(spans: Iterable[Span]) -> list[Span]:
    kept: list[Span] = []
    for span in sorted(spans, key=_worth):
        touching = [other for other in kept if span.start < other.end and other.start < span.end]
        if not touching:
            kept.append(span)
        elif span.score >= CONFIDENT:
            first = min(touching, key=_worth)
            kept = [other for other in kept if other not in touching]
            start = min(span.start, *(other.start for other in touching))
            end = max(span.end, *(other.end for other in touching))
            kept.append(replace(first, start=start, end=end))
    return sorted(kept, key=lambda span: span.start)


def _worth(span: Span) -> tuple[float, int, int, int]:
    rank = _ORDER.get(span.entity, len(_ORDER))
    return (-span.score, rank, span.start - span.end, span.start)
