"""A claim's review as one report: the same for the page, for a file and for the release."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.review.report import WITHHELD, ReportSource, review_report
from core.review.report_page import report_markdown
from core.workbench.bias import Bias, known_gaps
from core.workbench.candidates import Candidates
from core.workbench.desk import Desk
from core.workbench.private_text import find_private
from core.workbench.reviews import Reviews


@dataclass(frozen=True, slots=True)
class ReviewReports:
    """The review reports of one desk."""

    desk: Desk
    candidates: Candidates
    reviews: Reviews

    def report(self, digest: str, claim: str) -> dict[str, Any]:
        """Return one claim's report as data.

        Raises:
            ReviewError: `review.not_frozen`, `review.no_such_claim`.
        """
        reviews, rule = self.reviews, self.desk.policy.claim(claim)
        plan = reviews.plan(digest, claim)
        found = review_report(
            ReportSource(
                title=rule.title,
                plan=plan,
                rubric=reviews.rubric(claim),
                state=reviews.state(digest, claim),
                ratings=reviews.ratings(digest, claim),
                settlements=reviews.settlements(digest, claim),
                rooms=reviews.rooms(digest, claim),
                alphas=reviews.alphas(digest, claim),
                acts=reviews.acts(digest, claim),
                edited=reviews.edited(digest, claim),
                exceptions=known_gaps(self.desk.entries(), digest, claim),
                heavy=reviews.heavy(digest, claim),
                together_from=self.desk.policy.care.together_from,
                limited_items=rule.limited_items,
                clean=self._clean,
            )
        )
        bias = Bias(self.desk, self.candidates, reviews)
        if bias.covers(claim):
            found["bias"] = bias.summary(digest, claim)
        return found

    def markdown(self, digest: str, claim: str) -> str:
        """Return the same report for people."""
        return report_markdown(self.report(digest, claim))

    def _clean(self, text: str) -> str:
        return WITHHELD if find_private(self.desk.policy, text) else text
