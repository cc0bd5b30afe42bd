"""Every version that was released, whether it still holds, and how training reads it."""

from __future__ import annotations

import streamlit as st

from core.model.errors import DeskError
from core.model.release import ReleaseSummary
from core.model.signoff import Person
from core.workbench import Workbench
from pages.frame import guard, show
from pages.frame.links import page_link
from pages.frame.release_comparison import draw_comparison
from pages.frame.release_papers import draw_documents, draw_training
from pages.frame.release_proof import draw_smoke, draw_verification

_STATES = {
    "published": "✓ published",
    "withdrawn": "✕ withdrawn",
    "unverified": "? not verified",
    "missing": "✕ manifest missing",
}


def draw_list(releases: tuple[ReleaseSummary, ...]) -> None:
    """Draw every release as a row."""
    st.dataframe(
        [
            {
                "version": str(item.version),
                "state": _STATES.get(item.state, item.state),
                "records": item.records,
                "published": show.when(item.published_at),
                "by": item.by,
                "manifest": show.short(str(item.manifest_sha256)),
            }
            for item in releases
        ],
        hide_index=True,
    )


def draw_withdrawal(bench: Workbench, person: Person, version: str) -> None:
    """Draw the act after which no reader opens this release by accident."""
    show.prose(
        "Withdrawing says that nobody may use {version} any more, with your name and reason. "
        "Readers refuse it from then on. Nothing is deleted, and it cannot be taken back.",
        version=version,
    )
    if not person.holds("release_owner"):
        show.quiet("This is for a release owner.")
        return
    reason_key, typed_key = f"withdraw_reason:{version}", f"withdraw_name:{version}"

    def act() -> None:
        if str(st.session_state.get(typed_key, "")).strip() != version:
            words = "Type the version's name to confirm the withdrawal."
            st.session_state["_outcome"] = ("refused", words, "withdraw.not_confirmed")
            return
        reason = str(st.session_state.get(reason_key, ""))
        show.attempt(
            lambda: bench.releases.withdraw(version, reason, person),
            done=f"{version} is withdrawn.",
        )

    with st.form(f"withdraw:{version}", border=True):
        st.text_area("Reason (everybody who opens the release reads it)", key=reason_key)
        st.text_input(
            "Type the version's name to confirm",
            key=typed_key,
            placeholder=version,
            autocomplete="off",
        )
        st.form_submit_button(f"Withdraw {version}", on_click=act)


def draw_release(
    bench: Workbench, person: Person, chosen: ReleaseSummary, others: list[str]
) -> None:
    """Draw one release, part by part."""
    version = chosen.version
    prefix = f"{bench.desk.prefix}releases/{version}/"
    withdrawn = chosen.state == "withdrawn"
    if withdrawn:
        draw_reason(bench, version)
    st.code(
        f"{prefix}manifest.json\nsha256 {chosen.manifest_sha256}", language=None, wrap_lines=True
    )
    parts = ("Proof", "Smoke test", "Documents", "For training", "Compare", "Withdraw")
    proof, smoke, documents, training, compare, withdraw = st.tabs(parts)
    with proof:
        draw_verification(bench, version)
    with smoke:
        draw_smoke(bench, person, version, withdrawn=withdrawn)
    with documents:
        draw_documents(bench, version)
    with training:
        draw_training(bench, version, prefix)
    with compare:
        draw_comparison(bench, version, others)
    with withdraw:
        if withdrawn:
            show.prose("It is withdrawn.")
        else:
            draw_withdrawal(bench, person, version)


def draw_reason(bench: Workbench, version: str) -> None:
    """Draw who withdrew a release, and why."""
    for entry in bench.audit.entries():
        if entry.event["type"] == "release.withdrawn" and entry.event["version"] == version:
            st.error(
                f"**Withdrawn** on {show.escape(show.when(entry.at))} by "
                f"{show.escape(entry.actor)}. It must no longer be used."
            )
            show.exact(str(entry.event["reason"]))


bench, person = guard.require()
st.title("Releases")
show.outcome()
try:
    releases = bench.releases.list()
except DeskError as error:
    show.refusal(error)
    st.stop()
if not releases:
    st.info("Nothing has been released yet.")
    page_link("publish", "Go to publish")
    st.stop()
draw_list(releases)
names = [str(item.version) for item in releases]
asked = str(st.session_state.get("version", ""))
version = str(st.selectbox("Release", names, index=names.index(asked) if asked in names else 0))
chosen = next(item for item in releases if item.version == version)
if chosen.state == "missing":
    st.error(
        "The journal says that this version was published, and its manifest is gone. "
        "Readers find no release. See Audit for who published it and when."
    )
    st.stop()
try:
    draw_release(bench, person, chosen, [name for name in names if name != version])
except DeskError as error:
    show.refusal(error)
