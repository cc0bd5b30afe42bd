"""A rating is one write-once object; changing one's mind is another object that supersedes it.

A hard-fail flag can be taken back by its raiser for ten minutes; after that it stands until a
second person settles it, whatever the raiser rates later.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from core.canonical import digest_of, sha256_hex
from core.model.errors import ReviewError
from core.model.names import Digest
from core.model.review import Flag, Rating
from core.model.signoff import Person
from core.review.answers import (
    RatingDesk,
    check_person,
    check_rating,
    moment_of,
    parse_rating,
    rating_bytes,
)
from core.review.write_once import read_kept
from core.storage.ports import ObjectStore
from core.storage.put_once import put_once

UNDO_WINDOW = timedelta(minutes=10)
RATINGS = "ratings"
_OBJECT_LIMIT = 1 << 20
_NAME = re.compile(r"(?P<record>[^/]+)/(?P<reviewer>[^/]+)-(?P<sha>[0-9a-f]{16})\.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRating:
    """A reviewer's present rating of a record, and where it lies.

    `standing` are the flags that count: its own, and earlier ones not taken back in time.
    `earlier` are the verdicts it replaced, oldest first. A `carried` one was given to an earlier
    candidate's same record.
    """

    rating: Rating
    key: str
    sha256: Digest
    standing: tuple[Flag, ...]
    earlier: tuple[str, ...]
    carried: bool = False


# What was read, by key; keys are write-once, so it never grows stale.
RatingCache = dict[str, StoredRating]


def submit_rating(
    store: ObjectStore,
    prefix: str,
    rating: Rating,
    *,
    person: Person,
    desk: RatingDesk,
    area: str = RATINGS,
) -> str:
    """Check the rating, store it for good and return its key. Sending it twice is harmless.

    `area` is where it is kept: answers that must never count lie in one of their own.

    Raises:
        NotAllowed: `review.role`, `review.not_yourself`, `review.builder`.
        ReviewError: `review.stale`, `review.not_in_plan`, `review.answer`, `review.flag`,
            `review.note`, or `review.conflict` when the reviewer has rated this record since
            (give the digest of that rating as `supersedes` to replace it).
    """
    check_person(person, rating.reviewer, (desk.claim.role,), desk.builder)
    check_rating(rating, desk)
    body = rating_bytes(rating)
    key = rating_key(prefix, rating, area)
    held = _histories(store, _folder(prefix, rating.candidate, rating.claim, area), rating)
    present = held[-1] if held else None
    if present is not None and present.key == key:
        return key
    if rating.supersedes != (present.sha256 if present is not None else ""):
        raise ReviewError(
            "review.conflict",
            "You have rated this record already, perhaps in another tab; reload to change it.",
            place=rating.record_id,
        )
    put_once(store, key, body)
    return key


def rating_key(prefix: str, rating: Rating, area: str = RATINGS) -> str:
    """Return the one key these answers are stored at."""
    folder = _folder(prefix, rating.candidate, rating.claim, area)
    digest = sha256_hex(rating_bytes(rating))
    return f"{folder}{rating.record_id}/{rating.reviewer}-{digest[:16]}.json"


def load_ratings(
    store: ObjectStore,
    prefix: str,
    candidate: Digest,
    claim: str,
    *,
    cache: RatingCache | None = None,
) -> tuple[StoredRating, ...]:
    """Return the present rating of every (record, reviewer), in order of record and reviewer.

    Args:
        store: the bucket.
        prefix: the exports prefix.
        candidate: whose ratings.
        claim: under which claim.
        cache: what was read, by key, filled here; keys are write-once, so it never grows stale.

    Raises:
        ReviewError: `review.rating_broken` when an object under the prefix is no rating.
    """
    histories = _load(store, _folder(prefix, candidate, claim, RATINGS), candidate, claim, cache)
    return tuple(_present(history) for _, history in sorted(histories.items()))


def load_first_answers(
    store: ObjectStore,
    prefix: str,
    candidate: Digest,
    claim: str,
    *,
    area: str,
    cache: RatingCache | None = None,
) -> tuple[StoredRating, ...]:
    """Return what every reviewer answered first about every record kept in `area`.

    Raises:
        ReviewError: `review.rating_broken`.
    """
    histories = _load(store, _folder(prefix, candidate, claim, area), candidate, claim, cache)
    return tuple(_in_order(history)[0] for _, history in sorted(histories.items()))


def load_area(
    store: ObjectStore,
    prefix: str,
    candidate: Digest,
    claim: str,
    *,
    area: str,
    cache: RatingCache | None = None,
) -> tuple[StoredRating, ...]:
    """Return the present answers kept in `area`, as `load_ratings` does."""
    histories = _load(store, _folder(prefix, candidate, claim, area), candidate, claim, cache)
    return tuple(_present(history) for _, history in sorted(histories.items()))


def load_record(
    store: ObjectStore,
    prefix: str,
    candidate: Digest,
    claim: str,
    record_id: str,
    *,
    area: str = RATINGS,
    cache: RatingCache | None = None,
) -> tuple[StoredRating, ...]:
    """Return the present answers to one record, without listing those to any other.

    Raises:
        ReviewError: `review.rating_broken`.
    """
    folder = _folder(prefix, candidate, claim, area)
    histories = _load(store, folder, candidate, claim, cache, start=f"{folder}{record_id}/")
    return tuple(_present(history) for _, history in sorted(histories.items()))


def _load(
    store: ObjectStore,
    folder: str,
    candidate: Digest,
    claim: str,
    cache: RatingCache | None,
    start: str = "",
) -> dict[tuple[str, str], list[StoredRating]]:
    known: dict[tuple[str, str], list[StoredRating]] = {}
    for entry in store.list(start or folder):
        stored = _read(store, entry.key, folder, {} if cache is None else cache)
        rating = stored.rating
        if (rating.candidate, rating.claim) != (candidate, claim):
            raise _broken(entry.key)
        known.setdefault((rating.record_id, rating.reviewer), []).append(stored)
    return known


def ratings_digest(ratings: Iterable[StoredRating]) -> Digest:
    """Return the digest over the sorted keys and digests of `ratings`, which a signature names."""
    return digest_of(sorted([stored.key, stored.sha256] for stored in ratings))


def _histories(store: ObjectStore, folder: str, rating: Rating) -> list[StoredRating]:
    """Return this reviewer's ratings of this record, oldest first."""
    start = f"{folder}{rating.record_id}/{rating.reviewer}-"
    # The id of one reviewer may begin with another's, so the name is read, not only its start.
    found = [
        _read(store, entry.key, folder, {})
        for entry in store.list(start)
        if _owner(entry.key, folder) == rating.reviewer
    ]
    return _in_order(found)


