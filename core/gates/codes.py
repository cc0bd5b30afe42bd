"""Every code a gate can give, in words for the person who must act."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_EXCLUDE: Final = "Exclude the record or correct its source, then build again."
_REBUILD: Final = "Build the candidate again; if it stays, the desk has a fault to report."

_ENTITIES: Final = {
    "email_address": "E-mail address",
    "phone_number": "Phone number",
    "us_ssn": "Social security number",
    "credit_card": "Card number",
    "ip_address": "IP address",
    "url": "Web address",
    "iban_code": "Bank account (IBAN)",
    "mrn": "Medical record number",
    "zip_code": "Postal code",
    "street_address": "Street address",
    "age_over_89": "Age over 89",
    "license_plate": "License plate",
    "vin": "Vehicle number",
    "account_number": "Account number",
    "device_id": "Device number",
    "us_driver_license": "Driver's license",
    "us_passport": "Passport number",
    "health_plan_id": "Health plan number",
    "date_of_birth": "Date of birth",
    "username": "User name",
    "secret": "Password or key",
}

# code: (title, what to do about it)
_CODES: Final = {
    f"privacy.{entity}": (f"{title} left in the text", _EXCLUDE)
    for entity, title in _ENTITIES.items()
} | {
    "privacy.person": (
        "Name of a person",
        "Read the passage: exclude the record if it names a real person, or say that it does not.",
    ),
    "privacy.person_possible": (
        "Perhaps a name",
        "The detector is not sure; it does not block. Read a few of them.",
    ),
    "privacy.location": (
        "Place that may identify someone",
        "Read the passage and exclude the record if the place points to one person.",
    ),
    "privacy.location_possible": (
        "Perhaps a place",
        "The detector is not sure; it does not block. Read a few of them.",
    ),
    "privacy.requires_review": (
        "Marked for review, yet shipping",
        "Such a record never ships: exclude it.",
    ),
    "privacy.status_unknown": (
        "No privacy status",
        "The row does not say whether it was cleaned; build the candidate again.",
    ),
    "privacy.other_language": (
        "Not in English",
        "Patterns have read it, the English name finder has not: a person should.",
    ),
    "privacy.sampling_escape": (
        "A reader could identify somebody",
        "The record is left out of the next candidate: build again.",
    ),
    "privacy.over_redacted": (
        "Text destroyed by placeholders",
        "So much was replaced that the text lost its sense: exclude the record.",
    ),
    "privacy.crisis_line_removed": (
        "Crisis line removed",
        "A number that helps people was replaced by a placeholder: correct its source.",
    ),
    "privacy.canary_missed": (
        "The detector missed its own test",
        "It did not find an identifier planted to test it: check the installation, run again.",
    ),
    "provenance.row_schema": ("Row of another shape", _REBUILD),
    "provenance.content_hash": ("Content hash is wrong", _REBUILD),
    "provenance.record_id": ("Record id is wrong", _REBUILD),
    "provenance.record_id_repeated": ("Record id used twice", "Exclude one of the two records."),
    "provenance.turns": ("Number of turns is wrong", _REBUILD),
    "provenance.requires_review": (
        "Marked for review, yet shipping",
        "Such a record never ships: exclude it.",
    ),
    "provenance.source_unknown": ("Source is not in the books", _REBUILD),
    "provenance.source_digest": ("Source digest is wrong", _REBUILD),
    "provenance.history": ("History is incomplete", _REBUILD),
    "provenance.licence_undecided": (
        "Nobody decided on the licence",
        "Decide on the family's rights and licence on the coverage page, then build again.",
    ),
    "provenance.licence_unknown": (
        "Licence tag not in the policy",
        "Decide on the family again with a tag that the policy knows, then build again.",
    ),
    "provenance.licence_differs": ("Licence differs from the source's", _REBUILD),
    "provenance.misplaced": ("In the wrong family, split or stage", _REBUILD),
    "provenance.family_unknown": ("Family not in the policy", _REBUILD),
    "provenance.listing": ("Source is not as it was listed", _REBUILD),
    "provenance.books": ("The books do not balance", _REBUILD),
    "provenance.empty_shard": ("Empty shard", _REBUILD),
    "provenance.empty_family": (
        "Empty family",
        "Nothing of the family ships: waive it on the coverage page, or bring its data.",
    ),
    "provenance.rows_lost": (
        "Too many rows refused",
        "Repair the source, or explain by name why its rows may be missing.",
    ),
    "provenance.routing": ("Routing is wrong", _REBUILD),
    "duplicates.record_id": ("Record id used twice", "Exclude one of the two records."),
    "duplicates.exact": ("Exact copy", "Exclude one of the two records."),
    "duplicates.near": (
        "Near-duplicate",
        "Where the family keeps one record per group it blocks: exclude one of the two.",
    ),
    "duplicates.capped": (
        "Comparison was limited",
        "So many texts are alike that not each was compared with each; look at the largest group.",
    ),
    "leakage.exact": ("Same text in two splits", "Exclude one of the two records."),
    "leakage.near": ("Near-duplicate in two splits", "Exclude one of the two records."),
    "leakage.prompt": ("Same prompt in two splits", "Exclude one of the two records."),
    "leakage.source": ("Same source row in two splits", "Exclude one of the two records."),
    "leakage.group": ("Group stands in two splits", "Exclude the group, or one of its sides."),
    "leakage.holdout_exact": (
        "Held-out text in another split",
        "It cannot be waived: exclude one of the two records.",
    ),
    "leakage.holdout_near": (
        "Near-duplicate of a held-out text",
        "It cannot be waived: exclude one of the two records.",
    ),
    "leakage.holdout_prompt": (
        "Held-out prompt in another split",
        "It cannot be waived: exclude one of the two records.",
    ),
    "leakage.holdout_source": (
        "Held-out source row in another split",
        "It cannot be waived: exclude one of the two records.",
    ),
    "leakage.holdout_group": (
        "Held-out group in another split",
        "It cannot be waived: exclude the group, or one of its sides.",
    ),
    "leakage.capped": (
        "Comparison was limited",
        "So many texts are alike that not each was compared with each; look at the largest group.",
    ),
    "distribution.out_of_range": (
        "Mean outside the expected range",
        "Explain by name why this is right, or correct the family's data.",
    ),
    "distribution.drift": (
        "Far from the last release",
        "Explain by name why the data changed, or correct it.",
    ),
    "distribution.family_gone": (
        "Family of the last release is missing",
        "It does not block; say so in the release notes.",
    ),
    "distribution.tokens_mismatch": ("Token count is wrong", _REBUILD),
    "distribution.stringified": (
        "Source records as turns",
        "User turns are whole source records turned into strings: correct the source.",
    ),
    "distribution.over_redacted": (
        "Words turned to placeholders",
        "Exclude the records, or correct what redacted their source.",
    ),
    "distribution.empty_turn": ("Empty turn", _EXCLUDE),
    "distribution.one_sided": ("Only one side speaks", _EXCLUDE),
    "distribution.constant_reply": (
        "One reply to everything",
        "One assistant reply stands in too many records: exclude them or correct the source.",
    ),
    "distribution.truncated_ending": (
        "Answers cut in the middle",
        "Too many dialogues end inside a sentence: correct what cut their source.",
    ),
    "distribution.role_swap": (
        "Client and counsellor swapped",
        "The user counsels and the assistant asks for counsel: correct the roles at the source.",
    ),
    "distribution.mojibake": (
        "Broken characters",
        "Text was read with the wrong encoding: read the source again as what it is.",
    ),
    "distribution.prompt_echo": (
        "Answers repeat the question",
        "The assistant gives the user's words back: exclude the records or correct the source.",
    ),
    "distribution.alike": (
        "Replies begin alike",
        "Too many records begin with the same reply: exclude them or correct the source.",
    ),
    # Why a gate could not judge at all.
    "gate.examined_nothing": (
        "Nothing was examined",
        "The candidate holds no records; look at the coverage page and build again.",
    ),
    "gate.listing_missing": (
        "The listing is gone",
        "List the bucket, then build the candidate again.",
    ),
    "gate.listing_damaged": (
        "The listing is not the one named",
        "List the bucket, then build the candidate again.",
    ),
    "gate.comparison_broken": (
        "The comparison lost count of the records it was shown",
        "Run the gates again; report it if it stays.",
    ),
    "gate.incomplete": ("Not every record was examined", "Run the gates again."),
    "gate.bad_finding": ("The gate gave something unreadable", _REBUILD),
    "gate.unknown_measure": (
        "Range for an unknown measure",
        "A range of the policy names a measure that nobody takes; correct the policy.",
    ),
    "gate.shard_size": ("Shard has another length", "Build the candidate again."),
    "gate.shard_digest": ("Shard has other bytes", "Build the candidate again."),
    "gate.shard_records": ("Shard has another number of lines", "Build the candidate again."),
    "gate.row_not_json": ("A line is not JSON", "Build the candidate again."),
    "gate.row_shape": ("A line is no record", "Build the candidate again."),
    "gate.row_text": ("A line is not Unicode text", "Build the candidate again."),
    "gate.evidence_unreadable": ("Stored report cannot be read", "Run the gates again."),
    "gate.evidence_contradicts_itself": (
        "Stored report contradicts itself",
        "Somebody may have changed the bucket: tell the release owner, then run the gates again.",
    ),
    "gate.evidence_altered": (
        "Stored report was changed",
        "Somebody changed the bucket: tell the release owner, then run the gates again.",
    ),
    "gate.mixed_evidence": ("Reports of several candidates", _REBUILD),
}

CODES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(_CODES)


def title_of(code: str) -> str:
    """Return the short name of a code; a code we do not know is its own name."""
    return CODES[code][0] if code in CODES else code


def cure_of(code: str) -> str:
    """Return what to do about a code, or nothing for one we do not know."""
    return CODES[code][1] if code in CODES else ""
