"""The one component that both the reading and the practice are drawn by."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_FOLDER = Path(__file__).parent

FORM = st.components.v2.component(
    "release_desk_review_form",
    html=(_FOLDER / "form.html").read_text(encoding="utf-8"),
    css=(_FOLDER / "form.css").read_text(encoding="utf-8"),
    # The component takes one module: its parts are joined in the order of their names.
    js="\n".join(
        part.read_text(encoding="utf-8") for part in sorted((_FOLDER / "script").glob("*.js"))
    ),
)
