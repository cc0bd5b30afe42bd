"""No record ships twice, and near-duplicates ship only where the family's rule lets them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import product
from typing import Final

from core.gates.gate import in_order, stated_id
from core.intake.compared import ComparedSet
from core.intake.kernel import SCHEME
from core.intake.near import Pairs, label_clusters
from core.model.dataset import ShippedRecord
from core.model.gate import Finding
from core.policy.types import Policy


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a record stands; `rank` says which of two like records came first."""

    record_id: str
    family: str
    split: str
    shard: str
    line: int
    rank: tuple[int, str, int, str, int]


class DuplicatesGate:
    """Compares every record with every other by its own digests, made from the shipped text."""

    name: Final = "duplicates"

    def __init__(self, policy: Policy) -> None:
        self._rule = policy.near_duplicates
        self._orders = {rule.name: rule.order for rule in policy.families}
        self._single = {
            rule.name for rule in policy.families if rule.near_duplicates == "one_per_cluster"
        }
        self._set = ComparedSet(self._rule)
        self._places: list[_Place] = []
        self._measures: dict[str, object] = {}

    def settings(self) -> Mapping[str, object]:
        """The rule for near-duplicates, who may keep them, and who counts as first."""
        return {
            "near_duplicates": asdict(self._rule),
            "scheme": SCHEME,
            "one_per_cluster": sorted(self._single),
            "orders": self._orders,
        }

    def examine(self, record: ShippedRecord) -> Iterator[Finding]:
        """Take the record in; nothing can be said of it alone."""
        self._set.add(record.messages)
        self._places.append(_place(record, self._orders))
        yield from ()

    def conclude(self) -> Iterator[Finding]:
        """Name every id used twice, every copy, and every near-duplicate pair of one split."""
        with self._set:
            ids = self._repeated_ids()
            copies = self._set.copies()
            for code, repeated in (("duplicates.record_id", ids), ("duplicates.exact", copies)):
                yield from in_order(
                    finding for members in repeated for finding in self._repeats(code, members)
                )
            groups, pairs = self._set.near_pairs()
        near = in_order(self._near(groups, pairs))
        yield from near
        if pairs.capped_buckets:
            yield _capped(pairs)
        self._measures = {
            "records": len(self._places),
            "repeated_ids": len(ids),
            "exact_groups": len(copies),
            "exact_copies": sum(len(members) - 1 for members in copies),
            "near_pairs": len(near),
            "clusters_by_size": _cluster_sizes(groups, pairs),
            "pairs_by_family": self._pairs_by_family(groups, pairs),
            "pairs_compared": pairs.candidates,
            "capped_buckets": pairs.capped_buckets,
            "largest_bucket": pairs.largest_bucket,
            "least_similarity": float(pairs.jaccard.min()) if len(pairs.jaccard) else None,
        }

    def measures(self) -> Mapping[str, object]:
        """Counts of copies, pairs and clusters, and what the comparison was limited by."""
        return self._measures

    def _repeated_ids(self) -> list[list[int]]:
        found: dict[str, list[int]] = {}
        for index, place in enumerate(self._places):
            if place.record_id:
                found.setdefault(place.record_id, []).append(index)
        return [members for members in found.values() if len(members) > 1]

    def _repeats(self, code: str, members: list[int]) -> Iterator[Finding]:
        """Yield a finding for every record but the first of a group that should be one."""
        first, *rest = sorted(members, key=lambda index: self._places[index].rank)
        for index in rest:
            yield _finding(code, self._places[index], self._places[first], blocking=True)

    def _near(self, groups: list[list[int]], pairs: Pairs) -> Iterator[Finding]:
        """Yield every near-duplicate pair within one split; across splits leakage judges."""
        for low, high, similar in zip(pairs.low, pairs.high, pairs.jaccard, strict=True):
            for one, other in product(groups[low], groups[high]):
                first, second = sorted(
                    (self._places[one], self._places[other]), key=lambda place: place.rank
                )
                if first.split == second.split:
                    yield _finding(
                        "duplicates.near",
                        second,
                        first,
                        blocking=second.family in self._single,
                        detail=f"{similar:.4f}",
                    )

    def _pairs_by_family(self, groups: list[list[int]], pairs: Pairs) -> Mapping[str, int]:
        """Count near pairs by the two families, in all splits."""
        counts: Counter[str] = Counter()
        for low, high in zip(pairs.low, pairs.high, strict=True):
            for one, other in product(groups[low], groups[high]):
                names = sorted((self._places[one].family, self._places[other].family))
                counts[" x ".join(names)] += 1
        return dict(sorted(counts.items()))


def _place(record: ShippedRecord, orders: Mapping[str, int]) -> _Place:
    line = record.metadata.get("source_line")
    return _Place(
        record_id=stated_id(record),
        family=record.shard.family,
        split=record.shard.split,
        shard=record.shard.key,
        line=record.line,
        rank=(
            orders.get(record.shard.family, len(orders)),
            str(record.metadata.get("source_key", "")),
            line if isinstance(line, int) else 0,
            record.shard.key,
            record.line,
        ),
    )


def _finding(
    code: str, place: _Place, other: _Place, *, blocking: bool, detail: str = ""
) -> Finding:
    return Finding(
        code=code,
        blocking=blocking,
        family=place.family,
        shard=place.shard,
        line=place.line,
        record_id=place.record_id,
        other=other.record_id,
        detail=detail,
    )


def _capped(pairs: Pairs) -> Finding:
    """Say that some buckets held more texts than the rule compares each with each."""
    detail = f"{pairs.capped_buckets} buckets, the largest of {pairs.largest_bucket} texts"
    return Finding(code="duplicates.capped", blocking=False, detail=detail)


def _cluster_sizes(groups: list[list[int]], pairs: Pairs) -> Mapping[str, int]:
    """Return how many clusters of distinct texts there are of each size above 1."""
    labels = label_clusters(pairs.low, pairs.high, len(groups)).tolist()
    sizes = Counter(Counter(labels).values())
    return {str(size): count for size, count in sorted(sizes.items()) if size > 1}
