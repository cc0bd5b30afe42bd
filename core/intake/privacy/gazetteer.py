"""Names the 1990 US census counted, without the words that people mostly mean as words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import names

from core.canonical import sha256_hex

_HERE = Path(__file__).parent
_CENSUS = Path(names.__file__).parent
_FIRST = ("dist.female.first", "dist.male.first")
_LAST = "dist.all.last"
_OWN = ("ambiguous_names.txt", "public_figures.txt", "stop_words.txt", "common_words.txt")
_ENDINGS = (
    *(("s", ""), ("es", ""), ("ed", ""), ("ed", "e"), ("ing", ""), ("ing", "e"), ("ly", "")),
    *(("ly", "le"), ("er", "e"), ("ness", ""), ("ies", "y"), ("ied", "y"), ("ally", "")),
    *((ending, "") for ending in ("n't", "'ll", "'ve", "'re", "'d", "'s", "'m")),
)
_SURNAMES = 40_000
"""Rarer surnames are left out: past this rank they are mostly words of other languages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gazetteer:
    """Lower-case names. `first` and `last` hold ambiguous ones too; `ambiguous` says which.

    `figures` are authors and thinkers whose names stand for a method or an idea. `common` are
    words that are written small far more often than not in English questions, stories and visits;
    `sure` are given names that are hardly ever anything else.
    """

    first: frozenset[str]
    last: frozenset[str]
    ambiguous: frozenset[str]
    figures: frozenset[str]
    common: frozenset[str]
    sure: frozenset[str]
    digest: str

    def is_first(self, word: str) -> bool:
        """Whether `word` (any case) is a given name that is hardly ever anything else."""
        return word.lower() in self.sure

    def may_name(self, word: str) -> bool:
        """Whether a capitalised `word` may be a name: no everyday word, or a sure name."""
        lowered = word.lower()
        if lowered in self.common:
            return lowered in self.sure
        return self.is_name(lowered) or not is_inflected(lowered, self.common)

    def is_name(self, word: str) -> bool:
        """Whether `word` (any case) is a given name or surname, and hardly ever a word."""
        lowered = word.lower()
        known = lowered in self.first or lowered in self.last
        return known and lowered not in self.ambiguous


def is_inflected(word: str, common: frozenset[str]) -> bool:
    """Whether `word` (lower case) is an everyday word with an everyday ending."""
    return any(
        word.endswith(ending) and word[: -len(ending)] + rest in common for ending, rest in _ENDINGS
    )


@cache
def load_gazetteer() -> Gazetteer:
    """Return the packaged gazetteer; its digest covers every file it was made from."""
    bodies = [(_CENSUS / name).read_bytes() for name in (*_FIRST, _LAST)]
    own = [(_HERE / name).read_bytes() for name in _OWN]
    ambiguous, figures, _, common = (frozenset(body.decode().split("\n")) - {""} for body in own)
    first = frozenset(word for body in bodies[:2] for word in _column(body) if len(word) > 1)
    return Gazetteer(
        first=first,
        last=frozenset(_column(bodies[2])[:_SURNAMES]),
        ambiguous=ambiguous,
        figures=figures,
        common=common,
        sure=first - ambiguous,
        digest=sha256_hex(b"".join(bodies + own)),
    )


def _column(body: bytes) -> list[str]:
    return [line.split()[0].lower() for line in body.decode("ascii").splitlines() if line.strip()]
