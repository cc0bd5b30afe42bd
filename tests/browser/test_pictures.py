"""What a picture says leads to the records it says it of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from core.gates.comparison import Comparison
from core.gates.corpus import open_corpus
from core.gates.distribution import DistributionGate
from core.gates.duplicates import DuplicatesGate
from core.gates.leakage import LeakageGate
from core.gates.run import run_gates
from core.model.candidate import Candidate
from core.workbench import Workbench
from pages.frame import serving
from tests.browser.conftest import Server, settle
from tests.builders import a_text
from tests.desk import (
    VERSION,
    Rows,
    add_candidate,
    an_embedded_desk,
    file_report,
    some_rows_to_read,
    spoken,
)

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Locator, Page

PAGES = sorted(path.stem for path in Path(serving.__file__).parents[1].glob("[a-z]*.py"))
READER = "Demo Review Lead"
ONE, OTHER = "lighthouse", "watchtower"
# The middle of a grid's first row, in its column of ticks.
TICK = {"x": 18, "y": 35 + 17}
# Points on the line of a picture, unseen, a few along each bar.
MARKS = ".js-plotly-plot .scatterlayer .points path"


def rows_with_near_copies() -> Rows:
    """Dialogues of one to nine exchanges, of which two differ in one word."""
    rows = [
        spoken(*(a_text(f"{n} {turn}") for turn in range(2 + 2 * (n % 9))), line=n + 1)
        for n in range(27)
    ]
    text = a_text("near", sentences=40)
    near = [spoken(f"{text} {word} {text[:300]}", "I see.", line=40) for word in (ONE, OTHER)]
    return {**some_rows_to_read("pictures"), ("priority", "train"): [*rows, *near]}


def judge(bench: Workbench, candidate: Candidate) -> None:
    policy = bench.desk.policy
    shared = Comparison(policy.near_duplicates)
    gates = (
        DuplicatesGate(policy, shared),
        LeakageGate(policy, shared),
        DistributionGate(policy, candidate),
    )
    corpus = open_corpus(bench.desk.store, candidate)
    for report in run_gates(gates, corpus, clock=bench.desk.clock):
        assert not report.reason
        file_report(bench, candidate, report)


def a_judged_desk(workspace: Path) -> Workbench:
    bench = an_embedded_desk(workspace, passed=False, frozen=False)
    judge(bench, add_candidate(bench, rows_with_near_copies()))
    return bench


@pytest.fixture(scope="module")
def desk(
    serve: Callable[[Callable[[Path], Any]], tuple[Server, Any]],
) -> tuple[Server, Workbench]:
    return serve(a_judged_desk)


def opened(server: Server, context: BrowserContext, name: str) -> Page:
    page = context.new_page()
    wanted = {"demo_identity": READER, "version": VERSION}
    place = "" if name == "run_sheet" else name
    page.goto(f"{server.url}/{place}?{urlencode(wanted)}")
    page.get_by_role("heading", level=1).wait_for(timeout=60_000)
    settle(page)
    return page


def click_bar(page: Page, family: str, measure: str, split: str, low: float) -> None:
    """Click near the right end of the bar that begins at `low`."""
    page.locator(MARKS).first.wait_for(state="attached", timeout=60_000)
    places = page.locator(MARKS).evaluate_all(
        """(marks, about) => marks.flatMap(({__data__: mark}, at) =>
            JSON.stringify(mark.data) === JSON.stringify(about) ? [at] : [])""",
        [family, measure, split, low],
    )
    assert len(places) > 1
    mark = page.locator(MARKS).nth(places[-1])
    mark.scroll_into_view_if_needed()
    settle(page)
    box = mark.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.locator(".js-plotly-plot .hoverlayer .hovertext").first.wait_for()
    page.mouse.click(x, y)


def tick_first_row(page: Page, grid: Locator) -> None:
    grid.scroll_into_view_if_needed()
    settle(page)
    grid.locator(".dvn-scroller").click(position=TICK)


def measures_of(bench: Workbench, gate: str) -> Mapping[str, Any]:
    candidate = bench.candidates.current(VERSION)
    assert candidate is not None
    return bench.candidates.reports(candidate.digest)[gate].report.measures


def levels(page: Page) -> list[int]:
    """The levels of all headings that are drawn, in the order of the page."""
    found = page.evaluate(
        """() => {
            const within = root => [...root.querySelectorAll("*")].flatMap(one => [
                ...(/^H[1-6]$/.test(one.tagName) && one.checkVisibility() ? [one] : []),
                ...(one.shadowRoot ? within(one.shadowRoot) : [])]);
            return within(document).map(one => Number(one.tagName[1]));
        }"""
    )
    return [int(level) for level in found]


def test_no_page_skips_a_level_of_its_headings(
    desk: tuple[Server, Workbench], context: BrowserContext
) -> None:
    server, _ = desk
    found = {}
    for name in PAGES:
        page = opened(server, context, name)
        page.wait_for_timeout(300)
        settle(page)
        found[name] = levels(page)
        page.close()
    assert [name for name, held in found.items() if held.count(1) != 1 or held[0] != 1] == []
    skipped = {
        name: held
        for name, held in found.items()
        if any(lower > upper + 1 for upper, lower in pairwise(held))
    }
    assert skipped == {}
    # Most pages have parts, so that this is about more than titles.
    assert sum(2 in held for held in found.values()) > len(found) / 2


def test_a_click_on_a_bar_shows_the_records_in_it(
    desk: tuple[Server, Workbench], context: BrowserContext
) -> None:
    server, bench = desk
    measures = measures_of(bench, "distribution")
    counts = measures["families"]["priority"]["train"]["turns"]["histogram"]
    count = counts[measures["edges"]["turns"].index(2) + 1]
    assert count > 1
    page = opened(server, context, "distribution")
    click_bar(page, "priority", "turns", "train", 2)
    page.get_by_text(f"{count} records of Priority, train: turns 2 to under 3.").wait_for()
    tick_first_row(page, page.locator("[data-testid=stDataFrame]").first)
    record = page.locator("[data-testid=stExpander]", has_text="The record")
    record.wait_for()
    settle(page)
    assert record.locator("[data-testid=stText]").count() == 2


def test_a_pair_is_read_side_by_side_with_what_differs_marked(
    desk: tuple[Server, Workbench], context: BrowserContext
) -> None:
    server, bench = desk
    assert measures_of(bench, "duplicates")["clusters_by_size"] == {"2": 1}
    page = opened(server, context, "duplicates")
    page.get_by_role("heading", name="Pairs that the gates named").wait_for()
    grid = page.locator("[data-testid=stDataFrame]").last
    tick_first_row(page, grid)
    page.get_by_text("The two records", exact=True).wait_for()
    for word, other in ((ONE, OTHER), (OTHER, ONE)):
        side = page.get_by_text(f"⟦{word}⟧")
        side.wait_for()
        assert f"⟦{other}⟧" not in side.inner_text()
