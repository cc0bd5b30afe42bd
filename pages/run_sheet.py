"""Where this version stands: every line computed from evidence, and what comes next."""

from __future__ import annotations

import streamlit as st

from core.model.release import ChecklistLine
from pages.frame import guard, show
from pages.frame.links import page_link
from pages.frame.version_picker import draft_form, pick_version

_MARKS = {"done": "✓", "waived": "○", "blocked": "✕", "not_started": "·"}
_WORDS = {
    "done": "done",
    "waived": "waived",
    "blocked": "blocked",
    "not_started": "not started",
}

bench, person = guard.require()
st.title("Run sheet")
show.outcome()
version = pick_version(bench, person)
step = bench.sheet.next_step(version, person)
with st.container(border=True, key="next"):
    heading = "Done" if step.role == "anyone" else "Next"
    show.prose("## {heading}: {title}", heading=heading, title=step.title)
    show.prose("{text}", text=step.text)
    if not step.mine and step.role != "anyone":
        show.quiet("This is for the {role}.", role=step.role.replace("_", " "))
    if step.page != "run_sheet":
        page_link(step.page, f"Go to {step.page.replace('_', ' ')}")
if person.holds("release_owner") and (not version or st.toggle("Prepare another version")):
    draft_form(bench, person)


_SECTIONS = {
    "0": "Ground rules",
    "1": "Families",
    "2": "Version",
    "3": "Artefacts",
    "4": "Gates",
    "5": "People",
    "6": "Training",
}


def draw(line: ChecklistLine) -> None:
    mark, words, evidence, page = st.columns([3, 14, 3, 4], vertical_alignment="center")
    with mark:
        show.prose("**{mark}** {word}", mark=_MARKS[line.state], word=_WORDS[line.state])
    with words:
        show.prose("**{id}** {title}  \n{why}", id=line.id, title=line.title, why=line.why)
    with evidence:
        if line.evidence:
            with st.popover("Evidence", type="tertiary"):
                told = ("\n".join(f"{k}: {v}" for k, v in item.items()) for item in line.evidence)
                st.code("\n\n".join(told), language=None, wrap_lines=True)
    with page:
        if line.page != "run_sheet":
            page_link(line.page)


def draw_kept() -> None:
    """Draw where the sheet of a released version is kept, as it was when it closed."""
    kept = bench.releases.last_sheet(version) if version else None
    if kept is not None:
        show.quiet("Kept beside the release at {at}: {key}", at=kept["at"], key=kept["key"])


lines = bench.sheet.lines(version)
done = sum(line.state in ("done", "waived") for line in lines)
st.progress(done / len(lines), text=f"{done} of {len(lines)} lines done")
for digit, section in _SECTIONS.items():
    with st.container(border=True, gap="xsmall"):
        show.prose("**{section}**", section=section)
        for line in lines:
            if line.id.startswith(f"{digit}."):
                draw(line)
draw_kept()
