"""What stands between this candidate and a release, the decision, and the button."""

from __future__ import annotations

import streamlit as st

from core.model.candidate import Candidate
from core.model.errors import DeskError
from core.model.release import Blocker
from core.model.signoff import Person
from core.release.publish import DryRun
from core.workbench import Workbench
from pages.frame import guard, show
from pages.frame.job_panel import job_panel
from pages.frame.links import page_link
from pages.frame.publication import draw_claim, draw_published, draw_unknown
from pages.frame.sign_sheet import sign_sheet
from pages.frame.version_picker import pick_version
from pages.frame.waiver_sheet import waiver_sheets


def draw_candidate(candidate: Candidate) -> None:
    """Draw what would be published: the digest, and how much of what."""
    st.header("The candidate")
    st.code(candidate.digest, language=None, wrap_lines=True)
    facts = st.columns(4)
    facts[0].metric("Records", f"{candidate.records:,}")
    facts[1].metric("Rows read", f"{candidate.rows:,}")
    facts[2].metric("Shards", f"{len(candidate.shards):,}")
    facts[3].metric("Bytes", show.size(sum(shard.size for shard in candidate.shards)))
    splits = sorted({split for counts in candidate.families.values() for split in counts})
    with st.expander("Families and exclusions"):
        st.dataframe(
            [
                {"family": name, **{split: counts.get(split, 0) for split in splits}}
                for name, counts in sorted(candidate.families.items())
            ],
            hide_index=True,
        )
        for item in candidate.exclusions:
            show.prose("**{scope}** is left out: {reason}", scope=item.scope, reason=item.reason)
        if not candidate.exclusions:
            show.quiet("Nothing is left out by name.")


def draw_blockers(blockers: tuple[Blocker, ...]) -> None:
    """Draw each reason with the page that clears it."""
    st.header("What stands in the way")
    if not blockers:
        st.success("Nothing stands in the way.")
        return
    for blocker in blockers:
        words, page = st.columns([5, 1], vertical_alignment="center")
        with words:
            show.prose("✕ {detail} :gray[{code}]", detail=blocker.detail, code=blocker.code)
        with page:
            if blocker.page == "publish":
                show.quiet("on this page")
            else:
                page_link(blocker.page)


def draw_decision(bench: Workbench, person: Person, digest: str) -> None:
    """Draw the decisions that rest on no sample: the release owner's."""
    for wanted in bench.signing.requirements(digest):
        if not wanted.claim:
            sign_sheet(bench, person, digest, wanted.id)


def draw_keys(bench: Workbench) -> None:
    """Say whose seals are believed for no better reason than lying in the bucket."""
    keys = bench.signing.unlisted_keys()
    if not keys:
        return
    with st.container(border=True):
        show.prose(
            "Signing keys are believed because they are registered in the bucket ({count}). "
            "Whoever may write to it could register one and sign as anybody. If you know all of "
            "these, start the desk with the line below; any other key then blocks.",
            count=len(keys),
        )
        for key in keys:
            show.quiet(
                "{id} · registered by {by}, {at}", id=key.id, by=key.by, at=show.when(key.at)
            )
        st.code("DESK_TRUSTED_KEYS=" + ",".join(key.id for key in keys), language=None)


def ask_dry_run(digest: str) -> None:
    st.session_state["dry_run_asked"] = digest


def draw_dry_run(bench: Workbench, person: Person, digest: str) -> None:
    """Draw the default act: everything that publishing would write, written nowhere."""
    st.header("Dry run")
    show.prose("Shows every object that publishing would write. It writes nothing.")
    held = st.session_state.get("dry_run")
    if not isinstance(held, tuple) or held[0] != digest:
        held = None
    asked = st.session_state.pop("dry_run_asked", None) == digest
    st.button(
        "Dry run",
        type="primary" if held is None and not asked else "secondary",
        on_click=ask_dry_run,
        args=(digest,),
    )
    if asked:
        try:
            with st.spinner("Reading every shard back…"):
                held = (digest, bench.releases.dry_run(digest, person), bench.desk.now())
        except DeskError as error:
            show.refusal(error)
            return
        st.session_state["dry_run"] = held
    if held is not None:
        draw_objects(bench, held[1], held[2])


