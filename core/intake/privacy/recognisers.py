"""Presidio's recognisers, built by hand, never on the network, never silent.

They are called directly: an engine around them would tokenise every window again to find the
context words, at four times the cost. `_boosted` applies Presidio's own rule for context
(plus 0.35, at least 0.4) to the characters before a hit, so the result does not depend on
how the text was cut into windows.
"""

from __future__ import annotations

import importlib.metadata
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import tldextract
from presidio_analyzer import EntityRecognizer
from presidio_analyzer.predefined_recognizers import (
    CreditCardRecognizer,
    CryptoRecognizer,
    EmailRecognizer,
    IbanRecognizer,
    IpRecognizer,
    MacAddressRecognizer,
    UsItinRecognizer,
    UsMbiRecognizer,
    UsSsnRecognizer,
)

from core.intake.privacy.national_phones import NationalPhoneRecognizer
from core.intake.privacy.spans import Span
from core.logs import COUNTED, WarningCounter
from core.model.errors import IntakeError

REGIONS = ("US", "GB", "DE", "FR", "AU", "IN", "SE", "CH")
_REACH = 80
_FACTOR = 0.35
_LEAST = 0.4
_SUFFIXES = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, fallback_to_snapshot=True)


class DetectorWarned(IntakeError):
    """A recogniser timed out or complained, so that its silence proves nothing."""


class OfflineEmailRecognizer(EmailRecognizer):  # type: ignore[misc]
    """Presidio's e-mail recogniser with the public suffix list of the package, not the web's."""

    def validate_result(self, pattern_text: str) -> bool:
        """Whether the domain ends in a public suffix of the bundled snapshot."""
        return bool(_SUFFIXES(pattern_text).fqdn)


# One for the whole process and all of its threads: a warning raised for another text makes
# this reading fail as well, which errs on the right side.
_COUNTER = WarningCounter()


@contextmanager
def no_warnings() -> Iterator[None]:
    """Raise `DetectorWarned` when a Presidio logger says anything at WARNING or above."""
    for name in COUNTED:
        logger = logging.getLogger(name)
        # Its words may quote the text: whatever does more than count may not hear them.
        if _COUNTER not in logger.handlers or len(logger.handlers) > 1:
            counters: list[logging.Handler] = [
                one for one in logger.handlers if isinstance(one, WarningCounter)
            ]
            logger.handlers = counters if _COUNTER in counters else [*counters, _COUNTER]
        logger.propagate = False
        logger.disabled = False
        if logger.level != logging.WARNING:
            logger.setLevel(logging.WARNING)
    before = _COUNTER.count
    yield
    if _COUNTER.count != before:
        raise DetectorWarned(
            "privacy.detector_warned",
            "A recogniser timed out or warned, so nothing it missed can be trusted.",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Borrowed:
    """One Presidio recogniser, the entity we report, and what a window needs to be worth it."""

    recogniser: Any
    entity: str
    needs: re.Pattern[str]


def borrowed() -> tuple[Borrowed, ...]:
    """Return Presidio's recognisers that we use, in their fixed order."""
    nine = re.compile(r"\d(?:[ .-]?\d){8}")
    table: tuple[tuple[EntityRecognizer, str, str], ...] = (
        (OfflineEmailRecognizer(), "EMAIL_ADDRESS", "@"),
        (
            NationalPhoneRecognizer(REGIONS),
            "PHONE_NUMBER",
            r"\d(?:[^\w\n]{0,4}\d){6}",
        ),
        (UsSsnRecognizer(), "US_SSN", nine.pattern),
        (UsItinRecognizer(), "US_SSN", nine.pattern),
        (CreditCardRecognizer(), "CREDIT_CARD", r"\d(?:[ -]?\d){11}"),
        (IbanRecognizer(), "IBAN_CODE", r"[A-Z]{2}\d\d"),
        (IpRecognizer(), "IP_ADDRESS", r"\d\.\d{1,3}\.\d|[0-9A-Fa-f]:[0-9A-Fa-f:]|::"),
        (
            MacAddressRecognizer(),
            "DEVICE_ID",
            r"[0-9A-Fa-f]{2}[:-][0-9A-Fa-f]{2}[:-]|\w{4}\.\w{4}\.",
        ),
        (CryptoRecognizer(), "ACCOUNT_NUMBER", r"(?:bc1|[13])[a-zA-HJ-NP-Z0-9]{25}"),
        (UsMbiRecognizer(), "HEALTH_PLAN_ID", r"\d[A-Z][A-Z0-9]\d"),
    )
    return tuple(
        Borrowed(recogniser=recogniser, entity=entity, needs=re.compile(needs))
        for recogniser, entity, needs in table
    )


def spans_of(tool: Borrowed, text: str, start: int, end: int) -> Iterator[Span]:
    """Yield what `tool` finds in characters `start` to `end`, scored with their context."""
    window = text[start:end]
    if not tool.needs.search(window):
        return
    for hit in tool.recogniser.analyze(window, tool.recogniser.supported_entities, None):
        place = start + hit.start
        yield Span(
            start=place,
            end=start + hit.end,
            entity=tool.entity,
            score=_boosted(
                hit.score, tool.recogniser.context, text[max(0, place - _REACH) : place]
            ),
            tier="pattern",
        )


def settings() -> dict[str, str]:
    """Return the versions that decide what these recognisers find."""
    packages = ("presidio-analyzer", "phonenumbers", "tldextract")
    return {name: importlib.metadata.version(name) for name in packages}


def _boosted(score: float, context: list[str] | None, before: str) -> float:
    lowered = before.lower()
    if not context or not any(word in lowered for word in context):
        return float(score)
    return min(1.0, max(score + _FACTOR, _LEAST))
