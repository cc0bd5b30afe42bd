"""The words that ask for a closer look, each with what must stand around it to count.

A pattern whose value holds two digits near one another needs no word here: the digits ask.
"""

from __future__ import annotations

from itertools import product

OPENS, CLOSES, DIGIT, STREET, SPELLED = 1, 2, 4, 8, 16
"""Flags: no word character before; none after; a digit or underscore soon after it; the end
of a street's name (counts after a house number); a digit in words (counts in a row)."""

_DOMAINS = (
    "com org net edu gov mil info biz io app dev xyz online co.uk org.uk ac.uk nhs.uk gov.uk "
    "com.au org.au ca de fr nl ch eu nz"
)
_STREETS = (
    "street st avenue ave road rd lane ln drive dr boulevard blvd court ct place pl way terrace "
    "ter circle cir highway hwy parkway pkwy square sq trail trl close crescent gardens row mews "
    "grove alley loop plaza pike turnpike creek heights ridge crossing landing cove meadow "
    "meadows hill hills point park"
)
SPELLED_DIGITS = "zero oh one two three four five six seven eight nine double triple"


def _joined(first: str, joints: tuple[str, ...], last: str) -> list[str]:
    return ["".join(parts) for parts in product(first.split(), joints, last.split())]


_GAPS = ("", " ", "_", "-")
_ALWAYS = [
    "@", "://", "www.", "dot]", "dot)", "dot}", "ninety", "hundred", "bearer", "pwd",
    *_joined("dot", (" ", ""), "com org net edu gov co io uk"),
    *("dot c o m", "dot o r g", "dot n e t", "dot e d u"),
    *_joined("pass", ("", " "), "word wd phrase code"),
    *_joined("api", _GAPS, "key"),
    *_joined("secret", _GAPS, "key access"),
    *_joined("access auth client", _GAPS, "key token secret"),
    *_joined("user screen", ("", " "), "name"),
    *_joined("gamer", ("", " "), "tag"),
    *_joined("handle login", ("", " ", "  "), "is was : ="),
    "login name",
]  # fmt: skip
_AT_A_START = ["u/", "eyj", "xox"]
_BEFORE_A_DIGIT = [
    "insta", "snap", "twitter", "discord", "telegram", "skype", "venmo", "facebook", "reddit",
    "xbox", "tiktok", "tik tok", "licen", "box", "birth", "strasse", "straße", "str.",
    "gata", "gatan", "vägen", "weg", "laan", "straat", "katu", "tie",
]  # fmt: skip
_WORD_BEFORE_A_DIGIT = [
    "ig", "kik", "plate", "plates", "tag", "tags", "registration", "vin", "apt", "apartment",
    "suite", "ste", "born", "dob", "d.o.b", "bday", "address", "rue", "via", "calle", "avenida",
    "rua", "piazza", "unit", "psc", "cmr",
    *_joined("live lives lived living reside resides resided stay stays staying moved", (" ",),
             "at to"),
]  # fmt: skip


def literals() -> tuple[tuple[str, int], ...]:
    """Return every literal in lower case with its flags."""
    return (
        *((text, 0) for text in _ALWAYS),
        *((text, OPENS) for text in _AT_A_START),
        *((f".{name}", CLOSES) for name in _DOMAINS.split()),
        *((text, DIGIT) for text in _BEFORE_A_DIGIT),
        *((text, OPENS | CLOSES | DIGIT) for text in _WORD_BEFORE_A_DIGIT),
        *((text, OPENS | CLOSES | STREET) for text in _STREETS.split()),
        *((text, OPENS | CLOSES | SPELLED) for text in SPELLED_DIGITS.split()),
    )
