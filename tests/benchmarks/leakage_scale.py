"""The duplicates and leakage gates, as a run of the desk runs them, over generated conversations.

    python -m tests.benchmarks.leakage_scale 50000 200000 600000

Each size is a candidate of shards in a folder, about 5 kB a conversation, with planted copies and
near-copies, half of them in another split. Both gates judge it with two worker processes: shards
are fetched, proven and parsed, records sketched, banded, verified, clustered and named. Exits
with 1 when fewer than 99.9 % of the planted copies and near-copies are found, a pair is false, or
not every record counts.
"""

from __future__ import annotations

import dataclasses
import hashlib
import multiprocessing
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from core.canonical import sha256_hex
from core.gates.comparison import Comparison
from core.gates.corpus import open_corpus
from core.gates.duplicates import DuplicatesGate
from core.gates.leakage import LeakageGate
from core.gates.run import run_gates
from core.intake.near import label_clusters
from core.model.dataset import Shard
from core.model.gate import GateReport
from core.storage.ports import Held
from tests.builders import PREFIX, SNAPSHOT_AT, a_candidate, a_policy, source_key_of
from tests.clock import FixedClock
from tests.file_store import FileStore

POLICY = a_policy()
FAMILY = "priority"
ROWS_A_FILE = 40_000
WORDS = 530
TURNS = 12
EDITS = 8
WORKERS = 2
_SYLLABLES = [a + b for a in "bdfgklmnrs" for b in "ae"]
VOCABULARY = [a + b + c for a in _SYLLABLES for b in _SYLLABLES for c in _SYLLABLES[:10]]


class PlainStore(FileStore):
    """A folder that makes no entity tags: those would cost as much as a tenth of the gates."""

    def get(self, key: str, *, limit: int, if_match: str | None = None) -> Held:
        return Held(body=self._path(key).read_bytes(), etag="")


def conversation(number: int) -> list[str]:
    pick = random.Random(number)
    return pick.choices(VOCABULARY, k=max(60, int(pick.lognormvariate(0, 0.5) * WORDS)))


def planted(number: int) -> tuple[str, int]:
    """Every 20th row copies an earlier one, every 12th nearly does."""
    if number > 100 and number % 20 == 0:
        return "copy", original(number)
    if number > 100 and number % 12 == 1:
        return "near", original(number)
    return "new", number


def original(number: int) -> int:
    """An earlier row that is neither a copy nor a near-copy itself."""
    of = random.Random(-number).randrange(2, number)
    while of % 20 == 0 or of % 12 == 1:
        of -= 1
    return of


