"""The duplicate and leakage comparison end to end on generated conversations, with peak memory.

    python -m tests.benchmarks.leakage_scale 50000 200000 600000

Each size runs in a process of its own: it writes JSONL of about 5 kB a conversation with planted
copies, near-copies and copies moved to another split, then reads it back, sketches it on two
processes, folds copies, bands, verifies every candidate pair, clusters, and counts what stands in
two splits. Exits with 1 when a planted copy or near-copy is missed or a pair is false.
"""

from __future__ import annotations

import json
import multiprocessing
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.intake.kernel import Indices, Signatures, sketch
from core.intake.near import find_pairs, label_clusters
from core.intake.text import digest_text
from tests.builders import a_policy

RULE = a_policy().near_duplicates
FILES = 16
WORDS = 800
EDITS = 8
_SYLLABLES = [a + b for a in "bdfgklmnrs" for b in "ae"]
VOCABULARY = [a + b + c for a in _SYLLABLES for b in _SYLLABLES for c in _SYLLABLES[:10]]


@dataclass(frozen=True, slots=True)
class Part:
    """What one file gave: digests, signatures, counts, splits, and where each text lies."""

    keys: list[bytes]
    signatures: Signatures
    counts: Indices
    splits: list[str]
    places: list[tuple[int, int]]
    planted: list[tuple[str, int]]


def conversation(number: int) -> list[str]:
    pick = random.Random(f"leak-{number}")
    return pick.choices(VOCABULARY, k=max(60, int(pick.lognormvariate(0, 0.5) * WORDS)))


