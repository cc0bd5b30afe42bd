"""What ships side by side and what leaks, in pictures made of the two gates' measures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.frame import charts, show
from pages.frame.links import page_link

KINDS = {
    "exact": "same text",
    "near": "near-duplicate text",
    "prompt": "same prompt",
    "source": "same source row",
    "group": "same group",
}
# Sizes of clusters that have a bar of their own; larger ones share one.
BARS = 8


def draw_clusters(measures: Mapping[str, Any], titles: Mapping[str, str]) -> None:
    """Draw how many records that ship are near-duplicates of each other, by size and family."""
    st.header("What ships side by side")
    if not measures:
        show.prose("The duplicates gate has not judged this candidate.")
        page_link("gates", "Run the gates")
        return
    sizes: Mapping[str, int] = measures["clusters_by_size"]
    if not sizes:
        show.prose("No two records that ship are near-duplicates of each other.")
        return
    show.prose(
        "**{records} records** that ship have a near-duplicate beside them, in {clusters} "
        "{word}. The largest holds {largest}.",
        records=f"{sum(int(size) * count for size, count in sizes.items()):,}",
        clusters=f"{sum(sizes.values()):,}",
        word="cluster" if sum(sizes.values()) == 1 else "clusters",
        largest=f"{max(map(int, sizes)):,}",
    )
    bars = cluster_bars(sizes)
    charts.bars(
        list(bars),
        {"clusters": list(bars.values())},
        key="clusters",
        unit="clusters",
        alt="Clusters of near-duplicates that ship, by how many records they hold",
    )
    draw_family_pairs(measures["pairs_by_family"], titles)


def cluster_bars(sizes: Mapping[str, int]) -> Mapping[str, int]:
    """Return how many clusters there are by size in words, the largest sizes together."""
    ordered = sorted((int(size), count) for size, count in sizes.items())
    few, many = ordered[:BARS], ordered[BARS:]
    bars = {f"{size:,} records": count for size, count in few}
    if many:
        bars[f"{many[0][0]:,} to {many[-1][0]:,} records"] = sum(count for _, count in many)
    return bars


def draw_family_pairs(pairs: Mapping[str, int], titles: Mapping[str, str]) -> None:
    """Draw the pairs that ship, family by family."""
    counts: dict[tuple[str, str], int] = {}
    for pair, count in pairs.items():
        one, _, other = pair.partition(" x ")
        counts[titles.get(one, one), titles.get(other, other)] = count
        counts[titles.get(other, other), titles.get(one, one)] = count
    names = [title for title in titles.values() if any(title in pair for pair in counts)]
    if len(names) == 1:
        only = next(iter(counts.values()))
        told = "Its pair lies" if only == 1 else f"All {only:,} pairs lie"
        show.quiet("{told} in {family}.", told=told, family=names[0])
        return
    charts.heat_map(
        counts,
        names,
        down="family",
        across="family",
        key="pairs-map",
        alt="Near-duplicate pairs that ship, family by family",
    )
    show.quiet("Pairs that ship, by the families of the two. They may ship inside one split.")


def draw_leaks(measures: Mapping[str, Any]) -> None:
    """Draw what is known in two splits, by kind and by the two splits."""
    st.header("Leak paths")
    if not measures:
        show.prose("The leakage gate has not judged this candidate.")
        return
    paths: Mapping[str, Mapping[str, int]] = measures["leaks_by_splits"]
    between = sorted({splits for counts in paths.values() for splits in counts})
    if not between:
        show.prose(
            "None: of {records} records in {n} groups no text, prompt, source or group stands in "
            "two splits.",
            records=f"{measures['records']:,}",
            n=f"{measures['groups_checked']['group']:,}",
        )
        return
    kinds = [kind for kind, counts in paths.items() if counts]
    charts.heat_map(
        {
            (KINDS.get(kind, kind), splits.replace(" | ", " and ")): count
            for kind in kinds
            for splits, count in paths[kind].items()
        },
        [splits.replace(" | ", " and ") for splits in between],
        lines=[KINDS.get(kind, kind) for kind in kinds],
        down="",
        across="known in both",
        key="leaks-map",
        alt="Pairs of records that leak, by what they share and by the two splits",
    )
    show.quiet("Pairs of records, by what they share and by the two splits they stand in.")
