"""Release notes say what was judged, read, signed and explained, with a text to paste elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core.release.documents.text import SPLIT_NAMES, cell, line, role_name, share


def release_notes(document: Mapping[str, Any], prefix: str) -> str:
    """Return RELEASE_NOTES.md, with the text to paste into a PRD, epic or ticket."""
    lines = [f"# Release notes: {document['version']}", ""]
    lines += [f"Published {document['created_at']} by `{document['published_by']}`.", ""]
    previous = document["previous"]
    lines += [f"Previous release: {previous['version'] if previous else 'none'}.", ""]
    lines += [*_gates(document), *review_lines(document), *_decisions(document)]
    lines += ["## To paste into the PRD, epic or ticket", "", "```", *_summary(document, prefix)]
    return "\n".join([*lines, "```", "", "STORIES.md has a paragraph for each story.", ""])


def _gates(document: Mapping[str, Any]) -> Iterator[str]:
    yield from ("## Gates", "", "| gate | verdict | examined | expected | findings |")
    yield "|---|---|---|---|---|"
    for gate in document["gates"]:
        codes = ", ".join(f"{code} {count}" for code, count in gate["findings"].items()) or "none"
        yield (
            f"| {cell(gate['gate'])} | {gate['verdict']} | {gate['examined']:,} | "
            f"{gate['expected']:,} | {cell(codes)} |"
        )
    yield ""


def review_lines(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield what people read, claim by claim."""
    yield from ("## Review by people", "")
    for review in document["reviews"]:
        rubric = review["rubric"]
        yield from (
            f"### {line(review['title'])}",
            "",
            f"- {line(review['sentence'])}",
            f"- Reviewers: {', '.join(f'`{who}`' for who in review['reviewers']) or 'none'}.",
            f"- Sample: {review['read']:,} of {review['planned']:,} planned records read, from",
            f"  {review['frame']:,}; {review['double_rated']:,} read twice; {review['defects']:,}",
            f"  defects; {review['cannot_judge']:,} could not be judged.",
            f"- Claim: at most {share(review['limit'])} would fail, with",
            f"  {share(review['confidence'])} confidence.",
            f"- Rubric: {line(rubric['id'])} {line(rubric['version'])} (`{rubric['sha256']}`);",
            f"  plan `{review['plan']['sha256']}`.",
            f"- Exceptions: {'; '.join(map(line, review['exceptions'])) or 'none'}.",
            f"- Dissents: {'; '.join(map(line, review['dissents'])) or 'none'}.",
            "",
        )


def _decisions(document: Mapping[str, Any]) -> Iterator[str]:
    yield from ("## Sign-offs", "")
    for signoff in document["signoffs"]:
        yield (
            f"- {line(signoff['title'])}: `{signoff['reviewer']}` as {role_name(signoff['role'])}, "
            f"{signoff['at']}"
        )
    yield from ("", "## Explained by name", "")
    for item in document.get("explanations", []):
        yield (
            f"- {line(item['code'])} of {line(item['scope'])}, by `{item['by']}`: "
            f"{line(item['reason'])}"
        )
    if not document.get("explanations"):
        yield "None."
    yield from ("", "## Waivers", "")
    for waiver in document["waivers"]:
        who = ", ".join(f"`{item['reviewer']}`" for item in waiver["signers"])
        yield (
            f"- {line(waiver['gate'])} {line(waiver['code'])} until {waiver['expires_at']}, "
            f"by {who}: {line(waiver['reason'])}"
        )
    if not document["waivers"]:
        yield "None."
    yield ""


def _summary(document: Mapping[str, Any], prefix: str) -> list[str]:
    families = [item["name"] for item in document["families"] if item["records"]]
    absent = [item["name"] for item in document["families"] if not item["records"]]
    splits = ", ".join(f"{split} {document['splits'][split]:,}" for split in SPLIT_NAMES)
    gates = ", ".join(f"{gate['gate']} {gate['verdict']}" for gate in document["gates"])
    reviews = [
        f"Review, {line(review['title'])}: {line(review['sentence'])}"
        for review in document["reviews"]
    ]
    signed = ", ".join(
        f"{item['requirement']} by {item['reviewer']}" for item in document["signoffs"]
    )
    return [
        f"Release {document['version']} is published at {prefix}",
        f"Records: {document['totals']['records']:,} ({splits})",
        f"Families: {', '.join(families)}",
        f"Not included: {', '.join(absent) or 'none'}",
        f"Candidate: {document['candidate']['digest']}",
        f"Gates: {gates}",
        *(reviews or ["Review: none"]),
        f"Sign-offs: {signed}",
    ]
