"""The report's forms agree, and words from the bucket stay words."""

from __future__ import annotations

from core.intake.coverage import CoverageReport, measure_coverage
from core.intake.coverage_report import coverage_markdown, coverage_rows
from tests.builders import a_policy
from tests.listed import take_listing
from tests.simulator import Simulator
from tests.sources import PRIORITY, fill, some_source_rows

ODD = "stray | `x`\n<b>/a.jsonl"


def a_report(simulator: Simulator) -> CoverageReport:
    policy = a_policy()
    fill(simulator, {f"{PRIORITY}a.jsonl": some_source_rows(3), ODD: some_source_rows(2)})
    return measure_coverage(
        simulator,
        take_listing(simulator, exclude_prefix="exports/"),
        policy,
        confirmed=frozenset(),
        waived={},
        rule=policy.intake,
    )


def test_every_family_and_every_stray_prefix_has_a_row(simulator: Simulator) -> None:
    report = a_report(simulator)
    rows = coverage_rows(report)
    assert {row["name"] for row in rows if row["kind"] == "family"} == set(report.families)
    priority = next(row for row in rows if row["name"] == "priority")
    assert (priority["state"], priority["objects"], priority["records_seen"]) == ("present", 1, 3)
    assert [row["name"] for row in rows if row["kind"] == "unmatched"] == ["stray | `x`\n<b>/"]
    assert len({tuple(row) for row in rows}) == 1


def test_a_key_cannot_break_out_of_the_markdown(simulator: Simulator) -> None:
    text = coverage_markdown(a_report(simulator), version="v2026-11-21", at="now")
    line = next(line for line in text.splitlines() if "stray" in line)
    assert line.startswith("| stray \\| \\`x\\`\\\\n\\<b\\>/ | 1 |")
    assert f"{PRIORITY}a.jsonl".replace("_", "\\_") in text
