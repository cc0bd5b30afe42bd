"""D50 to D52 over real connections: a cold server, a page elsewhere, a header anybody can send."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from core.storage import embedded
from pages.frame import serving
from tests.browser.conftest import Server
from tests.faults.listening import apart, hear, words

pytestmark = [pytest.mark.faults, pytest.mark.seaweed]
PAGES = sorted(path.stem for path in Path(serving.__file__).parents[1].glob("[a-z]*.py"))
PROMPT = "This desk reads a real bucket, and no identity provider is set up."


@pytest.fixture(scope="module")
def server(tmp_path_factory, seaweed_workspace):
    """A desk on a bucket that is not its own, just started: no session has run `app.py` yet."""
    workspace = tmp_path_factory.mktemp("cold")
    bucket = embedded.ensure_running(seaweed_workspace)
    found = Server(
        workspace,
        DESK_S3_ENDPOINT=bucket.endpoint,
        DESK_S3_BUCKET=bucket.bucket,
        DESK_S3_REGION=bucket.region,
        DESK_S3_ACCESS_KEY=bucket.access_key,
        DESK_S3_SECRET_KEY=bucket.secret_key,
    )
    found.start()
    yield found
    found.stop()


def refusal_of(work):
    with pytest.raises(InvalidStatus) as refused:
        apart(work)
    return refused.value.response.status_code


@pytest.mark.parametrize("page", PAGES)
def test_d50_a_cold_server_asked_for_a_page_by_its_address_draws_only_the_prompt(server, page):
    heard = apart(hear(server, page))
    said = words(heard)
    assert [kind for kind, _ in said] == ["heading", "alert"]
    assert said[-1][1].startswith(PROMPT)


@pytest.mark.parametrize("origin", ["http://elsewhere.example", "https://127.0.0.1.example.org"])
def test_d51_a_page_from_elsewhere_may_not_open_the_websocket(server, origin):
    assert refusal_of(hear(server, origin=origin)) == 403


def test_d51_a_name_rebound_to_this_machine_may_not_open_the_websocket(server):
    assert refusal_of(hear(server, name="elsewhere.example")) == 403


@pytest.mark.parametrize(
    "name", ["X-Forwarded-User", "X-Forwarded-Email", "X-Auth-Request-User", "Remote-User",
             "X-Streamlit-User"],
)  # fmt: skip
def test_d52_a_header_that_claims_an_identity_is_ignored(server, name):
    heard = apart(hear(server, "releases", headers={name: "demo:owner"}))
    said = words(heard)
    assert [kind for kind, _ in said] == ["heading", "alert"]
    assert said[-1][1].startswith(PROMPT)


def test_d51_the_agents_way_in_is_shut(server):
    for path in ("/_stcore/agent/", "/_stcore/agent/sessions"):
        answer = httpx.get(f"{server.url}{path}", timeout=5, follow_redirects=True)
        # An unknown path gets the page's own shell, which holds nothing of the desk.
        assert answer.status_code in (403, 404, 405) or b"<noscript>" in answer.content
