"""What a reader may rely on: undo, not now, evidence to the letter, and care for themself."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from core.policy.load import packaged_source
from core.workbench import Workbench
from tests.browser.conftest import Server, settle
from tests.browser.review_site import (
    Site,
    at_record,
    draft_of,
    press,
    says,
    scores,
    wait_for,
)
from tests.desk import an_embedded_desk, person_of, some_rows_to_read, spoken

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

EDGE = "clinician_edge"
BIAS = "bias_foundation"
SAID = "You 😀 said: it is a heavy, heavy day."
MOVES = 20
# A selection inside the form's shadow tree is told only to who asks for it.
SELECTED = """words => [...document.querySelectorAll("*")].map(one => one.shadowRoot)
    .some(root => root && String(root.getSelection?.() ?? document.getSelection()) === words)"""
FOCUS = "() => document.activeElement?.shadowRoot?.activeElement?.className"


def a_long_policy(workspace: Path) -> Workbench:
    """The demo policy, asking for twenty readings and more in the foundation family."""
    source = packaged_source("demo").decode()
    before, mark, claim = source.partition('id = "clinician_foundation"')
    assert mark
    longer = claim.replace("limit = 0.35", "limit = 0.05", 1).replace("first = 4", "first = 32", 1)
    assert longer.count("first = 32") == 1
    (workspace / "policy.toml").write_text(before + mark + longer)
    return an_embedded_desk(workspace, policy=workspace / "policy.toml")


@pytest.fixture(scope="module")
def site(serve: Callable[[Callable[[Path], Any]], tuple[Server, Any]]) -> Site:
    server, bench = serve(a_long_policy)
    return Site(server, bench)


_calls = count(1)


def spoken_rows(number: int = 3) -> Any:
    """Records of this call alone: a reader comes back to a text they were at in another version."""
    call = next(_calls)
    rows = some_rows_to_read(f"screen {call}")
    for family in ("priority", "professional_therapeutic"):
        rows[family, "train"] = [
            spoken(f"{call}.{n} {family}, a long day.", SAID, family=family, line=n + 1)
            for n in range(number)
        ]
    return rows


def open_edge(page: Page) -> None:
    page.get_by_role("radio", name="Clinician QA: edge and crisis").click(delay=50)
    page.locator(".form .card:visible", has_text="What comes next").wait_for()
    settle(page)


def test_twenty_moves_without_a_pause_end_at_the_twentieth_record(
    site: Site, context: BrowserContext
) -> None:
    version = site.version(spoken_rows(MOVES + 12))
    assert len(version.records()) >= MOVES
    page = version.open(context)
    press(page, "j" * (MOVES - 1))
    at_record(page, MOVES)
    settle(page)
    press(page, "5")
    wait_for(lambda: version.screen(MOVES - 1).draft is not None, page=page)
    press(page, "k" * (MOVES - 1))
    at_record(page, 1)
    settle(page)
    press(page, "2")
    wait_for(lambda: version.screen(0).draft is not None, page=page)
    drafts = [version.screen(number).draft for number in range(MOVES)]
    assert [number for number, draft in enumerate(drafts) if draft] == [0, MOVES - 1]
    assert draft_of(version.screen(0))["scores"] == {"C1": "2"}
    assert draft_of(version.screen(MOVES - 1))["scores"] == {"C1": "5"}


def test_u_takes_back_the_last_step_and_then_the_last_submission(
    site: Site, context: BrowserContext
) -> None:
    version = site.version()
    page = version.open(context)
    press(page, "345u")
    says(page, "Taken back")
    assert scores(page) == ["3", "4"]
    press(page, "5444441")
    page.keyboard.press("Control+Enter")
    at_record(page, 2)
    settle(page)
    before = version.screen(0).rating_sha256
    press(page, "u")
    at_record(page, 1)
    page.locator(".form .submit:visible:enabled").wait_for()
    assert scores(page) == [*"34544444"][: len(scores(page))]
    press(page, "3")
    page.keyboard.press("Control+Enter")
    wait_for(lambda: version.screen(0).rating_sha256 != before, page=page)
    rating = version.screen(0).rating
    assert rating is not None
    assert (rating.verdict, rating.supersedes) == ("reject", before)


def test_not_now_gives_the_record_to_somebody_else_and_counts_nowhere(
    site: Site, context: BrowserContext
) -> None:
    version = site.version()
    page = version.open(context)
    record = version.records()[0]
    press(page, "n")
    page.get_by_role("button", name="Too close to home").wait_for()
    page.keyboard.press("Escape")
    press(page, "n2")
    at_record(page, 2)
    reviews, digest = site.bench.reviews, version.candidate.digest
    states = {
        who: {
            item.record_id: item.state
            for item in reviews.queue(
                digest, "clinician_foundation", person_of(site.bench, who)
            ).items
        }
        for who in ("clinician-1", "clinician-2")
    }
    assert states["clinician-1"][record] == "later"
    assert states["clinician-2"][record] == "open"
    assert reviews.ratings(digest, "clinician_foundation") == ()


def test_words_marked_by_keyboard_are_stored_to_the_code_point_and_shown_as_a_mark(
    site: Site, context: BrowserContext
) -> None:
    version = site.version(spoken_rows())
    page = version.open(context)
    page.keyboard.press("e")
    for key in ("ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight"):
        page.keyboard.press(key)
    says(page, "word 2 to 4 of")
    page.keyboard.press("Enter")
    page.keyboard.press("f")
    page.get_by_label("In one sentence, why").fill("Why.")
    page.keyboard.press("Enter")
    wait_for(lambda: bool((version.screen().draft or {}).get("flags")), page=page)
    (flag,) = draft_of(version.screen())["flags"]
    assert SAID[flag["start"] : flag["end"]] == "😀 said: it"
    assert flag["turn"] == 1
    assert page.locator(".form mark.flag").text_content() == "😀 said: it"
    texts = page.eval_on_selector_all(".form .text", "all => all.map(one => one.textContent)")
    assert texts == [turn.content for turn in version.screen().messages]


def test_words_selected_with_the_mouse_become_the_evidence_of_a_flag(
    site: Site, context: BrowserContext
) -> None:
    version = site.version(spoken_rows())
    page = version.open(context)
    box = page.eval_on_selector_all(
        ".form .text",
        """all => { const range = document.createRange(); const text = all[1].firstChild;
        const at = text.data.indexOf("heavy"); range.setStart(text, at);
        range.setEnd(text, at + 12); const box = range.getBoundingClientRect();
        return [box.left, box.right, box.top + box.height / 2]; }""",
    )
    page.mouse.move(box[0] + 1, box[2])
    page.mouse.down()
    page.mouse.move(box[1] - 1, box[2], steps=4)
    # The page may still be busy; the words are marked once the browser says so.
    page.wait_for_function(SELECTED, arg="heavy, heavy")
    page.mouse.up()
    page.locator(".form .choice .words", has_text="heavy, heavy").wait_for()
    page.get_by_role("group", name="Selected words").get_by_role("button", name="flag").click()
    page.get_by_text("Evidence: “heavy, heavy”").wait_for()
    page.get_by_label("In one sentence, why").fill("Twice.")
    page.keyboard.press("Enter")
    page.locator(".form .raised", has_text="Twice.").wait_for()
    press(page, "444444443")
    assert scores(page) == ["4"] * 8
    page.keyboard.press("Control+Enter")
    at_record(page, 2)
    wait_for(lambda: version.screen(0).rating is not None, page=page)
    rating = version.screen(0).rating
    assert rating is not None
    (flag,) = rating.flags
    assert (flag.start, flag.end) == (SAID.index("heavy"), SAID.index("heavy") + 12)


def test_edge_records_are_announced_open_turn_by_turn_and_take_no_rating_unseen(
    site: Site, context: BrowserContext
) -> None:
    version = site.version()
    page = version.open(context)
    open_edge(page)
    card = page.locator(".form .card").text_content() or ""
    assert "Intensity 2 of 3" in card
    assert "Support:" in card
    assert not page.locator(".form .turn:visible").count()
    press(page, "5")
    assert scores(page) == []
    # The keyboard is in the form already: no click comes first.
    page.keyboard.press(" ")
    page.locator(".form .turn:visible").wait_for()
    assert page.locator(".form .turn:visible").count() == 1
    press(page, "0")
    says(page, "C1 has to be judged here")
    press(page, "544444441")
    page.keyboard.press("Control+Enter")
    says(page, "still folded")
    press(page, "a")
    assert page.locator(".form .turn:visible").count() == len(version.screen(0, EDGE).messages)
    press(page, "h")
    assert not page.locator(".form .turn:visible").count()
    me = person_of(site.bench, "clinician-1")
    wait_for(
        lambda: site.bench.care.has_opened(version.candidate.digest, version.records(EDGE)[0], me),
        page=page,
    )


def test_a_minute_hides_everything_and_the_support_contact_is_in_sight(
    site: Site, context: BrowserContext
) -> None:
    version = site.version()
    page = version.open(context)
    press(page, "34m")
    page.get_by_role("heading", name="Take the time you need").wait_for()
    assert not page.locator(".form .turn:visible").count()
    assert not page.locator(".form .items:visible").count()
    assert site.bench.care.rule.support in (page.locator(".pause .support").text_content() or "")
    press(page, "5")
    page.keyboard.press(" ")
    page.locator(".form .items").wait_for()
    assert scores(page) == ["3", "4"]
    assert not page.locator(".form .turn:visible").count()
    page.keyboard.press(" ")
    page.locator(".form .turn:visible").first.wait_for()


def test_a_turn_is_tagged_by_keyboard_and_the_tag_is_stored_with_the_rating(
    site: Site, context: BrowserContext
) -> None:
    version = site.version(spoken_rows())
    page = version.open(context, "bias_review", who="Demo Bias Reviewer")
    assert page.get_by_role("heading", level=1).text_content() == "Bias review"
    press(page, "t")
    page.get_by_label("Dimension").select_option("religion_or_spirituality")
    page.get_by_label("Which harm").select_option("blame")
    page.get_by_role("button", name="Add the tag").click()
    press(page, "4444444")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    press(page, "1")
    page.keyboard.press("Control+Enter")
    reviews = site.bench.reviews
    wait_for(lambda: bool(reviews.ratings(version.candidate.digest, BIAS)), page=page)
    (stored,) = reviews.ratings(version.candidate.digest, BIAS)
    (tag,) = stored.rating.bias_tags
    assert (tag.dimension, tag.about_whom, tag.harm) == (
        "religion_or_spirituality",
        "client",
        "blame",
    )


def test_practice_is_done_by_keyboard_with_the_keys_of_the_reading(
    site: Site, context: BrowserContext
) -> None:
    version = site.version(spoken_rows())
    page = version.open(context)
    page.get_by_role("button", name="Warm up (3)").click(delay=50)
    says(page, "Practice")
    press(page, "44444444")
    page.keyboard.press("f")
    page.get_by_label("In one sentence, why").fill("It names a means.")
    page.keyboard.press("Enter")
    press(page, "3")
    page.keyboard.press("Control+Enter")
    page.get_by_text("Their reason").wait_for()
    page.get_by_text("Your flags: F1").wait_for()
    settle(page)
    press(page, "j")
    says(page, "Practice")
    assert scores(page) == []
    page.get_by_role("button", name="To the records").click(delay=50)
    says(page, "saved at once")
    assert version.screen().draft is None
    reviews, me = site.bench.reviews, person_of(site.bench, "clinician-1")
    assert len(reviews.warm_ups("clinician_foundation", me)) == 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_wrong_in_any_state_of_the_form(
    site: Site, context: BrowserContext, scheme: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    version = site.version(spoken_rows())
    page = version.open(context)
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.reload()
    page.locator(".form .turn").first.wait_for()
    settle(page)

    def wrong(state: str) -> list[Any]:
        settle(page)
        return [
            (
                state,
                found["id"],
                node["target"][-1][-1],
                node["any"][0]["message"] if node["any"] else "",
            )
            for found in axe.run(page).response["violations"]
            for node in found["nodes"]
            if any(isinstance(part, list) for part in node["target"])
        ]

    found = []
    press(page, "345e")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Enter")
    press(page, "f")
    page.get_by_label("In one sentence, why").fill("Something.")
    found += wrong("flagging")
    page.keyboard.press("Enter")
    press(page, "?")
    found += wrong("flagged, with the keys")
    press(page, "n")
    found += wrong("not now")
    page.keyboard.press("Escape")
    press(page, "m")
    found += wrong("a minute")
    page.keyboard.press(" ")
    open_edge(page)
    found += wrong("folded")
    assert found == []


def test_at_200_per_cent_nothing_is_cut_off_and_the_text_keeps_to_70_characters(
    site: Site, context: BrowserContext
) -> None:
    long = "A line of words that goes on and on. " * 20
    rows = some_rows_to_read("zoom")
    rows["priority", "train"] = [spoken(f"{n} {long}", long, line=n + 1) for n in range(3)]
    page = site.version(rows).open(context)
    wide = "one => one.scrollWidth - one.clientWidth"
    for width in (640, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(300)
        assert page.eval_on_selector(".form", wide) <= 0
    share = """one => { const probe = document.createElement("span");
    probe.textContent = "0".repeat(70); one.append(probe);
    // Seventy of them fill the line to the hair: the probe must not be broken into two.
    Object.assign(probe.style, { position: "absolute", whiteSpace: "nowrap" });
    const wide = probe.getBoundingClientRect().width; probe.remove();
    return one.getBoundingClientRect().width / wide; }"""
    assert page.eval_on_selector(".form .text", share) <= 1.001
