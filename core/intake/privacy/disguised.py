"""Identifiers that somebody spelled out: digits in words, letters for digits, letter by letter.

Counting aloud (to ten, down from five, breathing in for four) is no number of anybody.
"""

from __future__ import annotations

import re
from itertools import pairwise

from core.intake.privacy.pattern import pattern

_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_VALUES = {**{word: place for place, word in enumerate(_DIGITS)}, "oh": 0, "o": 0}
_WORD = r"(?:zero|oh|o|one|two|three|four|five|six|seven|eight|nine|double|triple)"
_SEVERAL = {"double": 2, "triple": 3}
_LEAST = 7
_SPELLED = rf"(?P<v>\b{_WORD}(?:[ ,.-]{{1,3}}{_WORD}){{4,18}}\b)"


def spelled_digits(text: str) -> list[int]:
    """Return the digits that words of `text` stand for; double and triple repeat the next."""
    digits: list[int] = []
    times = 1
    for word in re.findall(r"[a-z]+", text.lower()):
        if word in _SEVERAL:
            times = _SEVERAL[word]
            continue
        digits += [_VALUES[word]] * times
        times = 1
    return digits


def is_spelled_number(text: str) -> bool:
    """Whether the words are at least seven digits, and not somebody counting."""
    digits = spelled_digits(text)
    return len(digits) >= _LEAST and not _is_counting(digits)


def _is_counting(digits: list[int]) -> bool:
    """Whether `digits` are runs that go up by one, go down by one, or stay."""
    steps = [after - before for before, after in pairwise(digits)]
    turns = 1
    current = steps[0]
    for step in steps[1:]:
        if step != current:
            turns += 1
            current = step
    even = all(step in (-1, 0, 1) for step in steps)
    # One way throughout, or the same count begun again: 1 2 3 4 1 2 3 4.
    again = [step for step in steps if step not in (1, -1)]
    return (even and turns == 1) or (len(again) <= len(digits) // 3 and _restarts(digits))


def _restarts(digits: list[int]) -> bool:
    """Whether every run of steps by one begins with the first digit, one, zero or its top."""
    runs: list[list[int]] = [[digits[0]]]
    for before, after in pairwise(digits):
        if abs(after - before) == 1:
            runs[-1].append(after)
        else:
            runs.append([after])
    return all(len(run) >= 3 and {run[0], run[-1]} & {0, 1} for run in runs)


def _mixed(digits: int) -> re.Pattern[str]:
    return re.compile(rf"(?=(?:\D*\d){{{digits}}})(?=.*[OoIl|])")


def _few_letters(value: str) -> bool:
    return _mixed(6).match(value) is not None


_D = r"[\dOoIl|]"

DISGUISED = (
    pattern(
        "US_SSN",
        0.75,
        r"\b(?:ssn|social(?:\ssecurity)?)(?:\s(?:number|no))?\s{0,2}(?:is|was|:)?\s{0,2}"
        + _SPELLED,
        lambda value: len(spelled_digits(value)) == 9,
        words="ssn social",
    ),
    pattern(
        "PHONE_NUMBER",
        0.6,
        _SPELLED,
        is_spelled_number,
        words=" ".join(_DIGITS),
    ),
    pattern(
        "PHONE_NUMBER",
        0.65,
        rf"(?<![\w.-])(?P<v>\(?{_D}{{3}}\)?[-. ]{{1,2}}{_D}{{3}}[-. ]{_D}{{4}})(?![\w-])",
        _few_letters,
        case=True,
        digits=6,
    ),
    pattern(
        "US_SSN",
        0.7,
        rf"(?<![\w-])(?P<v>{_D}{{3}}([- ]){_D}{{2}}\2{_D}{{4}})(?![\w-])",
        _few_letters,
        case=True,
        digits=6,
    ),
    pattern(
        "EMAIL_ADDRESS",
        0.7,
        r"\b(?P<v>(?:[a-z0-9_.-] ){1,30}(?:at|@) (?:[a-z0-9-] ){2,30}(?:dot|\.) "
        r"(?:c ?o ?m|o ?r ?g|n ?e ?t|e ?d ?u))\b",
        words="@ at",
    ),
)
