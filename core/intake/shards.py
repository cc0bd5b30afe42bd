"""A shard is the lines of one family and split in the order of their ids, named by its bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from core.canonical import sha256_hex
from core.intake.ledger import Ledger
from core.intake.place import Placement
from core.model.dataset import SPLITS, Shard, Split
from core.model.names import Digest
from core.model.progress import Progress
from core.policy.types import Policy
from core.storage.ports import ObjectStore
from core.storage.put_once import put_once

PIPELINE = "release-desk/0.1"
HELD_OUT = "held_out"


def write_shards(
    store: ObjectStore,
    ledger: Ledger,
    placement: Placement,
    policy: Policy,
    *,
    snapshot_at: str,
    scan_settings: Digest,
    redacted: frozenset[str] = frozenset(),
    prefix: str,
    progress: Progress,
) -> tuple[Shard, ...]:
    """Write every record that ships and return the shards, by family and split.

    `redacted` are the ids of records in which people decided that something be replaced.
    A shard holds at most `policy.intake.shard_bytes` bytes, or one record.
    """
    cells = _cells(ledger, placement, policy)
    shards: list[Shard] = []
    for done, ((family, split), records) in enumerate(cells.items()):
        progress(done, len(cells), f"write {family} {split}")
        lines = _lines(ledger, placement, policy, records, snapshot_at, scan_settings, redacted)
        for body, count in _rolled(lines, policy.intake.shard_bytes):
            sha256 = sha256_hex(body)
            key = f"{prefix}shards/{sha256}.jsonl"
            put_once(store, key, body)
            shards.append(
                Shard(
                    key=key,
                    sha256=sha256,
                    size=len(body),
                    records=count,
                    family=family,
                    split=split,
                )
            )
    return tuple(shards)


def _cells(
    ledger: Ledger, placement: Placement, policy: Policy
) -> Mapping[tuple[str, Split], Sequence[int]]:
    """Return what ships in each family and split, sorted by record id."""
    found: dict[tuple[str, Split], list[int]] = {}
    for index, reason in enumerate(placement.reason):
        if reason is None:
            found.setdefault((ledger.family(index), placement.split[index]), []).append(index)
    names = [rule.name for rule in sorted(policy.families, key=lambda rule: rule.order)]
    return {
        (family, split): sorted(found[family, split], key=lambda i: ledger.records[i].record_id)
        for family in names
        for split in SPLITS
        if (family, split) in found
    }


def _lines(
    ledger: Ledger,
    placement: Placement,
    policy: Policy,
    records: Sequence[int],
    snapshot_at: str,
    scan_settings: Digest,
    redacted: frozenset[str],
) -> Iterator[bytes]:
    for index, messages in zip(records, ledger.messages(records), strict=True):
        metadata = _metadata(ledger, placement, policy, index, snapshot_at, scan_settings, redacted)
        row = {"messages": msgspec.Raw(messages), "metadata": metadata}
        yield msgspec.json.encode(row) + b"\n"


def _metadata(
    ledger: Ledger,
    placement: Placement,
    policy: Policy,
    index: int,
    snapshot_at: str,
    scan_settings: Digest,
    redacted: frozenset[str],
) -> Mapping[str, object]:
    """Return a row's metadata; key order and types are the same in every row."""
    record = ledger.records[index]
    source = ledger.sources[record.source]
    rule = policy.family(source.family)
    phases = [phase.name for phase in policy.phases if rule.stage in phase.stages]
    return {
        "record_id": record.record_id,
        "source_family": source.family,
        "source_key": source.scan.source.key,
        "source_sha256": source.scan.sha256,
        "source_line": record.line,
        "content_hash": record.content_hash,
        "license_tag": source.licence_tag,
        "pii_status": record.pii_status,
        "split": placement.split[index],
        "stage": rule.stage,
        "phase": phases[0] if phases else HELD_OUT,
        "turns": record.turns,
        "tokens": record.tokens,
        "language": record.language,
        "group_id": placement.group[index],
        "cluster_id": placement.cluster[index],
        "provenance": {
            "original_s3_key": source.scan.source.key,
            "processing_pipeline": PIPELINE,
            "processing_steps": [
                f"read:{source.scan.container}",
                f"map:{record.shape}",
                f"scan:{scan_settings[:16]}",
                "redact",
                *(["redact_by_decision"] if record.record_id in redacted else []),
                "deduplicate",
                "split",
            ],
            "processed_at": snapshot_at,
            "dedup_status": placement.dedup_status[index],
        },
    }


def _rolled(lines: Iterator[bytes], limit: int) -> Iterator[tuple[bytes, int]]:
    """Yield bodies of whole lines, each within `limit` bytes unless one line is longer."""
    held: list[bytes] = []
    size = 0
    for line in lines:
        if held and size + len(line) > limit:
            yield b"".join(held), len(held)
            held, size = [], 0
        held.append(line)
        size += len(line)
    if held:
        yield b"".join(held), len(held)
