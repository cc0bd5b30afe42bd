"""Redaction replaces what the policy names with typed placeholders, and touches nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from core.intake.privacy.detector import Detector
from core.intake.privacy.spans import Span
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


def redact(messages: Sequence[Message], detector: Detector) -> Redacted:
    """Return `messages` with every redactable span replaced, whatever the role.

    The status is `requires_review` when a second reading still finds something to redact.
    """
    shown: list[Message] = []
    places: list[Replacement] = []
    gone = 0
    left = False
    worth = detector.worth_reading([message.content for message in messages])
    for turn, message in enumerate(messages):
        spans = detector.redactable(message.content) if worth[turn] else ()
        if not spans:
            shown.append(message)
            continue
        text, replaced = _replace(message.content, spans, detector)
        shown.append(replace(message, content=text))
        places.extend(replace(place, turn=turn) for place in replaced)
        gone += sum(span.end - span.start for span in spans)
        left = left or bool(detector.redactable(text))
    status: PiiStatus = "scrubbed" if places else "none_detected"
    return Redacted(
        messages=tuple(shown),
        spans=tuple(places),
        status="requires_review" if left else status,
        redacted_characters=gone,
    )


def _replace(
    text: str, spans: Iterable[Span], detector: Detector
) -> tuple[str, tuple[Replacement, ...]]:
    parts: list[str] = []
    places: list[Replacement] = []
    length = done = 0
    for span in spans:
        placeholder = detector.rule.entities[span.entity].placeholder
        parts += [text[done : span.start], placeholder]
        length += span.start - done
        places.append(
            Replacement(turn=0, start=length, end=length + len(placeholder), entity=span.entity)
        )
        length += len(placeholder)
        done = span.end
    return "".join([*parts, text[done:]]), tuple(places)
