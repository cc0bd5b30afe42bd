"""What a gate found may be accepted by two people in two roles, here and nowhere else."""

from __future__ import annotations

import streamlit as st

from core.model.signoff import Person
from core.review.identity import is_fresh
from core.review.waiver_objects import MAY_WAIVE, Proposal
from core.review.waivers import LONGEST
from core.workbench import Workbench
from core.workbench.waivers import BlockingCode
from pages.frame import show
from pages.frame.sign_sheet import ask_for_login


def waiver_sheets(bench: Workbench, person: Person, digest: str) -> None:
    """Draw every blocking code of this candidate: waived, proposed, waivable or not."""
    found = bench.waivers.blocking(digest)
    if not found:
        return
    st.header("What gates found, and waivers")
    show.quiet(
        "A waiver accepts one kind of finding for this candidate alone. It takes two people in "
        "two roles, says why, and expires. Identifiers, missing provenance, held-out data and "
        "open flags can never be waived."
    )
    for item in found:
        with st.container(border=True):
            show.prose(
                "**{code}** · {count} found by the {gate} gate",
                code=item.code,
                count=f"{item.count:,}",
                gate=item.gate,
            )
            _draw(bench, person, digest, item)


def _draw(bench: Workbench, person: Person, digest: str, item: BlockingCode) -> None:
    if item.waiver is not None:
        who = " and ".join(f"{name} ({_role(role)})" for name, role in item.waiver.signers)
        show.prose(
            "○ Waived by {who} until {until}: {reason}",
            who=who,
            until=item.waiver.expires_at,
            reason=item.waiver.reason,
        )
        if person.id in {name for name, _ in item.waiver.signers} or person.holds(
            "review_lead", "release_owner"
        ):
            _revoke(bench, person, digest, item.waiver.sha256)
    elif not item.waivable:
        show.prose("✕ Nobody may waive this. Decide about the findings and build again.")
    elif bench.waivers.built_by(digest, person):
        show.quiet("You built this candidate, so other people decide about waivers.")
    elif not person.holds(*MAY_WAIVE):
        show.quiet("A release owner, review lead or reviewer may propose a waiver.")
    elif person.auth == "oidc" and not is_fresh(person, bench.desk.clock):
        ask_for_login(bench, person, digest, "publish", key=f"{item.gate}:{item.code}")
    elif item.proposal is not None:
        _agree(bench, person, digest, item.proposal)
    else:
        _propose(bench, person, digest, item)


def _propose(bench: Workbench, person: Person, digest: str, item: BlockingCode) -> None:
    key = f"waive:{digest[:12]}:{item.code}"

    def act() -> None:
        held = st.session_state
        show.attempt(
            lambda: bench.waivers.propose(
                digest,
                item.gate,
                item.code,
                str(held.get(f"{key}:reason", "")),
                int(held.get(f"{key}:days", 0)),
                str(held.get(f"{key}:name", "")),
                person,
            ),
            done="Proposed. It waives nothing until a second person in another role agrees.",
        )

    with st.expander("Propose a waiver"), st.form(key, border=False):
        st.text_input("Why these may ship (this is kept, and ships)", key=f"{key}:reason")
        st.number_input(
            "For how many days", min_value=1, max_value=LONGEST.days, value=7, key=f"{key}:days"
        )
        _name_field(person, f"{key}:name")
        st.form_submit_button("Sign the proposal", on_click=act)


def _agree(bench: Workbench, person: Person, digest: str, proposal: Proposal) -> None:
    show.prose(
        "Proposed by {who} ({role}) until {until}: {reason}",
        who=proposal.by,
        role=_role(proposal.role),
        until=proposal.expires_at,
        reason=proposal.reason,
    )
    if person.id == proposal.by:
        show.quiet("Waits for a second person in another role.")
        return
    key = f"agree:{proposal.sha256}"

    def act() -> None:
        show.attempt(
            lambda: bench.waivers.agree(
                digest, proposal.sha256, str(st.session_state.get(f"{key}:name", "")), person
            ),
            done="The waiver is in force.",
        )

    with st.form(key, border=False):
        _name_field(person, f"{key}:name")
        st.form_submit_button("Agree and sign", on_click=act)


def _revoke(bench: Workbench, person: Person, digest: str, sha256: str) -> None:
    key = f"unwaive:{sha256}"

    def act() -> None:
        reason = str(st.session_state.get(f"{key}:reason", ""))
        show.attempt(
            lambda: bench.waivers.revoke(digest, sha256, reason, person), done="It is revoked."
        )

    with st.expander("Revoke this waiver"), st.form(key, border=False):
        st.text_input("Why (this is kept)", key=f"{key}:reason")
        st.form_submit_button("Revoke", on_click=act)


def _name_field(person: Person, key: str) -> None:
    st.text_input(
        f"Type your name as the desk knows it: {show.escape(person.name)}",
        key=key,
        autocomplete="off",
    )


def _role(name: str) -> str:
    return name.replace("_", " ")
