"""One sheet to sign: what, how many, which bound, with which exceptions and dissents, and who.

The desk refuses what may not be signed; a disabled button only saves the trip.
"""

from __future__ import annotations

import streamlit as st

from core.model.signoff import Decision, Person
from core.review.identity import is_fresh
from core.workbench import Workbench
from core.workbench.sheet_words import page_of_role
from core.workbench.signing import Requirement, SigningSheet
from pages.frame import login, show

_MEANING = (
    "Signing means: I have read what this sheet says, it is my own judgement, and it holds for "
    "the candidate {short} alone. If one byte of the data changes, it no longer applies."
)


def sign_sheet(bench: Workbench, person: Person, digest: str, requirement_id: str) -> None:
    """Draw one sign-off of this candidate: given, waiting for somebody else, or to be given."""
    wanted = next(
        (item for item in bench.signing.requirements(digest) if item.id == requirement_id), None
    )
    if wanted is None:
        st.error("The policy asks for no such sign-off.")
        return
    sheet = bench.signing.sheet(digest, requirement_id, person)
    with st.container(border=True):
        show.prose("## {title}", title=sheet.title)
        if wanted.signoff is not None:
            _given(bench, person, digest, wanted)
            return
        _contents(sheet)
        if not person.holds(sheet.role):
            show.quiet("Waits for a {role}.", role=sheet.role.replace("_", " "))
            return
        _sign(bench, person, digest, sheet, claimed=bool(wanted.claim))


def _contents(sheet: SigningSheet) -> None:
    show.prose("{sentence}", sentence=sheet.sentence)
    show.prose(
        "Candidate **{short}**. Known exceptions: {exceptions}. Dissents: {dissents}.",
        short=sheet.candidate[:8],
        exceptions=len(sheet.exceptions) or "none",
        dissents=len(sheet.dissents) or "none",
    )
    for title, lines in (("Exceptions", sheet.exceptions), ("Dissents", sheet.dissents)):
        if lines:
            with st.expander(title, expanded=True):
                for line in lines:
                    show.exact(line)


def _sign(
    bench: Workbench, person: Person, digest: str, sheet: SigningSheet, *, claimed: bool
) -> None:
    for problem in sheet.problems:
        show.prose("✕ {problem}", problem=problem)
    if _login_is_old(bench, person):
        ask_for_login(bench, person, digest, page_of_role(sheet.role) if claimed else "publish")
        return
    show.quiet(_MEANING, short=sheet.candidate[:8])
    name_key = f"name:{digest[:12]}:{sheet.requirement}:{person.id}"
    with st.form(f"sign:{sheet.requirement}", border=False, clear_on_submit=False):
        st.text_input(
            f"Type your name as the desk knows it: {show.escape(person.name)}",
            key=name_key,
            autocomplete="off",
        )
        sure = st.checkbox("I mean to refuse (needed for “Refuse” only)", key=f"sure:{name_key}")
        with st.container(horizontal=True):
            st.form_submit_button(
                "Approve",
                type="primary",
                disabled=bool(sheet.problems),
                on_click=_give,
                args=(bench, person, digest, sheet, "approve", name_key),
                key=f"approve:{name_key}",
            )
            st.form_submit_button(
                "Refuse",
                on_click=_give,
                args=(bench, person, digest, sheet, "refuse", name_key),
                key=f"refuse:{name_key}",
            )
    del sure


def _give(
    bench: Workbench,
    person: Person,
    digest: str,
    sheet: SigningSheet,
    decision: Decision,
    name_key: str,
) -> None:
    if decision == "refuse" and not st.session_state.get(f"sure:{name_key}"):
        st.session_state["_outcome"] = (
            "refused",
            "Tick “I mean to refuse” first: a refusal stops this candidate.",
            "signoff.not_sure",
        )
        return
    typed = str(st.session_state.get(name_key, ""))
    done = "Signed." if decision == "approve" else "Your refusal is signed."
    show.attempt(
        lambda: bench.signing.sign(digest, sheet.requirement, decision, typed, person), done=done
    )


def ask_for_login(
    bench: Workbench, person: Person, digest: str, page: str, *, key: str = ""
) -> None:
    """Draw the way to prove who one is, just before a signature."""
    st.info("A signature needs a fresh proof of who you are, at most 15 minutes old.")
    if not person.auth_time:
        show.quiet(
            "Your identity provider does not say when you last proved it (the claim auth_time), "
            "so nothing can be signed until it does. See the README, section “Login”."
        )
    st.button(
        "Prove who you are, and come back",
        key=f"again:{page}:{digest[:12]}:{key}",
        on_click=login.prove_again,
        args=(person, page, bench.candidates.get(digest).version),
    )


_CHANGED = {
    "basis": "the form of what is signed",
    "sample": "the sample",
    "rubric": "the rubric",
    "ratings": "ratings",
    "settlements": "what was settled",
    "acts": "known-bad answers, extra records, norming or proposed edits",
}


def _login_is_old(bench: Workbench, person: Person) -> bool:
    return person.auth == "oidc" and not is_fresh(person, bench.desk.clock)


def _given(bench: Workbench, person: Person, digest: str, wanted: Requirement) -> None:
    signoff = wanted.signoff
    assert signoff is not None
    approved = signoff.decision == "approve"
    words = "✓ **Approved**" if approved else "✕ **Refused**"
    show.prose(
        words + " by {who}, {at}.", who=_who(bench, signoff.reviewer), at=show.when(signoff.at)
    )
    if any(old.sha256 == signoff.sha256 for old in bench.signing.stale(digest)):
        changed = bench.signing.changed_since(digest, signoff)
        st.warning(
            f"Changed since: {', '.join(_CHANGED[name] for name in changed)}. This sign-off no "
            "longer counts; revoke it and sign again."
        )
    stated = signoff.statement.get("statement")
    if isinstance(stated, str):
        show.exact(stated)
    show.quiet("Candidate {short} · sign-off {sha}", short=digest[:8], sha=signoff.sha256[:12])
    st.download_button(
        "Download the receipt",
        data=bench.signing.receipt(signoff),
        file_name=f"{wanted.id}-{signoff.sha256[:12]}.json",
        mime="application/json",
        key=f"receipt:{signoff.sha256}",
        on_click="ignore",
    )
    if signoff.reviewer == person.id or person.holds("release_owner"):
        _revoke(bench, person, digest, signoff.sha256)


def _who(bench: Workbench, identity: str) -> str:
    """Return a demo person's name with their id; on a real bucket the id stands alone."""
    names: dict[str, str] = {one.id: one.name for one in bench.demo_people()}
    return f"{names[identity]} ({identity})" if identity in names else identity


def _revoke(bench: Workbench, person: Person, digest: str, sha256: str) -> None:
    reason_key = f"revoke:{sha256}"

    def act() -> None:
        reason = str(st.session_state.get(reason_key, ""))
        show.attempt(
            lambda: bench.signing.revoke(digest, sha256, reason, person), done="It is revoked."
        )

    with st.expander("Revoke this sign-off"), st.form(f"form:{reason_key}", border=False):
        st.text_input("Why (this is kept)", key=reason_key)
        st.form_submit_button("Revoke", on_click=act)
