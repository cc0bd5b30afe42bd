"""Pass only on proof: every record examined, nothing blocking found, nothing raised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from core.canonical import decode, digest_of, document_bytes
from core.gates.gate import Gate, settings_digest
from core.model.candidate import Candidate
from core.model.dataset import ShippedRecord
from core.model.errors import Cancelled, DeskError, GateError
from core.model.gate import Finding, GateReport, Verdict
from core.model.names import Digest
from core.model.progress import Progress, silent
from core.storage.ports import Clock, timestamp

# Findings of one code that a report stores; the rest are counted. A report must stay readable
# when every one of a million records is at fault.
STORED_PER_CODE = 2_000
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
    gates: Sequence[Gate], corpus: Records, *, clock: Clock, progress: Progress = silent
) -> tuple[GateReport, ...]:
    """Return one report per gate from a single reading of the corpus.

    A gate that raises is judged `error` and left out of the rest of the reading; the others
    go on. `Cancelled` ends everything and leaves no report.
    """
    if not gates:
        return ()
    started_at = timestamp(clock.now())
    trials = [_Trial(gate) for gate in gates]
    broken = _show_all(trials, corpus, progress)
    reports = []
    for number, trial in enumerate(trials):
        progress(number, len(trials), f"concluding {trial.name}")
        reports.append(trial.report(corpus, broken=broken, started_at=started_at, clock=clock))
    return tuple(reports)


def _show_all(trials: Sequence[_Trial], corpus: Records, progress: Progress) -> str:
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


def reason_of(error: Exception) -> str:
    """Return the stable code of our own error or the class of any other; never its words."""
    return error.code if isinstance(error, DeskError) else type(error).__name__


class _Trial:
    """One gate on its way through a corpus: what it has seen, found, and whether it broke."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.name = gate.name
        self.examined = 0
        self.reason = ""
        self.blocked = False
        self.findings: list[Finding] = []
        self.counts: Counter[tuple[str, bool]] = Counter()
        self.settings = self._settings()

    def _settings(self) -> Digest:
        try:
            return settings_digest(self.gate)
        except Exception as error:  # noqa: BLE001  a gate without settings proves nothing
            self.reason = reason_of(error)
            return digest_of({"gate": self.name, "settings": "unknown"})

    def examine(self, record: ShippedRecord) -> None:
        if self.reason:
            return
        try:
            self._take(self.gate.examine(record))
        except Cancelled:
            raise
        except Exception as error:  # noqa: BLE001  a gate that breaks must block, not vanish
            self.reason = reason_of(error)
            return
        self.examined += 1

    def _take(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            if not isinstance(finding, Finding):
                raise GateError("gate.bad_finding", "A gate gave something that is no finding.")
            self.blocked = self.blocked or finding.blocking
            kind = finding.code, finding.blocking
            self.counts[kind] += 1
            if self.counts[kind] <= STORED_PER_CODE:
                self.findings.append(finding)

    def report(self, corpus: Records, *, broken: str, started_at: str, clock: Clock) -> GateReport:
        """Conclude and judge. The order of the reasons is: gate, corpus, count."""
        expected = corpus.expected
        self.reason = self.reason or broken or _shortfall(self.examined, expected)
        measures = self._conclude() if not self.reason else {}
        return GateReport(
            gate=self.name,
            candidate=corpus.candidate.digest,
            settings=self.settings,
            verdict=self._verdict(expected),
            examined=self.examined,
            expected=expected,
            findings=tuple(self.findings),
            measures=measures,
            reason=self.reason,
            started_at=started_at,
            finished_at=timestamp(clock.now()),
        )

    def _conclude(self) -> Mapping[str, Any]:
        """Return the measures as they will be stored, or note why there are none."""
        try:
            self._take(self.gate.conclude())
            measures = dict(self.gate.measures())
            measures["findings"] = self._totals()
            plain: Mapping[str, Any] = decode(document_bytes(measures))
        except Cancelled:
            raise
        except Exception as error:  # noqa: BLE001  a gate that breaks must block, not vanish
            self.reason = reason_of(error)
            return {}
        return plain

    def _totals(self) -> dict[str, dict[str, int]]:
        totals: dict[str, dict[str, int]] = {}
        for (code, blocking), count in sorted(self.counts.items()):
            entry = totals.setdefault(code, {"blocking": 0, "noted": 0, "stored": 0})
            entry["blocking" if blocking else "noted"] += count
            entry["stored"] += min(count, STORED_PER_CODE)
        return totals

    def _verdict(self, expected: int) -> Verdict:
        if self.reason or not 0 < self.examined == expected:
            return "error"
        return "fail" if self.blocked else "pass"


def _shortfall(examined: int, expected: int) -> str:
    if examined == 0:
        return "gate.examined_nothing"
    return "" if examined == expected else "gate.incomplete"
