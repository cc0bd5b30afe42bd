"""Every record of a candidate in one row of numbers, on the local disk, for questions of a page.

The table is a cache that may be deleted: it is made again from shards whose bytes are proven.
It holds sizes, places and ids, and never a text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from duckdb import DuckDBPyConnection as Connection

from core.gates.corpus import parse_shard, read_shard
from core.gates.portrait import measure_sizes, role_pattern
from core.gates.statistics import EDGES, MEASURES
from core.model.dataset import SPLITS, ShippedRecord
from core.model.errors import GateError
from core.model.names import Digest
from core.model.progress import Progress, silent
from core.storage.duck import open_snapshot, write_snapshot
from core.workbench.candidates import Candidates

_VERSION = 2
_BATCH = 20_000
_PROGRESS_EVERY = 1_000
_CHOSEN = """
    FROM records
    WHERE @measure IS NOT NULL
      AND ($family IS NULL OR family = $family) AND ($split IS NULL OR split = $split)
      AND ($low IS NULL OR @measure >= $low) AND ($high IS NULL OR @measure < $high)
"""
_COUNTED = "SELECT count(*)" + _CHOSEN
_LISTED = (
    "SELECT record_id, family, split, language, roles, @measure AS value"
    + _CHOSEN
    + " ORDER BY record_id LIMIT $limit"
)
# Equal values are counted before anything is ordered: sizes repeat, and ordering is what costs.
_QUANTILES = """
    WITH counted AS (
        SELECT family, stage, split, @measure AS value, count(*) AS n
        FROM records WHERE @measure IS NOT NULL GROUP BY ALL
    ), ranked AS (
        SELECT *, sum(n) OVER (cell ORDER BY value) AS upto, sum(n) OVER cell AS total
        FROM counted WINDOW cell AS (PARTITION BY family, stage, split)
    )
    SELECT family, stage, split, sum(n)::BIGINT, sum(value * n) / sum(n), [
        min(value) FILTER (upto >= 0.05 * total), min(value) FILTER (upto >= 0.25 * total),
        min(value) FILTER (upto >= 0.50 * total), min(value) FILTER (upto >= 0.75 * total),
        min(value) FILTER (upto >= 0.95 * total)
    ] FROM ranked GROUP BY family, stage, split ORDER BY family, stage, split
"""
_HISTOGRAM = """
    SELECT family, split,
        len(list_filter($edges::DOUBLE[], lambda edge: edge <= value)) AS bar,
        sum(records)::BIGINT
    FROM (
        SELECT family, split, @measure AS value, count(*) AS records FROM records
        WHERE @measure IS NOT NULL GROUP BY ALL
    ) GROUP BY ALL ORDER BY ALL
"""
_SCHEMA = pa.schema(
    [
        pa.field("record_id", pa.string()),
        pa.field("family", pa.string()),
        pa.field("split", pa.string()),
        pa.field("stage", pa.int64()),
        pa.field("language", pa.string()),
        pa.field("roles", pa.string()),
        *(pa.field(name, pa.float64()) for name in MEASURES),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The records somebody points at: a bar of a histogram, or part of one.

    A bar is what lies at or above `low` and below `high`; None leaves an end open. An empty
    `split` or `family` means all of them.
    """

    measure: str
    family: str = ""
    split: str = ""
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """How many records a choice holds, and the first of them in the order of their ids."""

    records: int
    rows: tuple[Mapping[str, Any], ...]


def bar_at(measure: str, value: float) -> tuple[float | None, float | None]:
    """Return the ends of the histogram bar of `measure` in which `value` lies."""
    edges = EDGES[measure]
    below = [edge for edge in edges if edge <= value]
    above = [edge for edge in edges if edge > value]
    return (below[-1] if below else None), (above[0] if above else None)


def fill_table(
    connection: Connection, batches: Iterable[pa.Table], families: Iterable[str]
) -> None:
    """Write the rows of `batches`, which are of `families`, into the table `records`."""
    # Numbers under their names, a quarter cheaper to group by than the names.
    for name, values in (("family", set(families)), ("split", {"", *SPLITS})):
        members = ", ".join(_quoted(value) for value in sorted(values))
        connection.execute(f"CREATE TYPE {name}_name AS ENUM ({members})")
    connection.register("batch", _SCHEMA.empty_table())
    connection.execute(
        "CREATE TABLE records AS SELECT * REPLACE "
        "(family::family_name AS family, split::split_name AS split) FROM batch"
    )
    for batch in batches:
        connection.unregister("batch")
        connection.register("batch", batch)
        connection.execute("INSERT INTO records SELECT * FROM batch")


