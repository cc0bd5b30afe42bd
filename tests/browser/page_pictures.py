"""Pictures of every page along the demo's road, to be looked at by whoever changes them.

    python -m tests.browser.page_pictures FOLDER [WIDTH-SCHEME …] [STAGE …]

A look such as `1920-dark` limits the looks, a stage such as `judged` the stages that are taken.
Every picture shows the whole page. The workbench walks the road; the browser only looks.
"""

from __future__ import annotations

import itertools
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from core.storage import embedded
from core.workbench import Workbench
from tests import road
from tests.browser.conftest import FLAGS, Server, find_chromium, settle
from tests.desk import an_embedded_desk_alone

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

VERSION = "v2026-11-22"
ENGINEER, OWNER, LEAD = "Demo Dataset Engineer", "Demo Release Owner", "Demo Review Lead"
CLINICIAN, BIAS, AUDITOR = "Demo Clinician One", "Demo Bias Reviewer", "Demo Auditor"
LOOKS = tuple(f"{w}-{s}" for w, s in itertools.product((1280, 1920), ("light", "dark")))
TALLEST = 6000
# Which page is worth a look at which stage of the road, and as whom.
STAGES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "fresh": (
        ("run_sheet", ENGINEER),
        ("run_sheet", CLINICIAN),
        ("coverage", ENGINEER),
        ("sources", ENGINEER),
        ("distribution", LEAD),
        ("gates", ENGINEER),
        ("findings", OWNER),
        ("privacy", OWNER),
        ("duplicates", OWNER),
        ("clinician_review", CLINICIAN),
        ("pii_check", CLINICIAN),
        ("adjudication", LEAD),
        ("publish", OWNER),
        ("releases", AUDITOR),
        ("audit", AUDITOR),
    ),
    "listed": (
        ("run_sheet", ENGINEER),
        ("coverage", ENGINEER),
        ("coverage", AUDITOR),
        ("sources", ENGINEER),
        ("gates", ENGINEER),
    ),
    "judged": (
        ("run_sheet", CLINICIAN),
        ("coverage", ENGINEER),
        ("gates", ENGINEER),
        ("findings", ENGINEER),
        ("privacy", OWNER),
        ("duplicates", OWNER),
        ("distribution", OWNER),
        ("adjudication", LEAD),
        ("publish", OWNER),
        ("bias_review", BIAS),
    ),
    "read": (
        ("run_sheet", OWNER),
        ("gates", ENGINEER),
        ("findings", ENGINEER),
        ("pii_check", CLINICIAN),
        ("adjudication", LEAD),
        ("clinician_review", AUDITOR),
        ("publish", OWNER),
    ),
    "published": (
        ("run_sheet", OWNER),
        ("publish", OWNER),
        ("releases", OWNER),
        ("releases", AUDITOR),
        ("audit", AUDITOR),
    ),
}


def walk_to(bench: Workbench, stage: str) -> None:
    """Do what leads from the stage before to this one."""
    engineer, owner = road.person(bench, "demo:engineer"), road.person(bench, "demo:owner")
    if stage == "listed":
        bench.data.draft(VERSION, engineer)
        bench.data.take_inventory(engineer)
    elif stage == "judged":
        road.decide_sources(bench, VERSION)
        road.build_and_judge(bench, VERSION)
    elif stage == "read":
        current = bench.candidates.current(VERSION)
        assert current is not None
        road.exclude_blocking(bench, current.digest)
        candidate, _ = road.build_until_passed(bench, VERSION)
        road.rate_all(bench, candidate.digest)
    elif stage == "published":
        current = bench.candidates.current(VERSION)
        assert current is not None
        road.sign_all(bench, current.digest)
        bench.releases.publish(current.digest, owner)


def open_at(page: Page, server: Server, name: str, who: str, version: str = VERSION) -> None:
    """Open a page as somebody and wait until all of it is drawn."""
    place = "" if name == "run_sheet" else name
    page.goto(f"{server.url}/{place}?{urlencode({'demo_identity': who, 'version': version})}")
    page.get_by_role("heading", level=1).wait_for(timeout=60_000)
    settle(page)
    page.wait_for_timeout(700)
    settle(page)


def shoot_whole(page: Page, width: int, path: Path) -> None:
    """Take the whole page: the window grows to what there is to see."""
    height = page.evaluate("() => document.querySelector('[data-testid=\"stMain\"]').scrollHeight")
    page.set_viewport_size({"width": width, "height": min(max(900, height), TALLEST)})
    page.wait_for_timeout(400)
    settle(page)
    page.screenshot(path=path)


def take(browser: Browser, server: Server, folder: Path, stage: str, looks: list[str]) -> None:
    """Take every page of a stage in every look."""
    for look in looks:
        width, _, scheme = look.partition("-")
        for name, who in STAGES[stage]:
            context = browser.new_context(
                viewport={"width": int(width), "height": 900},
                color_scheme=scheme,  # type: ignore[arg-type]
            )
            context.set_default_timeout(40_000)
            page = context.new_page()
            open_at(page, server, name, who)
            short = who.split()[1].lower()
            shoot_whole(page, int(width), folder / f"{stage}-{name}-{short}-{look}.png")
            context.close()


def main(folder: Path, words: list[str]) -> None:
    """Walk the road, and take the wanted pictures on the way."""
    from playwright.sync_api import sync_playwright

    folder.mkdir(parents=True, exist_ok=True)
    looks = [word for word in words if word in LOOKS] or list(LOOKS)
    stages = [word for word in words if word in STAGES] or list(STAGES)
    workspace = Path(tempfile.mkdtemp(prefix="desk-pictures-"))
    bench = an_embedded_desk_alone(workspace)
    server = Server(workspace)
    server.start()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
            for stage in STAGES:
                walk_to(bench.current(), stage)
                if stage in stages:
                    take(browser, server, folder, stage, looks)
            browser.close()
    finally:
        server.stop()
        embedded.stop(workspace, patience=0.5)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
