"""Invented records that are known to be bad say how much of what is bad a reading finds.

They are mixed unseen among the sample, by the version's seed, and kept apart from it: their
answers are stored elsewhere, never counted as ratings, and no release holds them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.canonical import canonical_bytes, decode, digest_of, sha256_hex
from core.model.dataset import Message
from core.model.errors import DeskError, ReviewError
from core.model.names import Digest, parse_digest
from core.model.review import SamplePlan
from core.policy.types import ClaimRule
from core.review.frame import FoundRecord
from core.review.invented import Bank, InventedRecord
from core.review.write_once import freeze_for_claim, load_by_claim
from core.storage.ports import ObjectStore

SCHEMA = "release-desk/known-bad/2"
_FIRST_SCHEMA = "release-desk/known-bad/1"
AREA = "known-bad-ratings"
_LIMIT = 4 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedRecord:
    """A known-bad record as one candidate's readers meet it."""

    record_id: str
    item: str
    family: str
    shows: tuple[str, ...]
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownBad:
    """The known-bad records mixed into one claim's sample, fixed with its plan.

    `bank` is the digest of what was chosen, `source` that of the whole file it was chosen from;
    the first desks, whose ids followed from the seed, did not note the latter.
    """

    candidate: Digest
    claim: str
    rubric: Digest
    bank: Digest
    source: Digest | None = None
    records: tuple[PlantedRecord, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids under which readers meet them."""
        return tuple(record.record_id for record in self.records)

    def found(self, record_id: str) -> FoundRecord | None:
        """Return one of them in the form of any shipped record, or None for another's id."""
        for planted in self.records:
            if planted.record_id == record_id:
                return _as_shipped(planted)
        return None


def plant(
    plan: SamplePlan, claim: ClaimRule, bank: Bank, shipped: Collection[str] = ()
) -> KnownBad:
    """Return the known-bad records of a plan: which ones follows from the seed alone.

    Each has the id that its text would have as data: with any other, whoever hashes what they
    read would know it for invented. One whose text ships among the `shipped` is passed over.

    Raises:
        ReviewError: `review.known_bad_too_few`.
    """
    # Imported here because what measures records loads in seconds.
    from core.intake.measure import record_id

    fitting = [(record_id(entry.messages), entry) for entry in bank.fitting(claim)]
    ranked = sorted(
        (item for item in fitting if item[0] not in shipped),
        key=lambda item: _hash(plan.seed, plan.claim, item[1].id),
    )
    chosen = ranked[: claim.known_bad]
    if len(chosen) < claim.known_bad:
        raise ReviewError(
            "review.known_bad_too_few",
            "The claim asks for more known-bad records than there are for its rubric.",
            place=claim.id,
        )
    return KnownBad(
        candidate=plan.candidate,
        claim=plan.claim,
        rubric=plan.rubric,
        bank=_bank_digest(entry for _, entry in chosen),
        source=bank.sha256,
        records=tuple(
            PlantedRecord(
                record_id=name,
                item=entry.id,
                family=sorted(claim.families)[number % len(claim.families)],
                shows=entry.shows,
                messages=entry.messages,
            )
            for number, (name, entry) in enumerate(chosen)
        ),
    )


def mix(records: Sequence[str], known_bad: KnownBad | None, seed: str, reader: str) -> list[str]:
    """Return `records` with the known-bad ones among them, at places of this reader's own."""
    mixed = list(records)
    if known_bad is None or not mixed:
        return mixed
    # Neither first nor last: what is left when all the sample is read would be known for one.
    gaps = max(1, len(records) - 1)
    places = {name: int(_hash(seed, reader, name)[:12], 16) % gaps + 1 for name in known_bad.ids}
    for name in sorted(places, key=lambda name: (-places[name], name)):
        mixed.insert(places[name], name)
    return mixed


def freeze_known_bad(store: ObjectStore, prefix: str, known_bad: KnownBad) -> str:
    """Store the set for good beside its plan and return its key; the first one stands."""
    held = load_known_bad(store, prefix, known_bad.candidate).get(known_bad.claim)
    body = _bytes(held or known_bad)
    folder = _folder(prefix, known_bad.candidate)
    return freeze_for_claim(store, folder, known_bad.claim, body)


def load_known_bad(store: ObjectStore, prefix: str, candidate: Digest) -> Mapping[str, KnownBad]:
    """Return the frozen sets of a candidate by claim.

    Raises:
        ReviewError: `review.known_bad_broken` when a stored set is not what its name says.
    """
    folder = _folder(prefix, candidate)
    return load_by_claim(store, folder, candidate, parse=_parse, broken=_broken, limit=_LIMIT)


def _as_shipped(planted: PlantedRecord) -> FoundRecord:
    line = canonical_bytes(
        {
            "messages": _plain(planted.messages),
            "metadata": {"record_id": planted.record_id, "source_family": planted.family},
        }
    )
    return FoundRecord(
        record_id=planted.record_id,
        family=planted.family,
        shard="",
        line=1,
        raw=line,
        sha256=sha256_hex(line),
        messages=planted.messages,
        metadata={},
    )


def invented_sha256(entry: InventedRecord) -> Digest:
    """Return the digest of an invented dialogue, which its answer names as what was shown."""
    return digest_of(_plain(entry.messages))


def _bank_digest(entries: Iterable[InventedRecord]) -> Digest:
    return digest_of([[entry.id, _plain(entry.messages)] for entry in entries])


def _plain(messages: Iterable[Message]) -> list[dict[str, str]]:
    return [{"role": turn.role, "content": turn.content} for turn in messages]


def _bytes(known_bad: KnownBad) -> bytes:
    source = {} if known_bad.source is None else {"source": known_bad.source}
    return canonical_bytes(
        {
            "schema": SCHEMA if source else _FIRST_SCHEMA,
            **source,
            "candidate": known_bad.candidate,
            "claim": known_bad.claim,
            "rubric": known_bad.rubric,
            "bank": known_bad.bank,
            "records": [
                {
                    "record_id": planted.record_id,
                    "item": planted.item,
                    "family": planted.family,
                    "shows": planted.shows,
                    "messages": _plain(planted.messages),
                }
                for planted in known_bad.records
            ],
        }
    )


def _parse(body: bytes, key: str) -> KnownBad:
    try:
        content = decode(body)
        known_bad = KnownBad(
            candidate=Digest(str(content["candidate"])),
            claim=str(content["claim"]),
            rubric=Digest(str(content["rubric"])),
            bank=Digest(str(content["bank"])),
            source=parse_digest(str(content["source"])) if content["schema"] == SCHEMA else None,
            records=tuple(_planted(entry) for entry in content["records"]),
        )
        # The bytes name their schema, so an unknown one is never these.
        whole = _bytes(known_bad) == body
    except (DeskError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise _broken(key) from error
    if not whole:
        raise _broken(key)
    return known_bad


def _planted(entry: Mapping[str, Any]) -> PlantedRecord:
    return PlantedRecord(
        record_id=str(entry["record_id"]),
        item=str(entry["item"]),
        family=str(entry["family"]),
        shows=tuple(str(flag) for flag in entry["shows"]),
        messages=tuple(
            Message(role=turn["role"], content=str(turn["content"])) for turn in entry["messages"]
        ),
    )


def answer_sheet(plan: SamplePlan, known_bad: KnownBad) -> SamplePlan:
    """Return the plan an answer to a known-bad record is checked against."""
    return dataclasses.replace(plan, records=known_bad.ids)


def _hash(*parts: str) -> str:
    return sha256_hex(":".join(parts).encode())


def _folder(prefix: str, candidate: Digest) -> str:
    return f"{prefix}reviews/{candidate}/known-bad/"


def _broken(place: str) -> ReviewError:
    return ReviewError(
        "review.known_bad_broken",
        "A stored set of known-bad records is not what its name says.",
        place=place,
    )
