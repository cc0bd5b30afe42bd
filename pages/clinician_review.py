"""Clinicians read the sample of each claim, record by record, and sign what they found."""

from __future__ import annotations

import streamlit as st

from pages.frame import guard
from pages.frame.review_screen import review_page

bench, person = guard.require()
st.title("Clinician review")
review_page(bench, person, "clinician")
