"""What a gate asks, what its red means and what it measured, in words for a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.gates.codes import cure_of, title_of
from core.model.gate import GateReport

SIGNS = {"pass": "✓", "fail": "✕", "error": "!", None: "·"}
WORDS = {"pass": "passed", "fail": "failed", "error": "could not judge", None: "not run"}


@dataclass(frozen=True, slots=True)
class GateWords:
    """A gate for a reader: its title, its question, and what a fail means and needs."""

    title: str
    question: str
    red: str


GATES: Mapping[str, GateWords] = {
    "privacy": GateWords(
        "Privacy",
        "Is anything left that could tell who a person is?",
        "Something in the text may identify a person. Read the findings; exclude those records, "
        "or say by name which are no real person; then build again.",
    ),
    "provenance": GateWords(
        "Provenance",
        "Does every record say where it came from, and is it true?",
        "A record, a count or a licence does not hold up. The findings say which and what to do; "
        "then build again.",
    ),
    "duplicates": GateWords(
        "Duplicates",
        "Does anything ship twice?",
        "Some records are copies of others. Exclude one of each pair, then build again.",
    ),
    "leakage": GateWords(
        "Leakage",
        "Does anything in train also stand in validation or test?",
        "The same text, prompt or source stands in two splits, so a test would prove nothing. "
        "Exclude one side of each pair, then build again.",
    ),
    "distribution": GateWords(
        "Distribution",
        "Does the data have the shape that is expected, and is it undamaged?",
        "A family lies outside its range, far from the last release, or looks damaged. "
        "Explain it by name, or exclude the records; then build again.",
    ),
}


def moment(at: str) -> str:
    """Return a stored timestamp as a person writes it, to the minute."""
    return f"{at[:10]} {at[11:16]} UTC" if len(at) >= 16 else at


def sentence(report: GateReport) -> str:
    """Return what a verdict that is not a pass means, and what to do about it."""
    if report.verdict == "fail":
        return GATES[report.gate].red
    title = title_of(report.reason)
    cure = cure_of(report.reason) or "Run the gates again; if it stays, the desk has a fault."
    return f"The gate stopped before a verdict ({title}), and an error is not a pass. {cure}"


def totals(report: GateReport) -> list[dict[str, Any]]:
    """Return how many findings there are per code, those that block first, for `st.table`."""
    counted: Mapping[str, Mapping[str, int]] = report.measures.get("findings", {})  # type: ignore[assignment]
    if not counted:
        counted = _stored(report)
    return [
        {
            "finding": title_of(code),
            "blocks": f"{counts['blocking']:,}",
            "noted only": f"{counts['noted']:,}",
            "what to do": cure_of(code),
            "code": f"`{code}`",
        }
        for code, counts in sorted(
            counted.items(), key=lambda item: (-item[1]["blocking"], -item[1]["noted"])
        )
    ]


def _stored(report: GateReport) -> Mapping[str, Mapping[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for finding in report.findings:
        entry = counts.setdefault(finding.code, {"blocking": 0, "noted": 0})
        entry["blocking" if finding.blocking else "noted"] += 1
    return counts


def facts(report: GateReport) -> list[tuple[str, str]]:
    """Return what matters most of a gate's measures, each in words and a number."""
    measures: Mapping[str, Any] = report.measures
    if not measures:
        return []
    return _FACTS[report.gate](measures)


def _privacy(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    names = found["ner"]
    bound = names["upper_bound_95"]
    return [
        ("Characters read for patterns", f"{found['characters']:,}"),
        ("Records cleaned when built", f"{found['pii_status'].get('scrubbed', 0):,}"),
        (
            "Records read for names",
            f"{names['records']:,} of {names['of_records']:,} ({names['method']})",
        ),
        ("Records with a name for sure", f"{names['records_with_confident_names']:,}"),
        ("At most so many with names, 95 % sure", "unknown" if bound is None else f"{bound:.2%}"),
        ("Findings called false by a person", f"{found['dismissed_findings']:,}"),
        ("Left out of the name search by language", f"{found['ner_skipped_language']:,}"),
        ("Shards on which the detector found its test", f"{found['shards_with_canaries_found']:,}"),
    ]


def _provenance(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    licences = ", ".join(f"{tag} {count:,}" for tag, count in found["licence_tags"].items())
    return [
        ("Records that hold up in full", f"{found['whole_records']:,} of {found['records']:,}"),
        ("Rows read", f"{found['rows']:,} from {found['sources']:,} objects"),
        ("Rows refused", f"{found['rejected']:,}"),
        ("Rows for another use", f"{found['lanes']:,}"),
        ("Records left out", f"{found['dropped']:,}"),
        ("Largest share refused in one object", f"{found['rejected_share_worst']:.1%}"),
        ("Licences", licences or "none"),
    ]


def _duplicates(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    least = found["least_similarity"]
    # Evidence of an earlier desk does not say it.
    missed = found.get("expected_missed")
    return [
        ("Exact copies", f"{found['exact_copies']:,}"),
        ("Record ids used twice", f"{found['repeated_ids']:,}"),
        ("Near-duplicate pairs inside a split", f"{found['near_pairs']:,}"),
        ("Pairs compared word by word", f"{found['pairs_compared']:,}"),
        ("Near-duplicate pairs missed, as expected", _few(missed)),
        ("Least similar pair", "none" if least is None else f"{least:.2f} (1 is equal)"),
    ]


def _few(expected: float | None) -> str:
    if expected is None:
        return "not said"
    return "fewer than 0.1" if expected < 0.1 else f"about {expected:,.1f}"


_LEAKS = {
    "exact": "Same text in two splits",
    "near": "Near-duplicates in two splits",
    "prompt": "Same prompt in two splits",
    "source": "Same source row in two splits",
    "group": "Groups parted by a split",
}


def _leakage(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    splits = ", ".join(f"{name} {count:,}" for name, count in found["records_by_split"].items())
    leaks = [(_LEAKS.get(kind, kind), f"{count:,}") for kind, count in found["leaks"].items()]
    return [*leaks, ("Records by split", splits)]


def _distribution(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    ranges = found["ranges"]
    alarms = [alarm for family in found["damage"].values() for alarm in family["alarms"].values()]
    return [
        ("Means within their range", f"{sum(r['within'] for r in ranges)} of {len(ranges)}"),
        ("Breaches explained by name", f"{sum(r['explained_by'] is not None for r in ranges)}"),
        ("Damage alarms raised", f"{sum(a['raised'] for a in alarms)} of {len(alarms)}"),
        (
            "Compared with a release before",
            "no, there is none" if found["baseline"] == "none" else "yes",
        ),
        ("Token encoding", str(found["encoding"])),
    ]


_FACTS = {
    "privacy": _privacy,
    "provenance": _provenance,
    "duplicates": _duplicates,
    "leakage": _leakage,
    "distribution": _distribution,
}
