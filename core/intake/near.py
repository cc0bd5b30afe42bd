"""Near-duplicates are pairs whose shingle sets were compared exactly, whatever found them.

Copies are folded together first; banding of MinHash signatures proposes pairs of the distinct
texts; agreement of signatures drops the hopeless ones; exact Jaccard similarity decides. No
step depends on the order in which texts are given.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from core.intake.kernel import (
    Hashes,
    Indices,
    Signatures,
    agreements,
    band_keys,
    jaccards,
    shingle_sets,
    sketch,
)
from core.intake.text import digest_text
from core.model.errors import IntakeError
from core.policy.types import NearDuplicateRule
from core.storage.duck import open_memory

Texts = Callable[[Sequence[int]], Sequence[str]]

# A pair this many standard errors of the estimate below the threshold is not worth comparing.
_ERRORS = 4.5
# What banding must find of the pairs that stand exactly at the threshold.
_RECALL = 0.997
_BLOCK = 2048
_BATCH = 1024

# Within one bucket every text is compared with the first `cap` of them; the rank follows the
# texts' digests, so that the cap cuts the same pairs in whatever order texts arrive.
_CANDIDATES = """
    WITH crowded AS (
        SELECT band, key FROM bands GROUP BY band, key HAVING count(*) > 1
    ), ranked AS (
        SELECT band, key, text, row_number() OVER (PARTITION BY band, key ORDER BY text) AS rank
        FROM bands SEMI JOIN crowded USING (band, key)
    )
    SELECT DISTINCT a.text AS low, b.text AS high
    FROM ranked a JOIN ranked b ON a.band = b.band AND a.key = b.key AND a.text < b.text
    WHERE a.rank <= $cap
    ORDER BY low, high
"""
_CAPPED = """
    SELECT count(*), coalesce(max(members), 0) FROM (
        SELECT count(*) AS members FROM bands GROUP BY band, key HAVING count(*) > $cap
    )
"""


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


def find_pairs(
    keys: Sequence[bytes],
    signatures: Signatures,
    counts: Indices,
    texts: Texts,
    rule: NearDuplicateRule,
    threshold: float | None = None,
) -> Pairs:
    """Return every pair of distinct texts whose Jaccard similarity reaches the threshold.

    Args:
        keys: the digest of each text; they must all differ, and they alone order the texts.
        signatures: one signature per text, as `core.intake.kernel.sketch` makes them.
        counts: how many shingles each text has; texts without any are never similar.
        texts: gives the texts at some indices, for the exact comparison.
        rule: shingle size, bands and rows, bucket cap.
        threshold: the least similarity; the rule's own when None.

    Raises:
        IntakeError: `intake.threshold` when the threshold is no similarity.
    """
    least = rule.threshold if threshold is None else threshold
    if not 0 < least <= 1:
        raise IntakeError("intake.threshold", "A similarity lies above 0 and is at most 1.")
    order = np.array(sorted(range(len(keys)), key=keys.__getitem__), np.int64)
    order = order[counts[order] > 0]
    low, high, capped, largest = _candidates(signatures[order], rule, least)
    slack = _ERRORS * math.sqrt(least * (1 - least) / rule.permutations)
    floor = (least - slack) * rule.permutations
    hopeful = agreements(signatures[order], low, high) >= floor
    low, high = order[low[hopeful]], order[high[hopeful]]
    low, high = np.minimum(low, high), np.maximum(low, high)
    similar = _compare(low, high, texts, rule.shingle)
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


def _candidates(
    signatures: Signatures, rule: NearDuplicateRule, least: float
) -> tuple[Indices, Indices, int, int]:
    nothing = np.empty(0, np.int64)
    if len(signatures) < 2:
        return nothing, nothing, 0, 0
    bands, rows = banding(rule, least)
    keys: Hashes = band_keys(signatures, bands, rows)
    count = len(signatures)
    table = pa.table(
        {
            "band": np.repeat(np.arange(bands, dtype=np.uint16), count),
            "key": keys.ravel(),
            "text": np.tile(np.arange(count, dtype=np.int64), bands),
        }
    )
    connection = open_memory()
    try:
        connection.register("bands", table)
        pairs = connection.execute(_CANDIDATES, {"cap": rule.bucket_cap}).fetchnumpy()
        [(capped, largest)] = connection.execute(_CAPPED, {"cap": rule.bucket_cap}).fetchall()
    finally:
        connection.close()
    low = np.asarray(pairs["low"], np.int64)
    return low, np.asarray(pairs["high"], np.int64), int(capped), int(largest)


def _compare(low: Indices, high: Indices, texts: Texts, shingle: int) -> npt.NDArray[np.float64]:
    """Return the exact Jaccard similarity of each pair, with all sets held at 8 B a shingle."""
    needed = np.unique(np.concatenate([low, high]))
    sets: list[Hashes] = []
    sizes: list[Indices] = [np.zeros(1, np.int64)]
    for start in range(0, len(needed), _BLOCK):
        some = [int(place) for place in needed[start : start + _BLOCK]]
        hashes, bounds = shingle_sets(texts(some), shingle)
        sets.append(hashes)
        sizes.append(np.diff(bounds))
    flat = np.concatenate(sets) if sets else np.empty(0, np.uint64)
    bounds = np.cumsum(np.concatenate(sizes))
    return jaccards(flat, bounds, np.searchsorted(needed, low), np.searchsorted(needed, high))
