"""People sign in at a real OpenID Connect server, land with their role, and prove themselves
anew before they sign."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.model.candidate import Candidate
from core.settings import BucketSettings
from core.storage.s3 import S3Store
from core.workbench import Workbench
from tests import road
from tests.browser.conftest import Server, settle
from tests.builders import a_candidate
from tests.desk import some_rows_to_read
from tests.identity_provider import Provider, running_provider
from tests.real_desk import VERSION, a_real_desk, environment, people_file, real_people

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

HOUR = 3600


@dataclass(slots=True)
class Site:
    """The desk before a real bucket, and the provider its people sign in at."""

    url: str
    provider: Provider
    bench: Workbench
    candidate: Candidate
    folder: Path

    def rename_role(self, before: str, after: str) -> None:
        """Change the roster as its keeper would, while the desk runs."""
        people_file(self.folder, real_people(self.provider.issuer).replace(
            before.encode(), after.encode()
        ))  # fmt: skip


@pytest.fixture(scope="module")
def site(moto_settings: BucketSettings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("login")
    bucket = BucketSettings(
        endpoint=moto_settings.endpoint,
        bucket=f"login-{int(time.time())}",
        region=moto_settings.region,
        access_key=moto_settings.access_key,
        secret_key=moto_settings.secret_key,
    )
    S3Store(bucket).ensure_bucket()
    with running_provider() as provider:
        people_file(folder, real_people(provider.issuer))
        bench = a_real_desk(bucket, folder, people=real_people(provider.issuer))
        candidate = _candidate(bench)
        server = Server(folder)
        server.environment = {**environment(bucket, folder, "served"), "HOME": str(folder)}
        _write_secrets(folder, server.port, provider)
        server.start()
        try:
            yield Site(
                url=f"http://localhost:{server.port}",
                provider=provider,
                bench=bench,
                candidate=candidate,
                folder=folder,
            )
        finally:
            server.stop()


def _candidate(bench: Workbench) -> Candidate:
    desk, engineer = bench.desk, road.person(bench, "demo:engineer")
    candidate = a_candidate(
        desk.store, some_rows_to_read(), desk.policy, version=VERSION, prefix=desk.prefix
    )
    bench.data.draft(candidate.version, engineer)
    desk.record(
        engineer, "candidate.built", version=candidate.version, candidate=candidate.digest,
        policy=desk.policy.digest, listing=candidate.snapshot, records=candidate.records,
    )  # fmt: skip
    return candidate


def _write_secrets(home: Path, port: int, provider: Provider) -> None:
    """The very lines the README asks for."""
    entry = (
        f'client_id = "release-desk"\nclient_secret = "not used here"\n'
        f'server_metadata_url = "{provider.issuer}/.well-known/openid-configuration"\n'
    )
    (home / ".streamlit").mkdir()
    (home / ".streamlit" / "secrets.toml").write_text(
        f'[auth]\nredirect_uri = "http://localhost:{port}/oauth2callback"\n'
        f'cookie_secret = "{"c" * 48}"\n{entry}\n'
        f"[auth.signing]\n{entry}"
        'client_kwargs = { prompt = "login" }\nauthorize_params = { max_age = 0 }\n'
    )


def sign_in(page: Page, site: Site, subject: str) -> None:
    page.goto(site.url)
    page.get_by_role("button", name="Sign in", exact=True).click()
    authorize(page, subject)


def authorize(page: Page, subject: str) -> None:
    page.get_by_placeholder("sub").fill(subject)
    page.get_by_role("button", name="Authorize").click()
    page.wait_for_selector('[data-testid="stApp"]')
    settle(page)


def test_a_person_of_the_roster_signs_in_and_lands_with_their_role(
    context: BrowserContext, site: Site
) -> None:
    page = context.new_page()
    page.goto(site.url)
    page.get_by_text("Sign in to see this page.").wait_for()
    assert page.get_by_text(VERSION).count() == 0
    site.provider.prove_now()
    sign_in(page, site, "subject-owner")
    page.get_by_text("Signed in as").wait_for()
    assert page.get_by_text("Test owner").count() == 1
    page.get_by_role("heading", name="Run sheet").wait_for()
    # What only a release owner is offered.
    page.get_by_text("Prepare another version").wait_for()


def test_a_subject_nobody_listed_sees_a_plain_refusal(context: BrowserContext, site: Site) -> None:
    page = context.new_page()
    site.provider.prove_now()
    sign_in(page, site, "subject-stranger")
    page.get_by_text("not on this desk's list of people").wait_for()
    assert page.get_by_text(VERSION).count() == 0
    page.goto(f"{site.url}/publish")
    page.get_by_text("not on this desk's list of people").wait_for()
    assert page.get_by_role("heading", name="Publish").count() == 0


def test_d42_a_role_taken_away_stops_at_the_next_act(context: BrowserContext, site: Site) -> None:
    page = context.new_page()
    site.provider.prove_now()
    sign_in(page, site, "subject-owner")
    before = len(site.bench.desk.entries())
    page.get_by_text("Prepare another version").click()
    settle(page)
    button = page.get_by_role("button", name="Pick this version")
    button.wait_for()
    owner = 'subject = "subject-owner"\nroles = ["release_owner"]'
    try:
        site.rename_role(owner, owner.replace("release_owner", "auditor"))
        button.click()
        # The click itself finds the role gone, and so does the page it draws.
        page.get_by_text("Prepare another version").wait_for(state="detached")
        page.get_by_text("Signed in as").wait_for()
        site.rename_role(owner, owner.replace("subject-owner", "subject-successor"))
        page.goto(f"{site.url}/publish")
        page.get_by_text("not on this desk's list of people").wait_for()
    finally:
        site.rename_role(owner, owner)
    assert len(site.bench.desk.entries()) == before


def test_a_signature_needs_a_fresh_proof_and_comes_back_to_where_it_was(
    context: BrowserContext, site: Site
) -> None:
    page = context.new_page()
    site.provider.proved_at = int(time.time()) - HOUR
    sign_in(page, site, "subject-owner")
    page.goto(f"{site.url}/publish?version={VERSION}")
    prove = page.get_by_role("button", name="Prove who you are, and come back")
    prove.wait_for()
    assert page.get_by_role("button", name="Refuse").count() == 0

    # A provider that only renews its token leaves everything as it was.
    prove.click()
    page.get_by_placeholder("sub").wait_for()
    asked = site.provider.last_asked
    assert (asked["prompt"], asked["max_age"]) == ("login", "0")
    authorize(page, "subject-owner")
    prove.wait_for()

    prove.click()
    page.get_by_placeholder("sub").wait_for()
    site.provider.prove_now()
    authorize(page, "subject-owner")
    page.get_by_role("heading", name="Publish", level=1).wait_for()
    refuse = page.get_by_role("button", name="Refuse")
    refuse.wait_for()
    page.get_by_label("Type your name as the desk knows it").fill("Test owner")
    page.get_by_text("I mean to refuse").click()
    settle(page)
    refuse.click()
    page.get_by_text("Your refusal is signed.").wait_for()
    given = [e for e in site.bench.desk.entries() if e.event["type"] == "signoff.given"]
    assert [(e.actor, e.event["decision"]) for e in given] == [("test:owner", "refuse")]
    (signoff,) = site.bench.signing.load(site.candidate.digest).signoffs
    said = signoff.statement["auth"]
    assert isinstance(said, dict)
    assert said["method"] == "oidc"
    stored = site.bench.desk.store.get(signoff.key, limit=1 << 20).body
    assert b"subject-owner" not in stored


def test_a_provider_that_never_says_when_signs_nothing(context: BrowserContext, site: Site) -> None:
    page = context.new_page()
    site.provider.proved_at = None
    sign_in(page, site, "subject-lead")
    page.get_by_text("Signed in as").wait_for()
    person = site.bench.identify(site.provider.issuer, "subject-lead", "")
    assert person is not None
    assert person.auth_time == ""
    page.goto(f"{site.url}/publish?version={VERSION}")
    page.get_by_role("heading", name="Publish", level=1).wait_for()
    assert page.get_by_role("button", name="Refuse").count() == 0
