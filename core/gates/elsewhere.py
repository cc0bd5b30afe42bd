"""Other processes sketch shards while this one goes on; none of it shows in the evidence."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path
from types import TracebackType

from core.gates.comparison import Comparison
from core.gates.corpus import Corpus, keep_shard, parse_shard
from core.gates.sketched import Sketched
from core.gates.sketching import Sketchers, StartsSketchers, sketch_file
from core.gates.trial import ComparingGate, Trial, reason_of
from core.model.dataset import Shard
from core.model.errors import Cancelled, DeskError, GateError
from core.model.progress import Progress

_EVERY = 0.5
_PROGRESS_EVERY = 250


class SketchPool:
    """The shards of one corpus that others sketch for one comparison.

    Parts come back in the order in which shards were handed in, whoever is done first.
    """

    def __init__(self, corpus: Corpus, comparison: Comparison, sketchers: Sketchers) -> None:
        self._corpus = corpus
        self._comparison = comparison
        self._sketchers = sketchers
        self._waiting: deque[tuple[Shard, Path, Path, Future[Sketched]]] = deque()
        self._number = 0

    def __enter__(self) -> SketchPool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._sketchers.shutdown()

    @property
    def waiting(self) -> bool:
        """Whether a part is still to come."""
        return bool(self._waiting)

    @property
    def ready(self) -> bool:
        """Whether the next part is there to be taken."""
        return bool(self._waiting) and self._waiting[0][3].done()

    def wait(self, idle: Callable[[], None]) -> None:
        """Wait until not everybody has something to do; `idle` may raise `Cancelled`.

        Shards differ in size a hundredfold. Were only the oldest of them waited for, a process
        that took the small ones would stand idle beside one that took a large one.
        """
        while len(busy := self._unfinished()) > self._sketchers.workers:
            wait(busy, timeout=_EVERY, return_when=FIRST_COMPLETED)
            idle()

    def _unfinished(self) -> list[Future[Sketched]]:
        return [future for *_, future in self._waiting if not future.done()]

    def submit(self, shard: Shard, body: bytes) -> None:
        """Hand in a shard with its proven bytes; they are handed on in a file."""
        texts = self._comparison.folder / f"shard{self._number}.texts"
        self._number += 1
        cache = self._corpus.cache
        if cache is not None and (cache / shard.sha256).is_file():
            lines = cache / shard.sha256
        else:
            lines = keep_shard(cache or self._comparison.folder, shard, body)
        self._waiting.append((shard, lines, texts, self._sketchers.submit(lines, shard, texts)))

    def take(self, idle: Callable[[], None]) -> Sketched:
        """Return the next part; `idle` is called now and then and may raise `Cancelled`.

        A file that is not what was handed in, as a cache may be, is written and read again.
        """
        shard, lines, texts, future = self._waiting.popleft()
        while not wait({future}, timeout=_EVERY).done:
            idle()
        try:
            part = future.result()
        except GateError:
            body = self._corpus.fetch(shard)
            keep_shard(lines.parent, shard, body)
            texts.unlink(missing_ok=True)
            part = sketch_file(lines, shard, texts, self._comparison.rule)
        if self._corpus.cache is None:
            lines.unlink(missing_ok=True)
        return part


class _Showing:
    """The gates of one run, and how far each kind of them is."""

    def __init__(self, trials: Sequence[Trial], corpus: Corpus, progress: Progress) -> None:
        # All gates of a run that compare share one comparison; any other goes record by record.
        known = [trial.gate for trial in trials if isinstance(trial.gate, ComparingGate)]
        self.comparison = known[0].comparison
        self.comparing = [
            trial
            for trial in trials
            if isinstance(trial.gate, ComparingGate) and trial.gate.comparison is self.comparison
        ]
        self.others = [trial for trial in trials if trial not in self.comparing]
        self._corpus = corpus
        self._progress = progress
        self._read = self._compared = 0

    def show_lines(self, shard: Shard, body: bytes) -> None:
        """Show the records of a shard to the gates that do not compare."""
        if not self.others:
            return
        for record in parse_shard(body, shard):
            for trial in self.others:
                trial.examine(record)
            self._read += 1
            if self._read % _PROGRESS_EVERY == 0:
                self.say(f"{shard.family} {shard.split}")

    def collect(self, pool: SketchPool) -> None:
        """Show the next part to the gates that compare.

        Whatever breaks that is not the corpus itself breaks these gates alone.
        """
        try:
            part = pool.take(self.say)
        except DeskError:
            raise
        except Exception as error:  # noqa: BLE001  a gate that breaks must block, not vanish
            for trial in self.comparing:
                trial.reason = trial.reason or reason_of(error)
            return
        for trial in self.comparing:
            trial.examine_sketched(part)
        self._compared += len(part)
        self.say()

    def say(self, message: str = "comparing records") -> None:
        """Report how far the run is; may raise `Cancelled`."""
        done = self._read if self.others else self._compared
        self._progress(done, self._corpus.expected, message)


def is_worth_a_pool(corpus: Corpus, worth: int) -> bool:
    """Whether starting processes, a few seconds each, costs less than it gains."""
    return sum(shard.size for shard in corpus.candidate.shards) >= worth


def show_shards(
    trials: Sequence[Trial],
    corpus: Corpus,
    pools: StartsSketchers,
    workers: int,
    progress: Progress,
) -> str:
    """Show every record to every gate; return why the corpus broke off, or nothing.

    Each shard is fetched and proven once. Processes that `pools` starts sketch it for the gates
    that compare, at least one of which there must be, while the others are shown it line by line.

    Raises:
        DeskError: the processes cannot be started.
    """
    showing = _Showing(trials, corpus, progress)
    showing.say()
    sketchers = pools.start(showing.comparison.rule, workers)
    try:
        with SketchPool(corpus, showing.comparison, sketchers) as pool:
            for shard in corpus.candidate.shards:
                body = corpus.fetch(shard)
                pool.submit(shard, body)
                showing.show_lines(shard, body)
                del body
                pool.wait(showing.say)
                while pool.ready:
                    showing.collect(pool)
            while pool.waiting:
                showing.collect(pool)
    except Cancelled:
        raise
    except Exception as error:  # noqa: BLE001  a corpus that breaks must block, not vanish
        return reason_of(error)
    return ""
