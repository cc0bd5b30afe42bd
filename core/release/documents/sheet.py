"""The run sheet as a page of the release: what is known before the manifest, and where the rest is.

The sheet is taken when publishing begins. What is written after that and before the manifest
(shards, routing, notes) is added here, from the bytes themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.canonical import decode
from core.model.errors import ReleaseError
from core.release.documents.text import table
from core.release.inputs import Part
from core.release.layout import NOTES
from core.release.routing import parse_routing, routing_faults

SCHEMA = "release-desk/run-sheet/2"
AFTERWARDS = "after_publication"
"""The state of a line that only the finished release can close."""
AFTER = ("0.2", "0.3", "3.1", "3.2", "3.3", "6.1", "6.2")
"""The lines that are about the release itself."""


def read_sheet(body: bytes) -> Mapping[str, Any]:
    """Return a stored run sheet.

    Raises:
        ReleaseError: `checklist.schema`: it is of a form this desk does not know.
    """
    found: Mapping[str, Any] = decode(body)
    if found.get("schema") != SCHEMA:
        raise ReleaseError("checklist.schema", "This desk cannot read this run sheet.")
    return found


def run_sheet(
    document: Mapping[str, Any], sheet: Part | None, routing: Part | None, notes: Part
) -> str:
    """Return RUN_SHEET.md.

    Args:
        document: the manifest, without its documents.
        sheet: the run sheet as it stood when publishing began.
        routing: the release's routing.
        notes: the release's notes.

    Raises:
        ReleaseError: `checklist.schema`.
    """
    lines = [f"# Run sheet: {document['version']}", ""]
    if sheet is None:
        return "\n".join([*lines, "No run sheet came with this release.", ""])
    proven = _proven(document, routing, notes)
    lines += [
        "As it stood just before the manifest was written. A line marked *after publication* is",
        "about the finished release, which a file inside it cannot know: the closing sheet beside",
        "the release has it, and `python -m core checklist` computes it anew.",
        "",
    ]
    rows = []
    for item in read_sheet(sheet.body)["lines"]:
        state, why, evidence = item["state"], item["why"], list(item["evidence"])
        if state == AFTERWARDS and item["id"] in proven:
            state, (why, evidence) = "done", proven[item["id"]]
        named = "; ".join(map(_named, evidence)) or "none"
        rows.append((item["id"], item["title"], state.replace("_", " "), why, named))
    lines += table(("line", "what", "state", "why", "evidence"), rows)
    return "\n".join(lines)


def _proven(
    document: Mapping[str, Any], routing: Part | None, notes: Part
) -> Mapping[str, tuple[str, list[Mapping[str, Any]]]]:
    """Return line → (why, evidence) for what stands written and read back by now."""
    shards = [file for file in document["files"] if file["kind"] == "shard"]
    prefix = notes_key = ""
    if shards:
        prefix = shards[0]["key"].partition("chatml/")[0]
        notes_key = prefix + NOTES
    records = sum(file["records"] for file in shards)
    found: dict[str, tuple[str, list[Mapping[str, Any]]]] = {
        "3.2": (
            f"{len(shards)} shards with {records} records, each copied, read back and hashed.",
            [{"key": f"{prefix}chatml/"}],
        ),
        "6.2": ("Written from the manifest, beside this page.", [{"key": notes_key}]),
    }
    if routing is not None:
        counts = {family["name"]: family["records"] for family in document["families"]}
        parsed = parse_routing(routing.body, place=routing.name)
        if not list(routing_faults(parsed, version=document["version"], counts=counts)):
            found["3.3"] = (
                "Each phase's shares sum to 1 over the families that hold records.",
                [{"key": prefix + routing.name}],
            )
    return found


def _named(evidence: Mapping[str, Any]) -> str:
    """Return where a piece of evidence is found: a key, or the journal's entry."""
    if "key" in evidence:
        return str(evidence["key"])
    if "journal" in evidence:
        return f"journal entry {evidence['journal']}"
    return ", ".join(f"{name} {value}" for name, value in sorted(evidence.items()))
