"""One text through both tiers, for people at a terminal."""

from __future__ import annotations

from functools import lru_cache

from core.intake.privacy.detector import Detector, build_detector
from core.intake.privacy.names import NameFinder
from core.intake.privacy.spans import Span, merge
from core.policy.types import PrivacyRule


class TextScanner:
    """Both tiers over one text after another, built once. Not shared between threads."""

    def __init__(self, rule: PrivacyRule) -> None:
        self.detector: Detector = build_detector(rule)
        self.names = NameFinder()

    def scan(self, text: str) -> tuple[Span, ...]:
        """Return the spans of every entity, whatever the policy does with it."""
        people = self.names.find([text])[0]
        patterns = self.detector.find(text)
        clear = [
            span
            for span in people
            if not any(other.start < span.end and span.start < other.end for other in patterns)
        ]
        return merge([*patterns, *clear])


def scan_text(rule: PrivacyRule, text: str) -> tuple[Span, ...]:
    """Return what both tiers find in `text`; the scanner is kept for the next text."""
    return _scanner(_Key(rule)).scan(text)


class _Key:
    """A policy by what it says, since a rule with mappings cannot be hashed."""

    def __init__(self, rule: PrivacyRule) -> None:
        self.rule = rule
        self._words = repr(rule)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self._words == other._words

    def __hash__(self) -> int:
        return hash(self._words)


@lru_cache(maxsize=2)
def _scanner(key: _Key) -> TextScanner:
    return TextScanner(key.rule)