def draw_objects(bench: Workbench, found: DryRun, at: str) -> None:
    """Draw the objects of a dry run, their sum, and what would block."""
    releases = f"{bench.desk.prefix}releases/"
    total = sum(file.size for file in found.objects)
    show.prose(
        "**{count} objects, {size}**, and the manifest last: it is what makes them a release. "
        "All of it under {releases}. Looked at {at}; {blockers}.",
        releases=releases,
        count=len(found.objects),
        size=show.size(total),
        at=at,
        blockers=(
            "nothing would block" if not found.blockers else f"{len(found.blockers)} things block"
        ),
    )
    st.dataframe(
        [
            {
                "kind": file.kind,
                "object": file.key.removeprefix(releases),
                "size": show.size(file.size),
                "records": f"{file.records:,}" if file.kind == "shard" else "",
            }
            for file in found.objects
        ],
        hide_index=True,
        column_config={"object": st.column_config.TextColumn(width=620)},
    )


def draw_publish(bench: Workbench, person: Person, candidate: Candidate) -> None:
    """Draw the button, off until nothing blocks this person and the name is typed."""
    st.header("Publish")
    blockers = bench.releases.blockers(candidate.digest, person)
    job = bench.jobs.latest("publish")
    busy = job is not None and job.active
    if blockers:
        show.prose(
            "Off while something stands in the way ({count} above or about you).",
            count=len(blockers),
        )
        for blocker in blockers:
            if blocker.code.startswith("four_eyes."):
                show.prose("✕ {detail}", detail=blocker.detail)
    typed = st.text_input(
        "Type the version's name to confirm",
        key=f"confirm:{candidate.digest}",
        placeholder=candidate.version,
        autocomplete="off",
        disabled=bool(blockers) or busy,
    )
    st.button(
        f"Publish {candidate.version}",
        type="primary",
        disabled=bool(blockers) or busy or typed.strip() != candidate.version,
        on_click=show.doing(
            lambda: bench.jobs.start("publish", {"candidate": candidate.digest}, person)
        ),
    )


def draw_page(bench: Workbench, person: Person, candidate: Candidate) -> None:
    """Draw the page for one candidate, in the order of the road."""
    released = [item for item in bench.releases.list() if item.version == candidate.version]
    job = bench.jobs.latest("publish")
    if job is not None and (job.active or job.params.get("candidate") == candidate.digest):
        draw_unknown(job)
        job_panel(bench, person, "publish")
    standing = released[0] if released else None
    if standing is not None:
        draw_published(bench, standing)
        if standing.candidate != candidate.digest:
            st.warning(
                "The release holds an earlier candidate of this version. A name is never "
                "reused: pick another version for the newer one."
            )
    if standing is None:
        draw_claim(bench, person, candidate, busy=job is not None and job.active)
    draw_candidate(candidate)
    if standing is None:
        draw_blockers(bench.releases.blockers(candidate.digest))
        waiver_sheets(bench, person, candidate.digest)
    draw_decision(bench, person, candidate.digest)
    if standing is not None:
        return
    draw_keys(bench)
    if not person.holds("release_owner"):
        show.quiet("A release owner dry-runs and publishes.")
        return
    draw_dry_run(bench, person, candidate.digest)
    draw_publish(bench, person, candidate)


bench, person = guard.require()
st.title("Publish")
show.outcome()
version = pick_version(bench, person)
candidate = bench.candidates.current(version) if version else None
if candidate is None:
    st.info("There is nothing to publish yet: no candidate has been built for this version.")
    step = bench.sheet.next_step(version, person)
    page_link(step.page, step.title)
    st.stop()
try:
    draw_page(bench, person, candidate)
except DeskError as error:
    show.refusal(error)
