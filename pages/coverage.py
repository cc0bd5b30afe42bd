"""What lies in the bucket, what it proves for each family, and who decided it may be used."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.intake.coverage import FamilyCoverage
from core.workbench import Workbench
from pages.frame import charts, coverage_parts, guard, show
from pages.frame.job_panel import job_panel, start_button
from pages.frame.links import page_link
from pages.frame.version_picker import pick_version

bench, person = guard.require()
owner = person.holds("release_owner")
st.title("Coverage")
show.outcome()
version = pick_version(bench, person)
snapshot = bench.data.snapshot()
left, right = st.columns([3, 1], vertical_alignment="center")
with left:
    if snapshot is None:
        show.prose("The bucket has not been listed yet.")
    else:
        show.prose(
            "Listing **{short}** of {at}: {objects} objects, {size}.",
            short=show.short(snapshot.listing),
            at=show.when(snapshot.at),
            objects=f"{snapshot.objects:,}",
            size=show.size(snapshot.bytes),
        )
with right:
    if person.holds("release_owner", "review_lead"):
        start_button(bench, person, "List the bucket", "inventory", {}, primary=snapshot is None)
if snapshot is not None and snapshot.taken_from:
    show.quiet(
        "It came from the file {name}, not from the bucket itself.", name=snapshot.taken_from
    )
job_panel(bench, person, "inventory")
if snapshot is None:
    st.info(
        "Listing reads keys and sizes; afterwards some objects are opened to see what they hold."
    )
    coverage_parts.listing_file_form(bench, person)
    st.stop()

with st.spinner("Opening objects to see what they hold…"):
    report = bench.data.coverage(version)
decisions = bench.data.decisions()
undecided = bench.sources.undecided_families()

shared = coverage_parts.shared_objects(report)

st.header("Stages and families")
charts.coverage_map(
    [
        {
            "stage": f.stage,
            "family": f.title,
            "state": f.state,
            "records": f.records,
            "shared": shared[f.name],
        }
        for f in report.families.values()
    ],
    key="map",
)
st.dataframe(
    [
        {
            "family": found.title,
            "stage": found.stage,
            "state": found.state.replace("_", " "),
            "records seen": found.records,
            "objects": found.objects,
            "shared objects": shared[found.name],
            "size": show.size(found.bytes),
            "newest": found.newest[:10],
            "formats": ", ".join(found.formats),
        }
        for found in report.families.values()
    ],
    hide_index=True,
)
for found in report.families.values():
    if found.why:
        show.quiet("{title}: {why}", title=found.title, why=found.why)


def alias_flow(bench: Workbench, found: FamilyCoverage) -> None:
    """Draw the one confirmation an alias needs."""
    for alias in found.needs_confirmation:
        with st.container(border=True):
            show.prose(
                "**{title}** was found under “{alias}”, which is not its canonical prefix. "
                "Look at what was opened below, then confirm by name that these are its data.",
                title=found.title,
                alias=alias,
            )
            act = partial(bench.data.confirm_alias, found.name, alias, person)
            st.button(
                f"Confirm for {found.title}",
                key=f"alias:{found.name}:{alias}",
                type="primary",
                disabled=not owner,
                on_click=show.doing(act, done="Confirmed."),
            )


def _decision_title(found: FamilyCoverage) -> str:
    if found.name in decisions:
        return "Change the decision"
    if found.name not in undecided:
        return f"{found.title}: decided prefix by prefix"
    return f"Decide about {found.title}"


def source_flow(bench: Workbench, found: FamilyCoverage) -> None:
    """Draw the decision on a family's rights and licence."""
    held = decisions.get(found.name)
    if held is not None:
        show.prose(
            "**{title}**: {decision}, licence {tag}, rights {rights}, by {by} at {at}. {reason}",
            title=found.title,
            decision=held.decision,
            tag=held.licence_tag or "none",
            rights=held.rights,
            by=held.by,
            at=show.when(held.at),
            reason=held.reason,
        )
    if not owner:
        if held is None and found.name in undecided:
            show.prose("**{title}** waits for a release owner's decision.", title=found.title)
        return
    with (
        st.expander(
            _decision_title(found),
            expanded=held is None and found.name in undecided,
        ),
        st.form(f"source:{found.name}", border=False),
    ):
        tags = list(bench.desk.policy.licence_tags)
        columns = st.columns(3)
        decision = columns[0].selectbox("Decision", ["keep", "defer", "reject"])
        rights = columns[1].selectbox(
            "Rights", ["cleared", "review_required", "restricted", "unknown"]
        )
        tag = columns[2].selectbox(
            "Licence", tags, index=tags.index("synthetic") if "synthetic" in tags else 0
        )
        reason = st.text_input(
            "Why",
            value="Written for the demo by this project." if bench.desk.settings.embedded else "",
        )
        if st.form_submit_button("Record the decision"):
            show.attempt(
                lambda: bench.data.decide_source(found.name, decision, rights, tag, reason, person),
                done=f"Recorded for {found.title}.",
            )
            st.rerun()


waiting = [f for f in report.families.values() if f.needs_confirmation]
if waiting:
    st.header("Aliases to confirm")
    for found in waiting:
        alias_flow(bench, found)

st.header("Source decisions")
show.quiet(
    "Denied by default: without a decision by name, nothing of a family can be published. "
    "A decision here holds for the whole family; single prefixes are decided under Sources."
)
page_link("sources", "Sources, prefix by prefix")
for found in report.families.values():
    if found.records:
        source_flow(bench, found)

absent = [
    f
    for f in report.families.values()
    if f.state in ("missing", "unusable", "partial") and bench.desk.policy.family(f.name).required
]
if absent and owner and version:
    st.header("Families in the way")
    for found in absent:
        with st.form(f"waive:{found.name}", border=True):
            show.prose(
                "**{title}** is {state}: {why}", title=found.title, state=found.state, why=found.why
            )
            reason = st.text_input("Reason to release without it (it ships)")
            if st.form_submit_button(f"Waive {found.title} for {version}"):
                show.attempt(
                    partial(bench.data.waive_family, version, found.name, reason, person),
                    done=f"{found.title} is waived for {version}.",
                )
                st.rerun()

st.header("What was opened")
names = {found.name: found.title for found in report.families.values()}
chosen = st.segmented_control(
    "Family", list(names), format_func=lambda n: names[n], default=next(iter(names))
)
if chosen:
    st.dataframe(
        [
            {
                "key": item.key,
                "state": item.state,
                "records": item.records,
                "rejected": item.rejected,
                "container": item.container,
                "size": show.size(item.size),
                "why": item.why,
            }
            for item in report.families[chosen].evidence
        ],
        hide_index=True,
    )

st.header("The whole bucket")
prefixes = bench.data.bytes_by_prefix()
charts.treemap([dict(row) for row in prefixes], key="treemap")
days = bench.data.bytes_by_day()
if len(days) > 1:
    st.header("Growth")
    show.quiet("Bytes that lie here now, by the day they were last written.")
    charts.growth([day for day, _ in days], [total for _, total in days], key="growth")
elif days:
    show.quiet("Everything that lies here was last written on {day}.", day=days[0][0])
coverage_parts.changes(bench.sources.changed())
coverage_parts.unmatched(bench, person, report)
coverage_parts.shared(report)
st.header("Take it along")
coverage_parts.downloads(bench, report, version, snapshot.at)
coverage_parts.listing_file_form(bench, person)
