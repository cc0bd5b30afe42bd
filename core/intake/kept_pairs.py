"""How alike two texts are follows from their digests, so that it is measured once for all builds.

This is a cache, named by its bytes, and decides nothing: pairs that are not in it are measured.
"""

from __future__ import annotations

import io
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core.intake.kept import keep, newest_bytes
from core.model.names import Digest
from core.storage.ports import ObjectStore

Keys = npt.NDArray[np.bytes_]

_FORMAT: Final = "release-desk/pairs/1"
_SUFFIX: Final = ".arrow"
_WIDTH: Final = 16
_SCHEMA: Final = pa.schema(
    [
        pa.field("pair", pa.binary(2 * _WIDTH), nullable=False),  # both digests, the lower first
        pa.field("jaccard", pa.float64(), nullable=False),
    ]
).with_metadata({"schema": _FORMAT})


class KeptPairs:
    """Pairs measured by the last build under the same scan settings, by the digests of texts."""

    def __init__(self, store: ObjectStore, settings: Digest, prefix: str) -> None:
        self._store = store
        self._home = f"{prefix}features/{settings}/pairs/"
        self._names, self._values = self._read()

    def find(self, one: Keys, other: Keys) -> npt.NDArray[np.float64]:
        """Return the Jaccard similarity of each pair of digests of 16 bytes, NaN where unknown."""
        found = np.full(len(one), np.nan)
        if len(self._names) and len(one):
            wanted = _named(one, other)
            places = np.minimum(np.searchsorted(self._names, wanted), len(self._names) - 1)
            met = self._names[places] == wanted
            found[met] = self._values[places[met]]
        return found

    def keep(self, one: Keys, other: Keys, jaccard: npt.NDArray[np.float64]) -> None:
        """Keep what a build needed for the next one, unless there is nothing new in it."""
        if not np.isnan(self.find(one, other)).any():
            return
        names, places = np.unique(_named(one, other), return_index=True)
        packed = pa.py_buffer(np.ascontiguousarray(names))
        table = pa.table(
            [
                pa.FixedSizeBinaryArray.from_buffers(
                    pa.binary(2 * _WIDTH), len(names), [None, packed]
                ),
                pa.array(jaccard[places]),
            ],
            schema=_SCHEMA,
        )
        file = io.BytesIO()
        with pa.ipc.new_file(file, _SCHEMA) as writer:
            writer.write_table(table)
        keep(self._store, self._home, file.getvalue(), _SUFFIX)

    def _read(self) -> tuple[Keys, npt.NDArray[np.float64]]:
        nothing = np.empty(0, f"S{2 * _WIDTH}"), np.empty(0, np.float64)
        body = newest_bytes(self._store, self._home, _SUFFIX)
        if body is None:
            return nothing
        try:
            table = pa.ipc.open_file(pa.py_buffer(body)).read_all().combine_chunks()
            table.validate(full=True)
        except pa.ArrowException:
            return nothing
        if not table.schema.equals(_SCHEMA, check_metadata=True) or not len(table):
            return nothing
        [pairs] = table["pair"].chunks
        names = np.frombuffer(pairs.buffers()[1], f"S{2 * _WIDTH}")[pairs.offset :][: len(table)]
        values = table["jaccard"].to_numpy()
        whole = np.all(names[1:] > names[:-1]) and np.all((values >= 0) & (values <= 1))
        return (names, values) if whole else nothing


def _named(one: Keys, other: Keys) -> Keys:
    """Return both digests of each pair as one string of bytes, the lower first."""
    swapped = one > other
    both = np.empty((len(one), 2), f"S{_WIDTH}")
    both[:, 0] = np.where(swapped, other, one)
    both[:, 1] = np.where(swapped, one, other)
    return both.view(f"S{2 * _WIDTH}").ravel()