def records_of(connection: Connection, choice: Choice, *, limit: int = 200) -> Found:
    """Return the records of a choice: all of them counted, the first `limit` listed.

    Raises:
        GateError: `gate.unknown_measure`.
    """
    given: dict[str, object] = {
        "family": choice.family or None,
        "split": choice.split or None,
        "low": choice.low,
        "high": choice.high,
    }
    [(count,)] = connection.execute(_for(_COUNTED, choice.measure), given).fetchall()
    cursor = connection.execute(_for(_LISTED, choice.measure), {**given, "limit": limit})
    names = [column[0] for column in cursor.description or ()]
    rows = tuple(dict(zip(names, row, strict=True)) for row in cursor.fetchall())
    return Found(records=int(count), rows=rows)


def quantiles_of(connection: Connection, measure: str) -> list[tuple[Any, ...]]:
    """Return (family, stage, split, records, mean, [p5, p25, p50, p75, p95]) of a measure."""
    return connection.execute(_for(_QUANTILES, measure)).fetchall()


def histogram_of(connection: Connection, measure: str) -> list[tuple[Any, ...]]:
    """Return (family, split, bar, records) of a measure; bars are numbered by `EDGES`."""
    edges = list(EDGES[measure]) if measure in EDGES else []
    return connection.execute(_for(_HISTOGRAM, measure), {"edges": edges}).fetchall()


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _for(query: str, measure: str) -> str:
    """Return one of our queries about `measure`, which must be one of our own names."""
    if measure not in MEASURES:
        raise GateError("gate.unknown_measure", "Nobody takes that measure.")
    return query.replace("@measure", measure)


@dataclass(frozen=True, slots=True)
class RecordTable:
    """The tables of one desk's candidates."""

    candidates: Candidates

    def path(self, digest: str) -> Path:
        """Return where the table of a candidate lies, if it was made."""
        return self.candidates.desk.workspace / "records" / f"{digest}.{_VERSION}.duckdb"

    def records(
        self, digest: str, choice: Choice, *, limit: int = 200, progress: Progress = silent
    ) -> Found:
        """Return the records of a choice; the first question makes the table from the shards."""
        path = self.prepare(digest, progress)
        connection = open_snapshot(path)
        try:
            return records_of(connection, choice, limit=limit)
        finally:
            connection.close()

    def is_ready(self, digest: str) -> bool:
        """Whether a question is answered at once."""
        return self.path(digest).is_file()

    def prepare(self, digest: str, progress: Progress = silent) -> Path:
        """Make the table of a candidate unless it is there; return where it lies.

        The job that runs the gates does it, so that no page has to.
        """
        path = self.path(digest)
        if not path.is_file():
            self._make(digest, path, progress)
        return path

    def _make(self, digest: str, path: Path, progress: Progress) -> None:
        desk, candidate = self.candidates.desk, self.candidates.get(Digest(digest))
        cache = desk.workspace / "shards"
        corpus = (
            record
            for shard in candidate.shards
            for record in parse_shard(read_shard(desk.store, shard, cache), shard)
        )
        stages = {rule.name: rule.stage for rule in desk.policy.families}

        def build(connection: Connection) -> None:
            rows = _batches(corpus, stages.get, candidate.records, progress)
            fill_table(connection, rows, {shard.family for shard in candidate.shards})

        write_snapshot(path, build)


def _batches(
    records: Iterable[ShippedRecord],
    stage_of: Callable[[str], int | None],
    total: int,
    progress: Progress,
) -> Iterable[pa.Table]:
    rows: list[Mapping[str, Any]] = []
    for done, record in enumerate(records, 1):
        rows.append(_row(record, stage_of(record.shard.family)))
        if len(rows) >= _BATCH:
            yield _table(rows)
            rows = []
        if done % _PROGRESS_EVERY == 0:
            progress(done, total, "measuring records for the pictures")
    yield _table(rows)


def _table(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist([dict(row) for row in rows], schema=_SCHEMA)


def _row(record: ShippedRecord, stage: int | None) -> Mapping[str, Any]:
    language, tokens = record.metadata.get("language"), record.metadata.get("tokens")
    return {
        "record_id": str(record.metadata.get("record_id", "")),
        "family": record.shard.family,
        "split": record.shard.split if record.shard.split in SPLITS else "",
        "stage": stage,
        "language": language if isinstance(language, str) else "und",
        "roles": role_pattern(record.messages),
        **measure_sizes(record.messages),
        # Recounted by the distribution gate, which blocks on a single one that is untrue.
        "tokens": tokens if isinstance(tokens, int) else None,
    }
