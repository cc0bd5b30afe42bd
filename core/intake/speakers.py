"""A dialogue in one text is cut into turns only when every paragraph opens with a known speaker."""

from __future__ import annotations

import re
from typing import Final

from core.intake.roles import role_of
from core.model.dataset import Role

_SPEAKER = re.compile(r"\s*(?:\[([^\[\]]{1,40})\]|([^\s:：\[\]][^:：\[\]\n]{0,39}?)\s*[:：])[ \t]?")
_STRANGER = re.compile(r"\s*[*_\-]*\s*[A-Z][\w.'-]*(?: [\w.'-]+)?[*_]*\s?:[*_]*\s*\S")
_GENERIC: Final[dict[str, Role]] = {"user 1": "user", "user 2": "assistant"}

Turn = tuple[Role, str]


def opens_with_speaker(text: str) -> bool:
    """Whether the first two paragraphs, at the least, each open with a known speaker."""
    openings = [line for line in text[:65536].splitlines() if line.strip()][:2]
    return len(openings) == 2 and all(_opening(line) is not None for line in openings)


def split_speakers(text: str) -> list[Turn] | None:
    """Return the turns of `text` in order, or None when a speaker is not known.

    A line without a speaker goes on with the turn above it; a paragraph may not begin with one.
    """
    turns: list[Turn] = []
    fresh = True
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if not line.strip():
            fresh = True
            continue
        opening = _opening(line)
        if opening is not None:
            turns.append(opening)
        elif fresh or _names_stranger(line):
            return None
        else:
            role, spoken = turns[-1]
            turns[-1] = (role, spoken + "\n" + line)
        fresh = False
    return [(role, spoken.strip()) for role, spoken in turns] or None


def _opening(line: str) -> Turn | None:
    found = _SPEAKER.match(line)
    if found is None:
        return None
    name = (found.group(1) or found.group(2)).strip()
    role = _GENERIC.get(name.casefold()) or role_of(name)
    return None if role is None else (role, line[found.end() :])


def _names_stranger(line: str) -> bool:
    """Whether a line opens like somebody we do not know (`Guest_family: …`, `* User 1: …`)."""
    return _STRANGER.match(line) is not None
