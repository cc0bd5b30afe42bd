"""The pattern tier reads every character: triggers first, then all patterns where one fired."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from core.canonical import sha256_hex
from core.intake.privacy import patterns, triggers
from core.intake.privacy.address import around_streets
from core.intake.privacy.allow import AllowList
from core.intake.privacy.plain import plain_form
from core.intake.privacy.recognisers import REGIONS, borrowed, no_warnings, settings, spans_of
from core.intake.privacy.secrets import PRIVATE_KEY
from core.intake.privacy.spans import Span, merge
from core.policy.types import PrivacyRule


class Detector:
    """Finds identifiers in one text at a time. Not shared between threads.

    `uses` counts the allow-list's entries that saved some text since the detector was built.
    """

    def __init__(self, rule: PrivacyRule) -> None:
        self.rule = rule
        self.uses: dict[str, int] = {}
        self._allow = AllowList(rule.allow)
        self._borrowed = borrowed()

    def find(self, text: str, *, everywhere: bool = False) -> tuple[Span, ...]:
        """Return the spans of `text`, apart from one another, in order of place.

        `everywhere` reads the whole text as one window, which costs more and finds the same.

        Raises:
            DetectorWarned: when a recogniser timed out or warned.
        """
        plain = plain_form(text)
        areas = ((0, len(plain.text)),) if everywhere else triggers.windows(plain.text)
        if not areas:
            return ()
        with no_warnings():
            found = [span for area in areas for span in self._in_window(plain.text, *area)]
        found.extend(_private_keys(plain.text))
        found.extend(around_streets(plain.text, found[:]))
        if not found:
            return ()
        standing = self._allow.without(plain.text, found, self.uses)
        return tuple(_exact(span, *plain.exact(span.start, span.end)) for span in merge(standing))

    def is_allowed(self, text: str, span: Span) -> bool:
        """Whether the allow-list keeps what stands at `span` of `text`."""
        return not self._allow.without(text, [span], self.uses)

    def redactable(self, text: str) -> tuple[Span, ...]:
        """Return the spans the policy wants replaced."""
        return tuple(span for span in self.find(text) if self.action(span) == "redact")

    def action(self, span: Span) -> str | None:
        """Return what the policy does with this span; None when it is below the score."""
        entity = self.rule.entities.get(span.entity)
        return entity.action if entity is not None and span.score >= entity.score else None

    def settings(self) -> Mapping[str, object]:
        """Return everything that decides what is found, as canonical data (no floats)."""
        own = "\n".join(
            f"{pattern.entity} {pattern.score} {pattern.expression.pattern}"
            for pattern in patterns.OWN
        )
        return {
            "patterns": patterns.VERSION,
            "patterns_sha256": sha256_hex(own.encode()),
            "allow": self._allow.version,
            "allow_sha256": self._allow.digest,
            "regions": list(REGIONS),
            "libraries": settings(),
            "numbered": self.rule.numbered,
            "entities": {
                name: [entity.action, repr(entity.score), entity.placeholder]
                for name, entity in sorted(self.rule.entities.items())
            },
        }

    def _in_window(self, text: str, start: int, end: int) -> Iterator[Span]:
        lowered = text[start:end].lower()
        digits = sum(map(lowered.count, "0123456789"))
        for pattern in patterns.OWN:
            if digits < pattern.digits:
                continue
            if pattern.words and not any(word in lowered for word in pattern.words):
                continue
            for hit in pattern.expression.finditer(text, start, end):
                name = hit.lastgroup if hit.lastgroup in ("w", "x") else "v"
                value = hit.group(name)
                if pattern.check is None or pattern.check(value):
                    yield Span(
                        start=hit.start(name),
                        end=hit.end(name),
                        entity=pattern.entity,
                        score=pattern.score,
                        tier="pattern",
                    )
        for tool in self._borrowed:
            yield from spans_of(tool, text, start, end)


def build_detector(rule: PrivacyRule) -> Detector:
    """Return the pattern tier for one policy."""
    return Detector(rule)


def _private_keys(text: str) -> Iterator[Span]:
    if "PRIVATE KEY" not in text:
        return
    for hit in PRIVATE_KEY.finditer(text):
        yield Span(start=hit.start(), end=hit.end(), entity="SECRET", score=0.95, tier="pattern")


def _exact(span: Span, start: int, end: int) -> Span:
    if (start, end) == (span.start, span.end):
        return span
    return Span(start=start, end=end, entity=span.entity, score=span.score, tier=span.tier)
