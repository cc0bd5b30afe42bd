"""The kinds of personal data a span can be called, and the findings named after them."""

from __future__ import annotations

ENTITIES = (
    "SECRET",
    "EMAIL_ADDRESS",
    "URL",
    "CREDIT_CARD",
    "IBAN_CODE",
    "VIN",
    "US_SSN",
    "MRN",
    "HEALTH_PLAN_ID",
    "ACCOUNT_NUMBER",
    "DEVICE_ID",
    "US_PASSPORT",
    "US_DRIVER_LICENSE",
    "LICENSE_PLATE",
    "STREET_ADDRESS",
    "DATE_OF_BIRTH",
    "AGE_OVER_89",
    "PHONE_NUMBER",
    "IP_ADDRESS",
    "ZIP_CODE",
    "USERNAME",
    "PERSON",
    "LOCATION",
)
"""From the most telling to the least: where spans overlap, the first names the result."""


def entity_of(code: str) -> str | None:
    """Return the entity a finding code speaks of, `privacy.person_possible` for instance."""
    name = code.removeprefix("privacy.").removesuffix("_possible").upper()
    return name if code.startswith("privacy.") and name in ENTITIES else None
