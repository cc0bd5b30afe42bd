"""Everything a gate saw, the record behind it, and what people decide for the next candidate."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import streamlit as st

from core.gates import GATE_NAMES
from core.gates.codes import cure_of, title_of
from core.model.dataset import Message
from core.model.errors import DeskError
from core.model.gate import Finding
from core.model.personal import entity_of
from core.workbench.candidates import place_of
from core.workbench.reviews import READERS
from pages.frame import evidence, guard, show
from pages.frame.finding_parts import DONE, described, draw_counts, draw_decisions
from pages.frame.links import page_link
from pages.frame.passage import draw_passage, where
from pages.frame.triage import draw_triage, readable
from pages.frame.version_picker import pick_version

Found = tuple[str, Finding]
ALL = "all"
SHOWN = 2_000
EXPLAINED = ("distribution.out_of_range", "distribution.drift", "provenance.rows_lost")
DISMISSED = ("privacy.person",)
ACTIONS = {
    "exclude": "Leave the record out",
    "exclude_group": "Leave its whole group out",
    "redact": "Replace these words with a placeholder; the record stays",
    "false_positive": "False alarm: it names no real person",
    "allow": "Allow these words everywhere: they name no real person",
    "explain": "Explain it: this is right, because …",
}
bench, person = guard.require()
decides = person.holds("release_owner", "review_lead")
st.title("Findings")
show.outcome()
version = pick_version(bench, person)
candidate = bench.candidates.current(version) if version else None
if candidate is None:
    show.prose("There is no candidate of this version yet, so no gate has seen anything.")
    page_link("gates", "Go to the gates")
    st.stop()
titles = {family.name: family.title for family in bench.desk.policy.families}
stages = {stage.number: stage.name for stage in bench.desk.policy.stages}
stage_of = {family.name: stages[family.stage] for family in bench.desk.policy.families}
show.quiet(
    "Candidate {short}, {records} records",
    short=show.short(candidate.digest),
    records=f"{candidate.records:,}",
)
digest = candidate.digest


def waiting_sentence() -> str:
    """Return how many decisions this candidate was built without, or nothing."""
    pending = bench.candidates.pending_decisions(digest)
    if not pending:
        return ""
    waits = "1 decision waits" if pending == 1 else f"{pending:,} decisions wait"
    return f"{waits} for the next build."


waiting = waiting_sentence()
if waiting:
    st.warning(waiting)
    page_link("gates", "Build again on the gates page")

reports = bench.candidates.reports(digest)
absent = [evidence.GATES[name].title for name in GATE_NAMES if reports.get(name) is None]
if len(absent) == len(GATE_NAMES):
    st.info("The gates have not judged this candidate yet.")
    page_link("gates", "Run the gates")
    st.stop()
if absent:
    show.quiet("Not judged yet: {names}", names=", ".join(absent))
everything = bench.candidates.findings(digest)
if not everything:
    st.success("The gates found nothing in this candidate.")
    st.stop()
standing = bench.candidates.decisions(version)


def choose() -> list[Found]:
    """Draw the filters and return the findings that are left."""
    gate_box, code_box, family_box, block_box = st.columns(
        [2, 3, 3, 2], vertical_alignment="bottom"
    )
    # Drawn last and asked first: what only counts is no choice while only what blocks is shown.
    with block_box:
        blocking = st.toggle("Only what blocks", value=any(f.blocking for _, f in everything))
    asked = str(st.query_params.get("gate", ALL))
    gates = [ALL, *(name for name in GATE_NAMES if any(g == name for g, _ in everything))]
    with gate_box:
        gate = st.selectbox(
            "Gate",
            gates,
            index=gates.index(asked) if asked in gates else 0,
            format_func=lambda name: "all gates" if name == ALL else evidence.GATES[name].title,
        )
    rows = [
        (name, finding)
        for name, finding in everything
        if gate in (ALL, name) and (finding.blocking or not blocking)
    ]
    codes = Counter(finding.code for _, finding in rows)
    with code_box:
        code = st.selectbox(
            "Finding",
            [ALL, *sorted(codes)],
            format_func=lambda c: "all findings" if c == ALL else f"{title_of(c)} ({codes[c]:,})",
        )
    families = sorted({finding.family for _, finding in rows if finding.family})
    with family_box:
        family = st.selectbox(
            "Family",
            [ALL, *families],
            format_func=lambda f: "all families" if f == ALL else titles.get(f, f),
        )
    left = [
        (name, finding)
        for name, finding in rows
        if code in (ALL, finding.code) and family in (ALL, finding.family)
    ]
    # What blocks comes first, in the order of the gates.
    return sorted(left, key=lambda item: not item[1].blocking)


def decided(gate: str, finding: Finding) -> str:
    """Return what has been decided about a finding for the next candidate, in words."""
    for decision in standing:
        if (decision["gate"], decision["code"]) != (gate, finding.code):
            continue
        place = place_of(finding, decision["action"])
        if all(decision.get(name) == value for name, value in place.items()):
            return DONE[decision["action"]]
    return ""


def pick(rows: Sequence[Found]) -> list[Found]:
    """Draw the findings as a table and return those that are ticked."""
    shown = rows[:SHOWN]
    if len(rows) > SHOWN:
        show.quiet("The first {n} of {all} are listed.", n=f"{SHOWN:,}", all=f"{len(rows):,}")
    table = [
        {
            "finding": title_of(finding.code),
            "blocks": "blocks" if finding.blocking else "noted",
            "family": titles.get(finding.family, finding.family),
            "place": where(finding),
            "more": described(finding),
            "decided": decided(gate, finding),
            "record": finding.record_id[:12],
        }
        for gate, finding in shown
    ]
    event = st.dataframe(
        table,
        hide_index=True,
        # Columns in which nothing stands only push the others out of sight.
        column_order=[name for name in table[0] if any(row[name] for row in table)],
        on_select="rerun",
        selection_mode="multi-row",
        key=f"rows:{len(shown)}:{hash(tuple(shown))}",
        alt="Findings; tick rows to read their records and to decide",
    )
    return [shown[number] for number in event.selection.rows if number < len(shown)]


def draw_record(finding: Finding) -> None:
    """Draw the record behind a finding, and the other one of a pair beside it."""
    if not finding.record_id:
        show.prose("This finding is about a whole family or source, not about one record.")
        return
    if not person.holds(*READERS):
        show.prose("Records are shown to reviewers, leads, owners and auditors.")
        return
    places = [finding.record_id, *([finding.other] if finding.other else [])]
    for column, name in zip(st.columns(len(places)), places, strict=True):
        with column:
            try:
                record = bench.reviews.record(digest, name, person)
            except DeskError as error:
                show.refusal(error)
                continue
            told = "The record" if name == finding.record_id else "The record it is like"
            show.prose("**{told}** {short}", told=told, short=name[:12])
            show.quiet(
                "{family}, {split}, line {line}, from {source}",
                family=titles.get(record.family, record.family),
                split=record.metadata.get("split", ""),
                line=record.line,
                source=record.metadata.get("source_key", ""),
            )
            pointed = name == finding.record_id and draw_passage(record.messages, finding)
            hard = stage_of.get(record.family) == "edge"
            with st.expander(
                "The whole record, as it would ship"
                + (" (edge and crisis: open it when you are ready)" if hard else ""),
                expanded=not pointed and not hard,
            ):
                show.dialogue(record.messages)


def read_messages(record_id: str) -> Sequence[Message]:
    """Return a record's messages as they would ship, for somebody who may read them."""
    return bench.reviews.record(digest, record_id, person).messages


