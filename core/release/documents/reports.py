"""What is not in a release, what people read of it, what its bucket and checklist proved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core.model.errors import ReleaseError
from core.release.documents.notes import review_lines
from core.release.documents.text import line, share, size, table

_COVERAGE = "release-desk/coverage/2"
_EXPLAIN = {
    "present": "present",
    "present_by_alias": "present by a confirmed alias",
    "partial": "partial",
    "unusable": "unusable",
    "missing": "missing",
    "waived": "waived",
}


def known_exclusions(document: Mapping[str, Any]) -> str:
    """Return KNOWN_EXCLUSIONS.md: every family, row and record that is not in the release."""
    facts = document["provenance"]
    lines = [f"# Known exclusions: {document['version']}", ""]
    lines += [
        f"{facts['rows']:,} rows were read; {facts['records']:,} records ship. All of the rest:",
        "",
    ]
    lines += table(
        ("what became of them", "count"),
        (
            ("rejected rows", facts["rejected"]),
            ("rows of other kinds, set aside", facts["lanes"]),
            ("records dropped by policy or decision", sum(facts["dropped"].values())),
        ),
    )
    lines += ["## Families without records", ""]
    waived = {item["family"]: item["reason"] for item in document["waived_families"]}
    absent = [item for item in document["families"] if not item["records"]]
    for family in absent:
        reasons = [
            *family["exclusions"],
            *([waived[family["name"]]] if family["name"] in waived else []),
        ]
        words = "; ".join(map(line, reasons)) or "nothing that could ship"
        lines.append(f"- {line(family['name'])} (stage {family['stage']}): {words}")
    lines += [] if absent else ["None."]
    lines += ["", "## Families and prefixes left out by name", ""]
    lines += [f"- {line(item['scope'])}: {line(item['reason'])}" for item in document["exclusions"]]
    lines += [] if document["exclusions"] else ["None."]
    lines += ["", "## Missing from the set, as its reviewers wrote it down", ""]
    gaps = [
        f"- {line(review['title'])}: {line(gap)}"
        for review in document["reviews"]
        for gap in review["exceptions"]
    ]
    lines += gaps or ["None."]
    lines += ["", "## Rejected rows, by code", ""]
    lines += (
        table(("code", "rows"), facts["rejections"].items())
        if facts["rejections"]
        else ["None.", ""]
    )
    lines += ["## Dropped records, by reason", ""]
    lines += (
        table(("reason", "records"), facts["dropped"].items())
        if facts["dropped"]
        else ["None.", ""]
    )
    if facts["dropped"].get("excluded_by_decision"):
        lines += [
            "*Excluded by decision*: a named person left the record out for what a gate or a",
            "reader found in it. Who, why and which are in the journal, and in the candidate",
            f"`{document['candidate']['digest']}` under `decisions`.",
            "",
        ]
    lines += ["Every code is explained in the desk's README, under Codes.", ""]
    lines += ["## By source object", ""]
    lines += table(
        ("object", "family", "rows", "shipped", "rejected", "set aside", "dropped"),
        (
            (
                source["key"],
                source["family"],
                source["rows"],
                source["shipped"],
                sum(source["rejected"].values()),
                sum(source["lanes"].values()),
                sum(source["dropped"].values()),
            )
            for source in document["sources"]
            if source["rows"] != source["shipped"]
        ),
    )
    return "\n".join(lines)


def review_summary(document: Mapping[str, Any]) -> str:
    """Return REVIEW_SUMMARY.md: who read how much of what, under which rubric, and dissents."""
    lines = [f"# Review summary: {document['version']}", ""]
    lines += table(
        (
            "claim",
            "read",
            "planned",
            "of",
            "twice",
            "defects",
            "upper bound",
            "limit",
            "confidence",
        ),
        (
            (
                review["claim"],
                review["read"],
                review["planned"],
                review["frame"],
                review["double_rated"],
                review["defects"],
                share(review["upper"]) if review["upper"] else "none",
                share(review["limit"]),
                share(review["confidence"]),
            )
            for review in document["reviews"]
        ),
    )
    lines += list(review_lines(document))
    lines += ["## Where it stands", ""]
    lines += [f"- `{review['key']}`" for review in document["reviews"]]
    return "\n".join([*lines, ""])


def coverage_report(document: Mapping[str, Any], coverage: Mapping[str, Any] | None) -> str:
    """Return COVERAGE.md: what each family's objects proved when the release was made.

    Raises:
        ReleaseError: `coverage.schema`: the report is of a form this desk does not know.
    """
    lines = [f"# Coverage: {document['version']}", ""]
    families = (coverage or {}).get("families") or {}
    if not families:
        return "\n".join([*lines, "No coverage report came with this release.", ""])
    if (coverage or {}).get("schema") != _COVERAGE:
        raise ReleaseError("coverage.schema", "This desk cannot read this coverage report.")
    lines += table(
        ("stage", "family", "state", "objects", "bytes", "records seen", "newest", "why"),
        (
            (
                found["stage"],
                name,
                _EXPLAIN.get(found["state"], found["state"]),
                found["objects"],
                size(found["bytes"]),
                found["records"],
                found["newest"] or "none",
                found["why"] or "",
            )
            for name, found in sorted(
                families.items(), key=lambda item: (item[1]["stage"], item[0])
            )
        ),
    )
    lines += list(_evidence(families))
    return "\n".join(lines)


def _evidence(families: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for name, found in sorted(families.items()):
        yield from (f"## {line(name)}", "")
        yield from (f"- `{line(key)}`" for key in found["evidence"])
        if not found["evidence"]:
            yield "No object gave records."
        yield ""
