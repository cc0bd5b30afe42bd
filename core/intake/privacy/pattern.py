"""A pattern is a bounded expression that marks the value itself, not the words around it.

None reaches further than a window does; that is what lets the windows lose nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

Check = Callable[[str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """One compiled expression. `check` may refuse a value that only looks right.

    A window that holds none of `words` (lower case) or fewer than `digits` digits is skipped:
    the expression could not match there.
    """

    entity: str
    score: float
    expression: re.Pattern[str]
    check: Check | None = None
    words: tuple[str, ...] = ()
    digits: int = 0


NUMBER = (
    r",?\s{0,3}(?:numbers?\b|no\b\.?|num\b\.?|nr\b\.?|id\b|code\b|card\b|\#)?"
    r"\s{0,3}(?:is|was|are|reads?|=|:|\#|-|--)?\s{0,3}[:#\"'(]?\s{0,2}"
)
"""What may stand between the words for an identifier and the identifier."""
ID = r"(?P<v>\b(?=[A-Z-]{0,8}\d)[A-Z0-9](?:[A-Z0-9]|-(?=[A-Z0-9])){3,24})\b"
"""Letters, digits and hyphens with a digit among the first nine characters."""


def has_digits(count: int) -> Check:
    """Return a check for values that hold at least `count` digits."""
    return lambda value: sum(map(str.isdigit, value)) >= count


def pattern(
    entity: str,
    score: float,
    expression: str,
    check: Check | None = None,
    *,
    case: bool = False,
    words: str = "",
    digits: int = 0,
) -> Pattern:
    """Return a compiled pattern, case-blind unless `case`; `words` are parted by spaces."""
    return Pattern(
        entity=entity,
        score=score,
        expression=re.compile(expression, re.NOFLAG if case else re.IGNORECASE),
        check=check,
        words=tuple(words.split()),
        digits=digits,
    )
