"""Every state of the review pages is clean under axe, and a rest that is due is kept and ends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from core.review.exposure import Look
from core.workbench import Workbench
from tests.browser.conftest import Server, settle
from tests.browser.review_pictures import STATES, open_page, prepare
from tests.desk import VERSION, person_of

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

Served = tuple[Server, Workbench]


@pytest.fixture(scope="module")
def served(serve: Callable[[Callable[[Path], Any]], tuple[Server, Any]]) -> Served:
    return serve(prepare)


def wrong(page: Page) -> list[tuple[str, str, str]]:
    """What axe finds on the page: which rule, where, and why."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    settle(page)
    return [
        (found["id"], str(node["target"]), node["failureSummary"])
        for found in axe.run(page).response["violations"]
        for node in found["nodes"]
    ]


@pytest.mark.parametrize(
    "state", ["empty", "practice", "tagging", "pairs", "set", "done", "signed", "stale"]
)
def test_axe_finds_nothing_wrong(served: Served, context: BrowserContext, state: str) -> None:
    server, _ = served
    page = context.new_page()
    STATES[state](page, server, VERSION)
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.wait_for_timeout(300)
        found += [(scheme, *one) for one in wrong(page)]
    assert found == []


def test_a_rest_that_is_due_is_kept_and_the_record_opens_by_itself(
    served: Served, context: BrowserContext
) -> None:
    server, bench = served
    care, reader = bench.care, person_of(bench, "clinician-2")
    page = context.new_page()
    page.clock.install()
    open_page(page, server, reader.name, VERSION)
    # After the light record that the page has opened: those before it are no longer in a row.
    now = bench.desk.clock.now()
    for number in range(care.rule.heavy_a_day):
        look = Look(
            candidate="c" * 64,
            record_id=str(number),
            intensity=3,
            seconds=60,
            opened_at=(now + timedelta(milliseconds=number)).isoformat(),
        )
        care._exposures().opened(reader.id, look)
    page.get_by_role("radio", name="Clinician QA: edge and crisis").click(delay=50)
    card = page.locator(".form .card:visible")
    card.get_by_text("A rest is due first").wait_for()
    settle(page)
    assert "This is a good place to stop for today" in card.inner_text()
    assert not page.locator(".form .reveal:visible").count()
    page.keyboard.press(" ")
    page.keyboard.press("a")
    assert not page.locator(".form .turn:visible").count()
    # The text is not even in the page: the desk sends it only when the rest is over.
    assert page.locator(".form").count() == 1
    assert not page.locator(".form .turn .text").count()
    # The rest has passed for the desk; the browser's clock is put on to where it asks again.
    earlier = (now - timedelta(minutes=2 * care.rule.rest_minutes)).isoformat()
    with care._exposures()._tables.writing() as connection:
        connection.execute(
            "UPDATE looks SET opened_at = ? WHERE reviewer = ?", (earlier, reader.id)
        )
    page.clock.fast_forward(1000 * 60 * (care.rule.rest_minutes + 1))
    card.get_by_text("What comes next").wait_for()
    page.keyboard.press(" ")
    page.locator(".form .turn:visible").first.wait_for()
    assert page.locator(".form .turn:visible").count() == 1
