"""Each way a gate is unproven, whole; and what a waiver proves of it, and what it does not."""

from __future__ import annotations

import dataclasses

from core.release.approvals import counting_signoffs
from core.release.proven_gates import counting_waivers, finding_totals, is_proven
from tests.proof import (
    OTHER,
    POLICY,
    a_waiver,
    told,
)
from tests.release_builders import (
    a_blocking_finding,
    a_report,
)


def gate_point(name, code, sentence):
    return (f"gate:{name}", code, sentence, "gates")


def test_each_way_a_gate_is_unproven_has_its_own_sentence(store, facts, candidate):
    def one(name, **changes):
        report = a_report(store, candidate, changes.pop("named", name), **changes)
        return told(facts, reports={**facts.reports, name: report})

    assert told(facts, reports={**facts.reports, "leakage": None}) == [
        gate_point("leakage", "gate.absent", "The leakage gate has not judged this candidate.")
    ]
    elsewhere = "The leakage gate's report is about something else."
    assert one("leakage", candidate=OTHER) == [gate_point("leakage", "gate.absent", elsewhere)]
    assert one("leakage", named="privacy") == [gate_point("leakage", "gate.absent", elsewhere)]
    assert one("leakage", verdict="error") == [
        gate_point("leakage", "gate.error", "The leakage gate could not judge; run it again.")
    ]
    assert one("leakage", examined=4) == [
        gate_point("leakage", "gate.incomplete", "The leakage gate did not examine every record.")
    ]
    found = (a_blocking_finding("leakage.b"), a_blocking_finding("leakage.a"))
    assert one("leakage", verdict="fail", findings=found) == [
        gate_point("leakage", "gate.failed", "The leakage gate failed: leakage.a, leakage.b.")
    ]
    assert one("leakage", verdict="fail") == [
        gate_point("leakage", "gate.failed", "The leakage gate failed: no code given.")
    ]


def test_a_policy_that_requires_nothing_says_so_twice(facts):
    empty = dataclasses.replace(POLICY, required_gates=(), signoffs=())
    assert told(facts, empty, required_gates=()) == [
        (
            "gates",
            "gate.nothing_required",
            "The policy requires no gate, and nothing required is nothing proven.",
            "gates",
        ),
        (
            "signoffs",
            "signoff.nothing_required",
            "The policy requires no sign-off, and nothing required is nothing proven.",
            "publish",
        ),
    ]


def test_a_waiver_that_covers_one_code_leaves_the_other_standing(store, facts, candidate):
    found = (a_blocking_finding("distribution.range"), a_blocking_finding("distribution.drift"))
    report = a_report(store, candidate, "distribution", verdict="fail", findings=found)
    reports = {**facts.reports, "distribution": report}
    first = a_waiver(candidate, report.sha256)
    second = a_waiver(candidate, report.sha256, code="distribution.drift")
    assert told(facts, reports=reports, waivers=(first,)) == [
        gate_point(
            "distribution", "gate.failed", "The distribution gate failed: distribution.drift."
        )
    ]
    assert told(facts, reports=reports, waivers=(first, second)) == []
    assert told(facts, reports=reports, waivers=(first, second), builder=None) != []


def test_a_fail_that_names_no_code_is_waived_by_nothing(store, facts, candidate):
    report = a_report(store, candidate, "distribution", verdict="fail")
    waiver = a_waiver(candidate, report.sha256)
    reports = {**facts.reports, "distribution": report}
    assert told(facts, reports=reports, waivers=(waiver,)) == [
        gate_point("distribution", "gate.failed", "The distribution gate failed: no code given.")
    ]


def test_a_waiver_ends_at_the_very_second_it_names(store, facts, candidate):
    found = (a_blocking_finding("distribution.range"),)
    report = a_report(store, candidate, "distribution", verdict="fail", findings=found)
    reports = {**facts.reports, "distribution": report}
    last = a_waiver(candidate, report.sha256, expires_at="2026-11-21T09:00:01Z")
    over = a_waiver(candidate, report.sha256, expires_at="2026-11-21T09:00:00Z")
    assert told(facts, reports=reports, waivers=(last,)) == []
    assert told(facts, reports=reports, waivers=(over,)) != []


def test_waivers_that_count_are_ordered_by_gate_code_and_key(facts, candidate):
    wanted = [
        a_waiver(candidate, OTHER, gate=gate, code=code, key=key)
        for gate, code in (
            ("distribution", "distribution.drift"),
            ("distribution", "distribution.range"),
            ("duplicates", "duplicates.near"),
        )
        for key in ("exports/waivers/a.json", "exports/waivers/b.json")
    ]
    shuffled = tuple(wanted[place] for place in (4, 1, 3, 0, 5, 2))
    many = dataclasses.replace(facts, waivers=shuffled)
    counted = counting_waivers(many, POLICY)
    assert counted == tuple(item for item in wanted if item in counted)
    assert len(counted) >= 4


