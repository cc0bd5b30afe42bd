"""What the privacy tiers can find, how well, what they leave alone, and what stays uncertain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.intake.privacy.allow import AllowList
from core.intake.privacy.identifiers import COMMAND, IDENTIFIERS, figures_of, measured_recall
from pages.frame import guard, show
from pages.frame.links import page_link
from pages.frame.version_picker import pick_version

bench, person = guard.require()
st.title("Privacy")
version = pick_version(bench, person)
candidate = bench.candidates.current(version) if version else None
rule = bench.desk.policy.privacy


def done_with(entities: tuple[str, ...]) -> str:
    """Return what the policy does with these entities."""
    words = {"redact": "redacted", "review": "waits for a person", "count": "counted"}
    acts = {words[rule.entities[name].action] for name in entities if name in rule.entities}
    return ", ".join(sorted(acts))


def draw_coverage() -> None:
    """Draw the 18 identifiers."""
    recall = measured_recall()
    st.table(
        [
            {
                "": item.letter,
                "identifier": item.name,
                "how it is found": item.found_by,
                "here": done_with(item.entities),
                "recall (Presidio's)": figures_of(item, recall),
                "out of scope": item.outside or "none known",
            }
            for item in IDENTIFIERS
        ],
        border="horizontal",
        hide_index=True,
        alt="The 18 Safe Harbor identifiers, how each is found and how often",
    )
    show.quiet(
        "Recall: share of {count} labelled values per kind found in therapy talk of our own "
        "making, beside Presidio as it comes with the same model. Our own sentences flatter us; "
        "the command also measures sets that others made, where names and places do worse.",
        count=max(found.of for found in recall.values()),
    )
    st.code(COMMAND, language=None)


def draw_allowed(measures: Mapping[str, Any]) -> None:
    """Draw what is never touched, and how often that saved some text of this candidate."""
    allowed = AllowList(rule.allow)
    uses: Mapping[str, int] = measures.get("allow_list_uses", {})
    show.quiet(
        "Version {version}, {digest}. {count} entries; the policy may add its own.",
        version=allowed.version,
        digest=show.short(allowed.digest),
        count=len(allowed.names),
    )
    st.dataframe(
        [
            {"never touched": name, "uses in this candidate": uses.get(name, 0)}
            for name in sorted(allowed.names, key=lambda name: (-uses.get(name, 0), name))
        ],
        hide_index=True,
        alt="The allow-list with how often each entry was used",
    )


def draw_rest(measures: Mapping[str, Any]) -> None:
    """Draw what the name tier read and what may be left."""
    ner = measures.get("ner", {})
    upper = ner.get("upper_bound_95")
    show.prose(
        "The name tier read {records} of {all} records ({method}) with {model}.",
        records=f"{ner.get('records', 0):,}",
        all=f"{ner.get('of_records', 0):,}",
        method=ner.get("method", ""),
        model=ner.get("model", "no model"),
    )
    if upper is not None:
        show.prose(
            "With 95 % confidence at most {upper} of the records hold a name it is sure of. What "
            "no machine sees is for the people on PII check.",
            upper=f"{100 * float(upper):.3g} %",
        )
    show.quiet(
        "Records in another language than English, read by patterns and by people alone: {n}",
        n=f"{measures.get('ner_skipped_language', 0):,}",
    )


st.header("What is looked for")
draw_coverage()
held = bench.candidates.reports(candidate.digest).get("privacy") if candidate else None
judged: Mapping[str, Any] = held.report.measures if held is not None else {}
st.header("What is never touched")
draw_allowed(judged)
st.header("What may be left")
if judged:
    draw_rest(judged)
else:
    show.prose("The privacy gate has not judged a candidate of this version yet.")
page_link("findings", "Go to the findings")
page_link("pii_check", "Go to the PII check")
