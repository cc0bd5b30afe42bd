"""The documents of a release say what the manifest says, for people and for other tools.

They are filled from the manifest alone: persons by id, counts and digests, no record text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from core.canonical import canonical_bytes, decode
from core.release.croissant import croissant
from core.release.inputs import Part
from core.release.layout import CHECKSUMS, CROISSANT, NOTES, README

_SPLIT_NAMES = {"train": "train", "val": "validation", "test": "test"}


def make_documents(document: Mapping[str, Any], prefix: str) -> tuple[Part, ...]:
    """Return README, notes, Croissant and checksums for a manifest without documents."""
    # Mappings in one order, whoever built them: a document follows from the manifest's bytes.
    document = decode(canonical_bytes(document))
    made = [
        _part(README, dataset_card(document, prefix)),
        _part(NOTES, release_notes(document, prefix)),
        _part(CROISSANT, croissant(document, prefix)),
    ]
    listed = [(file["key"].removeprefix(prefix), file["sha256"]) for file in document["files"]]
    listed += [(part.name, part.sha256) for part in made]
    made.append(_part(CHECKSUMS, checksums(listed)))
    return tuple(made)


def checksums(listed: Iterable[tuple[str, str]]) -> str:
    """Return lines that `sha256sum --check` reads from inside the release's prefix."""
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(listed))


def dataset_card(document: Mapping[str, Any], prefix: str) -> str:
    """Return README.md: a header that Hugging Face `datasets` reads, then a datasheet."""
    return "\n".join(
        (
            *_header(document, prefix),
            f"# Release {document['version']}",
            "",
            "Reviewed dialogues in ChatML, one JSON object a line, for training dialogue models.",
            "The manifest (`manifest.json`) is authority; this page repeats it for people.",
            "",
            "## Motivation",
            "",
            "Built so that every record that is trained on was judged by automatic gates over",
            "all records and by named reviewers over a frozen sample of the same bytes.",
            "",
            *_composition(document),
            *_collection(document),
            *_known_limits(document),
            *_uses_and_maintenance(document),
        )
    )


def _header(document: Mapping[str, Any], prefix: str) -> list[str]:
    # Files are named one by one: a pattern would also read what an abandoned attempt left.
    lines = ["---", "configs:", "- config_name: default", "  data_files:"]
    exported = document["export"]["splits"]
    for split in (name for name in _SPLIT_NAMES if name in exported):
        keys = exported[split]
        lines += [f"  - split: {_SPLIT_NAMES[split]}", "    path:"]
        lines += [f"    - {_quoted(key.removeprefix(prefix))}" for key in keys]
    tags = sorted(document["provenance"]["licences"])
    lines += ["license: other", f"license_name: {_quoted(', '.join(tags))}"]
    return [*lines, "---", ""]


def _composition(document: Mapping[str, Any]) -> list[str]:
    lines = [
        "## Composition",
        "",
        "| family | stage | train | val | test |",
        "|---|---|---|---|---|",
    ]
    for family in document["families"]:
        cells = " | ".join(str(family["records"].get(split, 0)) for split in _SPLIT_NAMES)
        lines.append(f"| {_cell(family['name'])} | {family['stage']} | {cells} |")
    splits = " | ".join(str(document["splits"][split]) for split in _SPLIT_NAMES)
    lines += [f"| **all** | | {splits} |", ""]
    lines += [
        'Each row is `{"messages": [{"role", "content"}], "metadata": {…}}`; every row has',
        "the same keys and types. A group (same source dialogue, prompt or near-duplicate",
        "cluster) is never on two sides of a split.",
        "",
    ]
    return lines


def _collection(document: Mapping[str, Any]) -> list[str]:
    facts = document["provenance"]
    lines = ["## Collection and preparation", ""]
    lines.append(
        f"{facts['sources']} source objects, listed {document['candidate']['snapshot_at']}, gave "
        f"{facts['rows']} rows: {facts['records']} records shipped, {facts['rejected']} rows "
        f"rejected, {facts['lanes']} rows of other kinds set aside, "
        f"{sum(facts['dropped'].values())} records dropped by policy."
    )
    lines += ["", *_counts("Rejected, by code", facts["rejections"])]
    lines += _counts("Dropped, by reason", facts["dropped"])
    lines += _counts("Records by licence tag", facts["licences"])
    lines += ["Personal data, by split:", ""]
    for split in (name for name in _SPLIT_NAMES if name in document["pii"]):
        cell = document["pii"][split]
        lines.append(
            f"- {split}: none detected {cell['none_detected']}, redacted {cell['scrubbed']}"
        )
    return [*lines, ""]


def _known_limits(document: Mapping[str, Any]) -> list[str]:
    lines = ["## Known exclusions", ""]
    found = [
        f"- {_line(item['scope'])}: {_line(item['reason'])}" for item in document["exclusions"]
    ]
    found += [
        f"- family {_line(item['family'])} waived: {_line(item['reason'])}"
        for item in document["waived_families"]
    ]
    lines += found or ["None recorded."]
    lines += ["", "## Limits", ""]
    lines += [
        "- Automatic detection of personal data misses some; treat every record as sensitive.",
        "- The review statements below speak of a sample, with the bound they name.",
        "- The rubrics are the team's own and are not validated instruments.",
    ]
    lines += [f"- {_line(review['sentence'])}" for review in document["reviews"]]
    return [*lines, ""]


