"""A gate is proven when its report judged all of this candidate and nothing unwaived blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from core.model.candidate import Candidate
from core.model.gate import GateReport, StoredReport
from core.model.names import Digest, ReviewerId
from core.model.signoff import DeskRole
from core.model.waiver import Waiver
from core.policy.types import Policy
from core.policy.waivable import may_be_waived
from core.release.facts import Facts
from core.release.open_point import OpenPoint, point


def required_gates(facts: Facts, policy: Policy) -> tuple[str, ...]:
    """Return the union of what the policy and the facts require, in order of first mention."""
    return tuple(dict.fromkeys((*policy.required_gates, *facts.required_gates)))


def gate_points(facts: Facts, policy: Policy) -> Iterator[OpenPoint]:
    """Name every required gate that has not judged this candidate, or found what blocks."""
    names = required_gates(facts, policy)
    if not names:
        detail = "The policy requires no gate, and nothing required is nothing proven."
        yield point("gates", "gate.nothing_required", detail, "gates")
    for name in names:
        found = _judge_gate(name, facts.reports.get(name), facts, policy)
        if found is not None:
            yield point(f"gate:{name}", found[0], found[1], "gates")


def _judge_gate(
    name: str, stored: StoredReport | None, facts: Facts, policy: Policy
) -> tuple[str, str] | None:
    if stored is None:
        return "gate.absent", f"The {name} gate has not judged this candidate."
    report = stored.report
    if (report.gate, report.candidate) != (name, facts.candidate.digest):
        return "gate.absent", f"The {name} gate's report is about something else."
    if report.verdict == "error":
        return "gate.error", f"The {name} gate could not judge; run it again."
    if not 0 < report.examined == report.expected == facts.candidate.records:
        return "gate.incomplete", f"The {name} gate did not examine every record."
    open_codes = _unwaived(name, stored, counting_waivers(facts, policy))
    if open_codes is None:
        return None
    named = ", ".join(sorted(open_codes)) or "no code given"
    return "gate.failed", f"The {name} gate failed: {named}."


def _unwaived(name: str, stored: StoredReport, waivers: Sequence[Waiver]) -> set[str] | None:
    """Return the blocking codes no waiver covers, or None when nothing is left to block."""
    report = stored.report
    codes = set(finding_totals(report, blocking_only=True))
    if report.verdict == "pass" and not codes:
        return None
    waived = {w.code for w in waivers if (w.gate, w.report) == (name, stored.sha256)}
    # A fail without a blocking finding is a contradiction, so it can never be waived.
    if report.verdict == "fail" and codes and codes <= waived:
        return None
    return codes - waived


def is_proven(
    name: str, stored: StoredReport | None, candidate: Candidate, waivers: Sequence[Waiver]
) -> bool:
    """Whether the gate judged all of `candidate` and nothing blocks but what `waivers` cover."""
    if stored is None or stored.report.verdict == "error":
        return False
    report = stored.report
    whole = 0 < report.examined == report.expected == candidate.records
    same = (report.gate, report.candidate) == (name, candidate.digest)
    return whole and same and _unwaived(name, stored, waivers) is None


def finding_totals(report: GateReport, *, blocking_only: bool = False) -> dict[str, int]:
    """Return findings by code: as the gate counted them all, or the stored ones where more.

    Only so many findings of a code are stored; the counts are in the measures.
    """
    found = Counter(item.code for item in report.findings if item.blocking or not blocking_only)
    counted = report.measures.get("findings")
    for code, cell in (counted if isinstance(counted, Mapping) else {}).items():
        total = cell["blocking"] + (0 if blocking_only else cell["noted"])
        if total > found[code]:
            found[code] = total
    return dict(sorted((code, count) for code, count in found.items() if count))


def counting_waivers(facts: Facts, policy: Policy) -> tuple[Waiver, ...]:
    """Return the waivers in force for this candidate, ordered by gate, code and key."""
    found = [waiver for waiver in facts.waivers if _in_force(waiver, facts, policy)]
    return tuple(sorted(found, key=lambda waiver: (waiver.gate, waiver.code, waiver.key)))


def _in_force(waiver: Waiver, facts: Facts, policy: Policy) -> bool:
    # With nobody known to have built, nobody is known to be independent of the build.
    return facts.builder is not None and waiver_counts(
        waiver,
        candidate=facts.candidate.digest,
        at=facts.at,
        people=facts.people,
        builders=frozenset({facts.builder}),
        policy=policy,
    )


def waiver_counts(
    waiver: Waiver,
    *,
    candidate: Digest,
    at: str,
    people: Mapping[ReviewerId, tuple[DeskRole, ...]],
    builders: frozenset[str],
    policy: Policy,
) -> bool:
    """Whether a waiver is of this candidate, in force at `at`, and signed by two who still may."""
    if waiver.candidate != candidate or waiver.expires_at <= at:
        return False
    if waiver.revoked or not may_be_waived(policy, waiver.gate, waiver.code):
        return False
    held = {
        (who, role)
        for who, role in waiver.signers
        if role in people.get(who, ()) and who not in builders
    }
    return len({who for who, _ in held}) >= 2 and len({role for _, role in held}) >= 2
