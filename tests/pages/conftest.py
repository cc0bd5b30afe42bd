"""One embedded bucket for all page tests: a version that fails, and one that may go to its readers.

The two versions share the bucket, so a page is opened for the version its fixture names.
Publishing `READY_VERSION` gives `JUDGED_VERSION` a predecessor and makes its distribution
verdict one of other settings: tests that publish must run after those that read the judged
desk (they do in file order).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.storage import embedded
from core.workbench import Workbench
from pages.frame import bench as page_bench
from tests import road

ROOT = Path(__file__).resolve().parents[2]
JUDGED_VERSION = "v2026-11-20"
READY_VERSION = "v2026-11-21"
_FOREIGN = ("DESK_", "OVH_S3_", "HETZNER_S3_", "AWS_")

OpenPage = Callable[..., AppTest]


@pytest.fixture(scope="session")
def desk_workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The workspace of the pages' own embedded bucket; the environment names nothing else."""
    workspace = tmp_path_factory.mktemp("desk")
    held = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith(_FOREIGN)}
    os.environ["DESK_WORKSPACE"] = str(workspace)
    st.cache_resource.clear()
    try:
        yield workspace
    finally:
        st.cache_resource.clear()
        os.environ.pop("DESK_WORKSPACE", None)
        os.environ.update(held)
        embedded.stop(workspace, patience=0.5)


@pytest.fixture(scope="session")
def empty_desk(desk_workspace: Path) -> Workbench:
    """The very workbench the pages are served from; without a version when first asked for."""
    return page_bench.current_bench()


@pytest.fixture(scope="session")
def judged_desk(empty_desk: Workbench) -> Workbench:
    """`JUDGED_VERSION`: sources decided, one candidate built and judged. Privacy fails."""
    road.decide_sources(empty_desk, JUDGED_VERSION)
    road.build_and_judge(empty_desk, JUDGED_VERSION)
    return empty_desk


@pytest.fixture(scope="session")
def ready_desk(judged_desk: Workbench) -> Workbench:
    """`READY_VERSION`: its second candidate, built after decisions, passes every gate."""
    first, _ = road.build_and_judge(judged_desk, READY_VERSION)
    road.exclude_blocking(judged_desk, first.digest)
    road.explain_ranges(judged_desk, first.digest)
    road.build_and_judge(judged_desk, READY_VERSION)
    return judged_desk


@pytest.fixture
def open_page(desk_workspace: Path) -> OpenPage:
    """`open_page("gates", "demo:owner", version="v…")` → the page, run once, as that person."""

    def open_(name: str, identity: str = "demo:owner", *, version: str = "") -> AppTest:
        page = AppTest.from_file(str(ROOT / "pages" / "frame" / "shell.py"), default_timeout=60)
        page.session_state["demo_identity"] = identity
        if version:
            page.session_state["version"] = version
        return page.switch_page(str(ROOT / "pages" / f"{name}.py")).run()

    return open_
