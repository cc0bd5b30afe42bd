"""What a clinician types arrives, exactly once, on the item it was meant for, whatever breaks."""

from __future__ import annotations

import http.server
import itertools
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from core.model.candidate import Candidate
from core.workbench import Workbench
from core.workbench.reviews import ReviewScreen
from tests.browser.conftest import Server, settle
from tests.desk import (
    Rows,
    add_ready_candidate,
    an_embedded_desk,
    person_of,
    some_rows_to_read,
    spoken,
)

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

    def open(self, context: BrowserContext, page_id: str = "clinician_review") -> Page:
        """The page, as the first clinician."""
        page = context.new_page()
        wanted = {"demo_identity": "Demo Clinician One", "version": self.name}
        page.goto(f"{self.site.server.url}/{page_id}?{urlencode(wanted)}")
        page.locator(".form .turn").first.wait_for(state="attached")
        settle(page)
        return page


@pytest.fixture(scope="module")
def site(serve: Callable[[Callable[[Path], Any]], tuple[Server, Any]]) -> Site:
    server, bench = serve(an_embedded_desk)
    return Site(server, bench)


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
    """Wait until this record of three is open."""
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


def test_ten_keys_without_a_pause_land_where_they_were_meant(
    site: Site, context: BrowserContext
) -> None:
    version = site.version()
    page = version.open(context)
    press(page, "34512043")
    page.keyboard.press("2")
    page.keyboard.press("Control+Enter")
    wait_for(lambda: version.screen(0).rating is not None, page=page)
    rating = version.screen(0).rating
    assert rating is not None
    assert [rating.scores[f"C{n}"] for n in range(1, 9)] == [*"34512", "na", *"43"]
    assert rating.verdict == "accept_with_edit"
    assert rating.shown_sha256 == version.screen(0).sha256


def test_three_records_keyed_in_one_go_are_three_ratings(
    site: Site, context: BrowserContext
) -> None:
    version = site.version()
    page = version.open(context)
    for number in range(3):
        at_record(page, number + 1)
        press(page, "44444444" + "1")
        page.keyboard.press("Control+Enter")
    page.get_by_text("Nothing is left for you to read").wait_for()
    given = [version.screen(number).rating for number in range(3)]
    assert all(rating is not None and set(rating.scores.values()) == {"4"} for rating in given)


def test_keys_pressed_while_the_next_record_is_on_its_way_change_nothing(
    site: Site, context: BrowserContext
) -> None:
    version = site.version()
    page = version.open(context)
    press(page, "444444441")
    page.keyboard.press("Control+Enter")
    press(page, "2")
    at_record(page, 2)
    settle(page)
    rating = version.screen(0).rating
    assert rating is not None
    assert set(rating.scores.values()) == {"4"}
    assert rating.verdict == "accept"


_TIMED = """() => {
  const status = [...document.querySelectorAll('*')].map(one => one.shadowRoot)
    .map(root => root?.querySelector('.form .status')).find(Boolean);
  window.took = [];
  let started = 0;
  document.addEventListener('keydown', () => { started = performance.now(); }, true);
  new MutationObserver(() => {
    if (started && status.textContent.startsWith('Saved ')) {
      window.took.push(performance.now() - started);
      started = 0;
    }
  }).observe(status, { childList: true });
}"""


def test_a_change_is_kept_within_600_ms_and_the_page_says_when(
    site: Site, context: BrowserContext
) -> None:
    version = site.version()
    page = version.open(context)
    page.keyboard.press("5")
    says(page, "Saved ")
    page.evaluate(_TIMED)
    for number in range(5):
        page.keyboard.press("4")
        page.wait_for_function("number => window.took.length > number", arg=number)
        assert draft_of(version.screen())["scores"][f"C{number + 2}"] == "4"
    # The median: the machine that runs the tests has other work too.
    assert sorted(page.evaluate("window.took"))[2] < 600


def test_a_reload_restores_scores_verdict_flag_and_a_sentence_half_typed(
    site: Site, context: BrowserContext
) -> None:
    version = site.version()
    page = version.open(context)
    press(page, "34")
    page.keyboard.press("f")
    page.get_by_label("In one sentence, why").fill("It names a means.")
    page.keyboard.press("Enter")
    page.locator(".form .verdict [role=radio]").nth(2).click()
    page.keyboard.press("w")
    page.keyboard.type("the helper never asks whe")
    says(page, "Saved ")
    wait_for(lambda: draft_of(version.screen())["note"].endswith("asks whe"), page=page)
    page.reload()
    says(page, "restored")
    assert scores(page) == ["3", "4"]
    assert page.locator(CHECKED).last.text_content() == "3  Reject"
    assert page.locator(".form textarea").input_value() == "the helper never asks whe"
    assert "It names a means." in (page.locator(".form .raised").text_content() or "")


