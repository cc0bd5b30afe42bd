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


def shown(value: object) -> str:
    """Return a value as a person reads it: a count with its thousands apart."""
    return f"{value:,}" if type(value) is int else str(value)


def share(decimal: str) -> str:
    """Return a share that is written as a decimal, such as 0.35, as 35 %."""
    return f"{100 * float(decimal):.3g} %"


def size(count: int) -> str:
    """Return a number of bytes in the largest unit that keeps it above 1."""
    value, units = float(count), ["B", "kB", "MB", "GB", "TB"]
    while value >= 1000 and len(units) > 1:
        value, units = value / 1000, units[1:]
    return f"{value:.0f} {units[0]}" if units[0] == "B" else f"{value:.1f} {units[0]}"


def role_name(role: str) -> str:
    """Return a role as people say it."""
    return role.replace("_", " ")


def quoted(text: str) -> str:
    """Return a text as YAML and JSON quote it."""
    return json.dumps(text, ensure_ascii=False)


def escaped(text: object) -> str:
    """Return a text as HTML shows it."""
    return html.escape(str(text), quote=True)


def table(names: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Return a Markdown table and an empty line."""
    lines = [f"| {' | '.join(names)} |", "|" + "---|" * len(names)]
    lines += [f"| {' | '.join(cell(shown(value)) for value in row)} |" for row in rows]
    return [*lines, ""]


def counts(title: str, found: Mapping[str, int]) -> list[str]:
    """Return a titled list of counts, or nothing when there are none."""
    if not found:
        return []
    return [f"{title}:", "", *(f"- {line(name)}: {count:,}" for name, count in found.items()), ""]
