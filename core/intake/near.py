"""Near-duplicates are pairs whose shingle sets were compared exactly, whatever found them.

Copies are folded together first; banding of MinHash signatures proposes pairs of the distinct
texts, of which those whose signatures hardly agree are dropped at once; exact Jaccard
similarity decides. No step depends on the order in which texts are given, and none holds more
than a block of shingles.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations, product
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from core.intake.kernel import (
    Hashes,
    Indices,
    Signatures,
    band_keys,
    jaccards,
    propose,
    shared_places,
    shingle_sets,
    sketch,
)
from core.intake.text import digest_text
from core.model.errors import IntakeError
from core.policy.types import NearDuplicateRule

Texts = Callable[[Sequence[int]], Sequence[str] | Sequence[bytes]]

# A pair this many standard errors of the estimate below the threshold is not worth comparing.
_ERRORS = 4.5
# What banding must find of the pairs that stand exactly at the threshold.
_RECALL = 0.997
# With how many of its members a bucket of any size is compared.
_CENTRES = 16
_BATCH = 1024
# Pairs compared at a time. Their texts' shingles, at most two texts a pair, are held together.
_BLOCK = 1 << 11
_UNMERGED = 1 << 23
_THREADS = 2
# Counters of a byte each while a band is put in buckets: 32 MiB at most.
_COUNTED_BITS = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Pairs of distinct texts at or above the threshold, by index, low index first.

    `candidates` is how many pairs were compared exactly; `capped_buckets` how many buckets
    held more texts than the rule's cap, and `largest_bucket` the size of the largest of those.
    """

    low: Indices
    high: Indices
    jaccard: npt.NDArray[np.float64]
    candidates: int
    capped_buckets: int
    largest_bucket: int


class MeasuredPairs(Protocol):
    """Similarities of texts, by their digests."""

    def find(
        self, one: npt.NDArray[np.bytes_], other: npt.NDArray[np.bytes_]
    ) -> npt.NDArray[np.float64]:
        """Return the exact Jaccard similarity of each pair, NaN where it was never measured."""

    def keep(
        self,
        one: npt.NDArray[np.bytes_],
        other: npt.NDArray[np.bytes_],
        jaccard: npt.NDArray[np.float64],
    ) -> None:
        """Take the pairs that were of use, with their similarities."""


def find_pairs(
    keys: Sequence[bytes] | npt.NDArray[np.bytes_],
    signatures: Signatures,
    counts: Indices,
    texts: Texts,
    rule: NearDuplicateRule,
    threshold: float | None = None,
    known: MeasuredPairs | None = None,
) -> Pairs:
    """Return every pair of distinct texts whose Jaccard similarity reaches the threshold.

    Args:
        keys: the digest of each text, all of one length; they must all differ, and they alone
            order the texts.
        signatures: one signature per text, as `core.intake.kernel.sketch` makes them.
        counts: how many shingles each text has; texts without any are never similar.
        texts: gives the texts at some indices, for the exact comparison; bytes are folded
            already. Called from several threads at once.
        rule: shingle size, bands and rows, bucket cap.
        threshold: the least similarity; the rule's own when None.
        known: similarities measured before, and told all that were of use. The digests must
            decide the shingles of a text.

    Raises:
        IntakeError: `intake.threshold` when the threshold is no similarity.
    """
    least = rule.threshold if threshold is None else threshold
    if not 0 < least <= 1:
        raise IntakeError("intake.threshold", "A similarity lies above 0 and is at most 1.")
    names = np.asarray(keys, np.bytes_)
    order = np.argsort(names, kind="stable").astype(np.int64)
    order = order[counts[order] > 0]
    low, high, capped, largest = _candidates(signatures, order, rule, least)
    low, high = order[low], order[high]
    low, high = np.minimum(low, high), np.maximum(low, high)
    similar = np.full(len(low), np.nan)
    if known is not None:
        similar = known.find(names[low], names[high])
    asked = np.flatnonzero(np.isnan(similar))
    similar[asked] = _compare(low[asked], high[asked], texts, rule.shingle)
    if known is not None:
        known.keep(names[low], names[high], similar)
    near = np.flatnonzero(similar >= least)
    near = near[np.lexsort((high[near], low[near]))]
    return Pairs(
        low=low[near],
        high=high[near],
        jaccard=similar[near],
        candidates=len(low),
        capped_buckets=capped,
        largest_bucket=largest,
    )


def near_duplicate_pairs(
    texts: Sequence[str], rule: NearDuplicateRule, threshold: float | None = None
) -> list[tuple[int, int, float]]:
    """Return every pair (i, j, Jaccard) of `texts`, i < j; texts that fold alike have 1.0."""
    groups: dict[bytes, list[int]] = {}
    for place, text in enumerate(texts):
        groups.setdefault(digest_text(text), []).append(place)
    members = list(groups.values())
    firsts = [texts[group[0]] for group in members]
    signatures, counts = sketch_in_batches(firsts, rule)
    found = find_pairs(
        list(groups),
        signatures,
        counts,
        lambda some: [firsts[place] for place in some],
        rule,
        threshold,
    )
    pairs = [(i, j, 1.0) for group in members for i, j in combinations(group, 2)]
    for low, high, similar in zip(found.low, found.high, found.jaccard, strict=True):
        for i, j in product(members[low], members[high]):
            pairs.append((min(i, j), max(i, j), float(similar)))
    return sorted(pairs)


