"""Around a street: a number before it and a postal code after it belong to the address."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from core.intake.privacy.spans import Span

_BEFORE = re.compile(r"(?<![\w$.,/-])\d{1,6},? {1,2}$")
_AFTER = re.compile(
    r"(?<![\w$.,/%-])(?P<v>(?!(?:19|20)\d\d\b)(?:\d{2,3}[ -]\d{2,3}|[A-Z]{0,2}-?\d{3,6}))"
    r"(?=[ \t]*(?:[\n,;)]|\.?\s*$|\.\s))"
)
_REACH = 140


def around_streets(text: str, spans: Iterable[Span]) -> Iterator[Span]:
    """Yield what completes the street addresses among `spans`."""
    for span in spans:
        if span.entity != "STREET_ADDRESS":
            continue
        before = _BEFORE.search(text, max(0, span.start - 10), span.start)
        if before is not None:
            yield Span(
                start=before.start(),
                end=span.end,
                entity=span.entity,
                score=span.score,
                tier=span.tier,
            )
        hit = _AFTER.search(text, span.end, min(len(text), span.end + _REACH))
        # A code stands after a place or on a line of its own, never after "since" or "for".
        if hit is not None and _after_place(text[span.end : hit.start()]):
            yield Span(
                start=hit.start("v"),
                end=hit.end("v"),
                entity="ZIP_CODE",
                score=0.6,
                tier=span.tier,
            )


def _after_place(between: str) -> bool:
    """Whether only words of an address lie between: lines, or words that begin large."""
    words = re.findall(r"[^\W\d_]+", between)
    small = [word for word in words if word.islower()]
    return "\n" in between or ("," in between and not small)