def row_of(number: int, total: int) -> dict[str, object]:
    """Every 20th row copies an earlier one, every 12th nearly does; half of them change split."""
    pick = random.Random(f"row-{number}")
    kind, of = "new", number
    if number > 100 and number % 20 == 0:
        kind, of = "copy", original(number)
    elif number > 100 and number % 12 == 1:
        kind, of = "near", original(number)
    words = conversation(of)
    if kind == "near":
        for place in pick.sample(range(len(words)), min(EDITS, len(words) // 60)):
            words[place] = f"edit{number}"
    middle = len(words) // 3
    split = "train" if pick.random() < 0.9 else pick.choice(["val", "test"])
    return {
        "messages": [
            {"role": "user", "content": " ".join(words[:middle])},
            {"role": "assistant", "content": " ".join(words[middle:])},
        ],
        "split": split,
        "kind": kind,
        "of": of,
    }


def original(number: int) -> int:
    """An earlier row that is neither a copy nor a near-copy itself."""
    of = random.Random(f"of-{number}").randrange(2, number)
    while of % 20 == 0 or of % 12 == 1:
        of -= 1
    return of


def write(job: tuple[str, int, int]) -> int:
    folder, file, total = job
    path = Path(folder) / f"{file:02}.jsonl"
    with path.open("wb") as lines:
        for number in range(file, total, FILES):
            lines.write(json.dumps(row_of(number, total)).encode() + b"\n")
    return path.stat().st_size


def read(path: Path) -> Iterator[tuple[int, int, dict[str, object]]]:
    with path.open("rb") as lines:
        start = 0
        for line in lines:
            yield start, len(line), json.loads(line)
            start += len(line)


def text_of(row: dict[str, object]) -> str:
    return "\n".join(message["content"] for message in row["messages"])  # type: ignore[attr-defined]


def scan(path: Path) -> Part:
    keys, splits, places, planted = [], [], [], []
    signatures, counts, held = [], [], []

    def flush() -> None:
        some, found = sketch(held, shingle=RULE.shingle, count=RULE.permutations, seed=RULE.seed)
        signatures.append(some)
        counts.append(found)
        held.clear()

    for start, length, row in read(path):
        text = text_of(row)
        held.append(text)
        keys.append(digest_text(text))
        splits.append(str(row["split"]))
        places.append((start, length))
        planted.append((str(row["kind"]), int(str(row["of"]))))
        if len(held) == 512:
            flush()
    if held:
        flush()
    return Part(keys, np.concatenate(signatures), np.concatenate(counts), splits, places, planted)


def measure(total: int) -> bool:
    with tempfile.TemporaryDirectory() as folder, multiprocessing.Pool(2) as pool:
        start = time.perf_counter()
        size = sum(pool.imap_unordered(write, [(folder, n, total) for n in range(FILES)]))
        made = time.perf_counter() - start
        paths = sorted(Path(folder).glob("*.jsonl"))
        start = time.perf_counter()
        parts = pool.map(scan, paths, chunksize=1)
        scanned = time.perf_counter() - start
        ok, pairs, leaks, missed = judge(parts, paths, total)
        taken = time.perf_counter() - start
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    print(
        f"{total:>9,} conversations {size / 1e9:6.2f} GB: scan {scanned:6.1f} s, in all "
        f"{taken:6.1f} s ({total / taken:,.0f}/s); peak {own:.2f} GB + {child:.2f} GB a worker; "
        f"{pairs:,} pairs, {leaks:,} across splits, {missed} planted missed "
        f"(written in {made:.0f} s)",
        flush=True,
    )
    return ok


def judge(parts: Sequence[Part], paths: Sequence[Path], total: int) -> tuple[bool, int, int, int]:
    """Find every pair of all parts; return (sound, pairs, leaks, planted pairs missed)."""
    keys = [key for part in parts for key in part.keys]
    splits = [split for part in parts for split in part.splits]
    groups: dict[bytes, list[int]] = {}
    for index, key in enumerate(keys):
        groups.setdefault(key, []).append(index)
    members = list(groups.values())
    heads = np.array([group[0] for group in members])
    where = [
        (path, place) for part, path in zip(parts, paths, strict=True) for place in part.places
    ]

    def texts(some: Sequence[int]) -> list[str]:
        found = []
        for place in some:
            path, (start, length) = where[heads[place]]
            with path.open("rb") as file:
                file.seek(start)
                found.append(text_of(json.loads(file.read(length))))
        return found

    pairs = find_pairs(
        list(groups),
        np.concatenate([part.signatures for part in parts])[heads],
        np.concatenate([part.counts for part in parts])[heads],
        texts,
        RULE,
    )
    labels = label_clusters(pairs.low, pairs.high, len(members))
    sides: dict[int, set[str]] = {}
    of_number: dict[int, int] = {}
    for label, group in zip(labels.tolist(), members, strict=True):
        for index in group:
            sides.setdefault(label, set()).add(splits[index])
    cluster = {
        index: label
        for label, group in zip(labels.tolist(), members, strict=True)
        for index in group
    }
    at = 0
    planted = []
    for file, part in enumerate(parts):
        for offset, told in enumerate(part.planted):
            of_number[file + offset * FILES] = at
            planted.append((at, told))
            at += 1
    missed = sum(
        cluster[index] != cluster[of_number[of]] for index, (kind, of) in planted if kind != "new"
    )
    # Whatever is one cluster must come of one original: everything else is a false pair.
    origins: dict[int, set[int]] = {}
    for index, (_, of) in planted:
        origins.setdefault(cluster[index], set()).add(of)
    false = sum(len(found) > 1 for found in origins.values())
    leaks = sum(len(found) > 1 for found in sides.values())
    return missed == 0 and false == 0, len(pairs.low), leaks, missed


def main() -> int:
    sizes = [int(given.replace("_", "")) for given in sys.argv[1:]] or [50_000]
    sketch(["warm the kernel up"], shingle=RULE.shingle, count=RULE.permutations, seed=RULE.seed)
    context = multiprocessing.get_context("spawn")
    failed = False
    for total in sizes:
        # A process each, so that one size's peak memory is not another's.
        process = context.Process(target=_exit_with, args=(total,))
        process.start()
        process.join()
        failed = failed or process.exitcode != 0
    return 1 if failed else 0


def _exit_with(total: int) -> None:
    sys.exit(0 if measure(total) else 1)


if __name__ == "__main__":
    sys.exit(main())
