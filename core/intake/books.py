"""The books of a build: every row read is shipped, dropped, refused or laid aside, and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from core.intake.ledger import Ledger
from core.intake.place import Placement
from core.model.candidate import Candidate, Exclusion, SourceEntry
from core.model.dataset import SPLITS, Shard
from core.model.errors import IntakeError
from core.policy.types import Policy


def check_books(candidate: Candidate) -> None:
    """Raise `IntakeError` unless every row read is accounted for, per source and in total."""
    for entry in candidate.sources:
        read = entry.records + sum(entry.rejected.values()) + sum(entry.lanes.values())
        kept = entry.shipped + sum(entry.dropped.values())
        if entry.rows != read or entry.records != kept:
            raise _unbalanced(entry.key)
    sources = candidate.sources
    shipped = sum(sum(splits.values()) for splits in candidate.families.values())
    balanced = (
        candidate.rows == sum(entry.rows for entry in sources)
        and candidate.records == sum(entry.shipped for entry in sources) == shipped
        and candidate.records == sum(shard.records for shard in candidate.shards)
        and sum(candidate.dropped.values()) == sum(sum(e.dropped.values()) for e in sources)
        and sum(candidate.rejections.values()) == sum(sum(e.rejected.values()) for e in sources)
    )
    if not balanced:
        raise _unbalanced(candidate.version)


def _unbalanced(place: str) -> IntakeError:
    return IntakeError(
        "intake.rows_do_not_add_up",
        "Some rows that were read are not accounted for; this is a fault of the desk.",
        place=place,
    )


def source_entries(ledger: Ledger, placement: Placement) -> tuple[SourceEntry, ...]:
    """Return what each source gave, in the order of the ledger."""
    shipped: Counter[int] = Counter()
    dropped: dict[int, Counter[str]] = {}
    for place, reason in zip(ledger.source.tolist(), placement.reason, strict=True):
        if reason is None:
            shipped[place] += 1
        else:
            dropped.setdefault(place, Counter())[reason] += 1
    return tuple(
        SourceEntry(
            key=source.scan.source.key,
            version_id=source.scan.source.version_id,
            etag=source.scan.source.etag,
            size=source.scan.source.size,
            sha256=source.scan.sha256,
            family=source.family,
            container=source.scan.container,
            rows=source.scan.rows,
            records=source.scan.records,
            shipped=shipped[number],
            rejected=dict(source.scan.rejected),
            lanes=dict(source.scan.lanes),
            dropped=dict(sorted(dropped.get(number, Counter()).items())),
            licence_tag=source.licence_tag,
            listed_at=source.scan.source.listed_at,
        )
        for number, source in enumerate(ledger.sources)
    )


def family_counts(shards: Iterable[Shard]) -> Mapping[str, Mapping[str, int]]:
    """Return {family: {split: records}} of what ships."""
    counts: dict[str, dict[str, int]] = {}
    for shard in shards:
        splits = counts.setdefault(shard.family, {})
        splits[shard.split] = splits.get(shard.split, 0) + shard.records
    return counts


def note_gaps(
    ledger: Ledger,
    placement: Placement,
    policy: Policy,
    families: Mapping[str, Mapping[str, int]],
) -> list[Exclusion]:
    """Say which families gave nothing, and which have a split their groups left empty."""
    notes = [
        Exclusion(scope=name, reason="Its objects hold no record that can ship.")
        for name in {source.family for source in ledger.sources} - set(families)
    ]
    for name, splits in families.items():
        wanted = [split for split in SPLITS if policy.splits.get(split, 0.0) > 0]
        empty = [split for split in wanted if split not in splits]
        if empty and not policy.family(name).test_only:
            groups = {
                placement.group[index]
                for index, reason in enumerate(placement.reason)
                if reason is None and ledger.family(index) == name
            }
            why = f"{len(groups)} groups by digest: nothing in {', '.join(empty)}."
            notes.append(Exclusion(scope=name, reason=why))
    return notes


def in_order(exclusions: Iterable[Exclusion]) -> tuple[Exclusion, ...]:
    """Return the exclusions once each, by scope and reason."""
    return tuple(sorted(set(exclusions), key=lambda item: (item.scope, item.reason)))


def add_counts(counts: Iterable[Mapping[str, int]]) -> Mapping[str, int]:
    """Return the sum of counts by code, in the order of the codes."""
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    return dict(sorted(total.items()))
