"""What a build left out of a candidate, one line per record, each with the record kept instead.

The report follows from the same data as the candidate, so it is the same bytes for every
rebuild. It is for reading: the candidate's own books say how many records were dropped and why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import msgspec

from core.canonical import sha256_hex
from core.intake.ledger import Ledger
from core.intake.place import Placement
from core.model.candidate import Candidate
from core.model.errors import IntakeError
from core.model.names import Digest
from core.storage.ports import ObjectStore
from core.storage.put_once import put_once

_LIMIT = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """A record that did not ship and why; for a copy or near-copy, with the record that did.

    `similarity` is the Jaccard similarity of the two as text, empty where it was not measured
    (they belong to one cluster by way of others) or where nothing was kept instead.
    """

    record_id: str
    family: str
    source_key: str
    line: int
    reason: str
    kept: str = ""
    kept_family: str = ""
    kept_source_key: str = ""
    kept_line: int = 0
    similarity: str = ""


def dropped_records(ledger: Ledger, placement: Placement) -> Iterator[Dropped]:
    """Yield every record that was dropped, in the order of the ledger."""
    for index, reason in enumerate(placement.reason):
        if reason is None:
            continue
        instead = placement.kept[index]
        entry = Dropped(
            record_id=ledger.record_id(index),
            family=ledger.family(index),
            source_key=ledger.sources[ledger.source[index]].scan.source.key,
            line=int(ledger.line[index]),
            reason=reason,
        )
        if instead is not None:
            similar = placement.similarity[index]
            entry = replace(
                entry,
                kept=ledger.record_id(instead),
                kept_family=ledger.family(instead),
                kept_source_key=ledger.sources[ledger.source[instead]].scan.source.key,
                kept_line=int(ledger.line[instead]),
                similarity="" if similar is None else f"{similar:.4f}",
            )
        yield entry


def dropped_prefix(prefix: str, candidate: Digest) -> str:
    """Return where the report on a candidate's build lies."""
    return f"{prefix}builds/{candidate}/dropped-"


def store_dropped(
    store: ObjectStore, prefix: str, candidate: Digest, ledger: Ledger, placement: Placement
) -> None:
    """Write what was dropped, one JSON object per line; an empty report is written too."""
    body = b"".join(
        msgspec.json.encode(entry) + b"\n" for entry in dropped_records(ledger, placement)
    )
    put_once(store, f"{dropped_prefix(prefix, candidate)}{sha256_hex(body)}.jsonl", body)


def load_dropped(
    store: ObjectStore, prefix: str, candidate: Candidate
) -> tuple[Dropped, ...] | None:
    """Return what the build of `candidate` dropped, or None when an older desk built it.

    Raises:
        IntakeError: `candidate.dropped_altered` when the report is not the one of its name, or
            does not add up to what the candidate says was dropped.
    """
    home = dropped_prefix(prefix, candidate.digest)
    keys = [found.key for found in store.list(home)]
    if not keys:
        return None
    for key in keys:
        body = store.get(key, limit=_LIMIT).body
        if key == f"{home}{sha256_hex(body)}.jsonl":
            found = _decoded(body)
            if Counter(entry.reason for entry in found) == Counter(candidate.dropped):
                return found
    raise IntakeError(
        "candidate.dropped_altered",
        "The report on what the build dropped is not the one it wrote.",
        place=home,
    )


def _decoded(body: bytes) -> tuple[Dropped, ...]:
    try:
        return tuple(msgspec.json.decode(line, type=Dropped) for line in body.splitlines())
    except msgspec.DecodeError:
        return ()
