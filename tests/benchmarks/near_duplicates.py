"""The kernel and the whole comparison beside datasketch's own ways, in one run; run as a module.

Prints texts per second (median of three interleaved rounds) and the ratios, and fails when a
single bit differs or a ratio falls below what the design promises: 100 for the kernel over
`update`, 20 over `update_batch`, and 20 for the whole comparison (signatures, index, every pair)
over `MinHash.update` with `MinHashLSH` as its documentation shows them.
"""

from __future__ import annotations

import re
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
from datasketch import MinHash, MinHashLSH

from core.intake import kernel
from core.intake.near import near_duplicate_pairs
from tests.builders import a_policy, a_text

ROUNDS = 3
SHINGLE, COUNT, SEED = 5, 128, 1
RULE = a_policy().near_duplicates
_WORD = re.compile(r"\w+")


def grams(text: str) -> list[bytes]:
    """Word 5-grams as a user of the library would make them."""
    words = _WORD.findall(text.lower())
    return [
        " ".join(words[start : start + SHINGLE]).encode()
        for start in range(max(1, len(words) - SHINGLE + 1))
    ]


def by_update(texts: list[str]) -> None:
    for text in texts:
        minhash = MinHash(num_perm=COUNT, seed=SEED)
        for gram in grams(text):
            minhash.update(gram)


def by_update_batch(texts: list[str]) -> None:
    for text in texts:
        MinHash(num_perm=COUNT, seed=SEED).update_batch(grams(text))


def by_kernel(texts: list[str]) -> None:
    kernel.sketch(texts, shingle=SHINGLE, count=COUNT, seed=SEED)


def whole_by_library(texts: list[str]) -> None:
    index = MinHashLSH(threshold=0.8, num_perm=COUNT)
    made = []
    for number, text in enumerate(texts):
        minhash = MinHash(num_perm=COUNT, seed=SEED)
        for gram in grams(text):
            minhash.update(gram)
        index.insert(str(number), minhash)
        made.append(minhash)
    for minhash in made:
        index.query(minhash)


def whole_by_desk(texts: list[str]) -> None:
    near_duplicate_pairs(texts, RULE)


def check_bits(texts: list[str]) -> None:
    signatures, _ = kernel.sketch(texts, shingle=SHINGLE, count=COUNT, seed=SEED)
    for text, signature in zip(texts, signatures, strict=True):
        minhash = MinHash(num_perm=COUNT, seed=SEED, hashfunc=lambda value: value)
        hashes = kernel.shingle_hashes(text, SHINGLE)
        minhash.update_batch([int(value) & 0xFFFFFFFF for value in hashes])
        assert np.array_equal(minhash.hashvalues, signature)


def rate(run: Callable[[list[str]], None], texts: list[str]) -> float:
    start = time.perf_counter()
    run(texts)
    return len(texts) / (time.perf_counter() - start)


def main() -> int:
    texts = [a_text(seed, sentences=50) for seed in range(1000)]
    check_bits(texts)
    # Each way gets as many texts as keep a round near a second.
    ways = {"update": (by_update, texts[:50]), "update_batch": (by_update_batch, texts[:300])}
    ways["kernel"] = (by_kernel, texts * 5)
    ways["whole, library"] = (whole_by_library, texts[:50])
    ways["whole, desk"] = (whole_by_desk, texts)
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, (run, some) in ways.items():
            rates[name].append(rate(run, some))
    median = {name: statistics.median(found) for name, found in rates.items()}
    megabytes = sum(map(len, texts)) / len(texts) / 1e6
    for name, found in median.items():
        print(f"{name:16}{found:12,.0f} texts/s {found * megabytes:9.1f} MB/s")
    ratios = {name: median["kernel"] / median[name] for name in ("update", "update_batch")}
    for name, ratio in ratios.items():
        print(f"kernel / {name}: {ratio:.0f}x")
    whole = median["whole, desk"] / median["whole, library"]
    print(f"whole comparison / library: {whole:.0f}x")
    sound = ratios["update"] >= 100 and ratios["update_batch"] >= 20 and whole >= 20
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
