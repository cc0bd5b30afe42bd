"""D53: records that would call out are opened on every page by everybody, and nobody hears them."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import httpx
import pytest

from core.canonical import digest_of
from core.gates.evidence import store_report
from core.model.gate import Finding, GateReport
from core.workbench import Workbench
from pages.frame import serving
from tests.browser.conftest import Server, settle
from tests.desk import (
    VERSION,
    add_candidate,
    an_embedded_desk,
    pass_gates,
    person_of,
    some_rows_to_read,
    spoken,
)

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

PAGES = sorted(path.stem for path in Path(serving.__file__).parents[1].glob("[a-z]*.py"))
PEOPLE = {
    "clinician_review": "Demo Clinician One",
    "bias_review": "Demo Bias Reviewer",
    "adjudication": "Demo Review Lead",
    "pii_check": "Demo Clinician One",
}
# Pages that show a record's text to whoever opens them on this desk, without another click.
SHOWING = {"clinician_review", "bias_review"}
MARK = "beacon-in-a-record"


class _Listener(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.heard.append(self.path)  # type: ignore[attr-defined]
        self.send_response(204)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def listener() -> Iterator[http.server.ThreadingHTTPServer]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Listener)
    server.heard = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def hostile(to: str, number: int) -> str:
    """Everything known to make Streamlit's own elements fetch something, in one turn."""
    return (
        f"{MARK} {number} ![x]({to}/md.png) [![y]({to}/link.png)]({to}/l)\n"
        f'<img src="{to}/img.png" onerror="fetch(\'{to}/js\')"><script>fetch("{to}/s")</script>'
        f'<link rel="stylesheet" href="{to}/css"><style>@import "{to}/import";</style>'
        f'<iframe src="{to}/frame"></iframe> :material/{to}: $\\href{{{to}/tex}}{{z}}$\n'
        f"```mermaid\ngraph TD; A[<img src='{to}/mermaid'>]\n```"
    )


def put_candidate(bench: Workbench, to: str) -> None:
    """A candidate of hostile records with findings about them, its samples frozen."""
    rows = dict(some_rows_to_read("beacons"))
    for family in ("priority", "professional_therapeutic", "edge_cases"):
        rows[family, "train"] = [
            spoken(hostile(to, n), f"{n} {hostile(to, n)}", line=1 + n, family=family)
            for n in range(4)
        ]
    candidate = add_candidate(bench, rows)
    pass_gates(bench, candidate)
    bench.reviews.freeze(candidate.digest, "rain on the roof", person_of(bench, "lead"))
    first, second = bench.reviews.plans(candidate.digest)["clinician_edge"].records[:2]
    found = {
        "privacy": Finding(
            code="privacy.person", blocking=True, record_id=first, turn=0, start=0, end=6,
            family="edge_cases",
        ),
        "duplicates": Finding(
            code="duplicates.near", blocking=True, record_id=first, other=second,
            family="edge_cases",
        ),
    }  # fmt: skip
    desk = bench.desk
    for gate, finding in found.items():
        report = GateReport(
            gate=gate,
            candidate=candidate.digest,
            settings=digest_of("settings of the tests"),
            verdict="fail",
            examined=candidate.records,
            expected=candidate.records,
            findings=(finding,),
            started_at=desk.now(),
            finished_at=desk.now(),
        )
        stored = store_report(desk.store, desk.prefix, report)
        desk.record(
            person_of(bench, "engineer"),
            "gate.finished",
            candidate=candidate.digest,
            gate=gate,
            verdict="fail",
            evidence=stored.sha256,
            settings=report.settings,
            fingerprint=bench.candidates._fingerprint(candidate),
        )


@pytest.fixture(scope="module")
def desk(
    serve: Callable[[Callable[[Path], Any]], tuple[Server, Any]],
    listener: http.server.ThreadingHTTPServer,
) -> Server:
    def prepare(workspace: Path) -> Workbench:
        bench = an_embedded_desk(workspace, passed=False, frozen=False)
        put_candidate(bench, f"http://127.0.0.1:{listener.server_port}")
        return bench

    server, _ = serve(prepare)
    return server


def look_everywhere(page: Page) -> None:
    """Unfold what is folded and try the first row of every table."""
    for folded in page.locator("details:not([open]) > summary").all()[:12]:
        if folded.is_visible():
            folded.click()
    settle(page)


def test_d53_no_page_fetches_what_a_record_asks_for(
    desk: Server, context: BrowserContext, listener: http.server.ThreadingHTTPServer
) -> None:
    # The listener works: what is not heard was not asked.
    httpx.get(f"http://127.0.0.1:{listener.server_port}/alive")
    assert listener.heard == ["/alive"]  # type: ignore[attr-defined]
    listener.heard.clear()  # type: ignore[attr-defined]
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    shown = set()
    for name in PAGES:
        wanted = {"demo_identity": PEOPLE.get(name, "Demo Release Owner"), "version": VERSION}
        page.goto(f"{desk.url}/{'' if name == 'run_sheet' else name}?{urlencode(wanted)}")
        page.locator("[data-testid=stMain] h1").first.wait_for()
        settle(page)
        look_everywhere(page)
        if page.get_by_text(MARK).count():
            shown.add(name)
    page.wait_for_timeout(300)
    assert shown >= SHOWING, shown
    assert listener.heard == []  # type: ignore[attr-defined]
    elsewhere = [url for url in asked if not url.startswith((desk.url, "data:", "blob:"))]
    assert elsewhere == []
