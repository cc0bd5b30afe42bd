"""What the comparison keeps of a record is digests, a signature and a place; its text lies on disk.

A column holds one value for every record, in the order in which the records were taken.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.gates.gate import shaped_id
from core.intake.folding import Turns, fold_dialogues
from core.intake.kernel import Indices, Signatures, sketch
from core.model.dataset import Shard
from core.policy.types import NearDuplicateRule

Digests = npt.NDArray[np.bytes_]

_NONE = bytes(16)
# Records sketched at a time: enough to forget the call, few enough to stay in a core's own cache.
_BATCH = 64
_LARGEST = 2**63


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketched:
    """Records in columns.

    Attributes:
        shards: the shards that `shard` counts.
        shard: which of them each record stands in; `line` is its 1-based line.
        record_id: what the row calls itself, empty where that is shaped like no id.
        origin: the source's key as a place in `origins`; `origin_line` its line, 0 if unstated.
        digest: 16 bytes, of who said what. `prompt`, `source` and `group` likewise, of the first
            user turn, of key and line of the source, and of the group; zeros where there is none.
        signatures: shape (records, permutations); `counts` how many shingles each text has.
        texts: the file with the folded texts; a text takes `length` bytes from `start` on.
    """

    shards: tuple[Shard, ...]
    shard: Indices
    line: Indices
    record_id: Digests
    origins: tuple[str, ...]
    origin: Indices
    origin_line: Indices
    digest: Digests
    prompt: Digests
    source: Digests
    group: Digests
    signatures: Signatures
    counts: Indices
    texts: Path
    start: Indices
    length: Indices

    def __len__(self) -> int:
        return len(self.line)


class Sketcher:
    """Takes records, their folded texts to a file, and gives them in columns."""

    def __init__(self, rule: NearDuplicateRule, texts: Path) -> None:
        self._rule = rule
        self._texts = texts
        self._file = texts.open("xb")
        self._shards: dict[str, int] = {}
        self._kept: list[Shard] = []
        self._origins: dict[str, int] = {}
        self._numbers = {name: array("q") for name in ("shard", "line", "origin", "origin_line")}
        self._lengths = array("q")
        self._bytes = {name: bytearray() for name in ("digest", "prompt", "source", "group")}
        self._ids = bytearray()
        self._waiting: list[Turns] = []
        self._signatures: list[Signatures] = []
        self._counts: list[Indices] = []

    def add(self, shard: Shard, line: int, turns: Turns, metadata: Mapping[str, object]) -> None:
        """Take one record: where it stands, its (role, content) pairs, and what it claims."""
        self._place(shard, line)
        self._claim(metadata)
        self._waiting.append(turns)
        if len(self._waiting) == _BATCH:
            self._sketch()

    def finish(self) -> Sketched:
        """Close the file and return everything that was taken."""
        self._sketch()
        self._file.close()
        lengths = np.array(self._lengths, np.int64)
        columns: dict[str, Any] = {
            name: np.array(column, np.int64) for name, column in self._numbers.items()
        }
        for name, body in self._bytes.items():
            columns[name] = np.frombuffer(bytes(body), "S16")
        return Sketched(
            shards=tuple(self._kept),
            record_id=np.frombuffer(bytes(self._ids), "S32"),
            origins=tuple(self._origins),
            **columns,
            signatures=_joined(self._signatures, (0, self._rule.permutations), np.uint32),
            counts=_joined(self._counts, (0,), np.int64),
            texts=self._texts,
            start=np.cumsum(lengths) - lengths,
            length=lengths,
        )

    def close(self) -> None:
        """Close the file, whatever was taken."""
        self._file.close()

    def _place(self, shard: Shard, line: int) -> None:
        # Two splits may hold the same bytes, which lie under one key.
        name = f"{shard.family}/{shard.split}/{shard.key}"
        if name not in self._shards:
            self._shards[name] = len(self._kept)
            self._kept.append(shard)
        self._numbers["shard"].append(self._shards[name])
        self._numbers["line"].append(line)

    def _claim(self, row: Mapping[str, object]) -> None:
        """Note what the row says of itself: its id, its source and its group."""
        key, line, group = row.get("source_key"), row.get("source_line"), row.get("group_id")
        stated = isinstance(key, str) and isinstance(line, int)
        origin = key if isinstance(key, str) else ""
        self._numbers["origin"].append(self._origins.setdefault(origin, len(self._origins)))
        small = isinstance(line, int) and abs(line) < _LARGEST
        self._numbers["origin_line"].append(int(line) if small else 0)  # type: ignore[call-overload]
        self._bytes["source"] += _digest(f"{key}\0{line}") if stated else _NONE
        self._bytes["group"] += _digest(group) if isinstance(group, str) and group else _NONE
        self._ids += shaped_id(row.get("record_id")).encode().ljust(32, b"\0")

    def _sketch(self) -> None:
        """Fold and sketch the texts that wait, and let them go."""
        rule = self._rule
        folded = fold_dialogues(self._waiting)
        texts = [dialogue.text for dialogue in folded]
        self._file.write(b"".join(texts))
        self._lengths.extend(map(len, texts))
        for dialogue in folded:
            self._bytes["digest"] += dialogue.digest
            self._bytes["prompt"] += dialogue.prompt or _NONE
        signatures, counts = sketch(
            texts, shingle=rule.shingle, count=rule.permutations, seed=rule.seed
        )
        self._signatures.append(signatures)
        self._counts.append(counts)
        self._waiting.clear()


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _joined(parts: list[Any], shape: tuple[int, ...], kind: Any) -> Any:
    return np.concatenate([np.empty(shape, kind), *parts])
