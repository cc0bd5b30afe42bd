"""Nothing in one split is known from another: no copy, near-copy, prompt, source or group.

A finding in a family held out on purpose carries a code of its own, which cannot be waived.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import combinations
from typing import Final

import numpy as np
import numpy.typing as npt

from core.gates.comparison import Comparison, Groups, Key, Place
from core.gates.gate import in_order
from core.gates.sketched import Sketched
from core.intake.kernel import SCHEME, Indices
from core.intake.near import Pairs, expect_missed
from core.model.dataset import SPLITS, ShippedRecord
from core.model.gate import Finding
from core.policy.types import Policy

_KINDS = ("exact", "near", "prompt", "source", "group")
_KEYS: Mapping[str, Key] = {
    "exact": "digest",
    "prompt": "prompt",
    "source": "source",
    "group": "group",
}


class LeakageGate:
    """Judges texts and prompts by digests of its own, sources and groups by what rows say."""

    name: Final = "leakage"

    def __init__(self, policy: Policy, comparison: Comparison | None = None) -> None:
        """`comparison` may be shared with another gate of the same run."""
        self._rule = policy.near_duplicates
        self._held_out = {rule.name for rule in policy.families if rule.holdout_sensitive}
        self.comparison = Comparison(self._rule) if comparison is None else comparison
        self._shown = 0
        self._counts: dict[str, Counter[str]] = {kind: Counter() for kind in _KINDS}
        self._measures: dict[str, object] = {}

    def settings(self) -> Mapping[str, object]:
        """The rule for near-duplicates and the families whose holdout must be clean."""
        return {
            "near_duplicates": asdict(self._rule),
            "scheme": SCHEME,
            "holdout_sensitive": sorted(self._held_out),
        }

    def examine(self, record: ShippedRecord) -> Iterator[Finding]:
        """Take the record in; nothing can leak from it alone."""
        self.comparison.add(self._shown, record)
        self._shown += 1
        yield from ()

    def examine_sketched(self, part: Sketched) -> Iterator[Finding]:
        """Take in records that were sketched elsewhere."""
        self.comparison.take(self._shown, part)
        self._shown += len(part)
        yield from ()

    def conclude(self) -> Iterator[Finding]:
        """Name everything that stands on both sides of two splits."""
        splits = self.comparison.table.split
        checked: dict[str, int] = {}
        for kind, key in _KEYS.items():
            groups = self.comparison.groups(key)
            checked[kind] = len(groups)
            yield from in_order(
                finding
                for members in groups.parted(splits)
                for finding in self._shared(kind, members)
            )
        texts, pairs = self.comparison.near_pairs()
        yield from in_order(self._near(texts, pairs, splits))
        if pairs.capped_buckets:
            detail = f"{pairs.capped_buckets} buckets, the largest of {pairs.largest_bucket} texts"
            yield Finding(code="leakage.capped", blocking=False, detail=detail)
        self._measures = {
            "records": self._shown,
            "records_by_split": {
                split: count
                for place, split in sorted(enumerate(SPLITS), key=lambda item: item[1])
                if (count := int((splits == place).sum()))
            },
            "groups_checked": checked,
            "pairs_compared": pairs.candidates,
            "expected_missed": round(expect_missed(pairs.jaccard, self._rule), 3),
            "near_pairs_of_texts": len(pairs.low),
            "capped_buckets": pairs.capped_buckets,
            "largest_bucket": pairs.largest_bucket,
            "leaks": {kind: sum(counts.values()) for kind, counts in self._counts.items()},
            "leaks_by_splits": {
                kind: dict(sorted(counts.items())) for kind, counts in self._counts.items()
            },
        }

    def measures(self) -> Mapping[str, object]:
        """How many pairs leak, by kind and by the two splits, out of how much was checked."""
        return self._measures

    def _shared(self, kind: str, members: Sequence[int]) -> Iterator[Finding]:
        """Yield a finding for each record whose key stands in an earlier split too."""
        sides = self._sides(members)
        for one, other in combinations([split for split in SPLITS if split in sides], 2):
            yield from self._across(kind, sides[one], sides[other], "")

    def _near(self, texts: Groups, pairs: Pairs, splits: Indices) -> Iterator[Finding]:
        """Yield near-copies across splits, by every split that either text stands in."""
        apart = np.flatnonzero(_apart(texts, pairs, splits))
        for low, high, similar in zip(
            pairs.low[apart].tolist(),
            pairs.high[apart].tolist(),
            pairs.jaccard[apart].tolist(),
            strict=True,
        ):
            left, right = self._sides(texts[low]), self._sides(texts[high])
            for one, other in combinations(SPLITS, 2):
                for near, far in ((left, right), (right, left)):
                    if one in near and other in far:
                        yield from self._across("near", near[one], far[other], f"{similar:.4f}")

    def _sides(self, members: Sequence[int]) -> Mapping[str, list[Place]]:
        sides: dict[str, list[Place]] = {}
        for place in map(self.comparison.place, members):
            sides.setdefault(place.split, []).append(place)
        return sides

    def _across(
        self, kind: str, near: Sequence[Place], far: Sequence[Place], detail: str
    ) -> Iterator[Finding]:
        """Yield one finding per record of the later split, beside a record of the earlier one.

        The earlier record is a held-out one where there is any, so that no leak of a held-out
        family hides behind one of another.
        """
        partner = min(
            near, key=lambda at: (at.family not in self._held_out, at.shard, at.line, at.record_id)
        )
        for place in far:
            held_out = bool({place.family, partner.family} & self._held_out)
            self._counts[kind][f"{partner.split} | {place.split}"] += len(near)
            yield Finding(
                code=f"leakage.holdout_{kind}" if held_out else f"leakage.{kind}",
                blocking=True,
                family=place.family,
                shard=place.shard,
                line=place.line,
                record_id=place.record_id,
                other=partner.record_id,
                detail=detail,
            )


def _apart(texts: Groups, pairs: Pairs, splits: Indices) -> npt.NDArray[np.bool_]:
    """Whether the two texts of a pair stand in more than one split, all their places counted."""
    if not len(pairs.low):
        return np.zeros(0, np.bool_)
    sides = splits[texts.members]
    least = np.minimum.reduceat(sides, texts.bounds[:-1])
    most = np.maximum.reduceat(sides, texts.bounds[:-1])
    low, high = pairs.low, pairs.high
    found: npt.NDArray[np.bool_] = np.minimum(least[low], least[high]) != np.maximum(
        most[low], most[high]
    )
    return found