def sketch_in_batches(texts: Sequence[str], rule: NearDuplicateRule) -> tuple[Signatures, Indices]:
    """Return signatures and shingle counts of `texts` under `rule`, a batch at a time."""
    parts = [
        sketch(
            texts[start : start + _BATCH],
            shingle=rule.shingle,
            count=rule.permutations,
            seed=rule.seed,
        )
        for start in range(0, len(texts), _BATCH)
    ]
    if not parts:
        return np.empty((0, rule.permutations), np.uint32), np.empty(0, np.int64)
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def label_clusters(low: Indices, high: Indices, count: int) -> Indices:
    """Return one label per text, equal where a chain of pairs joins two of the `count` texts."""
    ones = np.ones(len(low), np.int8)
    graph = coo_matrix((ones, (low, high)), shape=(count, count))
    _, labels = connected_components(graph, directed=False)
    return np.asarray(labels, np.int64)


def banding(rule: NearDuplicateRule, threshold: float) -> tuple[int, int]:
    """Return (bands, rows): the rule's, or more and shorter ones for a lower threshold."""
    if threshold >= rule.threshold:
        return rule.bands, rule.rows
    for rows in range(rule.rows, 1, -1):
        bands = rule.permutations // rows
        if 1 - (1 - threshold**rows) ** bands >= _RECALL:
            return bands, rows
    return rule.permutations, 1


def expect_missed(similar: npt.NDArray[np.float64], rule: NearDuplicateRule) -> float:
    """Return how many pairs banding is expected to have missed where it found these.

    Two texts of Jaccard similarity J share no band of r rows out of b with a probability of
    p = (1 - J^r)^b, so that a pair that was found stands for p / (1 - p) that were not.
    """
    # In order, so that the sum is the same to the last bit however the pairs are ordered.
    missed = (1 - np.sort(similar) ** rule.rows) ** rule.bands
    return float((missed / (1 - missed)).sum())


def _candidates(
    signatures: Signatures, order: Indices, rule: NearDuplicateRule, least: float
) -> tuple[Indices, Indices, int, int]:
    """Return the pairs worth comparing as places in `order`, and how many buckets were capped.

    Within a bucket every text is compared with every other; in one that holds more than the
    cap, with as many of its first as cost no more than a full bucket does. Who is first follows
    the texts' digests, so that the cap cuts the same pairs in whatever order texts arrive.
    """
    slack = _ERRORS * math.sqrt(least * (1 - least) / rule.permutations)
    floor = (least - slack) * rule.permutations
    bands, rows = banding(rule, least)
    found = _Codes(len(order))
    capped = largest = 0
    for members, bounds in _all_buckets(signatures, order, bands, rows):
        sizes = np.diff(bounds)
        crowded = sizes[sizes > rule.bucket_cap]
        capped += len(crowded)
        largest = max(largest, int(crowded.max(initial=0)))
        few = np.maximum(_CENTRES, rule.bucket_cap**2 // (2 * np.maximum(sizes, 1)))
        reach = np.where(sizes > rule.bucket_cap, np.minimum(rule.bucket_cap, few), sizes)
        for pairs in propose(signatures, order, members, bounds, reach, floor):
            found.add(pairs)
    low, high = found.pairs()
    return low, high, capped, largest


def _all_buckets(
    signatures: Signatures, order: Indices, bands: int, rows: int
) -> Iterator[tuple[Indices, Indices]]:
    """Yield the buckets of each band in turn."""

    def bucket(band: int) -> tuple[Indices, Indices]:
        return _buckets(band_keys(signatures, order, band, rows))

    with ThreadPoolExecutor(max_workers=_THREADS) as pool:
        yield from pool.map(bucket, range(bands))


def _buckets(keys: Hashes) -> tuple[Indices, Indices]:
    """Return the places of equal keys next to one another, ascending, and where each run begins.

    A key that stands alone is left out.
    """
    bits = len(keys).bit_length() + 3
    order = shared_places(keys, min(bits, _COUNTED_BITS))
    order = order[np.argsort(keys[order], kind="stable")]
    ranked = keys[order]
    first = np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]])[: len(ranked)])
    sizes = np.diff(np.append(first, len(ranked)))
    shared = sizes > 1
    members = order[np.repeat(shared, sizes)]
    bounds = np.zeros(int(shared.sum()) + 1, np.int64)
    np.cumsum(sizes[shared], out=bounds[1:])
    return members, bounds


class _Codes:
    """Distinct pairs of places below `count`, each held as one number."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._merged = np.empty(0, np.int64)
        self._waiting: list[Indices] = []

    def add(self, pairs: Indices) -> None:
        self._waiting.append(pairs[:, 0] * self._count + pairs[:, 1])
        if sum(map(len, self._waiting)) > _UNMERGED:
            self._merge()

    def pairs(self) -> tuple[Indices, Indices]:
        self._merge()
        return self._merged // max(1, self._count), self._merged % max(1, self._count)

    def _merge(self) -> None:
        self._merged = np.unique(np.concatenate([self._merged, *self._waiting]))
        self._waiting.clear()


def _compare(low: Indices, high: Indices, texts: Texts, shingle: int) -> npt.NDArray[np.float64]:
    """Return the exact Jaccard similarity of each pair, a block of pairs at a time.

    Pairs that hang together are compared together, so that few texts are read twice.
    """
    similar = np.empty(len(low), np.float64)
    if not len(low):
        return similar
    labels = label_clusters(low, high, int(high.max()) + 1)
    order = np.lexsort((high, low, labels[low]))
    blocks = [order[start : start + _BLOCK] for start in range(0, len(order), _BLOCK)]

    def compare(block: Indices) -> None:
        left, right = low[block], high[block]
        needed = np.unique(np.concatenate([left, right]))
        hashes, bounds = shingle_sets(texts(needed.tolist()), shingle)
        places = np.searchsorted(needed, left), np.searchsorted(needed, right)
        similar[block] = jaccards(hashes, bounds, *places)

    with ThreadPoolExecutor(max_workers=_THREADS) as pool:
        for _ in pool.map(compare, blocks):
            pass
    return similar
