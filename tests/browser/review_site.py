"""A served desk to read at; every test takes a version of its own, and asks page and store."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from core.model.candidate import Candidate
from core.workbench import Workbench
from core.workbench.reviews import ReviewScreen
from tests.browser.conftest import Server, settle
from tests.desk import Rows, add_ready_candidate, person_of, some_rows_to_read

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

FOUNDATION = "clinician_foundation"
CHECKED = ".form [role=radio][aria-checked=true]"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Site:
    """One served desk; every test reads a version of its own."""

    server: Server
    bench: Workbench

    def version(self, rows: Rows | None = None) -> Version:
        name = f"v2026-11-21.{next(_numbers)}"
        return Version(
            self,
            name,
            add_ready_candidate(self.bench, rows or some_rows_to_read(name), version=name),
        )


@dataclass(frozen=True)
class Version:
    site: Site
    name: str
    candidate: Candidate

    def records(self, claim: str = FOUNDATION) -> list[str]:
        reviews, person = self.site.bench.reviews, person_of(self.site.bench, "clinician-1")
        return [
            item.record_id for item in reviews.queue(self.candidate.digest, claim, person).items
        ]

    def screen(self, number: int = 0, claim: str = FOUNDATION) -> ReviewScreen:
        """What the desk holds of a record for the first clinician."""
        reviews, person = self.site.bench.reviews, person_of(self.site.bench, "clinician-1")
        return reviews.screen(self.candidate.digest, claim, self.records(claim)[number], person)

    def open(
        self,
        context: BrowserContext,
        page_id: str = "clinician_review",
        *,
        who: str = "Demo Clinician One",
    ) -> Page:
        """The page, as the first clinician unless said otherwise."""
        page = context.new_page()
        wanted = {"demo_identity": who, "version": self.name}
        page.goto(f"{self.site.server.url}/{page_id}?{urlencode(wanted)}")
        # A desk that has just been started reads its shards and loads its charts first.
        page.locator(".form .turn").first.wait_for(state="attached", timeout=60_000)
        settle(page)
        return page


def wait_for(check: Callable[[], bool], *, seconds: float = 15.0, page: Page | None = None) -> None:
    """Wait until `check` holds; the browser's own loop must turn meanwhile."""
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, "it never came true"
        if page is not None:
            page.wait_for_timeout(40)
        else:
            time.sleep(0.04)


def at_record(page: Page, number: int) -> None:
    """Wait until the record of this number is open."""
    page.wait_for_function(
        "number => [...document.querySelectorAll('*')].map(one => one.shadowRoot)"
        ".map(root => root?.querySelector('.form.open .list')?.selectedIndex).includes(number - 1)",
        arg=number,
    )


def scores(page: Page) -> list[str]:
    return page.eval_on_selector_all(
        ".form .items [role=radio][aria-checked=true]", "all => all.map(one => one.dataset.value)"
    )


def says(page: Page, words: str) -> None:
    page.locator(".form .status", has_text=words).wait_for()


def draft_of(screen: ReviewScreen) -> dict[str, Any]:
    assert screen.draft is not None
    return dict(screen.draft)


def press(page: Page, keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)
