"""Pictures of every state of the review pages, to be looked at by whoever changes them.

    python -m tests.browser.review_pictures FOLDER [STATE …]

Each state is taken in light and dark, 1280 and 1920 wide, over a desk of its own.
"""

from __future__ import annotations

import itertools
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from core.model.names import parse_version
from core.storage import embedded
from core.workbench import Workbench
from tests.browser.conftest import FLAGS, Server, find_chromium, settle
from tests.desk import (
    VERSION,
    Rows,
    add_ready_candidate,
    an_embedded_desk,
    clean_answers,
    person_of,
    read_everything,
    some_rows_to_read,
    spoken,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

CLINICIAN, BIAS, LEAD = "Demo Clinician One", "Demo Bias Reviewer", "Demo Review Lead"
_CLIENT = (
    "I have not slept since my mother went back to hospital. Everyone says I should be strong, "
    "and at work they joke about it. I do not know whom to tell."
)
_HELPER = (
    "That is a lot to carry alone. When you lie awake, what goes through your mind? I would like "
    "to understand it before we think about what could help."
)
_HARD = "Some nights I think about suicide, and I have been cutting myself again."


def open_page(
    page: Page, server: Server, who: str, version: str, page_id: str = "clinician_review"
) -> None:
    """Open a review page as this person."""
    page.goto(f"{server.url}/{page_id}?{urlencode({'demo_identity': who, 'version': version})}")
    page.get_by_role("heading", level=1).wait_for()
    settle(page)


def _form(page: Page) -> None:
    page.locator(".form .turn").first.wait_for(state="attached")
    page.wait_for_timeout(300)


def _empty(page: Page, server: Server, version: str) -> None:
    open_page(page, server, CLINICIAN, "v2026-11-30")
    page.get_by_text("Go to gates").wait_for()


def _first(page: Page, server: Server, version: str) -> None:
    open_page(page, server, CLINICIAN, version)
    _form(page)


def _answered(page: Page, server: Server, version: str) -> None:
    _first(page, server, version)
    for key in "345":
        page.keyboard.press(key)
    page.wait_for_timeout(600)


def _flagging(page: Page, server: Server, version: str) -> None:
    _answered(page, server, version)
    page.keyboard.press("e")
    for key in ("ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight"):
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    page.keyboard.press("f")
    page.get_by_label("In one sentence, why").fill("It sounds like a promise it cannot keep.")


def _flagged(page: Page, server: Server, version: str) -> None:
    _flagging(page, server, version)
    page.keyboard.press("Enter")
    page.wait_for_timeout(600)


def _not_now(page: Page, server: Server, version: str) -> None:
    _first(page, server, version)
    page.keyboard.press("n")
    page.wait_for_timeout(200)


def _keys(page: Page, server: Server, version: str) -> None:
    _first(page, server, version)
    page.keyboard.press("?")
    page.wait_for_timeout(200)


def _practice(page: Page, server: Server, version: str) -> None:
    _first(page, server, version)
    page.get_by_role("button", name="Warm up").click(delay=50)
    page.locator(".form .status", has_text="Practice").wait_for()
    settle(page)


def _minute(page: Page, server: Server, version: str) -> None:
    _first(page, server, version)
    page.keyboard.press("m")
    page.wait_for_timeout(200)


def _edge(page: Page, server: Server, version: str) -> None:
    open_page(page, server, CLINICIAN, version)
    page.get_by_role("radio", name="Clinician QA: edge and crisis").click(delay=50)
    page.locator(".form .card:visible").wait_for()
    settle(page)


def _turn_by_turn(page: Page, server: Server, version: str) -> None:
    _edge(page, server, version)
    page.keyboard.press(" ")
    page.wait_for_timeout(500)


def _bias(page: Page, server: Server, version: str) -> None:
    open_page(page, server, BIAS, version, page_id="bias_review")
    _form(page)
    page.keyboard.press("t")
    page.wait_for_timeout(300)


def _part(page: Page, server: Server, version: str, part: str, words: str) -> None:
    open_page(page, server, BIAS, version, page_id="bias_review")
    page.get_by_role("radio", name=part).click(delay=50)
    page.get_by_text(words).first.wait_for()
    page.wait_for_timeout(1500)
    settle(page)


def _pairs(page: Page, server: Server, version: str) -> None:
    _part(page, server, version, "Matched pairs", "Matched by words")


def _set(page: Page, server: Server, version: str) -> None:
    _part(page, server, version, "The set", "Known gaps")


def _done(page: Page, server: Server, version: str) -> None:
    open_page(page, server, "Demo Clinician Two", "v2026-11-25")
    page.get_by_text("Nothing is left for you to read").wait_for()


def _signed(page: Page, server: Server, version: str) -> None:
    open_page(page, server, CLINICIAN, "v2026-11-26")
    page.get_by_text("Download the receipt").wait_for()


def _stale(page: Page, server: Server, version: str) -> None:
    open_page(page, server, CLINICIAN, "v2026-11-27")
    page.get_by_text("no longer counts").wait_for()


def _error(page: Page, server: Server, version: str) -> None:
    _first(page, server, version)
    page.keyboard.press("3")
    page.keyboard.press("Control+Enter")
    page.wait_for_timeout(300)


# What a state leaves behind is still there in those after it.
STATES: dict[str, Callable[[Page, Server, str], None]] = {
    "empty": _empty,
    "first": _first,
    "not_now": _not_now,
    "keys": _keys,
    "practice": _practice,
    "minute": _minute,
    "folded": _edge,
    "turn_by_turn": _turn_by_turn,
    "tagging": _bias,
    "pairs": _pairs,
    "set": _set,
    "done": _done,
    "signed": _signed,
    "stale": _stale,
    "error": _error,
    "answered": _answered,
    "flagging": _flagging,
    "flagged": _flagged,
}


def rows_of(version: str) -> Rows:
    """Records that read like dialogues, each version's its own."""
    rows = some_rows_to_read(version)
    groups = ("As a Muslim woman ", "As a Jewish woman ", "As a refugee ", "")
    for family in ("priority", "professional_therapeutic"):
        rows[family, "train"] = [
            spoken(
                f"{group}{_CLIENT} ({version}, {family[:1]}{number})",
                f"{_HELPER} You can also call 988.",
                _CLIENT,
                _HELPER,
                family=family,
                line=number + 1,
            )
            for number, group in enumerate(groups)
        ]
    rows["edge_cases", "train"] = [
        spoken(
            f"{_HARD} ({version}, {number})",
            _HELPER,
            _CLIENT,
            _HELPER,
            family="edge_cases",
            line=number,
        )
        for number in range(5)
    ]
    return rows


def prepare(workspace: Path) -> Workbench:
    """A desk with a version in each state that takes reading or signing to reach."""
    bench = an_embedded_desk(workspace, rows=rows_of(VERSION))
    bench.data.draft(parse_version("v2026-11-30"), person_of(bench, "owner"))
    claim = "clinician_foundation"
    for version in ("v2026-11-25", "v2026-11-26", "v2026-11-27"):
        digest = add_ready_candidate(bench, rows_of(version), version=version).digest
        reader = "clinician-2" if version.endswith("25") else "clinician-1"
        read_everything(bench, claim, reader, version=version)
        if not version.endswith("25"):
            person = person_of(bench, "clinician-1")
            bench.signing.sign(digest, claim, "approve", person.name, person)
    digest = bench.candidates.current("v2026-11-27").digest  # type: ignore[union-attr]
    person = person_of(bench, "clinician-1")
    record = bench.reviews.ratings(digest, claim)[0].rating.record_id
    screen = bench.reviews.screen(digest, claim, record, person)
    changed = clean_answers(bench, digest, claim, record, person) | {"note": "A second thought."}
    bench.reviews.submit(
        digest, claim, record, person, {**changed, "supersedes": screen.rating_sha256}
    )
    return bench


def take(folder: Path, wanted: list[str]) -> None:
    """Take every picture of the wanted states, or of all."""
    from playwright.sync_api import sync_playwright

    folder.mkdir(parents=True, exist_ok=True)
    workspace = Path(tempfile.mkdtemp(prefix="desk-pictures-"))
    bench = prepare(workspace)
    server = Server(workspace)
    server.start()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
            looks = itertools.product((1280, 1920), ("light", "dark"))
            for number, (width, scheme) in enumerate(looks, 1):
                # What is opened once is not folded again: every look has records of its own.
                version = f"{VERSION}.{number}"
                add_ready_candidate(bench, rows_of(version), version=version)
                for name in wanted or STATES:
                    context = browser.new_context(
                        viewport={"width": width, "height": 1000}, color_scheme=scheme
                    )
                    context.set_default_timeout(40_000)
                    page = context.new_page()
                    STATES[name](page, server, version)
                    page.screenshot(path=folder / f"{name}-{scheme}-{width}.png")
                    context.close()
            browser.close()
    finally:
        server.stop()
        embedded.stop(workspace, patience=0.5)


if __name__ == "__main__":
    take(Path(sys.argv[1]), sys.argv[2:])
