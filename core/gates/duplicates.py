"""No record ships twice, and near-duplicates ship only where the family's rule lets them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from itertools import product
from typing import Final

import numpy as np
from scipy.sparse import csr_matrix

from core.gates.comparison import Comparison, Groups, Place
from core.gates.gate import in_order
from core.gates.sketched import Sketched
from core.intake.kernel import SCHEME
from core.intake.near import Pairs, expect_missed, label_clusters
from core.model.dataset import ShippedRecord
from core.model.gate import Finding
from core.policy.types import Policy


class DuplicatesGate:
    """Compares every record with every other by its own digests, made from the shipped text."""

    name: Final = "duplicates"

    def __init__(self, policy: Policy, comparison: Comparison | None = None) -> None:
        """`comparison` may be shared with another gate of the same run."""
        self._rule = policy.near_duplicates
        self._orders = {rule.name: rule.order for rule in policy.families}
        self._single = {
            rule.name for rule in policy.families if rule.near_duplicates == "one_per_cluster"
        }
        self.comparison = Comparison(self._rule) if comparison is None else comparison
        self._shown = 0
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
        self.comparison.add(self._shown, record)
        self._shown += 1
        yield from ()

    def examine_sketched(self, part: Sketched) -> Iterator[Finding]:
        """Take in records that were sketched elsewhere."""
        self.comparison.take(self._shown, part)
        self._shown += len(part)
        yield from ()

    def conclude(self) -> Iterator[Finding]:
        """Name every id used twice, every copy, and every near-duplicate pair of one split."""
        ids = list(self.comparison.groups("record_id").shared())
        copies = list(self.comparison.groups("digest").shared())
        for code, repeated in (("duplicates.record_id", ids), ("duplicates.exact", copies)):
            yield from in_order(
                finding for members in repeated for finding in self._repeats(code, members)
            )
        groups, pairs = self.comparison.near_pairs()
        near = in_order(self._near(groups, pairs))
        yield from near
        if pairs.capped_buckets:
            yield _capped(pairs)
        self._measures = {
            "records": self._shown,
            "repeated_ids": len(ids),
            "exact_groups": len(copies),
            "exact_copies": sum(len(members) - 1 for members in copies),
            "near_pairs": len(near),
            "clusters_by_size": _cluster_sizes(groups, pairs),
            "pairs_by_family": self._pairs_by_family(groups, pairs),
            "pairs_compared": pairs.candidates,
            "expected_missed": round(expect_missed(pairs.jaccard, self._rule), 3),
            "capped_buckets": pairs.capped_buckets,
            "largest_bucket": pairs.largest_bucket,
            "least_similarity": float(pairs.jaccard.min()) if len(pairs.jaccard) else None,
        }

    def measures(self) -> Mapping[str, object]:
        """Counts of copies, pairs and clusters, and what the comparison was limited by."""
        return self._measures

    def _repeats(self, code: str, members: list[int]) -> Iterator[Finding]:
        """Yield a finding for every record but the first of a group that should be one."""
        first, *rest = sorted(map(self.comparison.place, members), key=self._rank)
        for place in rest:
            yield _finding(code, place, first, blocking=True)

    def _near(self, groups: Groups, pairs: Pairs) -> Iterator[Finding]:
        """Yield every near-duplicate pair within one split; across splits leakage judges."""
        for low, high, similar in zip(
            pairs.low.tolist(), pairs.high.tolist(), pairs.jaccard.tolist(), strict=True
        ):
            left, right = (
                map(self.comparison.place, groups[low]),
                map(self.comparison.place, groups[high]),
            )
            for one, other in product(left, right):
                if one.split == other.split:
                    first, second = sorted((one, other), key=self._rank)
                    yield _finding(
                        "duplicates.near",
                        second,
                        first,
                        blocking=second.family in self._single,
                        detail=f"{similar:.4f}",
                    )

    def _pairs_by_family(self, groups: Groups, pairs: Pairs) -> Mapping[str, int]:
        """Count near pairs by the two families, in all splits."""
        names, of = self.comparison.families()
        text = np.repeat(np.arange(len(groups)), np.diff(groups.bounds))
        shape = len(groups), len(names)
        held = csr_matrix((np.ones(len(text), np.int64), (text, of[groups.members])), shape=shape)
        # How many records of each family stand at the one text, times those at the other.
        found = (held[pairs.low].T @ held[pairs.high]).tocoo()
        counts: Counter[str] = Counter()
        for one, other, count in zip(
            found.row.tolist(), found.col.tolist(), found.data.tolist(), strict=True
        ):
            counts[" x ".join(sorted((names[one], names[other])))] += count
        return dict(sorted(counts.items()))

    def _rank(self, place: Place) -> tuple[int, str, int, str, int]:
        """Which of two like records came first: by family, by source, by place."""
        order = self._orders.get(place.family, len(self._orders))
        return order, place.origin, place.origin_line, place.shard, place.line


def _finding(code: str, place: Place, other: Place, *, blocking: bool, detail: str = "") -> Finding:
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


def _cluster_sizes(groups: Groups, pairs: Pairs) -> Mapping[str, int]:
    """Return how many clusters of distinct texts there are of each size above 1."""
    _, sizes = np.unique(label_clusters(pairs.low, pairs.high, len(groups)), return_counts=True)
    found, counts = np.unique(sizes[sizes > 1], return_counts=True)
    return {str(size): count for size, count in zip(found.tolist(), counts.tolist(), strict=True)}
