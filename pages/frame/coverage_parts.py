"""The parts of the coverage page below its matrix: what changed, what is shared, what is left."""

from __future__ import annotations

import json
from collections import Counter
from functools import partial

import streamlit as st

from core.intake.coverage import CoverageReport
from core.intake.coverage_report import coverage_markdown, coverage_rows
from core.intake.difference import Difference
from core.model.signoff import Person
from core.workbench import Workbench
from core.workbench.history import Snapshot
from pages.frame import show
from pages.frame.export import csv_table

SHOWN = 500
"""Rows of a long table on screen; the downloads hold all."""


def listing_file_form(bench: Workbench, person: Person) -> None:
    """Draw the way to read a listing file of the bucket in place of listing it."""
    if not person.holds("release_owner", "review_lead"):
        return
    with st.expander("Read a listing file instead"), st.form("listing-file", border=False):
        key = st.text_input(
            "Key of the file",
            help="The manifest.json of an S3 Inventory, or a CSV or Parquet table with key, size, "
            "etag and last modified. It is as old as the file; every object is still opened "
            "under its etag.",
        )
        if st.form_submit_button("Read this file"):
            # A key may end in a space: it is taken as it was typed.
            show.attempt(lambda: bench.jobs.start("inventory", {"from": key}, person))
            st.rerun()


def changes(found: tuple[Snapshot, Difference] | None) -> None:
    """Draw what changed since the listing before."""
    st.header("What changed")
    if found is None:
        show.prose("This is the first listing; the next one is held against it.")
        return
    former, difference = found
    show.prose(
        "Since listing **{short}** of {at}: {added} added, {removed} removed, {changed} changed, "
        "{same} the same; {gained} bytes in all.",
        short=show.short(former.listing),
        at=show.when(former.at),
        added=f"{len(difference.added):,}",
        removed=f"{len(difference.removed):,}",
        changed=f"{len(difference.changed):,}",
        same=f"{difference.same:,}",
        gained=f"{difference.bytes:+,}",
    )
    rows = [
        *({"change": "added", "key": item.key, "size": item.size} for item in difference.added),
        *({"change": "removed", "key": item.key, "size": item.size} for item in difference.removed),
        *(
            {"change": "changed", "key": new.key, "size": new.size, "was": old.size}
            for old, new in difference.changed
        ),
    ]
    if rows:
        st.dataframe(rows[:SHOWN], hide_index=True)
        if len(rows) > SHOWN:
            show.quiet("The first {shown} of {all} changes.", shown=SHOWN, all=f"{len(rows):,}")
        whole = [{"was": "", **row} for row in rows]
        st.download_button(
            "Every change as CSV", csv_table(whole), "changes.csv", "text/csv", on_click="ignore"
        )


def downloads(bench: Workbench, report: CoverageReport, version: str, at: str) -> None:
    """Draw the report's three forms."""
    document = json.dumps(bench.data.coverage_document(version), ensure_ascii=False, indent=1)
    forms = (
        ("JSON", document.encode(), "json", "application/json"),
        ("CSV", csv_table(coverage_rows(report)), "csv", "text/csv"),
        (
            "Markdown",
            coverage_markdown(report, version=version, at=at).encode(),
            "md",
            "text/markdown",
        ),
    )
    for column, (name, body, suffix, kind) in zip(st.columns(3), forms, strict=True):
        column.download_button(
            f"Report as {name}", body, f"coverage.{suffix}", kind, on_click="ignore"
        )


def shared_objects(report: CoverageReport) -> Counter[str]:
    """Return how many objects each family claims that another one claims too."""
    return Counter(name for claims in report.shared.values() for name in {n for n, _ in claims})


def shared(report: CoverageReport) -> None:
    """Draw the objects that more than one family claims."""
    if not report.shared:
        return
    st.header("Claimed by more than one family")
    show.quiet("Such an object proves no family and enters no build until one claims it alone.")
    st.dataframe(
        [
            {
                "key": key,
                "claimed by": ", ".join(
                    f"{report.families[family].title} (“{prefix}”)" for family, prefix in claims
                ),
            }
            for key, claims in sorted(report.shared.items())[:SHOWN]
        ],
        hide_index=True,
    )


def unmatched(bench: Workbench, person: Person, report: CoverageReport) -> None:
    """Draw what no family claims, and the act that gives a prefix of it to one."""
    st.header("What matched no family")
    if report.unmatched:
        st.dataframe(
            [
                {
                    "prefix": found.prefix or "(top)",
                    "objects": found.objects,
                    "size": show.size(found.bytes),
                    "looks like": found.guess,
                }
                for found in report.unmatched
            ],
            hide_index=True,
        )
    else:
        show.prose("Every object belongs to a family.")
    if person.holds("release_owner"):
        if report.unmatched:
            _assign_form(bench, person, report)
        _assigned(bench, person)


def _assign_form(bench: Workbench, person: Person, report: CoverageReport) -> None:
    titles = {rule.name: rule.title for rule in bench.desk.policy.families}
    with st.form("assign", border=True):
        show.prose(
            "Give a prefix to a family. That writes a new version of the policy in your name, so "
            "a candidate built before must be built again."
        )
        prefixes = [found.prefix for found in report.unmatched if found.prefix]
        stray = [key for found in report.unmatched for key in found.keys]
        prefix = st.selectbox(
            "Prefix",
            prefixes + stray,
            help="Every key that begins so. An object in no folder is given by its whole key.",
        )
        family = st.selectbox("Belongs to", list(titles), format_func=lambda name: titles[name])
        if st.form_submit_button("Assign and adopt the policy"):
            show.attempt(
                lambda: bench.sources.assign(family, prefix, person),
                done=f"{prefix} belongs to {titles[family]} now, under a new policy.",
            )
            st.rerun()


def _assigned(bench: Workbench, person: Person) -> None:
    titles = {rule.name: rule.title for rule in bench.desk.policy.families}
    for prefix, family in bench.sources.assigned().items():
        left, right = st.columns([4, 1], vertical_alignment="center")
        with left:
            show.prose(
                "“{prefix}” was assigned to **{family}**.",
                prefix=prefix,
                family=titles.get(family, family),
            )
        with right:
            act = partial(bench.sources.take_back, prefix, person)
            st.button(
                "Take back",
                key=f"back:{prefix}",
                on_click=show.doing(act, done="Taken back, under a new policy."),
            )
