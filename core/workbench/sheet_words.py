"""The words and states of the run sheet, each computed from one piece of evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from core.intake.coverage import FamilyCoverage
from core.model.gate import StoredReport
from core.model.pii import PiiState
from core.model.release import ChecklistLine, LineState
from core.model.waiver import Waiver
from core.storage.journal import Entry

COVERED: Mapping[str, LineState] = {
    "present": "done",
    "present_by_alias": "done",
    "waived": "waived",
}
Judged = Mapping[str, Any]
"""What the sheet needs of a report: gate, verdict, examined, expected, key, sha256."""


def coverage_words(found: FamilyCoverage) -> str:
    """Say what was seen of a family."""
    state = found.state.replace("_", " ")
    seen = f"{found.records:,} records seen in {found.objects:,} objects"
    return f"{state}: {found.why or seen}".rstrip(".") + "."


def page_of_role(role: str) -> str:
    """Return the review page of a role."""
    return "bias_review" if role == "bias_reviewer" else "clinician_review"


def checklist_line(
    number: str, title: str, state: LineState, why: str, page: str, *evidence: Mapping[str, object]
) -> ChecklistLine:
    """Return one line of the run sheet."""
    return ChecklistLine(
        id=number, title=title, state=state, why=why, page=page, evidence=tuple(evidence)
    )


def journalled(entry: Entry) -> Mapping[str, object]:
    """Return an entry of the journal as evidence."""
    return {"journal": entry.seq, "at": entry.at, "by": entry.actor}


def as_list(value: object) -> list[object]:
    """Return a journal value as a list; anything else is an empty one."""
    return value if isinstance(value, list) else []


def as_shipped(stored: StoredReport | None) -> Judged | None:
    """Return a report as a manifest would list it."""
    if stored is None:
        return None
    report = stored.report
    return {
        "gate": report.gate,
        "verdict": report.verdict,
        "examined": report.examined,
        "expected": report.expected,
        "key": stored.key,
        "sha256": stored.sha256,
    }


def gate_state(held: list[Judged | None], waived: frozenset[str] = frozenset()) -> LineState:
    """Return where gates stand; a fail whose every finding is `waived` counts as waived."""
    if all(item is None for item in held):
        return "not_started"
    for item in held:
        if item is None or (item["verdict"] != "pass" and item["gate"] not in waived):
            return "blocked"
    return "waived" if any(item and item["verdict"] != "pass" for item in held) else "done"


def waiver_words(waivers: Sequence[Waiver]) -> Iterator[str]:
    """Say what was waived, by whom and until when."""
    for waiver in waivers:
        who = " and ".join(sorted(reviewer for reviewer, _ in waiver.signers))
        yield f"{waiver.code} is waived by {who} until {waiver.expires_at}."


def sampled(checks: Mapping[str, PiiState]) -> Iterator[str]:
    """Say what people's reading showed; that none was asked for is said too."""
    if not checks:
        yield "No PII sampling check is asked for by this policy."
    for check in checks.values():
        yield check.sentence


def gate_words(names: tuple[str, ...], held: list[Judged | None]) -> str:
    """Say each gate's verdict and how much it examined."""
    words = []
    for name, item in zip(names, held, strict=True):
        if item is None:
            words.append(f"{name} has not run")
        else:
            words.append(f"{name}: {item['verdict']}, {item['examined']:,} of {item['expected']:,}")
    return "; ".join(words) + "."
