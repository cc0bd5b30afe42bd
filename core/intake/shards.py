"""A shard is lines of one family and split in the order of their ids, named by its bytes."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from types import MappingProxyType

import msgspec

from core.canonical import sha256_hex
from core.intake.cells import Columns, divide
from core.intake.ledger import Ledger
from core.intake.place import Placement
from core.intake.rendered import Rendered, RenderedShards, shard_key
from core.model.dataset import Shard
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
    scan_settings: Digest,
    steps: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
    prefix: str,
    progress: Progress,
) -> tuple[Shard, ...]:
    """Write every record that ships and return the shards, by family and split.

    `steps` are what people decided should be done to some records, by id.
    A shard holds at most `policy.intake.shard_bytes` bytes, or one record. Shards that an
    earlier build wrote of the same records with the same metadata are not written again.
    """
    limit = policy.intake.shard_bytes
    names = [rule.name for rule in sorted(policy.families, key=lambda rule: rule.order)]
    parts = list(divide(ledger, placement, names, limit))
    rows = _Metadata(ledger, placement, policy, scan_settings, steps)
    columns = Columns(ledger, placement, steps)
    earlier = RenderedShards(store, prefix, scan_settings)
    shards: list[Shard] = []
    for done, part in enumerate(parts):
        progress(done, len(parts), f"write {part.family} {part.split}")
        about = [PIPELINE, limit, part.family, part.split, *rows.stages[part.family]]
        inputs = columns.digest(part.records, about)
        found = earlier.find(inputs, len(part.records))
        if found is None:
            records = part.records.tolist()
            lines = map(_line, ledger.messages(records), map(rows.of, records))
            found = [_write(store, prefix, *body) for body in _rolled(lines, limit)]
            earlier.remember(inputs, found)
        shards += [
            Shard(
                key=shard_key(prefix, one.sha256),
                sha256=one.sha256,
                size=one.size,
                records=one.records,
                family=part.family,
                split=part.split,
            )
            for one in found
        ]
    earlier.finish()
    return tuple(shards)


def _write(store: ObjectStore, prefix: str, body: bytes, count: int) -> Rendered:
    sha256 = sha256_hex(body)
    put_once(store, shard_key(prefix, sha256), body)
    return Rendered(sha256=sha256, size=len(body), records=count)


def _line(messages: bytes, metadata: bytes) -> bytes:
    return b'{"messages":' + messages + b',"metadata":' + metadata + b"}\n"


class _Metadata:
    """The metadata of rows as JSON; key order and types are the same in every row.

    What many rows share is made once.
    """

    def __init__(
        self,
        ledger: Ledger,
        placement: Placement,
        policy: Policy,
        scan_settings: Digest,
        steps: Mapping[str, tuple[str, ...]],
    ) -> None:
        self._ledger = ledger
        self._placement = placement
        self._scan_settings = scan_settings
        self._steps = steps
        self._encode = msgspec.json.Encoder().encode
        self.stages = {
            rule.name: (
                rule.stage,
                next((p.name for p in policy.phases if rule.stage in p.stages), HELD_OUT),
            )
            for rule in policy.families
        }
        self._origins: dict[tuple[int, str, str, tuple[str, ...]], msgspec.Raw] = {}

    def of(self, index: int) -> bytes:
        """Return the metadata of the record with this index."""
        ledger, placement = self._ledger, self._placement
        number = int(ledger.source[index])
        source = ledger.sources[number]
        stage, phase = self.stages[source.family]
        record_id = ledger.record_id(index)
        return self._encode(
            {
                "record_id": record_id,
                "source_family": source.family,
                "source_key": source.scan.source.key,
                "source_sha256": source.scan.sha256,
                "source_line": int(ledger.line[index]),
                "content_hash": ledger.content_hash(index),
                "license_tag": source.licence_tag,
                "pii_status": ledger.pii_status[index],
                "split": placement.split[index],
                "stage": stage,
                "phase": phase,
                "turns": int(ledger.turns[index]),
                "tokens": int(ledger.tokens[index]),
                "language": ledger.language[index],
                "group_id": placement.group[index],
                "cluster_id": placement.cluster[index],
                "provenance": self._provenance(
                    number,
                    ledger.shape[index],
                    placement.dedup_status[index],
                    self._steps.get(record_id, ()),
                ),
            }
        )

    def _provenance(
        self, number: int, shape: str, status: str, decided: tuple[str, ...]
    ) -> msgspec.Raw:
        held = self._origins.get((number, shape, status, decided))
        if held is not None:
            return held
        scan = self._ledger.sources[number].scan
        steps = [
            f"read:{scan.container}",
            f"map:{shape}",
            f"scan:{self._scan_settings[:16]}",
            "redact",
            *decided,
            "deduplicate",
            "split",
        ]
        made = msgspec.Raw(
            self._encode(
                {
                    "original_s3_key": scan.source.key,
                    "processing_pipeline": PIPELINE,
                    "processing_steps": steps,
                    "processed_at": scan.source.listed_at,
                    "dedup_status": status,
                }
            )
        )
        self._origins[number, shape, status, decided] = made
        return made


def _rolled(lines: Iterator[bytes], limit: int) -> Iterator[tuple[bytes, int]]:
    """Yield bodies of whole lines, each within `limit` bytes unless one line is longer.

    Lines are added where they will stand, so that a body is held once.
    """
    body, count = io.BytesIO(), 0
    for line in lines:
        if count and body.tell() + len(line) > limit:
            yield body.getvalue(), count
            body, count = io.BytesIO(), 0
        body.write(line)
        count += 1
    if count:
        yield body.getvalue(), count
