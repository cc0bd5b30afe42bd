"""Redaction replaces what the policy names with typed placeholders, and touches nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from core.intake.privacy.across import find_across
from core.intake.privacy.detector import Detector
from core.intake.privacy.spans import Span, merge
from core.intake.privacy.triggers import ENDS_IN_DIGITS, LOUD, flags_of
from core.intake.privacy.values import value_digest
from core.model.dataset import Message, PiiStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """A placeholder in a redacted message: turn (0-based), offsets in the new text, entity."""

    turn: int
    start: int
    end: int
    entity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Redacted:
    """Messages after redaction. `redacted_characters` counts the characters that went."""

    messages: tuple[Message, ...]
    spans: tuple[Replacement, ...]
    status: PiiStatus
    redacted_characters: int


def redact_all(dialogues: Sequence[Sequence[Message]], detector: Detector) -> list[Redacted]:
    """Return what `redact` gives of each dialogue, sooner: most texts hold nothing to look at."""
    flags = flags_of([message.content for messages in dialogues for message in messages])
    found = []
    start = 0
    for messages in dialogues:
        stop = start + len(messages)
        found.append(redact(messages, detector, flags[start:stop]))
        start = stop
    return found


def redact(
    messages: Sequence[Message], detector: Detector, flags: Sequence[int] | None = None
) -> Redacted:
    """Return `messages` with every redactable span replaced, whatever the role.

    The status is `requires_review` when a second reading still finds something to redact.
    `flags` are those of the messages, where they are known; see `triggers.flags_of`.
    """
    if flags is not None and not any(flags):
        return Redacted(
            messages=tuple(messages), spans=(), status="none_detected", redacted_characters=0
        )
    spans = redactable_spans(messages, detector, flags)
    placeholders = {name: rule.placeholder for name, rule in detector.rule.entities.items()}
    shown, places, gone = replace_spans(
        messages, spans, placeholders, numbered=detector.rule.numbered
    )
    left = bool(spans) and any(detector.redactable(shown[turn].content) for turn in spans)
    left = left or (bool(spans) and bool(redactable_across(shown, detector)))
    status: PiiStatus = "scrubbed" if places else "none_detected"
    return Redacted(
        messages=shown,
        spans=places,
        status="requires_review" if left else status,
        redacted_characters=gone,
    )


def redactable_spans(
    messages: Sequence[Message], detector: Detector, flags: Sequence[int] | None = None
) -> Mapping[int, tuple[Span, ...]]:
    """Return by turn (0-based) what the policy wants replaced, apart and in order of place."""
    found = {
        turn: detector.redactable(item.content)
        for turn, item in enumerate(messages)
        if flags is None or flags[turn] & LOUD
    }
    if flags is None or any(flag & ENDS_IN_DIGITS for flag in flags):
        for turn, span in redactable_across(messages, detector):
            found[turn] = merge([*found.get(turn, ()), span])
    return {turn: spans for turn, spans in found.items() if spans}


def redactable_across(
    messages: Sequence[Message], detector: Detector
) -> tuple[tuple[int, Span], ...]:
    """Return the parts of numbers that two turns share and the policy wants replaced."""
    return tuple(
        (turn, span)
        for turn, span in find_across(messages, detector)
        if detector.action(span) == "redact"
    )


def replace_spans(
    messages: Sequence[Message],
    spans: Mapping[int, Sequence[Span]],
    placeholders: Mapping[str, str],
    *,
    numbered: bool,
) -> tuple[tuple[Message, ...], tuple[Replacement, ...], int]:
    """Return the messages with placeholders in them, where these stand, and how much text went.

    With `numbered` the same value has the same number throughout the record, and another value
    another one; numbers go on from those that the text holds already.
    """
    names = _Numbers(messages, placeholders) if numbered else None
    shown = list(messages)
    places: list[Replacement] = []
    gone = 0
    for turn in sorted(spans):
        text, parts, length, done = messages[turn].content, [], 0, 0
        for span in spans[turn]:
            placeholder = placeholders[span.entity]
            if names is not None:
                placeholder = names.of(span.entity, text[span.start : span.end])
            parts += [text[done : span.start], placeholder]
            length += span.start - done
            end = length + len(placeholder)
            places.append(Replacement(turn=turn, start=length, end=end, entity=span.entity))
            length, done = end, span.end
            gone += span.end - span.start
        shown[turn] = replace(messages[turn], content="".join([*parts, text[done:]]))
    return tuple(shown), tuple(places), gone


class _Numbers:
    """The numbered placeholders of one record, in order of first appearance."""

    def __init__(self, messages: Iterable[Message], placeholders: Mapping[str, str]) -> None:
        self._placeholders = placeholders
        self._texts = [message.content for message in messages]
        self._known: dict[tuple[str, str], str] = {}
        self._last: dict[str, int] = {}

    def of(self, entity: str, value: str) -> str:
        placeholder = self._placeholders[entity]
        key = (placeholder, str(value_digest(entity, value)))
        if key not in self._known:
            number = self._last.get(placeholder, self._highest(placeholder)) + 1
            self._last[placeholder] = number
            self._known[key] = with_number(placeholder, str(number))
        return self._known[key]

    def _highest(self, placeholder: str) -> int:
        pattern = re.compile(with_number(re.escape(placeholder), r"(\d{1,4})", escaped=True))
        found = [int(hit.group(1)) for text in self._texts for hit in pattern.finditer(text)]
        return max(found, default=0)


def with_number(placeholder: str, number: str, *, escaped: bool = False) -> str:
    """Return `[NAME_number]` for `[NAME]`, and `NAME_number` for a placeholder without brackets."""
    closing = re.search(r"(?:\\[\]}]|[\]}>])+$" if escaped else r"[\]}>]+$", placeholder)
    place = closing.start() if closing is not None else len(placeholder)
    return f"{placeholder[:place]}_{number}{placeholder[place:]}"
