"""What stands in the data twice: what the build left out, what still ships, and what leaks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core.gates.codes import title_of
from core.intake.dropped import Dropped
from core.model.dataset import Message
from core.model.errors import DeskError
from core.model.gate import Finding, StoredReport
from core.workbench.duplicates import PAIRED, Duplicates, families_crossed
from core.workbench.reviews import READERS
from pages.frame import charts, evidence, guard, show
from pages.frame.duplicate_parts import draw_clusters, draw_leaks
from pages.frame.links import page_link
from pages.frame.side_by_side import draw_pair
from pages.frame.version_picker import pick_version

SHOWN = 1_000
REASONS = {
    "exact_duplicate": "same text as another record",
    "near_duplicate": "near-duplicate of a record that is kept",
    "excluded_by_decision": "left out by a person's decision",
    "requires_review": "personal data wait for a person",
}

bench, person = guard.require()
st.title("Duplicates")
show.outcome()
version = pick_version(bench, person)
candidate = bench.candidates.current(version) if version else None
if candidate is None:
    show.prose("There is no candidate of this version yet, so there is nothing to compare.")
    page_link("gates", "Go to the gates")
    st.stop()
digest = candidate.digest
duplicates = Duplicates(bench.candidates)
rule = bench.desk.policy.near_duplicates
titles = {family.name: family.title for family in bench.desk.policy.families}
stages = {stage.number: stage.name for stage in bench.desk.policy.stages}
stage_of = {family.name: stages[family.stage] for family in bench.desk.policy.families}
hard = {name for name, stage in stage_of.items() if stage == "edge"}
may_read = person.holds(*READERS)
reports = bench.candidates.reports(digest)


def draw_limit() -> None:
    """Say what is compared and what this cannot see."""
    show.quiet(
        "Candidate {short}. Two texts are near-duplicates when at least {least} of their runs of "
        "{size} words are the same; every pair named here was compared word by word. {missed} A "
        "paraphrase or a translation is not a near-duplicate in this sense and is not found here.",
        short=show.short(digest),
        least=f"{rule.threshold:.0%}",
        size=rule.shingle,
        missed=missed_sentence(measures_of("duplicates").get("expected_missed")),
    )


def missed_sentence(expected: float | None) -> str:
    """Return how many pairs were not compared, as chance has it; nothing where nobody said."""
    if expected is None:
        return ""
    count = "fewer than one" if expected < 1 else f"about {expected:,.0f}"
    return f"Pairs that signatures did not bring together were not; {count} is to be expected."


def measures_of(gate: str) -> Mapping[str, Any]:
    """Return what a gate measured, or nothing when it has not judged."""
    stored: StoredReport | None = reports.get(gate)
    return {} if stored is None else stored.report.measures


def draw_verdicts() -> None:
    """Draw how the two gates judged."""
    for gate in PAIRED:
        stored = reports.get(gate)
        verdict = None if stored is None else stored.report.verdict
        show.prose(
            "**{sign} {title}: {word}.** {question}",
            sign=evidence.SIGNS[verdict],
            title=evidence.GATES[gate].title,
            word=evidence.WORDS[verdict],
            question=evidence.GATES[gate].question,
        )
        capped = measures_of(gate).get("capped_buckets", 0)
        if capped:
            st.warning(
                f"In {capped:,} buckets so many texts are alike (up to "
                f"{measures_of(gate)['largest_bucket']:,}) that not each was compared with each."
            )


def draw_dropped(total: int) -> None:
    """Draw what the build left out (`total` records), each beside the one kept instead."""
    st.header("What the build left out")
    try:
        dropped = duplicates.dropped(digest)
    except DeskError as error:
        show.refusal(error)
        return
    if not total:
        show.prose("Nothing: every record that could be read ships.")
        return
    if dropped is None:
        show.prose(
            "{n} records were left out. This candidate was built before the desk kept a list of "
            "them; build again to see each one.",
            n=f"{total:,}",
        )
        return
    st.table(
        [
            {"why": REASONS.get(reason, reason), "records": f"{count:,}"}
            for reason, count in Counter(entry.reason for entry in dropped).most_common()
        ],
        border="horizontal",
        hide_index=True,
        alt="Records that the build left out, by reason",
    )
    crossed = families_crossed(dropped)
    if crossed:
        names = [title for name, title in titles.items() if any(name in pair for pair in crossed)]
        charts.heat_map(
            {(titles.get(a, a), titles.get(b, b)): count for (a, b), count in crossed.items()},
            names,
            down="left out of",
            across="kept in",
            key="dropped-map",
            alt="Records left out, by their family and the family of the record kept instead",
        )
        show.quiet("Down: the family of what was left out. Across: the family that keeps it.")
    entry = pick_dropped(dropped)
    if entry is not None:
        draw_dropped_pair(entry)


def pick_dropped(dropped: Sequence[Dropped]) -> Dropped | None:
    """Draw the records left out and return the one that is ticked."""
    if len(dropped) > SHOWN:
        show.quiet("The first {n} of {all} are listed.", n=f"{SHOWN:,}", all=f"{len(dropped):,}")
    shown = dropped[:SHOWN]
    rows = [
        {
            "why": REASONS.get(entry.reason, entry.reason),
            "family": titles.get(entry.family, entry.family),
            "source": f"{entry.source_key}, line {entry.line}",
            "alike": float(entry.similarity) if entry.similarity else None,
            "kept instead": f"{entry.kept_source_key}, line {entry.kept_line}"
            if entry.kept
            else "",
            "record": entry.record_id[:12],
        }
        for entry in shown
    ]
    event = st.dataframe(
        rows,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key=f"dropped:{digest}",
        column_config={
            "alike": st.column_config.NumberColumn(
                format="percent", help="Empty where the two belong together by way of others."
            )
        },
        alt="Records left out; tick one to read it beside the one that is kept",
    )
    chosen = event.selection.rows
    return shown[chosen[0]] if chosen and chosen[0] < len(shown) else None


def draw_dropped_pair(entry: Dropped) -> None:
    """Draw a record left out beside the one that is kept."""
    if not may_read:
        show.prose("Records are shown to reviewers, leads, owners and auditors.")
        return
    try:
        gone = duplicates.messages_of_dropped(digest, entry, person)
        kept: tuple[Message, ...] = ()
        if entry.kept:
            kept = bench.reviews.record(digest, entry.kept, person).messages
    except DeskError as error:
        show.refusal(error)
        return
    with st.expander(
        "The record" + told_of(entry.family, entry.kept_family),
        expanded=not {entry.family, entry.kept_family} & hard,
    ):
        if kept:
            draw_pair(gone, kept, ("Left out", "Kept"))
        else:
            show.dialogue(gone)


def told_of(*families: str) -> str:
    """Return a word of warning where a family holds hard matter."""
    return " (edge and crisis: open it when you are ready)" if hard & set(families) else ""


def draw_found() -> None:
    """Draw every pair the gates named, and the two records of the one that is ticked."""
    found = duplicates.pairs(digest)
    st.header("Pairs that the gates named")
    if not found:
        show.prose("None.")
        return
    shown = found[:SHOWN]
    if len(found) > SHOWN:
        show.quiet("The first {n} of {all} are listed.", n=f"{SHOWN:,}", all=f"{len(found):,}")
    event = st.dataframe(
        [
            {
                "pair": title_of(finding.code),
                "blocks": "blocks" if finding.blocking else "noted",
                "family": titles.get(finding.family, finding.family),
                "alike": float(finding.detail) if "near" in finding.code else None,
                "record": finding.record_id[:12],
                "other": finding.other[:12],
            }
            for _, finding in shown
        ],
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key=f"pairs:{digest}",
        column_config={"alike": st.column_config.NumberColumn(format="percent")},
        alt="Pairs that the gates named; tick one to read the two records side by side",
    )
    chosen = event.selection.rows
    if chosen and chosen[0] < len(shown):
        draw_found_pair(shown[chosen[0]][1])
    page_link("findings", "Decide about them on the findings page")


def draw_found_pair(finding: Finding) -> None:
    """Draw the two records of a finding side by side."""
    if not may_read:
        show.prose("Records are shown to reviewers, leads, owners and auditors.")
        return
    try:
        one, other = (
            bench.reviews.record(digest, name, person)
            for name in (finding.record_id, finding.other)
        )
    except DeskError as error:
        show.refusal(error)
        return
    names = tuple(
        f"{record.record_id[:12]}: {titles.get(record.family, record.family)}, "
        f"{record.metadata.get('split', '')}"
        for record in (one, other)
    )
    with st.expander(
        "The two records" + told_of(one.family, other.family),
        expanded=not {one.family, other.family} & hard,
    ):
        draw_pair(one.messages, other.messages, (names[0], names[1]))


draw_limit()
draw_verdicts()
draw_dropped(sum(candidate.dropped.values()))
draw_clusters(measures_of("duplicates"), titles)
draw_leaks(measures_of("leakage"))
draw_found()
