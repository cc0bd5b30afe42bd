"""Every record of a build in one order: family by family, key by key, line by line.

Only digests and counts are held here. Texts stay in the features, on the local disk, and are
fetched for the few records that need them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.intake.kernel import Indices, Signatures
from core.intake.measure import decode_messages
from core.intake.scan import ObjectScan, read_features
from core.intake.text import compared_text

_COLUMNS = [
    "line",
    "kind",
    "shape",
    "conversation_id",
    "labels",
    "content_hash",
    "record_id",
    "text_digest",
    "prompt_digest",
    "signature",
    "shingles",
    "turns",
    "tokens",
    "language",
    "pii_status",
]
_NO_LABELS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record of the build; `source` indexes the build's sources, `row` its features."""

    source: int
    row: int
    line: int
    shape: str
    conversation_id: str | None
    labels: Mapping[str, str]
    content_hash: str
    record_id: str
    text_digest: bytes
    prompt_digest: bytes
    turns: int
    tokens: int
    language: str
    pii_status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One object of the build with its family and where its features lie on this machine."""

    scan: ObjectScan
    family: str
    licence_tag: str
    features: Path


class Ledger:
    """The records of all sources. `sources` must come in the order in which copies yield."""

    def __init__(self, sources: Sequence[Source], permutations: int) -> None:
        self.sources = tuple(sources)
        self.records: list[Record] = []
        signatures = [np.empty((0, permutations), np.uint32)]
        shingles = [np.empty(0, np.int64)]
        for number, source in enumerate(self.sources):
            table = read_features(source.features, _COLUMNS)
            rows = pc.indices_nonzero(pc.equal(table["kind"], "record"))
            records = table.take(rows)
            self.records += _records(number, rows, records)
            packed = b"".join(records["signature"].to_pylist())
            signatures.append(np.frombuffer(packed, np.uint32).reshape(-1, permutations))
            shingles.append(records["shingles"].to_numpy().astype(np.int64))
        self.signatures: Signatures = np.concatenate(signatures)
        self.shingles: Indices = np.concatenate(shingles)

    def family(self, record: int) -> str:
        """Return the family of the record with this index."""
        return self.sources[self.records[record].source].family

    def messages(self, records: Sequence[int]) -> list[bytes]:
        """Return the messages of the records with these indices, as JSON, in that order.

        Each source is opened once, so indices in rising order cost least.
        """
        wanted: dict[int, list[int]] = {}
        for place, record in enumerate(records):
            wanted.setdefault(self.records[record].source, []).append(place)
        found = [b""] * len(records)
        for source, places in wanted.items():
            column = read_features(self.sources[source].features, ["messages"])["messages"]
            rows = pa.array([self.records[records[place]].row for place in places], pa.int64())
            for place, messages in zip(places, column.take(rows).to_pylist(), strict=True):
                found[place] = messages
        return found

    def texts(self, records: Sequence[int]) -> list[str]:
        """Return the compared text of the records with these indices."""
        return [compared_text(decode_messages(body)) for body in self.messages(records)]


def _records(source: int, rows: pa.Array, table: pa.Table) -> list[Record]:
    columns = {
        name: table[name].to_pylist() for name in Record.__slots__ if name not in ("source", "row")
    }
    columns["labels"] = [
        _NO_LABELS if text == "{}" else msgspec.json.decode(text, type=dict[str, str])
        for text in columns["labels"]
    ]
    return [
        Record(source=source, row=row, **{name: column[n] for name, column in columns.items()})
        for n, row in enumerate(rows.to_pylist())
    ]
