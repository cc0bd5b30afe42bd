"""Source objects as a bucket holds them, for tests that build real candidates."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.intake.compile import compile_candidate
from core.intake.inventory import Listing
from core.model.candidate import Candidate
from core.model.dataset import Shard
from core.model.names import Version
from core.policy.types import Policy
from core.storage.ports import ObjectStore
from tests.builders import PREFIX, SNAPSHOT_AT, a_policy, a_text, some_messages
from tests.listed import take_listing

PRIORITY = "gdrive/processed/priority/"
PROFESSIONAL = "gdrive/processed/professional_therapeutic/"
COT = "gdrive/processed/cot_reasoning/"
EDGE = "gdrive/processed/edge_cases/"
VOICE = "voice/"


def jsonl(rows: Iterable[object]) -> bytes:
    """One JSON document per line; a row that is bytes stands as it is."""
    lines = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows]
    return b"".join(line + b"\n" for line in lines)


def a_source_row(seed: int | str, **fields: Any) -> dict[str, Any]:
    """One row of a source: a dialogue of four turns, its own for each seed."""
    return {"messages": some_messages(seed), **fields}


def some_source_rows(count: int, *, seed: str = "row") -> list[dict[str, Any]]:
    return [a_source_row(f"{seed}-{number}") for number in range(count)]


def a_pair(prompt: str, reply: str) -> dict[str, Any]:
    return {
        "messages": [{"role": "user", "content": prompt}, {"role": "assistant", "content": reply}]
    }


def edited(row: Mapping[str, Any], *, word: str = "altered") -> dict[str, Any]:
    """A near-duplicate: one word of the last turn is another."""
    messages = [dict(message) for message in row["messages"]]
    words = messages[-1]["content"].split()
    messages[-1]["content"] = " ".join([*words[:-1], word])
    return {**row, "messages": messages}


def long_row(seed: int | str) -> dict[str, Any]:
    """A row long enough that one edited word leaves it a near-duplicate."""
    return a_pair(a_text(f"{seed}-asks", 3), a_text(f"{seed}-answers", 8))


def fill(store: Any, objects: Mapping[str, Sequence[object] | bytes]) -> None:
    """Put source objects, past every condition."""
    for key, rows in objects.items():
        store.put(key, rows if isinstance(rows, bytes) else jsonl(rows))


def listing_of(store: ObjectStore) -> Listing:
    return take_listing(store, exclude_prefix=PREFIX)


def build(
    store: ObjectStore, policy: Policy | None = None, listing: Listing | None = None, **more: Any
) -> Candidate:
    """Build a candidate from everything in the store, every source under one licence."""
    policy = policy or a_policy()
    arguments: dict[str, Any] = {
        "listing": listing or listing_of(store),
        "snapshot_at": SNAPSHOT_AT,
        "policy": policy,
        "version": Version("v2026-11-21"),
        "licences": {rule.name: "synthetic" for rule in policy.families},
        "prefix": PREFIX,
    }
    return compile_candidate(store, **{**arguments, **more})


def rows_of(store: ObjectStore, shards: Iterable[Shard]) -> list[dict[str, Any]]:
    """Every row of the shards, decoded."""
    return [
        json.loads(line)
        for shard in shards
        for line in store.get(shard.key, limit=1 << 30).body.splitlines()
    ]
