"""The dataset card answers a datasheet's questions from the manifest, or says that nobody did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core.release.documents.text import SPLIT_NAMES, cell, counts, line, quoted
from core.release.documents.training import training_section

_UNRECORDED = "The desk does not record this; ask the release owner."


def dataset_card(document: Mapping[str, Any], prefix: str) -> str:
    """Return README.md: a header that Hugging Face `datasets` reads, then a datasheet.

    The questions are those of Gebru et al., Datasheets for Datasets (2021), as far as they
    apply to a release.
    """
    return "\n".join(
        (
            *_header(document, prefix),
            f"# Release {document['version']}",
            "",
            "Reviewed dialogues in ChatML, one JSON object a line, for training dialogue models.",
            "The manifest (`manifest.json`) is authority; this page repeats it for people.",
            "",
            *training_section(document, prefix),
            *_motivation(document),
            *_composition(document),
            *_collection(document),
            *_preparation(document),
            *_known_limits(document),
            *_uses(document),
            *_distribution(document),
            *_maintenance(document),
        )
    )


def _header(document: Mapping[str, Any], prefix: str) -> list[str]:
    # Files are named one by one: a pattern would also read what an abandoned attempt left.
    lines = ["---", "configs:", "- config_name: default", "  data_files:"]
    exported = document["export"]["splits"]
    for split in (name for name in SPLIT_NAMES if name in exported):
        keys = exported[split]
        lines += [f"  - split: {SPLIT_NAMES[split]}", "    path:"]
        lines += [f"    - {quoted(key.removeprefix(prefix))}" for key in keys]
    tags = sorted(document["provenance"]["licences"])
    lines += ["license: other", f"license_name: {quoted(', '.join(tags))}"]
    return [*lines, "---", ""]


def _ask(question: str, answer: str) -> list[str]:
    return [f"**{question}** {answer}", ""]


def _motivation(document: Mapping[str, Any]) -> Iterator[str]:
    yield from ("## Motivation", "")
    yield from _ask(
        "For what purpose was the data set made?",
        "To train dialogue models on records of which every one was judged by automatic gates, "
        "and a frozen sample of the same bytes was read by named reviewers.",
    )
    yield from _ask(
        "Who made it?",
        f"`{document['published_by']}` published it with {line(document['desk'])}; the sign-offs "
        "are in RELEASE_NOTES.md.",
    )
    yield from _ask("Who paid for it?", _UNRECORDED)


def _composition(document: Mapping[str, Any]) -> Iterator[str]:
    yield from (
        "## Composition",
        "",
        "| family | stage | train | val | test |",
        "|---|---|---|---|---|",
    )
    for family in document["families"]:
        cells = " | ".join(str(family["records"].get(split, 0)) for split in SPLIT_NAMES)
        yield f"| {cell(family['name'])} | {family['stage']} | {cells} |"
    splits = " | ".join(str(document["splits"][split]) for split in SPLIT_NAMES)
    yield from (f"| **all** | | {splits} |", "")
    yield from _ask(
        "What is a row?",
        'One conversation: `{"messages": [{"role", "content"}], "metadata": {…}}`; every row has '
        "the same keys and types, and no top-level `text`.",
    )
    yield from _ask(
        "Is it everything, or a sample?",
        f"All {document['provenance']['records']} records that could ship, out of "
        f"{document['provenance']['rows']} rows read; what was left out is listed below.",
    )
    yield from _ask(
        "Are there relations between rows, and recommended splits?",
        "The splits are the folders. A group (same source dialogue, same prompt, or a "
        "near-duplicate cluster) is never on two sides of a split; `metadata.group_id` names it.",
    )
    yield from _ask(
        "Errors, noise, redundancies?",
        "Exact copies were dropped; near-duplicates stay together in one split. The distribution "
        "and duplicates gates' evidence has the numbers.",
    )
    yield from _ask(
        "May it upset, or identify somebody?",
        "It holds talk about mental health, crisis and self-harm. Treat every record as "
        "sensitive: identifiers with a form were redacted, others can remain.",
    )
    yield from ("Personal data, by split:", "")
    for split in (name for name in SPLIT_NAMES if name in document["pii"]):
        held = document["pii"][split]
        yield f"- {split}: none detected {held['none_detected']:,}, redacted {held['scrubbed']:,}"
    yield ""


def _collection(document: Mapping[str, Any]) -> Iterator[str]:
    facts = document["provenance"]
    yield from ("## Collection", "")
    yield from _ask(
        "How was it acquired?",
        f"{facts['sources']} source objects of the bucket, listed "
        f"{document['candidate']['snapshot_at']}, each with its digest in the manifest. For each "
        "a named person decided that it may be used.",
    )
    yield from _ask("Who spoke, and did they consent?", _UNRECORDED)
    yield from _ask("Was there an ethical review of the collection?", _UNRECORDED)
    yield from counts("Records by licence tag", facts["licences"])


def _preparation(document: Mapping[str, Any]) -> Iterator[str]:
    facts = document["provenance"]
    yield from ("## Preparation and labelling", "")
    yield from _ask(
        "What was done to the rows?",
        f"{facts['rows']:,} rows gave {facts['records']:,} records shipped; "
        f"{facts['rejected']:,} rows were rejected, {facts['lanes']:,} rows of other kinds "
        f"set aside, {sum(facts['dropped'].values()):,} records dropped by policy. "
        "`metadata.provenance.processing_steps` says what was done to a row.",
    )
    yield from counts("Rejected, by code", facts["rejections"])
    yield from counts("Dropped, by reason", facts["dropped"])
    yield from _ask(
        "Is the raw data kept?",
        "Sources are never written; `metadata.source_key` and `source_line` lead back to them.",
    )
    readers = sorted({who for review in document["reviews"] for who in review["reviewers"]})
    yield from _ask(
        "Who read it?",
        f"{len(readers)} reviewers, by id {', '.join(f'`{who}`' for who in readers)}; "
        "REVIEW_SUMMARY.md has samples, rubrics, exceptions and dissents."
        if readers
        else "Nobody.",
    )


def _known_limits(document: Mapping[str, Any]) -> Iterator[str]:
    yield from ("## Known exclusions", "")
    found = [f"- {line(item['scope'])}: {line(item['reason'])}" for item in document["exclusions"]]
    found += [
        f"- family {line(item['family'])} waived: {line(item['reason'])}"
        for item in document["waived_families"]
    ]
    found += [
        f"- missing from the set ({line(review['title'])}): {line(gap)}"
        for review in document["reviews"]
        for gap in review["exceptions"]
    ]
    yield from found or [
        "No family and no prefix; KNOWN_EXCLUSIONS.md counts every row and record."
    ]
    yield from (
        "",
        "## Limits",
        "",
        "- Automatic detection of personal data misses some; treat every record as sensitive.",
        "- The review statements below speak of a sample, with the bound they name.",
        "- The rubrics are the team's own and are not validated instruments.",
    )
    yield from (f"- {line(review['sentence'])}" for review in document["reviews"])
    yield ""


def _uses(document: Mapping[str, Any]) -> Iterator[str]:
    yield from ("## Uses", "")
    if document["policy"]["demo"]:
        yield from ("**Made under a demo policy: not for training.**", "")
    yield from _ask(
        "What is it for?", "Training and evaluating dialogue models, by the shares of its routing."
    )
    yield from _ask(
        "What must it not be used for?",
        "To identify anybody, as a source of clinical advice, or without people in the loop "
        "where somebody may be in danger.",
    )
    yield from _ask("What has it been used for?", _UNRECORDED)


def _distribution(document: Mapping[str, Any]) -> Iterator[str]:
    tags = ", ".join(line(tag) for tag in sorted(document["provenance"]["licences"]))
    yield from ("## Distribution", "")
    yield from _ask("Under which terms?", f"The licence tag of each row says: {tags}.")
    yield from _ask("To whom?", "To those who may read the bucket; the desk hands it to nobody.")


def _maintenance(document: Mapping[str, Any]) -> Iterator[str]:
    policy, previous = document["policy"], document["previous"]
    yield from ("## Maintenance", "")
    yield from _ask(
        "Will it change?",
        "Never. When `withdrawn.json` stands beside the manifest it must no longer be used. "
        f"Version before this one: {previous['version'] if previous else 'none'}.",
    )
    yield from _ask(
        "How is it checked?",
        "`sha256sum --check CHECKSUMS.sha256` in a copy; `python -m core verify` in the bucket.",
    )
    yield from (
        f"Policy {line(policy['name'])} {line(policy['version'])} (`{policy['digest']}`),",
        f"candidate `{document['candidate']['digest']}`.",
        "",
    )
