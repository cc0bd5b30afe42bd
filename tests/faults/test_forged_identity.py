"""Nobody becomes somebody by a header, a cookie of their own making, or a connection kept open."""

from __future__ import annotations

import json
import time

import pytest
from itsdangerous import URLSafeTimedSerializer

from core.storage import embedded
from tests.browser.conftest import Server
from tests.faults.listening import apart, hear, opened, run, words
from tests.real_desk import ISSUER, environment, people_file, real_people

pytestmark = [pytest.mark.faults, pytest.mark.seaweed]
SECRET = "a cookie secret that is long enough, of 48 signs"
COOKIE = "_streamlit_user"
OWNER = "Test owner"
PROMPT = "Sign in to see this page."
OWNERS_LINES = 'subject = "subject-owner"\nroles = ["release_owner"]'


def served(folder, seaweed, secret=SECRET):
    """A desk on a bucket that is not its own, with a provider set up that nobody asks."""
    folder.mkdir(exist_ok=True)
    bucket = embedded.ensure_running(seaweed)
    found = Server(folder, **environment(bucket, folder, "served"), HOME=str(folder))
    (folder / ".streamlit").mkdir(exist_ok=True)
    (folder / ".streamlit" / "secrets.toml").write_text(
        f'[auth]\nredirect_uri = "{found.url}/oauth2callback"\ncookie_secret = "{secret}"\n'
        'client_id = "d"\nclient_secret = "s"\n'
        'server_metadata_url = "https://id.example.org/.well-known/openid-configuration"\n'
    )
    found.start()
    return found


@pytest.fixture(scope="module")
def site(tmp_path_factory, seaweed_workspace):
    folder = tmp_path_factory.mktemp("forged")
    found = served(folder, seaweed_workspace)
    yield found
    found.stop()


def claims(site, **other):
    now = int(time.time())
    return {
        "origin": site.url,
        "is_logged_in": True,
        "iss": ISSUER,
        "sub": "subject-owner",
        "iat": now,
        "auth_time": now,
        **other,
    }


def cookie(site, *, secret=SECRET, salt=COOKIE, name=COOKIE, **other):
    """A login cookie as the server itself would set it, or as somebody would make it up."""
    signed = URLSafeTimedSerializer(secret, salt=salt).dumps(json.dumps(claims(site, **other)))
    return {"Cookie": f"{name}={signed}"}


def seen(site, headers, **more):
    return [said for _, said in words(apart(hear(site, "releases", headers=headers, **more)))]


def is_prompt(said):
    return len(said) <= 3 and any(PROMPT in one for one in said)


def test_the_cookie_that_the_server_would_set_opens_the_page(site):
    # Without this every refusal below would prove nothing.
    said = seen(site, cookie(site))
    assert not is_prompt(said)
    assert any(OWNER in one for one in said)


@pytest.mark.parametrize(
    "forged",
    [
        {"secret": "another secret of the same length, 48 signs long"},
        {"secret": ""},
        {"salt": "cookie-session"},
        {"salt": "_streamlit_user_tokens"},
        {"name": "_streamlit_user_tokens"},
        {"origin": "http://127.0.0.1:1"},
        {"origin": ""},
        {"is_logged_in": False},
        {"iat": int(time.time()) - 13 * 3600},
        {"iat": int(time.time()) + 3600},
        {"iat": True},
        {"iat": "now"},
    ],
)
def test_d52_a_cookie_of_ones_own_making_is_nobodys_login(site, forged):
    said = seen(site, cookie(site, **forged))
    assert not any(OWNER in one for one in said)
    assert "Releases" not in said


@pytest.mark.parametrize("plain", ["json", "unsigned", "cut", "altered"])
def test_d52_a_cookie_without_its_signature_is_nobodys_login(site, plain):
    signed = cookie(site)["Cookie"].partition("=")[2]
    body, stamp, signature = signed.rsplit(".", 2)
    forged = {
        "json": json.dumps(claims(site)).replace(" ", "").replace(",", "%2C"),
        "unsigned": body,
        "cut": f"{body}.{stamp}.{signature[:-2]}",
        "altered": f"{body[:-1]}{'A' if body[-1] != 'A' else 'B'}.{stamp}.{signature}",
    }[plain]
    assert is_prompt(seen(site, {"Cookie": f"{COOKIE}={forged}"}))


@pytest.mark.parametrize(
    "header",
    ["X-Forwarded-User", "X-Forwarded-Email", "X-Forwarded-Preferred-Username", "Remote-User",
     "REMOTE_USER", "X-Remote-User", "X-Auth-Request-User", "X-Auth-Request-Email",
     "X-Streamlit-User", "X-Goog-Authenticated-User-Email", "X-Amzn-Oidc-Identity",
     "Tailscale-User-Login", "Authorization"],
)  # fmt: skip
def test_d52_no_header_is_an_identity_where_people_sign_in(site, header):
    for value in ("subject-owner", "test:owner", json.dumps({"sub": "subject-owner"})):
        assert is_prompt(seen(site, {header: value}))


@pytest.mark.parametrize("header", ["X-Forwarded-Host", "Forwarded", "X-Original-Host"])
def test_d51_a_forwarded_name_opens_no_websocket_that_the_host_itself_may_not(site, header):
    value = "host=127.0.0.1" if header == "Forwarded" else "127.0.0.1"
    with pytest.raises(Exception, match="403"):
        seen(site, {**cookie(site), header: value}, name="elsewhere.example")


def test_a_login_taken_to_another_name_of_the_desk_is_none_there(site):
    # A cookie names the origin it was given to.
    assert is_prompt(seen(site, cookie(site), name="localhost"))


def test_d42_over_a_connection_kept_open_nobody_stays_who_they_were(site):
    async def before_and_after():
        async with opened(site, headers=cookie(site)) as socket:
            first = words(await run(socket, "releases"))
            people_file(site.workspace, real_people().replace(
                OWNERS_LINES.encode(), OWNERS_LINES.replace("-owner", "-successor").encode()
            ))  # fmt: skip
            return first, words(await run(socket, "releases"))

    try:
        first, second = apart(before_and_after())
    finally:
        people_file(site.workspace, real_people())
    assert any(OWNER in said for _, said in first)
    assert not any(OWNER in said for _, said in second)
    assert any("not on this desk's list of people" in said for _, said in second)


@pytest.mark.parametrize("secret", ["REPLACE-WITH-YOUR-OWN", "short", "c" * 31])
def test_a_cookie_secret_that_can_be_guessed_lets_nobody_in(
    tmp_path_factory, seaweed_workspace, secret
):
    found = served(tmp_path_factory.mktemp("weak"), seaweed_workspace, secret)
    try:
        said = seen(found, cookie(found, secret=secret))
    finally:
        found.stop()
    assert not any(OWNER in one for one in said)
    assert any("cookie_secret" in one for one in said)
