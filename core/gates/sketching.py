"""A shard is sketched alike wherever it is: here, in another process, on another machine."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Protocol

from core.gates.blocks import parse_block, read_proven
from core.gates.sketched import Sketched, Sketcher
from core.intake.folding import fold_dialogues
from core.intake.kernel import sketch
from core.model.dataset import Shard
from core.policy.types import NearDuplicateRule

WORTH_A_POOL = 64 << 20
"""Bytes of shards below which one process is done sooner than two have started."""


class Sketchers(Protocol):
    """Processes that sketch, here or on other machines."""

    @property
    def workers(self) -> int:
        """How many shards are sketched at once."""

    def submit(self, lines: Path, shard: Shard, texts: Path) -> Future[Sketched]:
        """Begin what `sketch_file` would do here; a process that is gone is an exception."""

    def shutdown(self) -> None:
        """Begin nothing more, and let go of the processes."""


class StartsSketchers(Protocol):
    """A way to get processes that sketch."""

    @property
    def worth(self) -> int:
        """Bytes of shards below which it is not worth starting them."""

    def start(self, rule: NearDuplicateRule, workers: int) -> Sketchers:
        """Start them; `workers` is how many this machine has room for."""


class LocalSketchers:
    """Processes of this machine."""

    def __init__(self, rule: NearDuplicateRule, workers: int) -> None:
        self.workers = workers
        self._rule = rule
        self._pool = ProcessPoolExecutor(
            max_workers=workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_warm,
            initargs=(rule,),
        )

    def submit(self, lines: Path, shard: Shard, texts: Path) -> Future[Sketched]:
        """Begin to sketch one shard; only the names of the files go through the pipe."""
        return self._pool.submit(sketch_file, lines, shard, texts, self._rule)

    def shutdown(self) -> None:
        """Begin nothing more, and let go of the processes."""
        self._pool.shutdown(cancel_futures=True)


class StartsLocalSketchers:
    """Starts processes of this machine."""

    @property
    def worth(self) -> int:
        """Bytes of shards below which it is not worth starting them."""
        return WORTH_A_POOL

    def start(self, rule: NearDuplicateRule, workers: int) -> Sketchers:
        """Start them."""
        return LocalSketchers(rule, workers)


def sketch_file(lines: Path, shard: Shard, texts: Path, rule: NearDuplicateRule) -> Sketched:
    """Return the records of a shard that lies in the file `lines`; texts go to `texts`.

    Raises:
        GateError: the file does not hold the shard, or a line is no row.
    """
    sketcher = Sketcher(rule, texts)
    try:
        for first, block in read_proven(lines, shard):
            for line, (turns, claims) in enumerate(parse_block(block, shard, first), first):
                sketcher.add(shard, line, turns, claims)
        return sketcher.finish()
    finally:
        sketcher.close()


def _warm(rule: NearDuplicateRule) -> None:
    """Compile the kernel before the first shard comes."""
    fold_dialogues([[("user", "one")]])
    sketch(["one"], shingle=rule.shingle, count=rule.permutations, seed=rule.seed)
