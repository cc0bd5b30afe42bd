"""A real server over a real bucket, and a real browser before it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 60
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


def find_chromium() -> str | None:
    """The browser named by RELEASE_DESK_CHROMIUM, or one on the path."""
    named = os.environ.get("RELEASE_DESK_CHROMIUM")
    if named:
        return named if Path(named).is_file() else None
    return next((found for name in _NAMES if (found := shutil.which(name))), None)


class Server:
    """The desk, served from this repository over one workspace; may be killed and come back."""

    def __init__(self, workspace: Path, **environment: str) -> None:
        self.workspace = workspace
        self.environment = environment
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        """What serves the desk."""
        return [
            *(sys.executable, "-m", "streamlit", "run", "app.py"),
            *(f"--server.port={self.port}", "--server.address=127.0.0.1"),
        ]

    def start(self) -> None:
        """Serve, and return once the desk answers."""
        keep = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH")
        environment = {name: os.environ[name] for name in keep if name in os.environ}
        environment |= {"DESK_WORKSPACE": str(self.workspace), **self.environment}
        with (self.workspace / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command(),
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            with suppress(OSError), urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2):
                return
            if self._process.poll() is not None:
                break
            time.sleep(0.1)
        raise RuntimeError((self.workspace / "server.log").read_text()[-2000:])

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(20)

    def stop(self) -> None:
        """Ask it to end."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One headless Chromium; the test is skipped where there is none."""
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium here (set RELEASE_DESK_CHROMIUM)")
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield launched
        launched.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh profile, 1280 wide."""
    made = browser.new_context(viewport={"width": 1280, "height": 900})
    made.set_default_timeout(20_000)
    yield made
    made.close()


@pytest.fixture(scope="module")
def serve(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[Callable[[Path], Any]], tuple[Server, Any]]]:
    """Prepare a workspace, serve it, and clean up behind the module.

    `serve(prepare)` calls `prepare(workspace)`, which may start the workspace's embedded
    bucket, and returns the server and whatever `prepare` returned. A `policy.toml` in the
    workspace is the policy that is served.
    """
    from core.storage import embedded

    running: list[Server] = []

    def start(prepare: Callable[[Path], Any]) -> tuple[Server, Any]:
        workspace = tmp_path_factory.mktemp("desk")
        server = Server(workspace)
        running.append(server)
        prepared = prepare(workspace)
        if (workspace / "policy.toml").is_file():
            server.environment["DESK_POLICY"] = str(workspace / "policy.toml")
        server.start()
        return server, prepared

    try:
        yield start
    finally:
        for server in running:
            server.stop()
            embedded.stop(server.workspace, patience=0.5)


def become(page: Page, name: str) -> None:
    """Be the demo person of this name."""
    page.get_by_role("combobox", name="You are").click()
    page.get_by_role("option", name=name, exact=True).click()
    # The list keeps the keyboard; a person would go on by a click or by Tab.
    page.get_by_role("heading", level=1).click()
    settle(page)


def settle(page: Page) -> None:
    """Wait until the page's script has run."""
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
