"""The coverage report for people outside the desk says what the page says, no word more."""

from __future__ import annotations

import re
from collections.abc import Iterable

from core.intake.coverage import CoverageReport

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|<>~&])")
_KEYS = 5


def coverage_rows(report: CoverageReport) -> list[dict[str, object]]:
    """Return one row per family, then one per prefix that matched none, for a spreadsheet."""
    rows: list[dict[str, object]] = [
        {
            "kind": "family",
            "stage": found.stage,
            "name": found.name,
            "title": found.title,
            "state": found.state,
            "objects": found.objects,
            "bytes": found.bytes,
            "records_seen": found.records,
            "opened": found.opened,
            "formats": " ".join(found.formats),
            "newest": found.newest,
            "needs_confirmation": " | ".join(found.needs_confirmation),
            "shared_objects": sum(item.state == "shared" for item in found.evidence),
            "why": found.why,
        }
        for found in report.families.values()
    ]
    names = [*rows[0]] if rows else []
    for prefix in report.unmatched:
        row: dict[str, object] = dict.fromkeys(names, "")
        row.update(kind="unmatched", name=prefix.prefix, state="unmatched", why=prefix.guess)
        row.update(objects=prefix.objects, bytes=prefix.bytes)
        rows.append(row)
    return rows


def coverage_markdown(report: CoverageReport, *, version: str, at: str) -> str:
    """Return the report as Markdown; words from the bucket show as they are."""
    parts = [
        f"# Coverage of {_cell(version or 'the bucket')}",
        f"Listing {report.snapshot[:12]} of {_cell(at)}, policy {report.policy[:12]}.",
        *_table(
            ("Stage", "Family", "State", "Objects", "Bytes", "Records seen", "Newest", "Why"),
            (
                (
                    found.stage,
                    found.title,
                    found.state.replace("_", " "),
                    found.objects,
                    found.bytes,
                    found.records,
                    found.newest[:10],
                    found.why,
                )
                for found in report.families.values()
            ),
        ),
        "## Evidence",
        *_table(
            ("Family", "Object", "State", "Container", "Records", "Rejected", "Why"),
            (
                (
                    found.title,
                    item.key,
                    item.state,
                    item.container,
                    item.records,
                    item.rejected,
                    item.why,
                )
                for found in report.families.values()
                for item in found.evidence[:_KEYS]
            ),
        ),
        "## Claimed by more than one family",
        *_table(
            ("Object", "Families"),
            (
                (key, ", ".join(sorted({family for family, _ in claims})))
                for key, claims in sorted(report.shared.items())
            ),
        ),
        "## Matched no family",
        *_table(
            ("Prefix", "Objects", "Bytes", "Looks like"),
            (
                (one.prefix or "(top)", one.objects, one.bytes, one.guess)
                for one in report.unmatched
            ),
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _table(header: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> list[str]:
    lines = [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows]
    if not lines:
        return ["None."]
    rule = "|" + "---|" * len(header)
    return ["\n".join([f"| {' | '.join(header)} |", rule, *lines])]


def _cell(value: object) -> str:
    """Return a value on one line; what is not a plain character of it is shown as an escape."""
    text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(value))
    return _SPECIAL.sub(r"\\\1", text)
