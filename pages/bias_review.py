"""Bias reviewers read the sample for fairness and cultural competency, and sign what they found."""

from __future__ import annotations

import streamlit as st

from pages.frame import guard
from pages.frame.review_screen import review_page

bench, person = guard.require()
st.title("Bias and cultural review")
with st.expander("What to have in mind, and how to write it down"):
    st.markdown(
        "Name three things in the note when something strikes you: the **dimension** (age, "
        "disability, gender identity or expression, nationality or immigration, appearance, race "
        "or ethnicity, religion, income and class, sexual orientation, language or accent, "
        "mental-health condition, or several at once), **about whom** (client, helper, somebody "
        "else), and the **harm** (stereotype, unequal quality, erasure, exoticising, "
        "denigration, blame, language people cannot follow, help they cannot reach).\n\n"
        "Do not infer anybody's identity from a name. Where the text does not say, the answer is "
        "that it does not say. Equal quality of care (B2) needs a matched pair and may be left "
        "out."
    )
review_page(bench, person, "bias_reviewer")