def row_of(number: int) -> tuple[str, bytes]:
    """Return the split of a row and its line."""
    kind, of = planted(number)
    pick = random.Random(number * 2 + 1)
    words = conversation(of)
    if kind == "near":
        for place in pick.sample(range(len(words)), min(EDITS, len(words) // 60)):
            words[place] = f"edit{number}"
    split = "train" if pick.random() < 0.9 else pick.choice(["val", "test"])
    size = len(words) // TURNS + 1
    said = [" ".join(words[start : start + size]) for start in range(0, len(words), size)]
    name = hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest()
    key = source_key_of(FAMILY)
    row = {
        "messages": [
            {"role": ("user", "assistant")[turn % 2], "content": f"{text.capitalize()}."}
            for turn, text in enumerate(said)
        ],
        "metadata": {
            "record_id": name,
            "source_family": FAMILY,
            "source_key": key,
            "source_sha256": "0" * 64,
            "source_line": number + 1,
            "content_hash": f"sha256:{name}{name}",
            "license_tag": "internal",
            "pii_status": "none_detected",
            "split": split,
            "stage": 1,
            "phase": "curriculum",
            "turns": len(said),
            "tokens": len(words),
            "language": "en",
            "group_id": name,
            "cluster_id": name,
            "provenance": {
                "original_s3_key": key,
                "processing_pipeline": "release-desk/0.1",
                "processing_steps": ["read"],
                "processed_at": SNAPSHOT_AT,
                "dedup_status": "unique",
            },
        },
    }
    return split, msgspec.json.encode(row) + b"\n"


def write(job: tuple[FileStore, int, int]) -> list[Shard]:
    """Write the shards of one stretch of rows, one for each split."""
    store, first, last = job
    lines: dict[str, list[bytes]] = {"train": [], "val": [], "test": []}
    for number in range(first, last):
        split, line = row_of(number)
        lines[split].append(line)
    shards = []
    for split, some in lines.items():
        body = b"".join(some)
        key = f"{PREFIX}shards/{sha256_hex(body)}.jsonl"
        store.put(key, body)
        shard: Any = {"sha256": sha256_hex(body), "size": len(body), "records": len(some)}
        shards.append(Shard(key=key, family=FAMILY, split=split, **shard))  # type: ignore[arg-type]
    return shards


def measure(total: int) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        store = PlainStore(Path(folder) / "bucket")
        store.folder.mkdir()
        context = multiprocessing.get_context("spawn")
        with context.Pool(2) as pool:
            steps = range(0, total, ROWS_A_FILE)
            jobs = [(store, start, min(total, start + ROWS_A_FILE)) for start in steps]
            shards = tuple(shard for some in pool.map(write, jobs, chunksize=1) for shard in some)
        made = resource.getrusage(resource.RUSAGE_CHILDREN)
        made_cpu = made.ru_utime + made.ru_stime
        candidate = dataclasses.replace(a_candidate(store), shards=shards, records=total)
        corpus = open_corpus(store, candidate, Path(folder) / "cache")
        comparison = Comparison(POLICY.near_duplicates)
        gates = (DuplicatesGate(POLICY, comparison), LeakageGate(POLICY, comparison))
        load = os.getloadavg()[0]
        start, own = time.perf_counter(), time.process_time()
        compared = []

        def watch(done: int, of: int, message: str) -> None:
            if message.startswith("concluding") and not compared:
                compared.append(time.perf_counter() - start)

        reports = run_gates(gates, corpus, clock=FixedClock(), progress=watch, workers=WORKERS)
        taken = time.perf_counter() - start
        own = time.process_time() - own
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        others = ended.ru_utime + ended.ru_stime - made_cpu
        # Before the check below, which holds more objects than the gates do.
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        size = sum(shard.size for shard in shards)
        missed, false, leaks = check(comparison)
    # The processes that wrote the shards count among the children: the figure is an upper bound.
    child = ended.ru_maxrss / 1e6
    copies = sum(planted(number)[0] != "new" for number in range(total))
    sound = missed <= copies // 1000 and not false and leaks > 0 and judged(reports, total)
    print(
        f"{total:>9,} conversations {size / 1e9:5.2f} GB: read and sketched "
        f"{compared[0]:6.1f} s, in all {taken:6.1f} s; CPU {own:6.1f} s + workers {others:6.1f} s; "
        f"peak {peak:.2f} GB + {child:.2f} GB a worker; "
        f"{reports[1].measures['near_pairs_of_texts']:,} pairs of texts, {leaks:,} leaks, "
        f"{missed} of {copies:,} planted missed, {false} false; "
        f"load {load:.1f} to {os.getloadavg()[0]:.1f}",
        flush=True,
    )
    return sound


def judged(reports: tuple[GateReport, ...], total: int) -> bool:
    """Whether both gates counted every record and blocked."""
    return all(
        (report.verdict, report.examined) == ("fail", total) and not report.reason
        for report in reports
    )


def check(comparison: Comparison) -> tuple[int, int, int]:
    """Return (planted pairs missed, clusters of more than one original, clusters in two splits)."""
    texts, pairs = comparison.near_pairs()
    labels = label_clusters(pairs.low, pairs.high, len(texts))
    sizes = np.diff(texts.bounds)
    cluster_of = np.empty(len(texts.members), np.int64)
    cluster_of[texts.members] = np.repeat(labels, sizes)
    numbers = [comparison.place(index).origin_line - 1 for index in range(len(cluster_of))]
    at = {number: index for index, number in enumerate(numbers)}
    missed = 0
    origins: dict[int, set[int]] = {}
    sides: dict[int, set[int]] = {}
    for number, index in at.items():
        _, of = planted(number)
        missed += cluster_of[index] != cluster_of[at[of]]
        origins.setdefault(int(cluster_of[index]), set()).add(of)
        sides.setdefault(int(cluster_of[index]), set()).add(int(comparison.table.split[index]))
    return int(missed), many(origins.values()), many(sides.values())


def many(found: Any) -> int:
    some: Iterator[set[int]] = iter(found)
    return sum(len(members) > 1 for members in some)


def main() -> int:
    sizes = [int(given.replace("_", "")) for given in sys.argv[1:]] or [50_000]
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
