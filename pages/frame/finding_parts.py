"""Findings in words and tables, the same wherever they are shown."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import streamlit as st

from core.gates.codes import cure_of, title_of
from core.model.gate import Finding
from pages.frame import show

DONE = {
    "exclude": "left out",
    "exclude_group": "left out with its group",
    "redact": "replaced by a placeholder",
    "false_positive": "called a false alarm",
    "allow": "allowed everywhere",
    "explain": "explained",
}


def draw_counts(rows: Sequence[tuple[str, Finding]], titles: Mapping[str, str]) -> None:
    """Draw how many findings there are of each kind."""
    counted: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for gate, finding in rows:
        counted[gate, finding.code]["blocks" if finding.blocking else "noted only"] += 1
        counted[gate, finding.code][f"in {titles.get(finding.family, 'the whole')}"] += 1
    st.table(
        [
            {
                "finding": title_of(code),
                "blocks": f"{counts['blocks']:,}",
                "noted only": f"{counts['noted only']:,}",
                "where": ", ".join(
                    f"{show.escape(name.removeprefix('in '))} {count:,}"
                    for name, count in counts.most_common()
                    if name.startswith("in ")
                ),
                "what to do": cure_of(code),
                "code": f"`{code}`",
            }
            for (_, code), counts in sorted(
                counted.items(), key=lambda i: (-i[1]["blocks"], -i[1].total())
            )
        ],
        border="horizontal",
        hide_index=True,
        alt="Findings by kind, with what to do about each",
    )


def draw_decisions(standing: Iterable[Mapping[str, str]]) -> None:
    """Draw what has been decided for this version so far."""
    counted = Counter(
        (item["code"], item["action"], item["reason"], item["by"]) for item in standing
    )
    st.dataframe(
        [
            {
                "finding": title_of(code),
                "decision": DONE[action],
                "places": count,
                "why": reason,
                "by": by,
            }
            for (code, action, reason, by), count in sorted(counted.items())
        ],
        hide_index=True,
        alt="Decisions on findings for this version",
    )


def described(finding: Finding) -> str:
    """Return a finding's detail in words; copies carry how alike they are."""
    if finding.detail and finding.code.split("_")[-1].endswith("near"):
        return f"{float(finding.detail):.0%} alike, by runs of words"
    return finding.detail