def test_a_killed_server_loses_nothing_and_what_was_typed_meanwhile_arrives(
    site: Site, context: BrowserContext
) -> None:
    version = site.version()
    page = version.open(context)
    press(page, "34")
    page.locator(".form textarea").fill("Acknowledged before the cut.")
    says(page, "Saved ")
    site.server.kill()
    try:
        assert draft_of(version.screen())["note"] == "Acknowledged before the cut."
        page.locator(".form textarea").press_sequentially(" And after.")
        page.wait_for_timeout(700)
    finally:
        site.server.start()
    wait_for(
        lambda: draft_of(version.screen())["note"] == "Acknowledged before the cut. And after.",
        page=page,
        seconds=40,
    )
    page.reload()
    says(page, "restored")
    assert scores(page) == ["3", "4"]
    assert page.locator(".form textarea").input_value().endswith("And after.")


def test_a_second_tab_is_refused_in_sight_and_a_reload_shows_what_stands(
    site: Site, context: BrowserContext
) -> None:
    version = site.version()
    first, second = version.open(context), version.open(context)
    first.bring_to_front()
    press(first, "55")
    says(first, "Saved ")
    second.bring_to_front()
    press(second, "1")
    says(second, "another tab")
    assert "fault" in (second.locator(".form .status").get_attribute("class") or "")
    assert draft_of(version.screen())["scores"] == {"C1": "5", "C2": "5"}
    second.reload()
    says(second, "restored")
    assert scores(second) == ["5", "5"]


def test_a_tab_left_behind_cannot_replace_what_was_submitted(
    site: Site, context: BrowserContext
) -> None:
    version = site.version()
    first, second = version.open(context), version.open(context)
    first.bring_to_front()
    press(first, "444444441")
    first.keyboard.press("Control+Enter")
    at_record(first, 2)
    second.bring_to_front()
    press(second, "111111113")
    second.keyboard.press("Control+Enter")
    says(second, "another tab")
    rating = version.screen(0).rating
    assert rating is not None
    assert rating.verdict == "accept"
    assert version.screen(0).draft is None


def test_an_answer_given_can_be_changed_and_names_what_it_replaces(
    site: Site, context: BrowserContext
) -> None:
    version = site.version()
    page = version.open(context)
    press(page, "444444441")
    page.keyboard.press("Control+Enter")
    at_record(page, 2)
    before = version.screen(0).rating_sha256
    page.get_by_role("button", name="← Previous").click()
    at_record(page, 1)
    says(page, "You have rated this record")
    page.get_by_role("button", name="Change my answer").click(delay=50)
    press(page, "1")
    page.locator(".form .verdict [role=radio]").nth(2).click()
    page.keyboard.press("Control+Enter")
    wait_for(lambda: version.screen(0).rating_sha256 != before, page=page)
    rating = version.screen(0).rating
    assert rating is not None
    assert (rating.verdict, rating.scores["C1"], rating.supersedes) == ("reject", "1", before)


