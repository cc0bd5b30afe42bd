"""Short synthetic texts, each with one identifier, for tests of more than one part."""

from __future__ import annotations

FOUND_TEXTS = (
    "call 555-123-4567 tonight",
    "text me at 555-1234",
    "ring +44 20 7946 0958 please",
    "write to jane.doe at gmail dot com ok",
    "my page janedoetherapy.com has it",
    "her medical record number is A-884213",
    "we live in 60614 these days",
    "the flat is in SW1A 1AA",
    "i live at 5 oak hollow lane apt 4b",
    "send it to P.O. Box 4",
    "my nana is ninety-four years old",
    "the mac is aa:bb:cc:dd:ee:ff",
    "his license plate is 8XYZ221",
    "my username is moonlitriver",
    "my instagram is moon_river",
    "I am @sadpanda there",
    'my password is "correct horse"',
    "ghp_abcdefghijklmnopqrstuvwxyzABCDEFGHIJ",
    "I was born on March 5th, 1990.",
    "IBAN DE89370400440532013000",
)
