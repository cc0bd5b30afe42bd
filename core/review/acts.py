"""Acts beside the ratings: extra records to read, a vote shown, a vote again, an edit proposed.

Each is one write-once object under the candidate it is about. None of them changes a rating, and
none of them enters a bound.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from core.canonical import canonical_bytes, decode, sha256_hex
from core.model.errors import DeskError, ReviewError
from core.model.names import Digest, ReviewerId, parse_digest, parse_reviewer
from core.review.answers import NOTE_LIMIT, moment_of
from core.review.write_once import read_kept
from core.storage.ports import ObjectStore
from core.storage.put_once import put_once

SCHEMA = "release-desk/review-act/1"
EDIT_LIMIT = 20_000
_LIMIT = 1 << 20
_TEXT = ("candidate", "claim", "kind", "record_id", "by", "at", "why", "note")

Kind = Literal["extra", "reveal", "revote", "edit"]
KINDS: Mapping[str, Kind] = {
    "extra": "extra",
    "reveal": "reveal",
    "revote": "revote",
    "edit": "edit",
}
# Why two readers differed; the third is kept as dissent, and nobody is outvoted.
REASONS: Mapping[str, str] = {
    "ambiguous_text": "The text can be read both ways",
    "rubric_gap": "The rubric does not say",
    "clinical_school": "We follow different clinical schools",
    "slip": "One of us slipped",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One act about one record.

    `extra`: the lead wants it read beside the sample (`why` names the rule). `reveal`: the blind
    votes on it were shown. `revote`: `scores` are what a reader would answer now, `why` is one
    of `REASONS`. `edit`: `note` is what the turn `turn` (0-based) should say instead.
    """

    candidate: Digest
    claim: str
    kind: Kind
    record_id: str
    by: ReviewerId
    at: str
    why: str
    note: str = ""
    turn: int = -1
    scores: Mapping[str, str]
    verdict: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAct:
    """An act and where it lies."""

    act: Act
    key: str
    sha256: Digest


def store_act(store: ObjectStore, prefix: str, act: Act) -> StoredAct:
    """Store an act for good.

    Raises:
        ReviewError: `review.note` or `review.time` when its words or its time are none.
    """
    limit = EDIT_LIMIT if act.kind == "edit" else NOTE_LIMIT
    if len(act.note) > limit or len(act.why) > NOTE_LIMIT:
        raise ReviewError("review.note", "This is too long to keep.", place=act.record_id)
    moment_of(act.at)
    body = act_bytes(act)
    digest = sha256_hex(body)
    key = f"{_folder(prefix, act.candidate, act.claim)}{act.kind}/{digest}.json"
    put_once(store, key, body)
    return StoredAct(act=act, key=key, sha256=digest)


def load_acts(
    store: ObjectStore,
    prefix: str,
    candidate: Digest,
    claim: str,
    *,
    cache: dict[str, StoredAct] | None = None,
) -> tuple[StoredAct, ...]:
    """Return every act of a claim, oldest first.

    Raises:
        ReviewError: `review.act_broken` when an object is not what its name says.
    """
    folder = _folder(prefix, candidate, claim)
    found = []
    for entry in store.list(folder):

        def make(body: bytes, key: str = entry.key) -> StoredAct:
            return _stored(body, key, prefix, candidate, claim)

        found.append(read_kept(store, entry.key, cache, make, limit=_LIMIT))
    return tuple(sorted(found, key=lambda stored: (stored.act.at, stored.sha256)))


def load_act(
    store: ObjectStore, prefix: str, candidate: Digest, claim: str, kind: Kind, sha256: Digest
) -> Act:
    """Return the one act of this name.

    Raises:
        Missing: there is none.
        ReviewError: `review.act_broken`.
    """
    key = f"{_folder(prefix, candidate, claim)}{kind}/{sha256}.json"
    return _stored(store.get(key, limit=_LIMIT).body, key, prefix, candidate, claim).act


def _stored(body: bytes, key: str, prefix: str, candidate: Digest, claim: str) -> StoredAct:
    act, digest = _parse(body, key), sha256_hex(body)
    same = (act.candidate, act.claim) == (candidate, claim)
    if not same or key != f"{_folder(prefix, candidate, claim)}{act.kind}/{digest}.json":
        raise _broken(key)
    return StoredAct(act=act, key=key, sha256=digest)


def act_bytes(act: Act) -> bytes:
    """Return the bytes an act is stored as."""
    content: dict[str, object] = {name: getattr(act, name) for name in _TEXT}
    content |= {"turn": act.turn, "scores": dict(act.scores), "verdict": act.verdict}
    return canonical_bytes({"schema": SCHEMA, **content})


def _parse(body: bytes, key: str) -> Act:
    try:
        content = decode(body)
        act = Act(
            candidate=parse_digest(str(content["candidate"])),
            claim=str(content["claim"]),
            kind=KINDS[content["kind"]],
            record_id=str(content["record_id"]),
            by=parse_reviewer(str(content["by"])),
            at=str(content["at"]),
            why=str(content["why"]),
            note=str(content["note"]),
            turn=int(content["turn"]),
            scores={str(name): str(value) for name, value in content["scores"].items()},
            verdict=str(content["verdict"]),
        )
        whole = content["schema"] == SCHEMA and act_bytes(act) == body
    except (DeskError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise _broken(key) from error
    if not whole:
        raise _broken(key)
    return act


def _folder(prefix: str, candidate: Digest, claim: str) -> str:
    return f"{prefix}reviews/{candidate}/acts/{claim}/"


def _broken(place: str) -> ReviewError:
    return ReviewError(
        "review.act_broken", "A stored act of the review is not what its name says.", place=place
    )
