"""Nothing in one split is known from another: no copy, near-copy, prompt, source or group.

A finding in a family held out on purpose carries a code of its own, which cannot be waived.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Final

from core.gates.gate import in_order, stated_id
from core.intake.compared import ComparedSet
from core.intake.kernel import SCHEME
from core.intake.near import Pairs
from core.model.dataset import SPLITS, ShippedRecord
from core.model.gate import Finding
from core.policy.types import Policy

_KINDS = ("exact", "near", "prompt", "source", "group")


@dataclass(frozen=True, slots=True)
class _Place:
    record_id: str
    family: str
    split: str
    shard: str
    line: int
    source: Hashable | None
    group: str | None


class LeakageGate:
    """Judges texts and prompts by digests of its own, sources and groups by what rows say."""

    name: Final = "leakage"

    def __init__(self, policy: Policy) -> None:
        self._rule = policy.near_duplicates
        self._held_out = {rule.name for rule in policy.families if rule.holdout_sensitive}
        self._set = ComparedSet(self._rule)
        self._places: list[_Place] = []
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
        self._set.add(record.messages)
        self._places.append(_place(record))
        yield from ()

    def conclude(self) -> Iterator[Finding]:
        """Name everything that stands on both sides of two splits."""
        places = self._places
        keyed: dict[str, Sequence[Hashable | None]] = {
            "exact": self._set.digests,
            "prompt": [prompt or None for prompt in self._set.prompts],
            "source": [place.source for place in places],
            "group": [place.group for place in places],
        }
        checked: dict[str, int] = {}
        for kind, keys in keyed.items():
            groups = _groups(keys)
            checked[kind] = len(groups)
            yield from in_order(
                finding for members in groups for finding in self._shared(kind, members)
            )
        with self._set:
            groups, pairs = self._set.near_pairs()
        yield from in_order(self._near(groups, pairs))
        if pairs.capped_buckets:
            detail = f"{pairs.capped_buckets} buckets, the largest of {pairs.largest_bucket} texts"
            yield Finding(code="leakage.capped", blocking=False, detail=detail)
        self._measures = {
            "records": len(places),
            "records_by_split": dict(sorted(Counter(place.split for place in places).items())),
            "groups_checked": checked,
            "pairs_compared": pairs.candidates,
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

    def _near(self, groups: list[list[int]], pairs: Pairs) -> Iterator[Finding]:
        """Yield near-copies across splits, by every split that either text stands in."""
        for low, high, similar in zip(pairs.low, pairs.high, pairs.jaccard, strict=True):
            left, right = self._sides(groups[low]), self._sides(groups[high])
            for one, other in combinations(SPLITS, 2):
                for near, far in ((left, right), (right, left)):
                    if one in near and other in far:
                        yield from self._across("near", near[one], far[other], f"{similar:.4f}")

    def _sides(self, members: Sequence[int]) -> Mapping[str, list[_Place]]:
        sides: dict[str, list[_Place]] = {}
        for index in members:
            sides.setdefault(self._places[index].split, []).append(self._places[index])
        return sides

    def _across(
        self, kind: str, near: Sequence[_Place], far: Sequence[_Place], detail: str
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


def _groups(keys: Sequence[Hashable | None]) -> list[list[int]]:
    """Return the indices that share a key, for every key."""
    found: dict[Hashable, list[int]] = {}
    for index, key in enumerate(keys):
        if key is not None:
            found.setdefault(key, []).append(index)
    return list(found.values())


def _place(record: ShippedRecord) -> _Place:
    row = record.metadata
    source = (str(row["source_key"]), row["source_line"]) if _has_source(row) else None
    group = row.get("group_id")
    return _Place(
        record_id=stated_id(record),
        family=record.shard.family,
        split=record.shard.split,
        shard=record.shard.key,
        line=record.line,
        source=source,
        group=group if isinstance(group, str) and group else None,
    )


def _has_source(row: Mapping[str, object]) -> bool:
    return isinstance(row.get("source_key"), str) and isinstance(row.get("source_line"), int)