def _owner(key: str, folder: str) -> str:
    match = _NAME.fullmatch(key[len(folder) :])
    return match["reviewer"] if match else ""


def _read(store: ObjectStore, key: str, folder: str, cache: RatingCache) -> StoredRating:
    match = _NAME.fullmatch(key[len(folder) :])
    if match is None:
        raise _broken(key)
    return read_kept(store, key, cache, lambda body: _stored(body, key, match), limit=_OBJECT_LIMIT)


def _stored(body: bytes, key: str, match: re.Match[str]) -> StoredRating:
    digest = sha256_hex(body)
    try:
        rating = parse_rating(body)
    except ReviewError:
        raise _broken(key) from None
    if (match["record"], match["reviewer"]) != (rating.record_id, rating.reviewer):
        raise _broken(key)
    if match["sha"] != digest[:16]:
        raise _broken(key)
    return StoredRating(rating=rating, key=key, sha256=digest, standing=rating.flags, earlier=())


def _in_order(history: Sequence[StoredRating]) -> list[StoredRating]:
    """Follow `supersedes`; what nothing leads to comes by time and digest, so nothing is lost."""
    return sorted(
        history, key=lambda stored: (_depth(stored, history), stored.rating.at, stored.sha256)
    )


def _depth(stored: StoredRating, history: Sequence[StoredRating]) -> int:
    by_digest = {entry.sha256: entry for entry in history}
    depth, seen, before = 0, {stored.sha256}, stored.rating.supersedes
    while before in by_digest and before not in seen:
        seen.add(Digest(before))
        before = by_digest[Digest(before)].rating.supersedes
        depth += 1
    return depth


def _present(history: Sequence[StoredRating]) -> StoredRating:
    ordered = _in_order(history)
    last = ordered[-1]
    standing = {(flag.id, flag.turn): flag for flag in last.rating.flags}
    for older, newer in itertools.pairwise(ordered):
        # A flag is taken back only by an act that replaces this very rating, and in time.
        replaced = newer.rating.supersedes == older.sha256
        if not replaced or moment_of(newer.rating.at) - moment_of(older.rating.at) > UNDO_WINDOW:
            for flag in older.rating.flags:
                standing.setdefault((flag.id, flag.turn), flag)
    return StoredRating(
        rating=last.rating,
        key=last.key,
        sha256=last.sha256,
        standing=tuple(standing.values()),
        earlier=tuple(entry.rating.verdict for entry in ordered[:-1]),
    )


def _folder(prefix: str, candidate: Digest, claim: str, area: str) -> str:
    return f"{prefix}reviews/{candidate}/{area}/{claim}/"


def _broken(place: str) -> ReviewError:
    return ReviewError(
        "review.rating_broken", "A stored rating is not what its name says.", place=place
    )
