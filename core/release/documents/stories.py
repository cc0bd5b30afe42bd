"""For each story of the checklist one paragraph to paste into a PRD, epic or ticket."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core.release.documents.text import SPLIT_NAMES, line, role_name, size

_GATES = {
    "Privacy": ("privacy",),
    "Provenance": ("provenance",),
    "Duplicates and leakage": ("duplicates", "leakage"),
    "Distribution": ("distribution",),
}


def stories(document: Mapping[str, Any], prefix: str) -> str:
    """Return STORIES.md: a paragraph with its evidence for each story."""
    lines = [f"# Release {document['version']}, story by story", ""]
    lines += ["Paste the paragraph you need; every key lies in the release's bucket.", ""]
    for title, words in _paragraphs(document, prefix):
        lines += [f"## {title}", "", words, ""]
    return "\n".join(lines)


def _paragraphs(document: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    present = [family for family in document["families"] if family["records"]]
    absent = [line(family["name"]) for family in document["families"] if not family["records"]]
    names = ", ".join(f"{line(f['name'])} {sum(f['records'].values()):,}" for f in present)
    yield (
        "Coverage: the families are in the bucket",
        (
            f"{len(present)} families gave records: {names}. Without records: "
            f"{', '.join(absent) or 'none'}. {document['provenance']['sources']} source objects "
            f"were read, listed {document['candidate']['snapshot_at']}. Evidence: "
            f"`{_evidence(document, prefix, 'coverage')}`."
        ),
    )
    splits = ", ".join(f"{split} {document['splits'][split]:,}" for split in SPLIT_NAMES)
    yield (
        "The release: manifest, export, routing",
        (
            f"{document['version']} holds {document['totals']['records']:,} records ({splits}) in "
            f"{document['totals']['shards']} shards, {size(document['totals']['shard_bytes'])}. "
            f"Manifest: `{prefix}manifest.json`; routing: `{document['routing']['key']}`."
        ),
    )
    for title, wanted in _GATES.items():
        held = [gate for gate in document["gates"] if gate["gate"] in wanted]
        if held:
            yield f"Gate: {title}", " ".join(map(_gate, held))
    for review in document["reviews"]:
        yield f"Review: {line(review['title'])}", _review(document, review)
    for signoff in document["signoffs"]:
        yield (
            f"Sign-off: {line(signoff['title'])}",
            (
                f"`{signoff['reviewer']}` approved candidate `{document['candidate']['digest']}` "
                f"as {role_name(signoff['role'])} at {signoff['at']}. Evidence: `{signoff['key']}`."
            ),
        )
    yield (
        "Training reads it",
        (
            "The smoke test reads every row from the bucket alone after publication; its evidence "
            f"lies outside the release, under `{_smoke(prefix, document['version'])}`."
        ),
    )


def _gate(gate: Mapping[str, Any]) -> str:
    found = ", ".join(f"{code} {count}" for code, count in gate["findings"].items()) or "none"
    return (
        f"The {gate['gate']} gate says {gate['verdict']} on {gate['examined']:,} of "
        f"{gate['expected']:,} records; findings: {found}. Evidence: `{gate['key']}`."
    )


def _review(document: Mapping[str, Any], review: Mapping[str, Any]) -> str:
    who = ", ".join(f"`{name}`" for name in review["reviewers"]) or "nobody"
    return (
        f"{line(review['sentence'])} Read by {who} under rubric {line(review['rubric']['id'])} "
        f"{line(review['rubric']['version'])}. Exceptions {len(review['exceptions'])}, dissents "
        f"{len(review['dissents'])}. Evidence: `{review['key']}`."
    )


def _evidence(document: Mapping[str, Any], prefix: str, name: str) -> str:
    wanted = f"{prefix}evidence/{name}-"
    found = [file["key"] for file in document["files"] if file["key"].startswith(wanted)]
    return found[0] if found else "none"


def _smoke(prefix: str, version: str) -> str:
    return prefix.removesuffix(f"releases/{version}/") + f"smoke/{version}/"
