"""Only the neighbourhood of a trigger can hold an identifier; the rest needs no second look.

Every pattern needs a trigger inside its match or its context, and every window reaches
further than any pattern does, so the windows lose nothing that the whole text would show.
"""

from __future__ import annotations

import re

MARGIN = 160
"""Characters kept on both sides of a trigger, then on to the next white space."""

_TLD = (
    "com|org|net|edu|gov|mil|info|biz|io|app|dev|xyz|online|site|health|life|uk|ca|au|nz|ie|de|fr"
    "|es|nl|ch|at|se|no|dk|fi|pl|pt|eu|br|mx|za|jp|cn|kr|ru"
)
_STREETS = (
    r"street|st|avenue|ave|road|rd|lane|ln|drive|dr|boulevard|blvd|court|ct|place|pl|way|terrace"
    r"|ter|circle|cir|highway|hwy|parkway|pkwy|square|sq|trail|trl|close|crescent|gardens|row|mews"
    r"|grove|alley|loop|plaza|pike|turnpike|creek|heights|ridge|crossing|landing|cove|meadows?"
    r"|hills?|point|park"
)
_NUMBER = re.compile(
    r"\d(?:\d|[^\w\n]{1,3}\d|[a-z] ?\d"
    rf"|[a-z]?,? {{1,2}}(?:[\w.'-]+ {{1,2}}){{1,5}}(?:{_STREETS})\b)"
)
_DOMAIN = re.compile(rf"\.(?:{_TLD})\b")
_COLONS = re.compile(r"[0-9a-f]{2}:[0-9a-f]{2}:|::")
_LONG = re.compile(r"[\w-]{20}")
LONG_TOKEN = 20
LITERALS = (
    "@", "://", "www.", "u/", "dot com", "dot org", "dot net", "dot edu", "dot gov", "dot co",
    "dot io", "dot]", "dot)", "dot}",
    "dot uk", "user", "screen", "login", "handle", "insta", "snap", "twitter",
    "discord", "kik", "tik", "telegram", "skype", "venmo", "facebook", "reddit", "xbox", "gamer",
    "ig ", "pass", "pwd", "secret", "token", "bearer", "key", "ninet", "hundred", "box", "licen",
    "plate", "tag", "apt", "apart", "suite", "ste ", "post",
    "strasse", "straße", "str.", "gata", "weg ", "katu", "tie ",
)  # fmt: skip


def _triggers(text: str) -> list[tuple[int, int]]:
    """Return where something in lower-case `text` asks for a closer look."""
    found = [hit.span() for hit in _NUMBER.finditer(text)]
    if "." in text:
        found.extend(hit.span() for hit in _DOMAIN.finditer(text))
    if ":" in text:
        found.extend(hit.span() for hit in _COLONS.finditer(text))
    if max(map(len, text.split()), default=0) >= LONG_TOKEN:
        found.extend(hit.span() for hit in _LONG.finditer(text))
    for literal in LITERALS:
        place = text.find(literal)
        while place >= 0:
            found.append((place, place + len(literal)))
            place = text.find(literal, place + 1)
    return sorted(found)


def windows(text: str) -> tuple[tuple[int, int], ...]:
    """Return the stretches of `text` that may hold an identifier, merged, in order."""
    lowered = text.lower()
    length = len(text)
    if len(lowered) != length:
        return ((0, length),)
    found: list[tuple[int, int]] = []
    for first, last in _triggers(lowered):
        if found and last + MARGIN <= found[-1][1]:
            continue
        start, end = _reach(text, first, last, length)
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return tuple(found)


def _reach(text: str, start: int, end: int, length: int) -> tuple[int, int]:
    start, end = max(0, start - MARGIN), min(length, end + MARGIN)
    while start > 0 and not text[start - 1].isspace():
        start -= 1
    while end < length and not text[end].isspace():
        end += 1
    return start, end