class _Beacon(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.heard.append(self.path)  # type: ignore[attr-defined]
        self.send_response(204)
        self.end_headers()

    def log_message(self, *words: object) -> None:
        """Say nothing."""


@pytest.fixture
def beacon() -> Iterator[http.server.ThreadingHTTPServer]:
    """A listener that notes every request it hears."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Beacon)
    server.heard = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_markup_in_a_record_is_text_byte_for_byte_and_fetches_nothing(
    site: Site, context: BrowserContext, beacon: http.server.ThreadingHTTPServer
) -> None:
    to = f"http://127.0.0.1:{beacon.server_port}"
    hostile = (
        f"# Heading\n\n*sigh* :red[alert] :smile: $x^2$  two  spaces\n![x]({to}/md.png)\n"
        f'<img src="{to}/img.png" onerror="fetch(\'{to}/js\')"><script>fetch("{to}/s")</script>\n'
        f'<style>@import "{to}/css";</style><a href="{to}/a">a</a>\t\u202e\u200b &amp; end'
    )
    rows = some_rows_to_read("hostile")
    rows["priority", "train"] = [
        spoken(f"{n} {hostile}", f"{n} answer {hostile}", line=n) for n in range(3)
    ]
    rows["professional_therapeutic", "train"] = [
        spoken(f"{n} {hostile}", f"{n} reply {hostile}", line=n, family="professional_therapeutic")
        for n in range(3)
    ]
    version = site.version(rows)
    page = version.open(context)
    for number in range(3):
        at_record(page, number + 1)
        shown = page.eval_on_selector_all(".form .text", "all => all.map(one => one.textContent)")
        assert shown == [message.content for message in version.screen(number).messages]
        assert page.locator(".form .turns :is(img, script, style, a, h1)").count() == 0
        if number < 2:
            page.get_by_role("button", name="Next →").click()
    page.wait_for_timeout(500)
    assert beacon.heard == []  # type: ignore[attr-defined]


def test_a_whole_record_is_rated_flagged_and_noted_by_keyboard_alone(
    site: Site, context: BrowserContext
) -> None:
    version = site.version()
    page = version.open(context)
    press(page, "4444")
    page.keyboard.press("ArrowUp")
    press(page, "2-444")
    page.keyboard.press("f")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Tab")
    page.keyboard.type("It answers with a rrecipe.")
    page.keyboard.press("Enter")
    page.keyboard.press("w")
    page.keyboard.type("123 f ? keys are words in here")
    page.keyboard.press("Escape")
    press(page, "1")
    page.keyboard.press("Control+Enter")
    says(page, "cannot be accepted")
    press(page, "3")
    page.keyboard.press("Control+Enter")
    at_record(page, 2)
    rating = version.screen(0).rating
    assert rating is not None
    assert [rating.scores[f"C{n}"] for n in range(1, 9)] == [*"4442", "cannot_judge", *"444"]
    assert [(flag.id, flag.turn, flag.note) for flag in rating.flags] == [
        ("F2", len(version.screen(0).messages) - 2, "It answers with a rrecipe.")
    ]
    assert rating.note == "123 f ? keys are words in here"
    page.get_by_text("Paused.").wait_for()
    focus = "() => document.activeElement?.shadowRoot?.activeElement?.className"
    assert page.evaluate(focus) == "left"
    press(page, "5")
    wait_for(lambda: version.screen(1).draft is not None, page=page)
    assert draft_of(version.screen(1))["scores"] == {"C1": "5"}


def test_an_unfinished_record_is_not_submitted_and_says_what_is_missing(
    site: Site, context: BrowserContext
) -> None:
    version = site.version()
    page = version.open(context)
    press(page, "444")
    page.keyboard.press("Control+Enter")
    says(page, "C4 Understanding and empathy has no answer yet.")
    press(page, "55555")
    page.keyboard.press("Control+Enter")
    says(page, "Choose a verdict.")
    assert version.screen(0).rating is None


def test_edge_records_start_folded_and_take_no_rating_unseen(
    site: Site, context: BrowserContext
) -> None:
    version = site.version()
    page = version.open(context)
    page.get_by_role("radio", name="Clinician QA: edge and crisis").click(delay=50)
    page.locator(".form .card:visible", has_text="Hard content ahead").wait_for()
    settle(page)
    assert not page.locator(".form .turns").is_visible()
    page.get_by_role("heading", level=1).click()
    press(page, "5")
    assert scores(page) == []
    page.keyboard.press(" ")
    page.locator(".form .turns").wait_for()
    press(page, "0")
    says(page, "C1 has to be judged here")
    press(page, "5")
    page.keyboard.press("h")
    assert not page.locator(".form .turns").is_visible()
    assert scores(page) == ["5"]


def test_a_form_taken_off_the_page_and_put_back_goes_on_where_it_was(
    site: Site, context: BrowserContext
) -> None:
    version = site.version()
    page = version.open(context)
    press(page, "34")
    page.locator(".form textarea").fill("half a sen")
    for name in ("Clinician QA: edge and crisis", "Clinician QA: foundation"):
        page.get_by_role("radio", name=name).click(delay=50)
        settle(page)
    page.locator(".form .turns:visible").wait_for()
    page.locator(".form .status", has_text=re.compile("Saved|restored")).wait_for()
    assert scores(page) == ["3", "4"]
    assert page.locator(".form textarea").input_value() == "half a sen"
    page.locator(".form textarea").press_sequentially("tence")
    wait_for(lambda: draft_of(version.screen())["note"] == "half a sentence", page=page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_wrong_with_the_form(
    site: Site, context: BrowserContext, scheme: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    version = site.version()
    context.new_page().close()
    page = version.open(context)
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.reload()
    page.locator(".form .turn").first.wait_for()
    press(page, "345f")
    page.get_by_label("In one sentence, why").fill("Something.")
    found = axe.Axe().run(page).response["violations"]
    mine = [
        (violation["id"], node["target"], node["html"][:120])
        for violation in found
        for node in violation["nodes"]
        if any(isinstance(part, list) for part in node["target"])
    ]
    assert mine == []


@pytest.mark.parametrize("width", [1280, 1920])
def test_nothing_is_cut_off_at_common_widths(
    site: Site, context: BrowserContext, width: int
) -> None:
    version = site.version()
    page = version.open(context)
    page.set_viewport_size({"width": width, "height": 1000})
    page.wait_for_timeout(300)
    wide = "one => one.scrollWidth - one.clientWidth"
    assert page.eval_on_selector(".form", wide) <= 0
    assert page.eval_on_selector(".form .right", wide) <= 0
    left, right = (page.locator(f".form .{side}").bounding_box() for side in ("left", "right"))
    assert left is not None
    assert right is not None
    assert left["x"] + left["width"] <= right["x"]
