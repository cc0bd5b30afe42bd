"""A page reached by any path is closed to whom the desk does not know, and open to whom it does."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.model.errors import NotAllowed
from core.policy.load import load_policy
from core.settings import BucketSettings, Settings, read_settings
from core.storage.journal import Journal
from core.storage.ports import SystemClock
from core.storage.s3 import S3Store
from core.workbench import Workbench, assemble, open_workbench
from core.workbench.desk import Desk
from pages.frame import bench as page_bench
from tests.builders import PREFIX
from tests.desk import a_desk
from tests.pages.conftest import ROOT
from tests.road import person
from tests.simulator import Simulator

PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py") if path.stem != "__init__")
IDENTITIES = (
    "demo:engineer",
    "demo:owner",
    "demo:lead",
    "demo:clinician-1",
    "demo:clinician-2",
    "demo:bias",
    "demo:auditor",
)

_PROMPT = ("title", "error", "info", "button")


@pytest.fixture
def real_bucket(
    moto_settings: BucketSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> S3Store:
    """A desk over a bucket of its own, with nobody logged in and no login configured."""
    named = {
        "DESK_S3_ENDPOINT": moto_settings.endpoint or "",
        "DESK_S3_BUCKET": f"guarded-{tmp_path.name.replace('_', '-').lower()[:40]}",
        "DESK_S3_REGION": moto_settings.region,
        "DESK_S3_ACCESS_KEY": moto_settings.access_key,
        "DESK_S3_SECRET_KEY": moto_settings.secret_key,
        "DESK_WORKSPACE": str(tmp_path),
    }
    bucket = read_settings(named, home=tmp_path).bucket
    assert bucket is not None
    store = S3Store(bucket)
    store.ensure_bucket()
    bench = open_workbench(named, clock=SystemClock())
    monkeypatch.setattr(page_bench, "_open", [bench].copy)
    return store


@pytest.fixture
def fresh_desk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Workbench:
    """A demo desk on which nothing has been decided, in memory."""
    store, clock = Simulator(clock=SystemClock()), SystemClock()
    settings = Settings(bucket=None, exports_prefix=PREFIX, policy_file=None, workspace=tmp_path)
    bench = assemble(
        Desk(
            settings=settings,
            store=store,
            journal=Journal(store, PREFIX, clock),
            policy=load_policy(None, embedded=True),
            clock=clock,
            connect=lambda: store,
            connect_reader=lambda: store,
        )
    )
    monkeypatch.setattr(page_bench, "_open", [bench].copy)
    return bench


@pytest.fixture(scope="module")
def read_bench(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """A demo desk in memory with a candidate that may be read."""
    return a_desk(Simulator(clock=SystemClock()), tmp_path_factory.mktemp("desk"))


@pytest.fixture
def read_desk(read_bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> Workbench:
    """The same, served to the pages."""
    monkeypatch.setattr(page_bench, "_open", [read_bench].copy)
    return read_bench


def _open_under_shell(name: str, identity: str = "") -> AppTest:
    page = AppTest.from_file(str(ROOT / "pages" / "frame" / "shell.py"), default_timeout=60)
    if identity:
        page.session_state["demo_identity"] = identity
    return page.switch_page(str(ROOT / "pages" / f"{name}.py")).run()


def _shown(page: AppTest) -> list[str]:
    """The kinds of everything drawn in the middle of the page."""
    found = []

    def walk(block: object) -> None:
        for child in getattr(block, "children", {}).values():
            if hasattr(child, "children"):
                walk(child)
            else:
                found.append(child.type)

    walk(page.main)
    return found


def _is_only_the_prompt(page: AppTest) -> bool:
    assert not page.exception
    assert [title.value for title in page.title] == ["Release Desk"]
    return set(_shown(page)) <= set(_PROMPT)


def test_every_page_is_under_guard() -> None:
    shell = (ROOT / "pages" / "frame" / "shell.py").read_text("utf-8")
    assert len(PAGES) >= 11
    for name in PAGES:
        assert f'("{name}", ' in shell, name
        assert "guard.require(" in (ROOT / "pages" / f"{name}.py").read_text("utf-8"), name


@pytest.mark.parametrize("name", PAGES)
def test_d50_a_page_run_by_itself_draws_only_the_prompt(name: str, real_bucket: S3Store) -> None:
    page = AppTest.from_file(str(ROOT / "pages" / f"{name}.py"), default_timeout=60).run()
    assert _is_only_the_prompt(page)
    assert "no identity provider is set up" in page.error[0].value


@pytest.mark.parametrize("name", PAGES)
def test_d50_a_page_under_the_shell_draws_only_the_prompt(name: str, real_bucket: S3Store) -> None:
    assert _is_only_the_prompt(_open_under_shell(name))


@pytest.mark.parametrize("identity", IDENTITIES)
def test_a_demo_identity_means_nothing_on_a_real_bucket(
    identity: str, real_bucket: S3Store
) -> None:
    page = AppTest.from_file(str(ROOT / "pages" / "audit.py"), default_timeout=60)
    page.session_state["demo_identity"] = identity
    assert _is_only_the_prompt(page.run())


def test_a_login_that_the_policy_does_not_list_is_a_stranger(real_bucket: S3Store) -> None:
    page = AppTest.from_file(str(ROOT / "pages" / "publish.py"), default_timeout=60)
    page.user = {
        "is_logged_in": True,
        "iss": "https://login.example",
        "sub": "nobody",
        "iat": time.time(),
    }
    page.run()
    assert _is_only_the_prompt(page)
    assert "not on this desk's list" in page.error[0].value


@pytest.mark.parametrize("issued", [None, True, "1", -5, 1e30, float("nan"), 1_000_000])
def test_a_login_that_is_old_or_says_nothing_of_when_lets_nobody_in(
    issued: object, real_bucket: S3Store
) -> None:
    page = AppTest.from_file(str(ROOT / "pages" / "publish.py"), default_timeout=60)
    page.user = {"is_logged_in": True, "iss": "https://login.example", "sub": "x", "iat": issued}
    page.run()
    assert _is_only_the_prompt(page)
    assert "older than a working day" in page.info[0].value


def test_looking_logged_out_leaves_no_trace_in_the_bucket(real_bucket: S3Store) -> None:
    for name in PAGES:
        AppTest.from_file(str(ROOT / "pages" / f"{name}.py"), default_timeout=60).run()
    assert list(real_bucket.list("")) == []


@pytest.mark.parametrize("name", PAGES)
def test_a_fresh_demo_desk_opens_every_page(name: str, fresh_desk: Workbench) -> None:
    for identity in ("demo:engineer", "demo:auditor"):
        page = _open_under_shell(name, identity)
        assert not page.exception, identity
        assert page.title, identity
        # A page's help is a click away, and says something for whoever is there.
        told = " ".join(str(item.value) for item in page.sidebar.markdown)
        assert "**For you, first.**" in told, identity
        assert "**When blocked.**" in told, identity
    assert fresh_desk.audit.entries() == ()


@pytest.mark.parametrize("name", PAGES)
def test_a_desk_with_a_candidate_opens_every_page_for_everybody(
    name: str, read_desk: Workbench
) -> None:
    before = len(read_desk.audit.entries())
    for identity in IDENTITIES:
        page = _open_under_shell(name, identity)
        assert not page.exception, identity
        assert page.title, identity
    assert len(read_desk.audit.entries()) == before


def test_what_a_page_hides_the_desk_refuses_as_well(fresh_desk: Workbench) -> None:
    clinician = person(fresh_desk, "demo:clinician-1")
    before = len(fresh_desk.audit.entries())
    for kind, params in (
        ("inventory", {}),
        ("build", {"version": "v2026-11-20"}),
        ("gates", {"candidate": "0" * 64}),
        ("publish", {"candidate": "0" * 64}),
    ):
        with pytest.raises(NotAllowed) as refused:
            fresh_desk.jobs.start(kind, params, clinician)
        assert refused.value.code == "role.required"
    assert fresh_desk.jobs.latest("inventory", "build", "gates", "publish") is None
    with pytest.raises(NotAllowed):
        fresh_desk.data.draft("v2026-11-20", clinician)
    with pytest.raises(NotAllowed):
        fresh_desk.releases.withdraw("v2026-11-20", "because", person(fresh_desk, "demo:auditor"))
    assert len(fresh_desk.audit.entries()) == before
