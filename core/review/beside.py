"""What a sign-off rests on beside ratings and settlements, each kind of act with its count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from core.canonical import digest_of
from core.review.acts import KINDS, StoredAct
from core.review.ratings import StoredRating

KNOWN_BAD = "known_bad"
"""Answers to known-bad records: they say how much the readers miss, which the statement quotes."""


def acts_statement(acts: Iterable[StoredAct], known_bad: Sequence[StoredRating]) -> object:
    """Return the digest over every act's kind, key and digest, sorted, and how many of each kind.

    The same acts give the same statement in whatever order they were made or listed.
    """
    named = [[one.act.kind, one.key, one.sha256] for one in acts]
    named += [[KNOWN_BAD, one.key, one.sha256] for one in known_bad]
    counted = Counter(kind for kind, _, _ in named)
    counts: Mapping[str, int] = {kind: counted[kind] for kind in sorted([*KINDS, KNOWN_BAD])}
    return {"sha256": digest_of(sorted(named)), "counts": counts}
