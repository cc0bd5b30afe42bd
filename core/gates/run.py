"""Pass only on proof: every record examined, nothing blocking found, nothing raised."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from core.gates.gate import Gate
from core.gates.trial import ComparingGate, Trial, reason_of
from core.model.candidate import Candidate
from core.model.dataset import ShippedRecord
from core.model.errors import Cancelled
from core.model.gate import GateReport
from core.model.progress import Progress, silent
from core.storage.ports import Clock, timestamp

if TYPE_CHECKING:  # what compares is compiled, and most that run gates need none of it
    from core.gates.sketching import StartsSketchers

_PROGRESS_EVERY = 250


class Records(Protocol):
    """What a run needs of a corpus."""

    @property
    def candidate(self) -> Candidate:
        """What is judged."""

    @property
    def expected(self) -> int:
        """How many records must be examined."""

    def __iter__(self) -> Iterator[ShippedRecord]:
        """Yield every record once."""


def run_gate(
    gate: Gate, corpus: Records, *, clock: Clock, progress: Progress = silent
) -> GateReport:
    """Return the report of one gate over the whole corpus."""
    return run_gates((gate,), corpus, clock=clock, progress=progress)[0]


def run_gates(
    gates: Sequence[Gate],
    corpus: Records,
    *,
    clock: Clock,
    progress: Progress = silent,
    workers: int = 1,
    pools: StartsSketchers | None = None,
) -> tuple[GateReport, ...]:
    """Return one report per gate from a single reading of the corpus.

    A gate that raises is judged `error` and left out of the rest of the reading; the others
    go on. `Cancelled` ends everything and leaves no report. With more than one worker, gates
    that compare are given what other processes made of the same proven shards, when there is
    enough to compare; their evidence is the same. `pools` says where those processes are; by
    default on this machine.

    Raises:
        DeskError: the processes of `pools` cannot be started; no gate was judged.
    """
    if not gates:
        return ()
    started_at = timestamp(clock.now())
    trials = [Trial(gate) for gate in gates]
    broken = _show_elsewhere(trials, corpus, progress, workers, pools)
    if broken is None:
        broken = _show_all(trials, corpus, progress)
    reports = []
    for number, trial in enumerate(trials):
        progress(number, len(trials), f"concluding {trial.name}")
        reports.append(
            trial.report(
                corpus.candidate, corpus.expected, broken=broken, started_at=started_at, clock=clock
            )
        )
    return tuple(reports)


def _show_elsewhere(
    trials: Sequence[Trial],
    corpus: Records,
    progress: Progress,
    workers: int,
    pools: StartsSketchers | None,
) -> str | None:
    """Show every record, to gates that compare by way of other processes; None if not worth it."""
    compared = any(isinstance(trial.gate, ComparingGate) for trial in trials)
    if not compared or (workers < 2 and pools is None):
        return None
    # Imported here because what compares is compiled, which other gates need not wait for.
    from core.gates.corpus import Corpus
    from core.gates.elsewhere import is_worth_a_pool, show_shards
    from core.gates.sketching import StartsLocalSketchers

    pools = pools or StartsLocalSketchers()
    if not isinstance(corpus, Corpus) or not is_worth_a_pool(corpus, pools.worth):
        return None
    return show_shards(trials, corpus, pools, workers, progress)


def _show_all(trials: Sequence[Trial], corpus: Records, progress: Progress) -> str:
    """Show every record to every gate; return why the corpus broke off, or nothing."""
    shown = 0
    records = iter(corpus)
    while True:
        try:
            record = next(records)
        except StopIteration:
            return ""
        except Cancelled:
            raise
        except Exception as error:  # noqa: BLE001  a corpus that breaks must block, not vanish
            return reason_of(error)
        for trial in trials:
            trial.examine(record)
        shown += 1
        if shown % _PROGRESS_EVERY == 0 or shown == corpus.expected:
            progress(shown, corpus.expected, f"{record.shard.family} {record.shard.split}")
