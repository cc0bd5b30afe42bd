"""Known synthetic identifiers that a working detector must find, every time it is trusted."""

from __future__ import annotations

from collections.abc import Iterable

from core.intake.privacy.detector import Detector
from core.intake.privacy.names import NameFinder

CANARIES = {
    "EMAIL_ADDRESS": "Write to canary.bird@coalmine-test.com about it.",
    "PHONE_NUMBER": "My cell is (212) 555-0147, ring me.",
    "US_SSN": "My social security number is 536-22-8471.",
    "CREDIT_CARD": "The card is 4111 1111 1111 1111, Visa.",
    "IP_ADDRESS": "It came from 203.0.113.77 last night.",
    "URL": "See https://coalmine-test.com/canary/page for it.",
    "IBAN_CODE": "Send it to IBAN DE89370400440532013000 please.",
    "MRN": "The chart says MRN 48151623 on top.",
    "ZIP_CODE": "We moved to Springfield, IL 62704 in the fall.",
    "STREET_ADDRESS": "I live at 742 Evergreen Terrace now.",
    "AGE_OVER_89": "My grandmother is 94 years old.",
    "LICENSE_PLATE": "His license plate is 7ABC123 and he drives fast.",
    "VIN": "The VIN is 1M8GDM9AXKP042788 on the dash.",
    "ACCOUNT_NUMBER": "My bank account number is 000123456789.",
    "DEVICE_ID": "The pacemaker serial number is PM8842019.",
    "US_DRIVER_LICENSE": "My driver's license number is D1234567.",
    "US_PASSPORT": "My passport number is 533401987.",
    "HEALTH_PLAN_ID": "My insurance member ID is XGH884201973.",
    "DATE_OF_BIRTH": "I was born on 03/14/1985 in the spring.",
    "USERNAME": "Follow me at @canary_bird_85 there.",
    "SECRET": "The key is AKIAIOSFODNN7CANARY1 for the bucket.",
}
NAME_CANARY = "My sister Margaret Thompson called me about it yesterday."


def missed_canaries(detector: Detector, entities: Iterable[str]) -> tuple[str, ...]:
    """Return the entities whose canary `detector` does not act on, or that have none."""
    return tuple(
        entity
        for entity in entities
        if entity not in CANARIES
        or not any(
            span.entity == entity and detector.action(span) is not None
            for span in detector.find(CANARIES[entity])
        )
    )


def name_canary_found(names: NameFinder, score: float) -> bool:
    """Whether the name tier finds the canary's name at `score` or above."""
    spans = names.find([NAME_CANARY])[0]
    return any(span.entity == "PERSON" and span.score >= score for span in spans)
