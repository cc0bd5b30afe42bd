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
_OWN = ("ambiguous_names.txt", "public_figures.txt", "stop_words.txt")
_SURNAMES = 40_000
"""Rarer surnames are left out: past this rank they are mostly words of other languages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gazetteer:
    """Lower-case names. `first` and `last` hold ambiguous ones too; `ambiguous` says which.

    `figures` are authors and thinkers whose names stand for a method or an idea.
    """

    first: frozenset[str]
    last: frozenset[str]
    ambiguous: frozenset[str]
    figures: frozenset[str]
    digest: str

    def is_first(self, word: str) -> bool:
        """Whether `word` (any case) is a given name that is hardly ever anything else."""
        lowered = word.lower()
        return lowered in self.first and lowered not in self.ambiguous

    def is_name(self, word: str) -> bool:
        """Whether `word` (any case) is a given name or surname, and hardly ever a word."""
        lowered = word.lower()
        known = lowered in self.first or lowered in self.last
        return known and lowered not in self.ambiguous


@cache
def load_gazetteer() -> Gazetteer:
    """Return the packaged gazetteer; its digest covers every file it was made from."""
    bodies = [(_CENSUS / name).read_bytes() for name in (*_FIRST, _LAST)]
    own = [(_HERE / name).read_bytes() for name in _OWN]
    first = [word for body in bodies[:2] for word in _column(body)]
    ambiguous, figures = (frozenset(body.decode().split("\n")) - {""} for body in own[:2])
    return Gazetteer(
        first=frozenset(word for word in first if len(word) > 1),
        last=frozenset(_column(bodies[2])[:_SURNAMES]),
        ambiguous=ambiguous,
        figures=figures,
        digest=sha256_hex(b"".join(bodies + own)),
    )


def _column(body: bytes) -> list[str]:
    return [line.split()[0].lower() for line in body.decode("ascii").splitlines() if line.strip()]
