"""A data set for a training loop: what PyTorch asks of an iterable, whether or not it is installed.

With PyTorch installed `TrainingRows` is one of its `IterableDataset`s, so that a `DataLoader` deals
its rows to worker processes, and `torchdata`'s stateful one can stop and go on. Without it the
same object is a plain iterable.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from core.model.errors import ReleaseError
from core.release.consume import EXPORTS, Release, open_release
from core.release.stream import RowStream
from core.storage.ports import ObjectStore

if TYPE_CHECKING:
    _Iterable = object
else:
    try:
        from torch.utils.data import IterableDataset as _Iterable
    except ImportError:
        _Iterable = object

Shape = Callable[[dict[str, Any]], Any]


def whole_row(row: dict[str, Any]) -> dict[str, Any]:
    """Give the row as it is."""
    return row


class TrainingRows(_Iterable):
    """Rows of one split of one release, again on every `iter`.

    The release is opened once here, and its manifest pinned: every worker and every epoch reads
    that manifest, whatever `latest` names by then. Each iteration connects anew, because a
    connection must not be shared with a forked process.

    Args:
        connect: makes a store; picklable (say, `functools.partial(S3Store, settings)`) where
            workers are spawned.
        version: as for `open_release`.
        split: train, val or test.
        phase: a phase of the routing, or None for all families.
        mixed: give each family its share of the phase, see `Release.mix`.
        rows: how many rows in all when `mixed`.
        seed: shuffles; None keeps the manifest's order.
        rank: (rank, world size) of this training process.
        shape: makes of a row what the loop wants; picklable where workers are spawned.
        exports: as for `open_release`.
    """

    def __init__(
        self,
        connect: Callable[[], ObjectStore],
        version: str,
        *,
        split: str = "train",
        phase: str | None = None,
        mixed: bool = False,
        rows: int | None = None,
        seed: int | None = 0,
        rank: tuple[int, int] = (0, 1),
        shape: Shape = whole_row,
        exports: str = EXPORTS,
    ) -> None:
        super().__init__()
        if mixed and phase is None:
            raise ReleaseError("release.no_such_phase", "A mix needs a phase of the routing.")
        opened = open_release(connect(), version, exports=exports)
        self.version = opened.manifest.version
        self.manifest_sha256 = opened.manifest.sha256
        self._connect, self._exports = connect, opened.exports
        self._split, self._phase, self._mixed, self._rows = split, phase, mixed, rows
        self._seed, self._epoch, self._rank, self._shape = seed, 0, rank, shape
        self._stream: RowStream | None = None
        self._state: Mapping[str, Any] | None = None
        self._draws = self._make(opened, rank).order.draws

    def __iter__(self) -> Iterator[Any]:
        release = open_release(
            self._connect(),
            self.version,
            exports=self._exports,
            manifest_sha256=self.manifest_sha256,
        )
        index, workers = _loader_worker()
        rank, world = self._rank
        stream = self._make(release, (rank + world * index, world * workers))
        if self._state is not None:
            stream.load_state_dict(self._state)
            self._state = None
        self._stream = stream
        return map(self._shape, stream)

    def __getstate__(self) -> dict[str, Any]:
        """Leave the stream behind: its connection cannot follow into a spawned worker."""
        return {**self.__dict__, "_stream": None}

    def __len__(self) -> int:
        """Return how many rows this rank gets in one epoch, over all its loader's workers."""
        rank, world = self._rank
        return len(range(rank, self._draws, world))

    def set_epoch(self, epoch: int) -> None:
        """Take another order from the next iteration on, the same for every rank."""
        self._epoch = epoch

    def state_dict(self) -> dict[str, Any]:
        """Return where this process's last iteration stands; empty before the first."""
        return {} if self._stream is None else self._stream.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Let the next iteration go on where `state` was taken, in that epoch.

        Raises:
            ReleaseError: at the next iteration, when `state` is of another release or order.
        """
        self._state = state or None
        if state:
            self._epoch = int(state.get("epoch", 0))

    def _make(self, release: Release, worker: tuple[int, int]) -> RowStream:
        if self._mixed and self._phase is not None:
            return release.mix(
                self._split,
                self._phase,
                rows=self._rows,
                worker=worker,
                seed=self._seed,
                epoch=self._epoch,
            )
        return release.iterate(
            self._split, self._phase, worker=worker, seed=self._seed, epoch=self._epoch
        )


def _loader_worker() -> tuple[int, int]:
    """Return which of a PyTorch loader's workers this process is; (0, 1) outside of one."""
    loader = sys.modules.get("torch.utils.data")
    found = loader.get_worker_info() if loader is not None else None
    return (0, 1) if found is None else (found.id, found.num_workers)
