"""Two releases side by side: counts, rules, exclusions, and which records came and went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.model.errors import DeskError
from core.release.compare import EDGES, Change, Place, count_places
from core.workbench import Workbench
from core.workbench.comparing import Comparison
from pages.frame import charts, histograms, show
from pages.frame.release_proof import asked_for, remember

_SHOWN = 200


def draw_comparison(bench: Workbench, version: str, others: list[str]) -> None:
    """Draw in what a release differs from another one of the reader's choice."""
    if not others:
        show.prose("There is no other version to compare with yet.")
        return
    other = str(st.selectbox("Compare with", others))
    mine, theirs = (bench.releases.manifest_or_none(name) for name in (version, other))
    if mine is None or theirs is None:
        st.warning("One of the two manifests is missing.")
        return
    _draw_counts(version, other, counts_of(mine[0]), counts_of(theirs[0]))
    for heading, changes in bench.comparing.manifests(version, other).items():
        _draw_changes(heading, version, other, changes)
    _draw_records(bench, version, other)


def counts_of(document: Mapping[str, Any]) -> dict[Place, int]:
    """Return (family, split) → records of a manifest."""
    return {
        (family["name"], split): count
        for family in document["families"]
        for split, count in family["records"].items()
    }


def _draw_counts(
    version: str, other: str, here: Mapping[Place, int], there: Mapping[Place, int]
) -> None:
    families = sorted({family for family, _ in (*here, *there)})
    sums = {
        name: [sum(n for (f, _), n in counts.items() if f == family) for family in families]
        for name, counts in ((version, here), (other, there))
    }
    show.prose("**Records by family**, {version} beside {other}", version=version, other=other)
    charts.bars(
        families,
        sums,
        key=f"compare-counts:{version}:{other}",
        unit="records",
        alt=f"Records by family of {version} and {other}",
        grouped=True,
    )
    st.dataframe(
        [
            {
                "family": family,
                "split": split,
                version: here.get((family, split), 0),
                other: there.get((family, split), 0),
                "difference": here.get((family, split), 0) - there.get((family, split), 0),
            }
            for family, split in sorted(here.keys() | there.keys())
        ],
        hide_index=True,
        height="content",
    )


def _draw_changes(heading: str, version: str, other: str, changes: tuple[Change, ...]) -> None:
    if not changes:
        show.prose("**{heading}**: no difference", heading=heading.capitalize())
        return
    show.prose("**{heading}**", heading=heading.capitalize())
    st.dataframe(
        [
            {
                "what": change.about,
                version: change.mine or "(nothing)",
                other: change.theirs or "(nothing)",
            }
            for change in changes
        ],
        hide_index=True,
        height="content",
    )


def _draw_records(bench: Workbench, version: str, other: str) -> None:
    show.prose(
        "**Records and distributions.** Every shard of both releases is read and proven for this."
    )
    name = f"compare:{other}"
    st.button("Compare the records", on_click=remember, args=(version, name))
    kept = st.session_state.setdefault("comparisons", {})
    if asked_for(version, name):
        bar = st.progress(0.0, text="Reading the manifests")

        def progress(done: int, total: int, message: str) -> None:
            bar.progress(done / total if total else 0.0, text=f"{done} of {total} {message}")

        try:
            kept[version, other] = bench.comparing.records(version, other, progress)
        except DeskError as error:
            show.refusal(error)
        bar.empty()
    if (version, other) in kept:
        _draw_found(version, other, kept[version, other])


def _draw_found(version: str, other: str, found: Comparison) -> None:
    changes = found.records
    columns = st.columns(4)
    for column, label, count in zip(
        columns,
        ("in both", f"only in {version}", f"only in {other}", "in another place"),
        (changes.kept, len(changes.added), len(changes.removed), len(changes.moved)),
        strict=True,
    ):
        column.metric(label, f"{count:,}")
    rows = [
        {"records": f"only in {name}", "family": family, "split": split, "count": count}
        for name, places in ((version, changes.added), (other, changes.removed))
        for (family, split), count in count_places(places).items()
    ]
    if rows:
        st.dataframe(rows, hide_index=True, height="content")
    _draw_ids(version, other, found)
    _draw_lengths(version, other, found)


def _draw_ids(version: str, other: str, found: Comparison) -> None:
    changes = found.records
    rows = [{"record": name, "what": f"only in {version}"} for name in changes.added]
    rows += [{"record": name, "what": f"only in {other}"} for name in changes.removed]
    rows += [
        {"record": name, "what": f"from {' '.join(old)} to {' '.join(new)}"}
        for name, (old, new) in changes.moved.items()
    ]
    if not rows:
        return
    with st.expander(f"The records by id ({min(len(rows), _SHOWN):,} of {len(rows):,})"):
        st.dataframe(rows[:_SHOWN], hide_index=True)


def _draw_lengths(version: str, other: str, found: Comparison) -> None:
    families = sorted(found.mine.histograms.keys() | found.theirs.histograms.keys())
    histograms.histograms(
        {
            family: [
                histograms.Panel(
                    title=measure,
                    edges=edges,
                    counts={
                        name: contents.histograms[family][measure]
                        for name, contents in ((version, found.mine), (other, found.theirs))
                        if family in contents.histograms
                    },
                )
                for measure, edges in EDGES.items()
            ]
            for family in families
        },
        key=f"compare-lengths:{version}:{other}",
        alt=f"Tokens and turns by family, {version} beside {other}",
    )
