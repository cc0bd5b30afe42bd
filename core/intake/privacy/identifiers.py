"""The 18 Safe Harbor identifiers: what finds each of them, and what nothing here finds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_MEASURED = Path(__file__).with_name("measured.json")
DESK = "desk"
BASELINE = "Presidio default"
COMMAND = "python -m tests.benchmarks.privacy"
"""What measures the figures, on sets that it names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """One of the 18 (45 CFR 164.514(b)(2)(i), A to R). `entities` is empty where none is ours."""

    letter: str
    name: str
    entities: tuple[str, ...]
    found_by: str
    outside: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """Shares of labelled values found, 0 to 1, and of how many."""

    desk: float
    baseline: float
    of: int


def _row(letter: str, name: str, entities: str, found_by: str, outside: str) -> Identifier:
    return Identifier(
        letter=letter,
        name=name,
        entities=tuple(entities.split()),
        found_by=found_by,
        outside=outside,
    )


IDENTIFIERS = (
    _row(
        "A",
        "Names",
        "PERSON",
        "model and name lists with relation words, on a sample; people on a sample",
        "rare names without a relation word; initials; names in other languages",
    ),
    _row(
        "B",
        "Places smaller than a state",
        "STREET_ADDRESS ZIP_CODE LOCATION",
        "patterns for addresses and postal codes; the model counts places",
        "towns, schools and workplaces are counted, not redacted",
    ),
    _row(
        "C",
        "Dates tied to a person, ages over 89",
        "DATE_OF_BIRTH AGE_OVER_89",
        "patterns for calendar dates and ages, in digits and in words",
        "a year alone, relative dates and durations stay on purpose",
    ),
    _row(
        "D",
        "Telephone numbers",
        "PHONE_NUMBER",
        "phonenumbers, 8 regions; digits in English words, letters for digits, over two turns",
        "digits in words of other languages",
    ),
    _row("E", "Fax numbers", "PHONE_NUMBER", "as telephone numbers", "as telephone numbers"),
    _row(
        "F",
        "E-mail addresses",
        "EMAIL_ADDRESS",
        "patterns, also 'name at site dot com' and letter by letter",
        "encoded addresses",
    ),
    _row(
        "G",
        "Social security numbers",
        "US_SSN",
        "patterns with context, also in words after 'social security' and over two turns",
        "nine digits without a form or a word",
    ),
    _row("H", "Medical record numbers", "MRN", "words for the record and a number", "bare numbers"),
    _row(
        "I",
        "Health-plan numbers",
        "HEALTH_PLAN_ID",
        "words for the plan and a number; Medicare's form",
        "bare numbers",
    ),
    _row(
        "J",
        "Account numbers",
        "ACCOUNT_NUMBER CREDIT_CARD IBAN_CODE",
        "check digits; words for an account and a number",
        "bare numbers",
    ),
    _row(
        "K",
        "Certificate and licence numbers",
        "US_DRIVER_LICENSE US_PASSPORT",
        "words for the document and a number",
        "bare numbers",
    ),
    _row(
        "L",
        "Vehicle identifiers and plates",
        "LICENSE_PLATE VIN",
        "words for the plate; the check digit of the VIN",
        "bare plates",
    ),
    _row(
        "M",
        "Device identifiers",
        "DEVICE_ID",
        "words for the device and a serial number; MAC addresses",
        "bare serial numbers",
    ),
    _row("N", "Web addresses", "URL", "patterns", "shortened names without a domain"),
    _row("O", "IP addresses", "IP_ADDRESS", "patterns", ""),
    _row("P", "Biometric identifiers", "", "not in text", "voice and fingerprints are no text"),
    _row("Q", "Photographs", "", "not in text", "image objects are refused at intake"),
    _row(
        "R",
        "Any other identifying number or code",
        "USERNAME SECRET",
        "patterns for handles, passwords, keys and tokens; people on a sample",
        "a story that points to one person: only people find it",
    ),
)


def measured_recall() -> Mapping[str, Recall]:
    """Return recall by entity on the therapy set of our generator, as last measured."""
    held = json.loads(_MEASURED.read_text("utf-8"))
    return {
        entity: Recall(desk=share, baseline=held[BASELINE].get(entity, [0.0, 0])[0], of=count)
        for entity, (share, count) in held[DESK].items()
    }


def table_lines() -> tuple[str, ...]:
    """Return the coverage as the lines of a Markdown table, as the README prints it."""
    recall = measured_recall()
    lines = ["| | identifier | how it is found | recall (Presidio's) | out of scope |"]
    lines.append("|---|---|---|---|---|")
    for item in IDENTIFIERS:
        figures = figures_of(item, recall)
        outside = item.outside or "none known"
        lines.append(f"| {item.letter} | {item.name} | {item.found_by} | {figures} | {outside} |")
    return tuple(lines)


def figures_of(item: Identifier, recall: Mapping[str, Recall]) -> str:
    """Return an identifier's measured recall in words, ours and the baseline's in brackets."""
    known = [(name, recall[name]) for name in item.entities if name in recall]
    if not known:
        return "none"
    many = len(item.entities) > 1
    return ", ".join(
        (f"{name.replace('_', ' ').lower()} " if many else "")
        + f"{found.desk:.2f} ({found.baseline:.2f})"
        for name, found in known
    )
