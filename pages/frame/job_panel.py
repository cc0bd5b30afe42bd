"""A running job shows how far it is, wherever it was started, and survives the page."""

from __future__ import annotations

import streamlit as st

from core.jobs.queue import Job
from core.model.signoff import Person
from core.workbench import Workbench
from pages.frame import show

_WORDS = {
    "queued": "is starting",
    "running": "is running",
    "done": "is done",
    "failed": "failed",
    "cancelled": "was cancelled",
    "interrupted": "was interrupted",
}
_TITLES = {
    "inventory": "Listing the bucket",
    "build": "Building the candidate",
    "gates": "Running the gates",
    "publish": "Publishing",
}
_STEPS = {
    "load": "read the candidate again",
    "replay": "check the journal",
    "ask": "ask what is missing",
    "name": "check the name",
    "intent": "say what is coming",
    "write": "write, and read back",
    "build": "make the manifest",
    "look_again": "look once more",
    "commit": "commit",
    "committed": "note the commit",
    "lock": "lock, where asked",
    "verify": "verify as a stranger",
    "latest": "move the pointer",
    "smoke": "smoke test",
    "secrets": "search for secrets",
}
# Rounded to failure these would be untrue: the write may have landed.
_UNKNOWN = ("storage.outcome_unknown", "storage.transient", "storage.unreachable")
POLL_SECONDS = 2


def job_panel(bench: Workbench, person: Person, *kinds: str) -> Job | None:
    """Draw the newest job of `kinds`; poll only while it is active. Returns the job."""
    job = bench.jobs.latest(*kinds)
    if job is None:
        return None
    if not job.active:
        _draw(bench, person, job)
        return job

    @st.fragment(run_every=POLL_SECONDS)
    def watch() -> None:
        current = bench.jobs.latest(*kinds)
        if current is None:
            return
        _draw(bench, person, current)
        if not current.active:
            # The rest of the page was drawn while the job ran.
            st.rerun()

    watch()
    return job


def start_button(
    bench: Workbench,
    person: Person,
    label: str,
    kind: str,
    params: dict[str, str],
    *,
    disabled: bool = False,
    primary: bool = True,
) -> None:
    """Draw the button that starts a job of `kind`, off while one is active."""
    job = bench.jobs.latest(kind)
    st.button(
        label,
        key=f"start:{kind}",
        type="primary" if primary else "secondary",
        disabled=disabled or (job is not None and job.active),
        on_click=show.doing(lambda: bench.jobs.start(kind, params, person)),
    )


def _draw(bench: Workbench, person: Person, job: Job) -> None:
    words = _WORDS.get(job.state, job.state)
    if job.state == "failed" and job.code in _UNKNOWN:
        words = "ended without an answer from the bucket"
    title = f"{_TITLES.get(job.kind, job.kind)} {words}"
    with st.container(border=True):
        show.prose("**{title}**", title=title)
        if job.active:
            counted = job.total and f"{job.total:,}" not in job.message
            text = f"{job.message} · {job.done:,} of {job.total:,}" if counted else job.message
            words = show.escape(text) or "starting"
            if job.total:
                st.progress(min(max(job.done / job.total, 0.0), 1.0), text=words)
            else:
                # How much there is to list nobody knows: an empty bar would look stuck.
                st.markdown(words)
            st.button(
                "Cancel",
                key=f"cancel:{job.id}",
                on_click=show.doing(lambda: bench.jobs.cancel(job.id, person)),
            )
        if job.state == "failed":
            st.error(show.escape(job.sentence))
            show.quiet("{code} · {place}", code=job.code, place=job.place or "no place")
        if job.state in ("failed", "cancelled", "interrupted"):
            st.button(
                "Resume",
                key=f"resume:{job.id}",
                on_click=show.doing(lambda: bench.jobs.resume(job.id, person)),
            )
        if job.steps:
            names = [_STEPS[name] for name, _ in job.steps if name in _STEPS]
            show.quiet("Steps: {names}", names=" → ".join(names))
        if job.finished:
            show.quiet("Ended {at}", at=show.when(job.finished))
