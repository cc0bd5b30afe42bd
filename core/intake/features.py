"""What a scan learned about one object: one row per item read, without its key or family.

The table is a cache. It names neither key nor family, so that the same rows serve wherever
the same bytes lie.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from core.model.dataset import Asset, Rejection

SCHEMA = pa.schema(
    [
        pa.field("line", pa.int64(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),  # record, rejection or lane
        pa.field("code", pa.string()),  # of a rejection; the lane's name of an asset
        pa.field("shape", pa.string()),
        pa.field("conversation_id", pa.string()),
        pa.field("labels", pa.string()),  # JSON object
        pa.field("messages", pa.binary()),  # JSON, after redaction, as it will be exported
        pa.field("content_hash", pa.string()),
        pa.field("record_id", pa.string()),
        pa.field("text_digest", pa.binary()),
        pa.field("prompt_digest", pa.binary()),
        pa.field("signature", pa.binary()),
        pa.field("shingles", pa.int64()),
        pa.field("turns", pa.int64()),
        pa.field("tokens", pa.int64()),
        pa.field("characters", pa.int64()),
        pa.field("words", pa.int64()),
        pa.field("language", pa.string()),
        pa.field("pii_status", pa.string()),
        pa.field("entities", pa.string()),  # JSON object: entity to count
        pa.field("redactions", pa.string()),  # JSON list of places in the exported text
        pa.field("redacted_characters", pa.int64()),
    ]
)
Row = Mapping[str, object]


def rejection_row(item: Rejection) -> Row:
    """Return the row of a refusal."""
    return {"line": item.line, "kind": "rejection", "code": item.code}


def lane_row(item: Asset) -> Row:
    """Return the row of an asset, which is counted and never trained on."""
    return {"line": item.line, "kind": "lane", "code": item.lane}


def encode_features(rows: Sequence[Row]) -> bytes:
    """Return `rows` as Parquet; the same rows give the same bytes under the same pyarrow."""
    table = pa.Table.from_pylist([dict(row) for row in rows], schema=SCHEMA)
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", version="2.6")
    return bytes(sink.getvalue().to_pybytes())
