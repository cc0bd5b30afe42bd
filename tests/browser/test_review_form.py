"""What a clinician types arrives, exactly once, on the item it was meant for, whatever breaks."""

from __future__ import annotations

import http.server
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import Server, settle
from tests.browser.review_site import (
    CHECKED,
    Site,
    at_record,
    draft_of,
    press,
    says,
    scores,
    wait_for,
)
from tests.desk import an_embedded_desk, some_rows_to_read, spoken

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext


@pytest.fixture(scope="module")
def site(serve: Callable[[Callable[[Path], Any]], tuple[Server, Any]]) -> Site:
    server, bench = serve(an_embedded_desk)
    return Site(server, bench)


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


def test_every_record_keyed_in_one_go_is_one_rating(site: Site, context: BrowserContext) -> None:
    version = site.version()
    page = version.open(context)
    count = len(version.records())
    for number in range(count):
        at_record(page, number + 1)
        press(page, "44444444" + "1")
        page.keyboard.press("Control+Enter")
    page.get_by_text("Nothing is left for you to read").wait_for()
    given = [version.screen(number).rating for number in range(count)]
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


def test_every_change_is_kept_at_once_and_the_page_says_when(
    site: Site, context: BrowserContext
) -> None:
    version = site.version()
    page = version.open(context)
    for number in range(3):
        page.keyboard.press("4")
        says(page, "Saved ")
        wait_for(
            lambda item=f"C{number + 1}": item in draft_of(version.screen())["scores"], page=page
        )


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
    page.keyboard.press("f")
    page.get_by_label("In one sentence, why").fill("It also promi")
    page.locator(".form textarea").focus()
    page.keyboard.type("the helper never asks whe")
    says(page, "Saved ")
    wait_for(lambda: draft_of(version.screen())["note"].endswith("asks whe"), page=page)
    page.reload()
    says(page, "restored")
    assert scores(page) == ["3", "4"]
    assert page.locator(CHECKED).last.text_content() == "3  Reject"
    assert page.locator(".form textarea").input_value() == "the helper never asks whe"
    assert "It names a means." in (page.locator(".form .raised").text_content() or "")
    assert page.get_by_label("In one sentence, why").input_value() == "It also promi"


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
        f'<style>@import "{to}/css";</style><a href="{to}/a">a</a>'
        f'<link rel="stylesheet" href="{to}/l"><p style="background:url({to}/u)">'
        "\t\u202e\u200b &amp; end"
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
        assert page.locator(".form .turns :is(img, script, style, link, a, h1)").count() == 0
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