def offered(rows: Sequence[Found]) -> list[str]:
    """Return what can be decided about all of these findings."""
    codes = {finding.code for _, finding in rows}
    actions = []
    if all(finding.record_id for _, finding in rows):
        actions += ["exclude", "exclude_group"]
    if all(entity_of(finding.code) and finding.start >= 0 for _, finding in rows):
        actions.append("redact")
    if codes <= set(DISMISSED):
        actions += ["false_positive", "allow"]
    if codes <= set(EXPLAINED):
        actions.append("explain")
    return actions


def record_form(rows: Sequence[Found]) -> None:
    """Store the decision that the form holds."""
    action = str(st.session_state.get("decision:action", ""))
    record_decision(rows, action, str(st.session_state.get("decision:reason", "")))


def record_decision(rows: Sequence[Found], action: str, reason: str) -> None:
    """Store one decision per kind of finding, over the rows it was taken on."""
    grouped: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for gate, finding in rows:
        grouped[gate, finding.code].append(finding)
    count = 0

    def act() -> None:
        nonlocal count
        for (gate, code), decided_on in sorted(grouped.items()):
            places: Sequence[Mapping[str, str]]
            if action == "allow":
                places = bench.candidates.values_of(digest, decided_on)
            else:
                places = [place_of(finding, action) for finding in decided_on]
            count += bench.candidates.decide(
                digest,
                gate=gate,
                code=code,
                action=action,
                reason=reason,
                by=person,
                places=places,
            )

    if show.attempt(act):
        places = "1 place" if count == 1 else f"{count:,} places"
        told = f"Decided for {places}. {waiting_sentence()} No verdict changes."
        st.session_state["_outcome"] = ("done", told, "")


