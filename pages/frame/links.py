"""A link to another page of the desk names its file in full: the shell lies deeper than they do."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

PAGES_FOLDER = Path(__file__).resolve().parents[1]


def page_link(page: str, label: str = "") -> None:
    """Draw a link to the page called `page`, such as "clinician_review"."""
    words = label or page.replace("_", " ").capitalize()
    # The arrow tells a link from a caption: Streamlit draws both in the colour of the text.
    st.page_link(PAGES_FOLDER / f"{page}.py", label=f"{words} →")