def test_signoffs_that_count_are_ordered_by_requirement_and_key(facts):
    twice = [
        dataclasses.replace(signoff, key=f"{signoff.key}{end}")
        for signoff in facts.signoffs
        for end in ("b", "a")
    ]
    counted = counting_signoffs(dataclasses.replace(facts, signoffs=tuple(twice)), POLICY)
    assert [(s.requirement, s.key) for s in counted] == sorted(
        (s.requirement, s.key) for s in twice
    )
    assert len(counted) == len(twice) == 8


def test_a_gate_is_proven_by_a_whole_pass_of_its_own_alone(store, candidate):
    whole = a_report(store, candidate, "privacy")
    assert is_proven("privacy", whole, candidate, ())
    assert not is_proven("privacy", None, candidate, ())
    assert not is_proven("leakage", whole, candidate, ())
    for change in (
        {"verdict": "error"},
        {"verdict": "fail"},
        {"examined": 0, "expected": 0},
        {"examined": 4},
        {"expected": 6},
        {"examined": 4, "expected": 4},
        {"candidate": OTHER},
        {"findings": (a_blocking_finding("privacy.span"),)},
    ):
        report = a_report(store, candidate, "privacy", **change)
        assert not is_proven("privacy", report, candidate, ()), change
    nothing = dataclasses.replace(candidate, records=0)
    assert not is_proven("privacy", a_report(store, nothing, "privacy"), nothing, ())
    single = dataclasses.replace(candidate, records=1)
    assert is_proven("privacy", a_report(store, single, "privacy"), single, ())


def test_what_a_gate_only_notes_blocks_nothing_and_needs_no_waiver(store, facts, candidate):
    note = dataclasses.replace(a_blocking_finding("distribution.note"), blocking=False)
    counted = {"findings": {"distribution.note": {"blocking": 0, "noted": 3, "stored": 1}}}
    report = a_report(store, candidate, "distribution", findings=(note,), measures=counted)
    assert told(facts, reports={**facts.reports, "distribution": report}) == []
    assert is_proven("distribution", report, candidate, ())
    both = (note, a_blocking_finding("distribution.range"))
    report = a_report(store, candidate, "distribution", verdict="fail", findings=both)
    reports = {**facts.reports, "distribution": report}
    waiver = a_waiver(candidate, report.sha256)
    assert told(facts, reports=reports, waivers=(waiver,)) == []


def test_a_report_over_nothing_is_incomplete_even_of_a_candidate_without_records(store, facts):
    empty = dataclasses.replace(facts.candidate, records=0)
    report = a_report(store, empty, "privacy")
    found = told(facts, candidate=empty, reports={**facts.reports, "privacy": report})
    assert ("gate:privacy", "gate.incomplete") in [point[:2] for point in found]


def test_a_fail_is_proven_by_waivers_of_this_gate_this_report_and_every_code(store, candidate):
    found = (a_blocking_finding("distribution.range"),)
    report = a_report(store, candidate, "distribution", verdict="fail", findings=found)

    def proven(**changes):
        waiver = a_waiver(candidate, changes.pop("report", report.sha256), **changes)
        return is_proven("distribution", report, candidate, (waiver,))

    assert proven()
    assert not proven(gate="duplicates")
    assert not proven(code="distribution.drift")
    assert not proven(report=OTHER)
    # Such a waiver takes findings away; it does not turn an error into a verdict.
    broken = a_report(store, candidate, "distribution", verdict="error", findings=found)
    waiver = a_waiver(candidate, broken.sha256)
    assert not is_proven("distribution", broken, candidate, (waiver,))


def test_findings_are_totalled_by_code_stored_or_counted_blocking_or_all(store, candidate):
    findings = (
        a_blocking_finding("a.stored"),
        a_blocking_finding("a.stored"),
        dataclasses.replace(a_blocking_finding("a.note"), blocking=False),
    )
    counted = {
        "a.stored": {"blocking": 1, "noted": 0, "stored": 1},
        "a.counted": {"blocking": 3, "noted": 4, "stored": 0},
        "a.noted": {"blocking": 0, "noted": 2, "stored": 0},
    }
    report = a_report(
        store, candidate, "privacy", findings=findings, measures={"findings": counted}
    ).report
    assert finding_totals(report) == {"a.counted": 7, "a.note": 1, "a.noted": 2, "a.stored": 2}
    assert finding_totals(report, blocking_only=True) == {"a.counted": 3, "a.stored": 2}
    assert list(finding_totals(report)) == ["a.counted", "a.note", "a.noted", "a.stored"]
    odd = dataclasses.replace(report, measures={"findings": 3})
    assert finding_totals(odd) == {"a.note": 1, "a.stored": 2}