def _uses_and_maintenance(document: Mapping[str, Any]) -> list[str]:
    policy = document["policy"]
    demo = ["- **Made under a demo policy: not for training.**"] if policy["demo"] else []
    return [
        "## Uses",
        "",
        "- Meant for training and evaluating dialogue models; not a source of clinical advice.",
        "- Not to be used to identify anybody.",
        *demo,
        "",
        "## Maintenance",
        "",
        "A release is never changed. When `withdrawn.json` stands beside the manifest it must no",
        "longer be used. Check the bytes with `sha256sum --check CHECKSUMS.sha256`.",
        "",
        f"Policy {_line(policy['name'])} {_line(policy['version'])} (`{policy['digest']}`),",
        f"candidate `{document['candidate']['digest']}`.",
        "",
    ]


def release_notes(document: Mapping[str, Any], prefix: str) -> str:
    """Return RELEASE_NOTES.md, with the text to paste into a PRD, epic or ticket."""
    lines = [f"# Release notes: {document['version']}", ""]
    lines += [f"Published {document['created_at']} by `{document['published_by']}`.", ""]
    previous = document["previous"]
    lines += [f"Previous release: {previous['version'] if previous else 'none'}.", ""]
    lines += _gate_lines(document) + _review_lines(document) + _decision_lines(document)
    lines += ["## To paste into the PRD, epic or ticket", "", "```", *_paste(document, prefix)]
    return "\n".join([*lines, "```", ""])


def _gate_lines(document: Mapping[str, Any]) -> list[str]:
    lines = ["## Gates", "", "| gate | verdict | examined | expected | findings |"]
    lines.append("|---|---|---|---|---|")
    for gate in document["gates"]:
        codes = ", ".join(f"{code} {count}" for code, count in gate["findings"].items()) or "none"
        lines.append(
            f"| {_cell(gate['gate'])} | {gate['verdict']} | {gate['examined']} | "
            f"{gate['expected']} | {_cell(codes)} |"
        )
    return [*lines, ""]


def _review_lines(document: Mapping[str, Any]) -> list[str]:
    lines = ["## Review by people", ""]
    for review in document["reviews"]:
        rubric = review["rubric"]
        lines += [
            f"### {_line(review['title'])}",
            "",
            f"- {_line(review['sentence'])}",
            f"- Reviewers: {', '.join(f'`{who}`' for who in review['reviewers']) or 'none'}.",
            f"- Sample: {review['read']} of {review['planned']} planned records read from",
            f"  {review['frame']}; {review['double_rated']} read twice; {review['defects']}",
            f"  defects; {review['cannot_judge']} could not be judged.",
            f"- Claim: at most {review['limit']} would fail, at confidence {review['confidence']}.",
            f"- Rubric: {_line(rubric['id'])} {_line(rubric['version'])} (`{rubric['sha256']}`);",
            f"  plan `{review['plan']['sha256']}`.",
            f"- Exceptions: {'; '.join(map(_line, review['exceptions'])) or 'none'}.",
            f"- Dissents: {'; '.join(map(_line, review['dissents'])) or 'none'}.",
            "",
        ]
    return lines


def _decision_lines(document: Mapping[str, Any]) -> list[str]:
    lines = ["## Sign-offs", ""]
    for signoff in document["signoffs"]:
        lines.append(
            f"- {_line(signoff['title'])}: `{signoff['reviewer']}` as {signoff['role']}, "
            f"{signoff['at']}"
        )
    lines += ["", "## Explained by name", ""]
    for item in document.get("explanations", []):
        lines.append(
            f"- {_line(item['code'])} of {_line(item['scope'])}, by `{item['by']}`: "
            f"{_line(item['reason'])}"
        )
    if not document.get("explanations"):
        lines.append("None.")
    lines += ["", "## Waivers", ""]
    for waiver in document["waivers"]:
        who = ", ".join(f"`{item['reviewer']}`" for item in waiver["signers"])
        lines.append(
            f"- {_line(waiver['gate'])} {_line(waiver['code'])} until {waiver['expires_at']}, "
            f"by {who}: {_line(waiver['reason'])}"
        )
    if not document["waivers"]:
        lines.append("None.")
    return [*lines, ""]


def _paste(document: Mapping[str, Any], prefix: str) -> list[str]:
    families = [item["name"] for item in document["families"] if item["records"]]
    absent = [item["name"] for item in document["families"] if not item["records"]]
    splits = ", ".join(f"{split} {document['splits'][split]}" for split in _SPLIT_NAMES)
    gates = ", ".join(f"{gate['gate']} {gate['verdict']}" for gate in document["gates"])
    reviews = " ".join(_line(review["sentence"]) for review in document["reviews"])
    signed = ", ".join(
        f"{item['requirement']} by {item['reviewer']}" for item in document["signoffs"]
    )
    return [
        f"Release {document['version']} is published at {prefix}",
        f"Records: {document['totals']['records']} ({splits})",
        f"Families: {', '.join(families)}",
        f"Not included: {', '.join(absent) or 'none'}",
        f"Candidate: {document['candidate']['digest']}",
        f"Gates: {gates}",
        f"Reviews: {reviews or 'none'}",
        f"Sign-offs: {signed}",
    ]


def _part(name: str, text: str) -> Part:
    return Part(name=name, kind="document", body=text.encode("utf-8"))


def _counts(title: str, counts: Mapping[str, int]) -> list[str]:
    if not counts:
        return []
    return [f"{title}:", "", *(f"- {_line(name)}: {count}" for name, count in counts.items()), ""]


def _line(text: str) -> str:
    """Return typed text on one line, without what Markdown or HTML would act on."""
    flat = " ".join(text.split())
    return flat.replace("<", "‹").replace(">", "›").replace("![", "! [").replace("`", "'")


def _cell(text: str) -> str:
    return _line(text).replace("|", "\\|")


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
