"""What a scan learned about one object: one row per item read, without its key or family.

The table is a cache. It names neither key nor family, so that the same rows serve wherever
the same bytes lie.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO, Final

import pyarrow as pa
import pyarrow.parquet as pq

from core.canonical import canonical_bytes
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
# What repeats is written as a dictionary, what is text is squeezed. Digests and counts gain from
# neither, and every build reads them all: so it takes a third of the time.
_REPEATED: Final = ["kind", "code", "shape", "labels", "language", "pii_status"]
_SQUEEZED: Final = ("messages", "labels", "entities", "redactions", "conversation_id")
_GROUP_ROWS: Final = 5_000
_GROUP_BYTES: Final = 16 << 20


def rejection_row(item: Rejection) -> Row:
    """Return the row of a refusal; of an unknown shape, with the names of its fields."""
    row: dict[str, object] = {"line": item.line, "kind": "rejection", "code": item.code}
    if item.fields:
        row["labels"] = canonical_bytes({"fields": list(item.fields)}).decode()
    return row


def lane_row(item: Asset) -> Row:
    """Return the row of an asset, which is counted and never trained on."""
    return {"line": item.line, "kind": "lane", "code": item.lane}


class FeatureFile:
    """Rows on their way into one Parquet file, held in memory a group at a time.

    The same rows give the same bytes under the same pyarrow. `rows` counts them.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._writer = pq.ParquetWriter(
            file,
            SCHEMA,
            compression={name: "zstd" if name in _SQUEEZED else "none" for name in SCHEMA.names},
            use_dictionary=_REPEATED,
            write_statistics=False,
            version="2.6",
        )
        self._held: list[Row] = []
        self._bytes = 0
        self.rows = 0

    def add(self, row: Row) -> None:
        """Take one row."""
        self._held.append(row)
        messages = row.get("messages")
        self._bytes += len(messages) if isinstance(messages, bytes) else 0
        self.rows += 1
        if len(self._held) >= _GROUP_ROWS or self._bytes >= _GROUP_BYTES:
            self._flush()

    def close(self) -> None:
        """Write what is left and the file's directory."""
        if self._held or not self.rows:
            self._flush()
        self._writer.close()

    def _flush(self) -> None:
        table = pa.Table.from_pylist([dict(row) for row in self._held], schema=SCHEMA)
        self._writer.write_table(table)
        self._held.clear()
        self._bytes = 0
