"""Pictures of adjudication in every state, to be looked at by whoever changes it.

python -m tests.browser.adjudication_pictures FOLDER
"""

from __future__ import annotations

import itertools
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from core.storage import embedded
from core.workbench import Workbench
from tests.browser.conftest import FLAGS, Server, find_chromium, settle
from tests.browser.review_pictures import LEAD, open_page, rows_of
from tests.desk import (
    VERSION,
    add_ready_candidate,
    an_embedded_desk,
    clean_answers,
    person_of,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

FOUNDATION, EDGE = "clinician_foundation", "clinician_edge"
_WORDS = "That is a lot to carry alone. Would you tell me what the nights are like?"
_HEADING = "To decide"


def answer(
    bench: Workbench, digest: str, claim: str, number: int, by: str, **changes: object
) -> str:
    """Answer a planned record and return its id."""
    person = person_of(bench, by)
    record = bench.reviews.plans(digest)[claim].records[number]
    answers = clean_answers(bench, digest, claim, record, person)
    bench.reviews.submit(digest, claim, record, person, {**answers, **changes})
    return record


def prepare(bench: Workbench, version: str, *, settled: bool) -> None:
    """A version on which three records wait; or on which they were decided."""
    digest = add_ready_candidate(bench, rows_of(version), version=version).digest
    flag = {"id": "F5", "turn": 1, "note": "It tells her what the diagnosis is."}
    one = answer(bench, digest, FOUNDATION, 0, "clinician-1", flags=[flag], verdict="reject",
                 note="I would not want a model to learn this turn.")  # fmt: skip
    answer(bench, digest, FOUNDATION, 0, "clinician-2")
    two = answer(bench, digest, FOUNDATION, 1, "clinician-1", verdict="accept_with_edit")
    hard = {"id": "F3", "turn": 3, "note": "She says it plainly and nobody asks."}
    three = answer(bench, digest, EDGE, 0, "clinician-1", flags=[hard], verdict="reject")
    if not settled:
        return
    lead = person_of(bench, "lead")
    said = "Read again: the turn names a diagnosis as a fact."
    bench.reviews.adjudicate(digest, FOUNDATION, one, "fix", said, lead, turn=1, words=_WORDS)
    bench.reviews.adjudicate(digest, FOUNDATION, two, "reject", "It reads as a script.", lead)
    bench.reviews.adjudicate(digest, EDGE, three, "accept", "Turn 4 does ask, and stays.", lead)
    [first, *_] = bench.outcomes.waiting(version)
    bench.outcomes.decide(version, [first], "apply", person_of(bench, "owner"))


def shoot(page: Page, path: Path, heading: str) -> None:
    """Take what stands under a heading."""
    page.get_by_role("heading", name=heading).scroll_into_view_if_needed()
    found = "h => [...document.querySelectorAll('h2')].find(e => e.textContent.includes(h))"
    page.evaluate(f"h => ({found})(h).scrollIntoView()", heading)
    page.wait_for_timeout(400)
    page.screenshot(path=path)


def take(folder: Path) -> None:
    """Take every picture."""
    from playwright.sync_api import sync_playwright

    folder.mkdir(parents=True, exist_ok=True)
    workspace = Path(tempfile.mkdtemp(prefix="desk-pictures-"))
    bench = an_embedded_desk(workspace, rows=rows_of(VERSION))
    waiting, decided = "v2026-11-23", "v2026-11-24"
    prepare(bench, waiting, settled=False)
    prepare(bench, decided, settled=True)
    server = Server(workspace)
    server.start()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
            for width, scheme in itertools.product((1280, 1920), ("light", "dark")):
                context = browser.new_context(
                    viewport={"width": width, "height": 1000}, color_scheme=scheme
                )
                context.set_default_timeout(40_000)
                page = context.new_page()
                look = f"{scheme}-{width}.png"
                open_page(page, server, LEAD, waiting, page_id="adjudication")
                shoot(page, folder / f"waiting-{look}", _HEADING)
                page.get_by_role("combobox", name="Record").click()
                page.get_by_role("option").filter(has_text="F5 in turn 2").click()
                settle(page)
                shoot(page, folder / f"differing-{look}", _HEADING)
                page.get_by_role("radio", name="Fix").or_(
                    page.get_by_role("button", name="Fix", exact=True)
                ).first.click()
                settle(page)
                shoot(page, folder / f"fixing-{look}", _HEADING)
                open_page(page, server, LEAD, decided, page_id="adjudication")
                page.get_by_text("Decided: 3").click()
                shoot(page, folder / f"decided-{look}", _HEADING)
                shoot(page, folder / f"next-{look}", "What the next candidate takes up")
                context.close()
            browser.close()
    finally:
        server.stop()
        embedded.stop(workspace, patience=0.5)


if __name__ == "__main__":
    take(Path(sys.argv[1]))
