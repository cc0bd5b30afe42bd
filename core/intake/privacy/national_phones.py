"""Presidio's telephone recogniser, asked only about the regions in which a number can be one.

Most digits of a text are ages, dates and sums. What `phonenumbers` takes out of a text to try as
a number is the same for every region, and what cannot be a number standing alone cannot be one
among words either: what surrounds a candidate only ever speaks against it. So the candidates of a
text are taken out once, each is tried once in each region and remembered while it is short, and
the recogniser itself runs for the regions that are left, with the same result.
`tests/properties/test_national_phones.py` holds it to Presidio's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from phonenumbers import PhoneNumberMatcher
from presidio_analyzer.predefined_recognizers import PhoneRecognizer

_LENIENCY: Final = 1
# The matcher gives up after 65,535 tries; in so short a text it never comes to that.
_SURE: Final = 4_000
_SHORT: Final = 24
_REMEMBERED: Final = 1 << 16
# A release of phonenumbers without this method would take nothing out: it must fail to load.
_EXTRACT: Final = PhoneNumberMatcher._extract_match


class NationalPhoneRecognizer(PhoneRecognizer):  # type: ignore[misc]
    """Finds what `PhoneRecognizer` finds, in a fraction of the time."""

    def __init__(self, regions: Sequence[str]) -> None:
        super().__init__(supported_regions=tuple(regions), leniency=_LENIENCY)
        self._of: dict[tuple[str, ...], PhoneRecognizer] = {}

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[Any]:
        """Return the telephone numbers of `text`."""
        if len(text) > _SURE:
            return list(super().analyze(text, entities, nlp_artifacts))
        taken = _Candidates(text).all()
        regions = tuple(
            region
            for region in self.supported_regions
            if any(_may_be_number(one, region) for one in taken)
        )
        if not regions:
            return []
        if regions not in self._of:
            self._of[regions] = PhoneRecognizer(supported_regions=regions, leniency=_LENIENCY)
        return list(self._of[regions].analyze(text, entities, nlp_artifacts))


class _Candidates(PhoneNumberMatcher):
    """Walks a text as the matcher does where nothing is a number, and keeps what it would try."""

    def __init__(self, text: str) -> None:
        super().__init__(text, None, leniency=_LENIENCY)
        self._taken: set[str] = set()

    def all(self) -> set[str]:
        for _ in self:
            pass
        return self._taken

    def _extract_match(self, candidate: str, offset: int) -> None:
        self._taken.add(candidate)


def _may_be_number(candidate: str, region: str) -> bool:
    return (_try_short if len(candidate) <= _SHORT else _try)(candidate, region)


def _try(candidate: str, region: str) -> bool:
    """Whether any part of the candidate is a number of the region when nothing stands around it."""
    matcher = PhoneNumberMatcher(candidate, region, leniency=_LENIENCY)
    return _EXTRACT(matcher, candidate, 0) is not None


_try_short = lru_cache(maxsize=_REMEMBERED)(_try)
