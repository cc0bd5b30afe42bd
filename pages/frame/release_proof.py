"""Whether a release still holds: read again as a stranger, consumed again as a trainer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.model.errors import DeskError
from core.model.release import Verification
from core.model.signoff import Person
from core.workbench import Workbench
from pages.frame import show


def remember(version: str, name: str) -> None:
    st.session_state["release_act"] = (version, name)


def asked_for(version: str, name: str) -> bool:
    """Whether the button `name` was pressed for this version; true once per press."""
    if st.session_state.get("release_act") != (version, name):
        return False
    del st.session_state["release_act"]
    return True


def draw_verification(bench: Workbench, version: str) -> None:
    """Draw the button that reads every byte again, and what it found."""
    st.button("Verify again", type="primary", on_click=remember, args=(version, "verify"))
    kept = st.session_state.setdefault("verifications", {})
    if asked_for(version, "verify"):
        bar = st.progress(0.0, text="Reading the manifest")

        def progress(done: int, total: int, message: str) -> None:
            share = done / total if total else 0.0
            bar.progress(share, text=f"{done} of {total} objects read and hashed")

        try:
            kept[version] = (bench.releases.verify(version, progress), bench.desk.now())
        except DeskError as error:
            kept.pop(version, None)
            show.refusal(error)
        bar.empty()
    if version in kept:
        draw_faults(*kept[version])
        return
    first = bench.releases.last_verified(version)
    if first is not None:
        show.quiet(
            "Verified as a stranger when it was published, {at}, by {by}.",
            at=show.when(str(first["at"])),
            by=first["by"],
        )


def draw_faults(found: Verification, at: str) -> None:
    """Draw what a stranger found who read every byte."""
    read = f"{found.files:,} objects, {found.records:,} records, {show.size(found.bytes)}"
    if found.faults:
        st.error(show.escape(f"{len(found.faults)} faults in {read}, at {at}. Do not use it."))
        st.dataframe([{"fault": fault} for fault in found.faults], hide_index=True)
        return
    words = f"Whole: {read}, each as the manifest says. Read at {at}."
    if found.withdrawn:
        st.warning(show.escape(f"{words} The release is withdrawn."))
    else:
        st.success(show.escape(words))


def draw_smoke(bench: Workbench, person: Person, version: str, *, withdrawn: bool) -> None:
    """Draw what a trainer's first steps gave, and the button that takes them again."""
    show.prose(
        "Reads all of the release as a trainer would, in a process with an empty home that has "
        "the bucket and nothing else."
    )
    if person.holds("release_owner") and not withdrawn:
        st.button("Run the smoke test", on_click=remember, args=(version, "smoke"))
        if asked_for(version, "smoke"):
            try:
                with st.spinner("Reading, rendering and counting every row…"):
                    bench.releases.smoke(version, person)
            except DeskError as error:
                show.refusal(error)
    held = bench.releases.last_smoke(version)
    evidence = bench.releases.smoke_evidence(version)
    if held is None or evidence is None:
        st.info("The smoke test has not run on this manifest.")
        return
    if held["passed"] is True:
        st.success(
            show.escape(f"Passed at {held['at']}, run by {held['by']}: {evidence['rows']:,} rows.")
        )
    else:
        st.error(show.escape(f"Failed at {held['at']}, run by {held['by']}."))
        st.dataframe([{"fault": str(fault)} for fault in evidence["faults"]], hide_index=True)
    draw_lengths(evidence)
    show.quiet("Evidence {key}", key=held["key"])


def draw_lengths(evidence: Mapping[str, Any]) -> None:
    """Draw rows and how many would be cut at each length, by family and split."""
    families = evidence.get("families", {})
    rows = []
    for family, splits in sorted(families.items()):
        for split, cell in sorted(splits.items()):
            row: dict[str, object] = {"family": family, "split": split, "rows": cell["rows"]}
            row["longest (tokens)"] = cell["longest"]
            for length, cut in cell["truncated"].items():
                row[f"cut at {int(length):,}"] = f"{cut['rows']:,} ({cut['share']:.1%})"
            rows.append(row)
    if rows:
        st.dataframe(rows, hide_index=True, height="content")
        show.quiet(
            "Tokens are counted with {encoding} over the {chat} template.",
            encoding=evidence.get("encoding", "?"),
            chat=evidence.get("template", "?"),
        )
