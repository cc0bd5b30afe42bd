"""What would ship, exactly, and what five automatic checks say about all of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import streamlit as st

from core.gates import GATE_NAMES
from core.intake.codes import title_of as rejection_title
from core.model.candidate import Candidate
from core.model.errors import DeskError
from core.model.gate import StoredReport
from pages.frame import charts, evidence, guard, show
from pages.frame.job_panel import job_panel, start_button
from pages.frame.links import PAGES_FOLDER, page_link
from pages.frame.next_candidate import waiting_notice
from pages.frame.version_picker import pick_version

DROPPED = {
    "exact_duplicate": "exact copy of a record that ships",
    "near_duplicate": "near-duplicate of a record that ships",
    "excluded_by_decision": "excluded by a person's decision",
    "requires_review": "needs a reader before it may ship",
}
LANES = {
    "preference": "preference pairs, for another kind of training",
    "prompt_only": "prompts without an answer",
    "persona": "persona descriptions, used for the voice family",
}

bench, person = guard.require()
owner = person.holds("release_owner")
st.title("Gates")
show.outcome()
version = pick_version(bench, person)
if not version:
    show.prose("A candidate is built for a version; pick one on the run sheet first.")
    page_link("run_sheet", "Go to the run sheet")
    st.stop()


def titles() -> Mapping[str, str]:
    return {family.name: family.title for family in bench.desk.policy.families}


def draw_jobs() -> None:
    """Draw the newest of the two jobs, and the other one while it runs."""
    newest = bench.jobs.latest("build", "gates")
    for kind in ("build", "gates"):
        job = bench.jobs.latest(kind)
        if job is not None and (job.active or (newest is not None and job.id == newest.id)):
            job_panel(bench, person, kind)


def draw_identity(candidate: Candidate) -> None:
    """Draw which candidate this is, who built it, and how much it ships."""
    built = [
        item for item in bench.candidates.history(version) if item.candidate == candidate.digest
    ]
    show.prose(
        "Candidate **{short}**, built {at} by {by}, for {version}.",
        short=show.short(candidate.digest),
        at=evidence.moment(built[-1].at) if built else "at an unknown time",
        by=built[-1].by if built else "somebody",
        version=candidate.version,
    )
    columns = st.columns(4)
    dropped = sum(candidate.dropped.values())
    refused = sum(candidate.rejections.values())
    numbers = (
        ("Records that ship", candidate.records),
        ("Rows read", candidate.rows),
        ("Records left out", dropped),
        ("Rows refused", refused),
    )
    for column, (label, number) in zip(columns, numbers, strict=True):
        column.metric(label, f"{number:,}")
    show.quiet(
        "{shards} shards, {size}, from {sources} objects. Full digest {digest}",
        shards=f"{len(candidate.shards):,}",
        size=show.size(sum(shard.size for shard in candidate.shards)),
        sources=f"{len(candidate.sources):,}",
        digest=candidate.digest,
    )


def draw_books(candidate: Candidate) -> None:
    """Draw what became of every row that was read: a picture, and the reasons under it."""
    names = [name for name in titles() if any(s.family == name for s in candidate.sources)]
    sums: dict[str, Counter[str]] = {name: Counter() for name in names}
    lanes: Counter[str] = Counter()
    for source in candidate.sources:
        lanes.update(source.lanes)
        sums[source.family].update(
            {
                "ships": source.shipped,
                "left out": sum(source.dropped.values()),
                "refused": sum(source.rejected.values()),
                "another use": sum(source.lanes.values()),
            }
        )
    kinds = ("ships", "left out", "refused", "another use")
    charts.bars(
        [titles()[name] for name in names],
        {kind: [sums[name][kind] for name in names] for kind in kinds},
        unit="rows read",
        key="books",
        alt="Rows read by family: those that ship, were left out, refused, or kept for another use",
    )
    st.dataframe(
        [
            {"family": titles()[name], "rows read": sums[name].total()}
            | {kind: sums[name][kind] for kind in kinds}
            | {
                split: candidate.families.get(name, {}).get(split, 0)
                for split in ("train", "val", "test")
            }
            for name in names
        ],
        hide_index=True,
        height="content",
        alt="What became of the rows of each family, and how its records are split",
    )
    with st.expander(f"Why {candidate.rows - candidate.records:,} rows do not ship"):
        st.dataframe(
            _reasons("left out", candidate.dropped, DROPPED)
            + _reasons("another use", lanes, LANES)
            + _reasons(
                "refused",
                candidate.rejections,
                {code: rejection_title(code) for code in candidate.rejections},
            ),
            hide_index=True,
            height="content",
            alt="Rows that do not ship, by reason",
        )
    if candidate.exclusions:
        st.markdown("**Left out on purpose**")
        st.dataframe(
            [{"what": item.scope, "why": item.reason} for item in candidate.exclusions],
            hide_index=True,
            alt="Families and sources left out on purpose",
        )


def _reasons(
    kind: str, counts: Mapping[str, int], words: Mapping[str, str]
) -> list[dict[str, object]]:
    ranked = sorted(counts.items(), key=lambda item: -item[1])
    return [
        {"what": kind, "reason": words.get(code, code), "rows": count, "code": code}
        for code, count in ranked
    ]


def draw_gate(name: str, stored: StoredReport | None) -> None:
    """Draw one gate: its verdict in sign and word, what it saw, and what to do about red."""
    words = evidence.GATES[name]
    report = None if stored is None else stored.report
    verdict = None if report is None else report.verdict
    with st.container(border=True):
        left, right = st.columns([3, 2], vertical_alignment="top")
        with left:
            show.prose(
                "### {sign} {title}: {word}",
                sign=evidence.SIGNS[verdict],
                title=words.title,
                word=evidence.WORDS[verdict],
            )
            show.quiet("{question}", question=words.question)
        if report is None or stored is None:
            return
        with right:
            show.prose(
                "{examined} of {expected} records examined  \nfinished {at}",
                examined=f"{report.examined:,}",
                expected=f"{report.expected:,}",
                at=evidence.moment(report.finished_at),
            )
        if verdict != "pass":
            show.prose("{sentence}", sentence=evidence.sentence(report))
        rows = evidence.totals(report)
        if rows:
            st.table(
                rows,
                border="horizontal",
                hide_index=True,
                alt=f"Findings of the {words.title} gate by kind",
            )
            st.page_link(
                PAGES_FOLDER / "findings.py",
                label=f"Open the findings of {words.title.lower()} →",
                query_params={"version": version, "gate": name},
            )
        with st.expander("What was measured"):
            st.table(
                {label: show.escape(value) for label, value in evidence.facts(report)},
                border="horizontal",
                width="content",
            )
            st.json(dict(report.measures), expanded=False)
            show.quiet("Settings {digest}", digest=report.settings)
            show.quiet("Stored as {key}", key=stored.key)


def draw_history(current: str) -> None:
    """Draw every candidate of the version, newest first."""
    rows = []
    for item in reversed(bench.candidates.history(version)):
        try:
            records: int | None = bench.candidates.get(item.candidate).records
        except DeskError:
            records = None
        rows.append(
            {
                "candidate": show.short(item.candidate),
                "built": evidence.moment(item.at),
                "by": item.by,
                "records": records,
                "": "this one" if item.candidate == current else "",
            }
        )
    st.dataframe(rows, hide_index=True, alt="Candidates of this version, newest first")


candidate = bench.candidates.current(version)
pending = 0 if candidate is None else bench.candidates.pending_decisions(candidate.digest)
reports: Mapping[str, StoredReport | None] = (
    {} if candidate is None else bench.candidates.reports(candidate.digest)
)
# A pass or a fail stands for this candidate and these settings; only the rest can be run.
waiting = [
    name
    for name in GATE_NAMES
    if (held := reports.get(name)) is None or held.report.verdict == "error"
]

st.header("The candidate")
if candidate is None:
    st.info(
        "Nothing has been built for this version yet. Building reads every source, cleans and "
        "splits it, and writes exactly what would ship."
    )
else:
    draw_identity(candidate)
if pending:
    decisions = "1 decision waits" if pending == 1 else f"{pending:,} decisions wait"
    st.warning(f"{decisions}: build again.")
waiting_notice(bench, version)
build, gates, _ = st.columns([1, 1, 2])
if owner:
    with build:
        start_button(
            bench,
            person,
            "Build the candidate" if candidate is None else "Build the candidate again",
            "build",
            {"version": version},
            primary=candidate is None or pending > 0,
        )
if candidate is not None and person.holds("release_owner", "review_lead"):
    with gates:
        start_button(
            bench,
            person,
            "Run the gates",
            "gates",
            {"candidate": candidate.digest},
            disabled=not waiting,
            primary=bool(waiting) and not pending,
        )
if not owner:
    show.quiet("The release owner builds candidates.")
draw_jobs()
if candidate is None:
    st.stop()

st.header("Five checks")
if all(held is None for held in reports.values()):
    st.info(
        "The gates have not judged this candidate under the present policy and settings. "
        "Running them reads every record again from the bucket."
    )
else:
    counts = Counter(None if held is None else held.report.verdict for held in reports.values())
    told = [f"{count} {evidence.WORDS[kind]}" for kind, count in counts.most_common()]
    show.prose("**{told}**", told=", ".join(told))
    if counts["pass"] == len(GATE_NAMES) and not pending:
        page_link("clinician_review", "Every gate passed: go on to the reviews")
for gate in GATE_NAMES:
    draw_gate(gate, reports.get(gate))

st.header("The books: what became of every row")
draw_books(candidate)
st.header("Candidates of this version")
draw_history(candidate.digest)
