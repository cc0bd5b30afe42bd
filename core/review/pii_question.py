"""What people are asked of a record in the PII check, who may be asked, and by which method."""

from __future__ import annotations

from collections.abc import Mapping

from core.canonical import digest_of
from core.model.review import Rubric
from core.model.signoff import DeskRole

READERS: tuple[DeskRole, ...] = ("clinician", "bias_reviewer", "review_lead")
METHOD = "SHA-256 rank over every shipped record of the family; machine hits shown after answering"
KINDS: Mapping[str, str] = {
    "name": "a name of somebody private",
    "contact": "a phone number, address, e-mail, handle or link",
    "number": "a number that belongs to one person (record, account, card, plate, device)",
    "date": "a birth date, an age over 89, or a calendar date tied to a person",
    "place": "a place that points to one person: a school, a workplace, a small town",
    "story": "several details that together point to one person",
    "credential": "a password, key or token",
    "other": "something else",
}
QUESTION = "Could anybody, a client, a helper or a third person, be identified by this record?"


def question() -> Rubric:
    """Return the one question as a rubric, so that a plan names its exact words."""
    return Rubric(
        id="pii_check",
        version="1",
        question=QUESTION,
        scale=(),
        items=(),
        hard_fails=(),
        verdicts=("nobody", "somebody"),
        digest=digest_of({"question": QUESTION, "kinds": dict(KINDS), "method": METHOD}),
    )
