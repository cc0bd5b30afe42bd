"""A number that somebody sends in two messages is one number."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from core.intake.privacy.detector import Detector
from core.intake.privacy.spans import CONFIDENT, Span
from core.model.dataset import Message

_ENDS = re.compile(r"\d[\s().+-]{0,6}$")
_BEGINS = re.compile(r"[\s().+-]{0,6}\d")
_REACH = 120
_LEAST_DIGITS = 7
_NUMBERS = frozenset(
    (
        "PHONE_NUMBER",
        "US_SSN",
        "CREDIT_CARD",
        "IBAN_CODE",
        "ACCOUNT_NUMBER",
        "MRN",
        "HEALTH_PLAN_ID",
        "US_PASSPORT",
        "US_DRIVER_LICENSE",
        "DEVICE_ID",
    )
)


def find_across(messages: Sequence[Message], detector: Detector) -> Iterator[tuple[int, Span]]:
    """Yield turn and span of the parts of numbers that begin in one turn and end in another.

    A turn is joined with the next one, and with the next one of the same role: the other side
    often says "yes, go on" in between. Only numbers of at least seven digits count.
    """
    for first, message in enumerate(messages):
        if not _ENDS.search(message.content[-8:]):
            continue
        for second in _following(messages, first):
            parts = _joined(message.content, messages[second].content, detector)
            if parts is not None:
                yield first, parts[0]
                yield second, parts[1]
                break


def _following(messages: Sequence[Message], first: int) -> Iterator[int]:
    later = range(first + 1, min(first + 4, len(messages)))
    same = next((n for n in later if messages[n].role == messages[first].role), None)
    for second in dict.fromkeys([*later[:1], *([] if same is None else [same])]):
        if _BEGINS.match(messages[second].content):
            yield second


def _joined(before: str, after: str, detector: Detector) -> tuple[Span, Span] | None:
    left, right = before[-_REACH:], after[:_REACH]
    parted = not left[-1].isdigit() or not right[0].isdigit()
    for joint in ("",) if parted else ("-", " "):
        seam = len(left)
        for span in detector.find(left + joint + right):
            whole = span.start < seam and span.end > seam + len(joint)
            if not whole or span.entity not in _NUMBERS or span.score < CONFIDENT:
                continue
            one, two = left[span.start :], right[: span.end - seam - len(joint)]
            counts = [sum(map(str.isdigit, part)) for part in (one, two)]
            parts = (
                _part(span, len(before) - len(one), len(before)),
                _part(span, 0, len(two)),
            )
            # "Text 988" and "741741 works too" are two lines that help, and no number.
            kept = detector.is_allowed(before, parts[0]) or detector.is_allowed(after, parts[1])
            if min(counts) >= 2 and sum(counts) >= _LEAST_DIGITS and not kept:
                return parts
    return None


def _part(span: Span, start: int, end: int) -> Span:
    return Span(start=start, end=end, entity=span.entity, score=span.score, tier=span.tier)
