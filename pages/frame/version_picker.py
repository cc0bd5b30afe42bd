"""Which version this session is about; remembered over pages and written in the address."""

from __future__ import annotations

import streamlit as st

from core.model.signoff import Person
from core.workbench import Workbench
from pages.frame import show

KEY = "version"


def pick_version(bench: Workbench, person: Person, *, labelled: bool = True) -> str:
    """Draw the version picker and return the chosen version, or "" while there is none.

    Beside a page's heading it needs no label for the eye; who listens hears it all the same.
    """
    versions: list[str] = list(bench.data.versions())
    asked = str(st.session_state.get(KEY) or st.query_params.get("version", ""))
    if asked not in versions:
        asked = versions[0] if versions else ""
    if versions:
        chosen = str(
            st.selectbox(
                "Version",
                versions,
                index=versions.index(asked),
                label_visibility="visible" if labelled else "collapsed",
                width=320 if labelled else "stretch",
            )
        )
        st.session_state[KEY] = chosen
        st.query_params["version"] = chosen
        return chosen
    show.prose("No version has been picked yet.")
    return ""


def draft_form(bench: Workbench, person: Person) -> None:
    """Draw the field that picks a new version."""
    today = bench.desk.now()[:10]
    taken = set(bench.data.versions())
    names = [f"v{today}", *(f"v{today}.{number}" for number in range(1, 100))]
    proposed = next(name for name in names if name not in taken)
    with st.form("draft", border=True):
        name = st.text_input("New version", value=proposed, help="vYYYY-MM-DD, or with .N")
        if st.form_submit_button("Pick this version", type="primary"):
            if show.attempt(lambda: bench.data.draft(name, person), done=f"{name} is in draft."):
                st.session_state[KEY] = name
            st.rerun()
