"""The words and states of the run sheet, each computed from one piece of evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from core.intake.coverage import FamilyCoverage
from core.model.gate import StoredReport
from core.model.pii import PiiState
from core.model.release import ChecklistLine, LineState
from core.model.waiver import Waiver
from core.workbench.releases import Releases

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


class Published:
    """What stands of a version's release, asked once per sheet."""

    def __init__(self, releases: Releases, version: str) -> None:
        self.manifest = releases.manifest_or_none(version) if version else None
        self.smoke = releases.last_smoke(version) if self.manifest is not None else None
        self.secrets = releases.last_secret_scan(version) if self.manifest is not None else None
        self.verified = releases.last_verified(version) if self.manifest is not None else None

    def waived_gates(self) -> frozenset[str]:
        """Return the gates for which the release ships a waiver."""
        document = self.manifest[0] if self.manifest is not None else {"waivers": []}
        return frozenset(str(item["gate"]) for item in document["waivers"])

    def shipped_gates(self) -> Mapping[str, Judged]:
        """Return what the release says of each gate; empty while there is none."""
        document = self.manifest[0] if self.manifest is not None else {"gates": []}
        return {str(item["gate"]): item for item in document["gates"]}


def artefact_lines(facts: Published) -> Iterator[ChecklistLine]:
    """Yield the lines about what stands under the release's prefix."""
    titles = (
        ("3.1", "Manifest under the release prefix, every field proven"),
        ("3.2", "ChatML JSONL export exists and the manifest references it"),
        ("3.3", "Routing config matches the included families; weights sum to 1"),
    )
    for number, title in titles:
        if facts.manifest is None:
            yield checklist_line(
                number, title, "not_started", "Nothing has been published.", "publish"
            )
        elif facts.verified is None:
            yield checklist_line(
                number, title, "blocked", "Published, not yet verified.", "releases"
            )
        else:
            yield checklist_line(
                number,
                title,
                "done",
                "Re-read and re-hashed as a stranger.",
                "releases",
                facts.verified,
            )


def training_lines(facts: Published) -> Iterator[ChecklistLine]:
    """Yield the lines about training and notes."""
    yield checklist_line(
        "6.1",
        "Training consumes the release from S3 end to end",
        evidence_state(facts.smoke),
        smoke_words(facts.smoke),
        "releases",
        *smoke_evidence(facts.smoke),
    )
    if facts.manifest is None:
        yield checklist_line(
            "6.2", "Release notes updated", "not_started", "Written when published.", "publish"
        )
    else:
        yield checklist_line(
            "6.2",
            "Release notes updated",
            "done" if facts.verified else "blocked",
            "RELEASE_NOTES.md stands in the release.",
            "releases",
        )


def checklist_line(
    number: str, title: str, state: LineState, why: str, page: str, *evidence: Mapping[str, object]
) -> ChecklistLine:
    """Return one line of the run sheet."""
    return ChecklistLine(
        id=number, title=title, state=state, why=why, page=page, evidence=tuple(evidence)
    )


def as_list(value: object) -> list[object]:
    """Return a journal value as a list; anything else is an empty one."""
    return value if isinstance(value, list) else []


def evidence_state(evidence: Mapping[str, object] | None) -> LineState:
    """Return where something stands that passed, failed or has not run."""
    if evidence is None:
        return "not_started"
    return "done" if evidence.get("passed") is True else "blocked"


def smoke_words(smoke: Mapping[str, object] | None) -> str:
    """Say how the smoke test went."""
    if smoke is None:
        return "The smoke test has not run on this release."
    return "The smoke test passed." if smoke.get("passed") is True else "The smoke test failed."


def smoke_evidence(smoke: Mapping[str, object] | None) -> list[Mapping[str, object]]:
    """Return the smoke test as a line's evidence."""
    return [] if smoke is None else [smoke]


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
