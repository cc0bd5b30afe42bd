"""Clinicians read the sample of each claim, record by record, and sign what they found."""

from __future__ import annotations

from pages.frame import guard
from pages.frame.review_screen import review_page

bench, person = guard.require()
review_page(bench, person, "clinician", title="Clinician review")
