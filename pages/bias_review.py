"""Bias reviewers read the sample for fairness and cultural competency, and sign what they found."""

from __future__ import annotations

from pages.frame import guard
from pages.frame.review_screen import review_page

bench, person = guard.require()
review_page(bench, person, "bias_reviewer", title="Bias review")
