"""The features of a build's sources come to this machine when somebody asks for them.

What is gone or damaged in the bucket is scanned again, with the same result.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from core.intake.scan import ObjectScan, StoreFactory, load_features
from core.intake.scan_all import ScanJob, ask_at_once, scan_one
from core.model.errors import IntakeError, Missing
from core.storage.ports import ObjectStore


class FetchedFeatures:
    """One file in `folder` for each of `scans` that was asked for. One thread at a time asks."""

    def __init__(
        self,
        store: ObjectStore,
        scans: Sequence[ObjectScan],
        job: ScanJob,
        folder: Path,
        connect: StoreFactory | None,
    ) -> None:
        self._store = store
        self._scans = scans
        self._job = job
        self._folder = folder
        self._connect = connect
        self._paths: dict[int, Path] = {}

    def paths(self, numbers: Sequence[int]) -> Iterator[Path]:
        """Yield where the features of these scans lie; a remote bucket is asked several at a time.

        Raises:
            IntakeError: `intake.object_changed` when features are gone and so is their source.
        """
        absent = [number for number in numbers if number not in self._paths]
        asked = dict.fromkeys(absent)
        there = zip(asked, ask_at_once(self._fetch, list(asked), self._connect), strict=True)
        for number in numbers:
            while number not in self._paths:
                found, whole = next(there)
                self._paths[found] = self._place(found)
                if not whole:
                    again = scan_one(self._store, self._scans[found].source, self._job, fresh=True)
                    self._place(found).write_bytes(load_features(self._store, again))
            yield self._paths[number]

    def replace(self, number: int, path: Path) -> None:
        """Let other features stand for those of a scan from now on."""
        self._paths[number] = path

    def _fetch(self, number: int) -> bool:
        try:
            body = load_features(self._store, self._scans[number])
        except (IntakeError, Missing):
            return False
        self._place(number).write_bytes(body)
        return True

    def _place(self, number: int) -> Path:
        return self._folder / f"{number}.parquet"
