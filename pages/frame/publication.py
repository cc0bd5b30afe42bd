"""Where a publication stands: under way, unknown, given up, or read whole by a stranger."""

from __future__ import annotations

import streamlit as st

from core.jobs.queue import Job
from core.model.candidate import Candidate
from core.model.release import ReleaseSummary
from core.model.signoff import Person
from core.workbench import Workbench
from core.workbench.leftovers import REASONS
from pages.frame import show
from pages.frame.links import page_link

# What a job's failure is called when the bucket did not say whether a write landed.
_UNKNOWN = (
    "storage.outcome_unknown",
    "journal.crowded",
    "storage.transient",
    "storage.unreachable",
)


def draw_claim(bench: Workbench, person: Person, candidate: Candidate, *, busy: bool) -> None:
    """Draw that a version is claimed and not finished, and the way out of it."""
    claim = bench.leftovers.claim(candidate.version)
    if claim is None or busy:
        return
    same = claim.candidate == candidate.digest
    with st.container(border=True):
        show.prose(
            "**{version} is claimed** for candidate {short} by {who} at {at}, and not published. "
            + (
                "Publish again to finish it: what stands is used, nothing is written twice."
                if same
                else "Nothing else can be published as this version until it is finished or "
                "given up."
            ),
            version=candidate.version,
            short=claim.candidate[:8],
            who=claim.by,
            at=claim.at,
        )
        if person.holds("release_owner"):
            _give_up(bench, person, candidate.version)
        else:
            show.quiet("A release owner finishes it or gives it up.")


def _give_up(bench: Workbench, person: Person, version: str) -> None:
    key = f"abandon:{version}"

    def act() -> None:
        reason = str(st.session_state.get(key, ""))
        show.attempt(
            lambda: bench.leftovers.abandon(version, reason, person),
            done="Given up. What it wrote stays where it is; no reader ever sees it.",
        )

    with st.expander("Give this publication up"), st.form(f"form:{key}", border=False):
        st.radio("Why", list(REASONS), format_func=REASONS.__getitem__, index=None, key=key)
        show.quiet(
            "A publisher still at work stops before its commit. The objects it wrote belong to no "
            "release; `python -m core sweep` lists them."
        )
        st.form_submit_button("Give it up", on_click=act)


def draw_unknown(job: Job) -> None:
    """Say unknown where nobody knows whether the manifest landed: never a wrong "failed"."""
    tried = any(name == "commit" for name, _ in job.steps)
    stopped = job.state in ("cancelled", "interrupted") and tried
    if stopped or (job.state == "failed" and job.code in _UNKNOWN):
        st.warning(
            "**It is unknown whether the release was published.** The job ended before the "
            "bucket's answer was written down. Resume below: it looks first, and then finishes "
            "or leaves alone what stands."
        )


def draw_published(bench: Workbench, release: ReleaseSummary) -> None:
    """Draw what stands in the bucket, read from there and not from the job."""
    version = release.version
    held = bench.releases.manifest_or_none(version)
    smoke = bench.releases.last_smoke(version)
    secrets = bench.releases.last_secret_scan(version)
    with st.container(border=True):
        if release.state == "published":
            st.success(f"**{show.escape(version)} is published** and was verified as a stranger.")
        elif release.state == "withdrawn":
            st.error(f"**{show.escape(version)} is withdrawn.** It must no longer be used.")
        else:
            st.warning(
                f"**{show.escape(version)} is {show.escape(release.state)}.** Resume publishing "
                "or verify it on Releases before anybody reads it."
            )
        if held is not None:
            at = show.when(release.published_at)
            show.prose("Manifest, written {at}, by {by}", at=at, by=release.by)
            prefix = f"{bench.desk.prefix}releases/{version}/manifest.json"
            st.code(f"{prefix}\nsha256 {held[1]}", language=None, wrap_lines=True)
        show.prose(
            "{mark} Smoke test: {words}",
            mark="✓" if smoke and smoke["passed"] is True else "✕",
            words="has not run" if smoke is None else "passed" if smoke["passed"] else "failed",
        )
        show.prose(
            "{mark} Secrets found in the release's own files: {words}",
            mark="✓" if secrets and secrets["passed"] else "✕",
            words="not searched yet" if secrets is None else secrets["found"],
        )
        draw_lock(bench, version)
        page_link("releases", "Go to releases")


def draw_lock(bench: Workbench, version: str) -> None:
    """Draw whether the release is kept from removal; nothing where nobody asked for it."""
    lock = bench.releases.last_lock(version)
    if lock is None:
        return
    if not lock.code:
        show.prose(
            "✓ Object lock: {count} objects cannot be removed before {until}",
            count=lock.objects,
            until=lock.until,
        )
    elif lock.failed:
        show.prose(
            "✕ Object lock: only {locked} of {count} objects are locked. The release stands; "
            "resume or publish again to lock the rest :gray[{code}]",
            locked=lock.locked,
            count=lock.objects,
            code=lock.code,
        )
    else:
        show.prose(
            "✕ Object lock: the policy asks for it until {until}, and this bucket has none "
            ":gray[{code}]",
            until=lock.until,
            code=lock.code,
        )
