"""What people typed stands in a document as one plain line that nothing acts on."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping, Sequence

SPLIT_NAMES = {"train": "train", "val": "validation", "test": "test"}
"""Our name of a split → the name loaders know it by."""


def line(text: str) -> str:
    """Return typed text on one line, without what Markdown or HTML would act on."""
    flat = " ".join(text.split())
    return flat.replace("<", "‹").replace(">", "›").replace("![", "! [").replace("`", "'")


def cell(text: str) -> str:
    """Return typed text for a table's cell."""
    return line(text).replace("|", "\\|")


def quoted(text: str) -> str:
    """Return a text as YAML and JSON quote it."""
    return json.dumps(text, ensure_ascii=False)


def escaped(text: object) -> str:
    """Return a text as HTML shows it."""
    return html.escape(str(text), quote=True)


def table(names: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Return a Markdown table and an empty line."""
    lines = [f"| {' | '.join(names)} |", "|" + "---|" * len(names)]
    lines += [f"| {' | '.join(cell(str(value)) for value in row)} |" for row in rows]
    return [*lines, ""]


def counts(title: str, found: Mapping[str, int]) -> list[str]:
    """Return a titled list of counts, or nothing when there are none."""
    if not found:
        return []
    return [f"{title}:", "", *(f"- {line(name)}: {count}" for name, count in found.items()), ""]
