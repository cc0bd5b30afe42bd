"""A newcomer gets from an empty desk to a verified release by clicking and typing alone."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext

from tests.browser import road_steps as steps
from tests.browser.conftest import Server, settle
from tests.browser.road_steps import Walk

pytestmark = [pytest.mark.browser, pytest.mark.slow]
MACHINE_SECONDS = 600


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where the pictures go: RELEASE_DESK_SCREENSHOTS, or beside the test."""
    folder = Path(os.environ.get("RELEASE_DESK_SCREENSHOTS") or tmp_path / "screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_a_newcomer_publishes_a_release_by_hand(
    serve: Callable[[Callable[[Path], Any]], tuple[Server, Any]],
    context: BrowserContext,
    pictures: Path,
) -> None:
    server, _ = serve(lambda workspace: None)
    walk = Walk(page=context.new_page(), pictures=pictures)
    walk.page.goto(server.url)
    walk.page.get_by_role("heading", level=1, name="Run sheet").wait_for(timeout=120_000)
    settle(walk.page)

    version = steps.pick_version(walk)
    steps.list_the_bucket(walk)
    steps.confirm_alias(walk)
    steps.decide_sources(walk)
    steps.build(walk)
    steps.run_gates(walk, privacy="failed")
    steps.exclude_what_blocks(walk)
    steps.build(walk, again=True)
    steps.run_gates(walk, privacy="passed")
    steps.freeze_samples(walk)
    steps.review(walk)
    steps.sign_decision(walk)
    steps.publish(walk, version)
    steps.look_at_release(walk, version)
    steps.check_the_journal(walk)

    walk.open("Run sheet")
    walk.read("23 of 23 lines done")
    walk.picture("run-sheet-complete")
    assert sum(walk.seconds.values()) < MACHINE_SECONDS, walk.seconds