def decide_form(selected: Sequence[Found], rows: Sequence[Found]) -> None:
    """Draw the decision over the ticked rows, or over everything of one kind that blocks."""
    of_kind = [item for item in rows if item[1].blocking]
    one_kind = len({(gate, finding.code) for gate, finding in of_kind}) == 1
    meant = list(selected) or (of_kind if one_kind else [])
    if not meant:
        show.prose("Tick rows above, or choose one kind of finding, to decide about them.")
        return
    actions = offered(meant)
    if not actions:
        show.prose(
            "Nothing can be decided here about this; what to do: {cure}",
            cure=cure_of(meant[0][1].code) or "see the gates page.",
        )
        return
    told = f"all {len(meant):,} that block"
    if selected:
        told = "the ticked one" if len(selected) == 1 else f"the {len(selected):,} ticked"
    with st.form("decide", border=True):
        show.prose(
            "**Decide about {told}: {kinds}**",
            told=told,
            kinds=", ".join(sorted({title_of(finding.code) for _, finding in meant})),
        )
        st.radio("Decision", actions, format_func=lambda a: ACTIONS[a], key="decision:action")
        st.text_input("Why (it is kept, with your name)", key="decision:reason")
        st.form_submit_button(
            "Record the decision", type="primary", on_click=record_form, args=(meant,)
        )
        show.quiet("It takes effect when the candidate is built again; no verdict changes.")


found = choose()
if not found:
    show.prose("Nothing is left under this choice.")
else:
    draw_counts(found, titles)
    waiting_to_read = readable(found, lambda item: decided(*item))
    # Nobody is shown a record's words before asking for them.
    if waiting_to_read and decides and st.toggle("Read one after another", key="triage:on"):
        show.quiet("Keys: p placeholder, f false alarm, x leave the record out, j next.")
        draw_triage(waiting_to_read, read_messages, offered, record_decision)
    st.header("One by one")
    show.quiet("Tick a row to read its record; tick several to decide about them together.")
    ticked = pick(found)
    if ticked:
        st.header("The record behind it")
        gate_name, first = ticked[0]
        show.prose(
            "**{title}**{at}. {cure}",
            title=title_of(first.code),
            at=f": {where(first)}" if where(first) else "",
            cure=cure_of(first.code),
        )
        if len(ticked) > 1:
            show.quiet("The first of the {n} ticked rows.", n=len(ticked))
        draw_record(first)
    st.header("Decide")
    if decides:
        decide_form(ticked, found)
    else:
        show.prose("The release owner and the review lead decide; you may read.")
if standing:
    st.header("Decided for this version")
    draw_decisions(standing)
