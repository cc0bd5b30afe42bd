"""A verdict is pass, fail or error. Absent is not pass; only `core.gates.run` makes one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from core.model.names import Digest

Verdict = Literal["pass", "fail", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing a gate saw: a stable code and a place, never the text.

    `line` is 0 for a finding about a whole shard, family or candidate. `turn`, `start` and
    `end` locate a span inside a message (turn is 0-based over the row's messages; start and
    end are character offsets). `other` names the second record of a pair.
    """

    code: str
    blocking: bool
    family: str = ""
    shard: str = ""
    line: int = 0
    record_id: str = ""
    turn: int = -1
    start: int = -1
    end: int = -1
    other: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateReport:
    """The stored report of one gate over one candidate under one set of settings.

    `measures` is plain JSON data (numbers, strings, lists, objects) without record text.
    `settings` is the digest of everything that could change the verdict. `reason` is set
    when the verdict is error.
    """

    gate: str
    candidate: Digest
    settings: Digest
    verdict: Verdict
    examined: int
    expected: int
    findings: tuple[Finding, ...] = ()
    measures: Mapping[str, object] = field(default_factory=dict)
    reason: str = ""
    started_at: str = ""
    finished_at: str = ""

    @property
    def blocking(self) -> tuple[Finding, ...]:
        """The findings that stop a release."""
        return tuple(finding for finding in self.findings if finding.blocking)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReport:
    """A report with the key and digest of the bytes it was stored as."""

    report: GateReport
    key: str
    sha256: Digest
