"""What a bias review holds beside its records: pairs, the set, and what was tagged."""

from __future__ import annotations

import streamlit as st

from core.model.signoff import Person
from core.workbench import Workbench
from pages.frame import show
from pages.frame.pair_parts import draw_pairs
from pages.frame.set_parts import draw_set

PARTS = ("Records", "Matched pairs", "The set", "Tags")


def pick_part(claim: str) -> str:
    """Return which part of a bias review is wanted; the records come first."""
    chosen = st.segmented_control(
        "Part of the review",
        PARTS,
        default=PARTS[0],
        required=True,
        key=f"part:{claim}",
        label_visibility="collapsed",
    )
    return str(chosen or PARTS[0])


def draw_part(part: str, bench: Workbench, person: Person, digest: str, claim: str) -> None:
    """Draw any part but the records."""
    if part == "Matched pairs":
        draw_pairs(bench, person, digest, claim)
    elif part == "The set":
        draw_set(bench, person, digest, claim)
    else:
        _tags(bench, person, digest, claim)


def _tags(bench: Workbench, person: Person, digest: str, claim: str) -> None:
    reads = person.holds(bench.desk.policy.claim(claim).role)
    if reads and bench.reviews.queue(digest, claim, person).current is not None:
        st.info("What others tagged is shown once you have read your records.")
        return
    counts = bench.bias.tags(digest, claim)
    if not counts:
        show.prose("Nobody has tagged a turn so far.")
        return
    st.dataframe(
        [
            {
                "dimension": count.dimension.replace("_", " "),
                "about whom": count.about_whom.replace("_", " "),
                "harm": count.harm.replace("_", " "),
                "tags": count.tags,
                "records": count.records,
                "by": ", ".join(count.reviewers),
            }
            for count in counts
        ],
        hide_index=True,
    )
    show.quiet("Tags weigh nothing by themselves; they ship, as counts, with the review.")
