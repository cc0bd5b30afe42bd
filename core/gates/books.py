"""Rows in equal rows out: a candidate's own accounts must balance, and match what was read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from core.gates.decisions import explanation
from core.model.candidate import Candidate, SourceEntry
from core.model.dataset import ShippedRecord
from core.model.gate import Finding
from core.policy.types import IntakeRule

ROWS_LOST = "provenance.rows_lost"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@dataclass(slots=True, kw_only=True)
class Seen:
    """What a reading of the shards really held, by shard, by family and split, by source."""

    shards: Counter[str] = field(default_factory=Counter)
    families: Counter[tuple[str, str]] = field(default_factory=Counter)
    sources: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, record: ShippedRecord) -> None:
        """Count one record."""
        self.shards[record.shard.key] += 1
        self.families[record.shard.family, record.shard.split] += 1
        self.sources[record.shard.family, str(record.metadata.get("source_key", ""))] += 1


def audit(candidate: Candidate, seen: Seen) -> Iterator[Finding]:
    """Yield a blocking finding for every account that does not balance."""
    for source in candidate.sources:
        yield from _audit_source(source, seen)
        if not _TIME.fullmatch(source.listed_at) or source.listed_at > candidate.snapshot_at:
            yield _books(f"when it was first listed: {source.key}", family=source.family)
    named = {(source.family, source.key) for source in candidate.sources}
    if len(named) != len(candidate.sources):
        yield _books("a source is entered twice")
    yield from _audit_totals(candidate, seen)
    yield from _audit_families(candidate, seen)
    for shard in candidate.shards:
        if seen.shards[shard.key] == 0:
            yield Finding(
                code="provenance.empty_shard", blocking=True, family=shard.family, shard=shard.key
            )
        elif seen.shards[shard.key] != shard.records:
            yield _books("records of a shard", family=shard.family, shard=shard.key)
    if len({shard.key for shard in candidate.shards}) != len(candidate.shards):
        yield _books("a shard is entered twice")


def _audit_source(source: SourceEntry, seen: Seen) -> Iterator[Finding]:
    counts = (source.rows, source.records, source.shipped)
    parts = (*source.rejected.values(), *source.lanes.values(), *source.dropped.values())
    if min(*counts, *parts) < 0:
        yield _books(f"a count below zero: {source.key}", family=source.family)
    lost = sum(source.rejected.values()) + sum(source.lanes.values())
    if source.rows != source.records + lost:
        yield _books(f"rows = records + rejected + lanes: {source.key}", family=source.family)
    if source.records != source.shipped + sum(source.dropped.values()):
        yield _books(f"records = shipped + dropped: {source.key}", family=source.family)
    if source.shipped != seen.sources[source.family, source.key]:
        yield _books(f"shipped = records in shards: {source.key}", family=source.family)


def _audit_totals(candidate: Candidate, seen: Seen) -> Iterator[Finding]:
    sources = candidate.sources
    if candidate.rows != sum(source.rows for source in sources):
        yield _books("rows in total")
    if candidate.records != sum(source.shipped for source in sources):
        yield _books("shipped records in total")
    if candidate.records != sum(shard.records for shard in candidate.shards):
        yield _books("records of all shards")
    if candidate.records != sum(seen.families.values()):
        yield _books("records examined")
    if _total([source.rejected for source in sources]) != _total([candidate.rejections]):
        yield _books("rejections in total")
    if _total([source.dropped for source in sources]) != _total([candidate.dropped]):
        yield _books("dropped records in total")


def _audit_families(candidate: Candidate, seen: Seen) -> Iterator[Finding]:
    stated = {
        (family, split): count
        for family, splits in candidate.families.items()
        for split, count in splits.items()
        if count
    }
    for family, split in sorted({*stated, *seen.families}):
        if stated.get((family, split), 0) != seen.families[family, split]:
            yield _books(f"records of {split}", family=family)
    for family, splits in candidate.families.items():
        if sum(splits.values()) == 0:
            yield Finding(code="provenance.empty_family", blocking=True, family=family)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """A source that lost more rows than may go unremarked, and who explained it, if anybody."""

    key: str
    family: str
    rows: int
    rejected: int
    explained_by: str | None


def losses(candidate: Candidate, rule: IntakeRule) -> Iterator[Loss]:
    """Yield every source that lost too much; an explanation names the source's key as scope."""
    for source in candidate.sources:
        rejected = sum(source.rejected.values())
        if rejected == 0 or rejected < rule.rejected_floor:
            continue
        if rejected <= rule.rejected_share * source.rows:
            continue
        explained = explanation(
            candidate.decisions, gate="provenance", code=ROWS_LOST, scope=source.key
        )
        yield Loss(
            key=source.key,
            family=source.family,
            rows=source.rows,
            rejected=rejected,
            explained_by=None if explained is None else explained["by"],
        )


def rows_lost(candidate: Candidate, rule: IntakeRule) -> Iterator[Finding]:
    """Yield a finding for each loss; it blocks until a person explains it."""
    for loss in losses(candidate, rule):
        yield Finding(
            code=ROWS_LOST,
            blocking=loss.explained_by is None,
            family=loss.family,
            detail=loss.key,
        )


def _total(counts: list[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for mapping in counts:
        total.update(mapping)
    return {name: count for name, count in total.items() if count}


def _books(detail: str, *, family: str = "", shard: str = "") -> Finding:
    return Finding(
        code="provenance.books", blocking=True, family=family, shard=shard, detail=detail
    )
