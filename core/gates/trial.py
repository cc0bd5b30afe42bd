"""One gate on its way through a corpus: what it has seen and found, and whether it broke."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from core.canonical import decode, digest_of, document_bytes
from core.gates.gate import Gate, settings_digest
from core.model.candidate import Candidate
from core.model.dataset import ShippedRecord
from core.model.errors import Cancelled, DeskError, GateError
from core.model.gate import Finding, GateReport, Verdict
from core.model.names import Digest
from core.storage.ports import Clock, timestamp

if TYPE_CHECKING:  # what compares is compiled, and pages that only read verdicts need none of it
    from core.gates.comparison import Comparison
    from core.gates.sketched import Sketched

# Findings of one code that a report stores; the rest are counted. A report must stay readable
# when every one of a million records is at fault.
STORED_PER_CODE = 2_000


@runtime_checkable
class ComparingGate(Protocol):
    """A gate that compares records, and may share what it compares by with another."""

    comparison: Comparison

    def examine_sketched(self, part: Sketched) -> Iterable[Finding]:
        """Look at the records of one shard, as another process sketched them."""


def reason_of(error: Exception) -> str:
    """Return the stable code of our own error or the class of any other; never its words."""
    return error.code if isinstance(error, DeskError) else type(error).__name__


class Trial:
    """What one gate has seen and found so far. With a `reason` it is broken, and sees no more."""

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
        """Show one record."""
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

    def examine_sketched(self, part: Sketched) -> None:
        """Show records that were read elsewhere; each of them counts."""
        if self.reason:
            return
        try:
            assert isinstance(self.gate, ComparingGate)
            self._take(self.gate.examine_sketched(part))
        except Cancelled:
            raise
        except Exception as error:  # noqa: BLE001  a gate that breaks must block, not vanish
            self.reason = reason_of(error)
            return
        self.examined += len(part)

    def _take(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            if not isinstance(finding, Finding):
                raise GateError("gate.bad_finding", "A gate gave something that is no finding.")
            self.blocked = self.blocked or finding.blocking
            kind = finding.code, finding.blocking
            self.counts[kind] += 1
            if self.counts[kind] <= STORED_PER_CODE:
                self.findings.append(finding)

    def report(
        self, candidate: Candidate, expected: int, *, broken: str, started_at: str, clock: Clock
    ) -> GateReport:
        """Conclude and judge. The order of the reasons is: gate, corpus, count."""
        self.reason = self.reason or broken or _shortfall(self.examined, expected)
        measures = self._conclude() if not self.reason else {}
        return GateReport(
            gate=self.name,
            candidate=candidate.digest,
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
