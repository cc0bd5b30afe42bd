"""The lead has records read that a gate found, or that somebody names; no bound rests on them."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.model.signoff import Person
from core.workbench import Workbench
from pages.frame import show

_MOST = 50


def more_records(bench: Workbench, person: Person, digest: str) -> None:
    """Draw the choice: a claim, a finding's code, and how many."""
    show.quiet(
        "Chosen records find defects; they prove nothing about the rest, so they never enter the "
        "bound. A hard-fail flag on one stops the family all the same."
    )
    claims = {claim.id: claim for claim in bench.desk.policy.claims}
    chosen = st.selectbox(
        "For", list(claims), format_func=lambda name: claims[name].title, key="extra for"
    )
    families = claims[chosen].families
    found: dict[str, list[str]] = {}
    for _, finding in bench.candidates.findings(digest):
        if finding.record_id and finding.family in families:
            found.setdefault(finding.code, []).append(finding.record_id)
    codes = {code: list(dict.fromkeys(records)) for code, records in sorted(found.items())}
    already = len(bench.reviews.extras(digest, chosen))
    show.quiet("{count} are being read beside the sample.", count=already or "None")
    with st.form("extra", border=False):
        rule = st.selectbox(
            "Records in which a gate found",
            list(codes),
            format_func=lambda code: f"{code} ({len(codes[code])})",
            index=None,
            key="extra rule",
        )
        named = st.text_area("Or these record ids, one a line", key="extra named")
        count = st.number_input("At most", 1, _MOST, 10, key="extra count")
        if not st.form_submit_button("Have them read"):
            return
    records = named.split() or codes.get(rule or "", [])
    words = "named by the lead" if named.split() else f"finding {rule}"
    act = partial(bench.reviews.choose_extra, digest, chosen, records[: int(count)], words, person)
    if not records:
        st.error("Choose a finding, or name records.")
    elif show.attempt(act, done="They are in the readers' lists."):
        st.rerun()
    else:
        show.outcome()
