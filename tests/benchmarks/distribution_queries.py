"""What a distribution page asks of 600,000 records is answered in under 300 ms.

    python -m tests.benchmarks.distribution_queries [records]

The table is invented: five families, three splits, log-normal sizes. Each question is put five
times to a table on disk, opened anew each time as a page does; the median is printed. Exits
with 1 when one takes longer than 300 ms.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyConnection as Connection

from core.gates.statistics import MEASURES
from core.storage.duck import open_snapshot, write_snapshot
from core.workbench.record_table import (
    Choice,
    bar_at,
    fill_table,
    histogram_of,
    quantiles_of,
    records_of,
)
from tests.builders import FAMILIES

LIMIT = 0.3
ROUNDS = 5


def batches(records: int, size: int = 50_000) -> Iterator[pa.Table]:
    pick = np.random.default_rng(5)
    names = list(FAMILIES)
    for start in range(0, records, size):
        count = min(size, records - start)
        family = pick.integers(0, len(names), count)
        words = np.exp(pick.normal(5.5, 0.8, count)).round()
        yield pa.table(
            {
                "record_id": [f"{n:032x}" for n in pick.permutation(count) + start],
                "family": [names[n] for n in family],
                "split": pick.choice(["train", "val", "test"], count, p=[0.9, 0.05, 0.05]),
                "stage": [FAMILIES[names[n]][0] for n in family],
                "language": pick.choice(["en", "es"], count),
                "roles": pick.choice(["(ua)*", "s(ua)*", "ua"], count),
                **dict.fromkeys(MEASURES, words),
                "turns": pick.integers(1, 40, count).astype(float),
                "tokens": (words * 1.3).round(),
            }
        )


def questions() -> dict[str, Callable[[Connection], object]]:
    low, high = bar_at("tokens", 300)
    bar = Choice(measure="tokens", family="priority", split="train", low=low, high=high)
    return {
        "quantiles by family, stage and split": lambda c: quantiles_of(c, "tokens"),
        "histogram by family and split": lambda c: histogram_of(c, "tokens"),
        "records of one bar": lambda c: records_of(c, bar),
        "records of a whole tail": lambda c: records_of(c, Choice(measure="words", low=200.0)),
    }


def seconds(path: Path, ask: Callable[[Connection], object]) -> float:
    start = time.perf_counter()
    connection = open_snapshot(path)
    try:
        assert ask(connection)
    finally:
        connection.close()
    return time.perf_counter() - start


def main() -> int:
    records = int(sys.argv[1]) if len(sys.argv) > 1 else 600_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "records.duckdb"
        start = time.perf_counter()
        write_snapshot(path, lambda connection: fill_table(connection, batches(records), FAMILIES))
        size = path.stat().st_size / 1e6
        print(f"{records:,} records written in {time.perf_counter() - start:.1f} s, {size:.0f} MB")
        slow = False
        for name, ask in questions().items():
            taken = statistics.median(seconds(path, ask) for _ in range(ROUNDS))
            slow = slow or taken > LIMIT
            print(f"{name:40}{taken * 1000:8.0f} ms")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
