"""How the desk is served: found by its launcher, guarded by its headers, readable in its theme."""

from __future__ import annotations

import asyncio
import logging
import tomllib
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from streamlit.testing.v1 import AppTest
from streamlit.web.server.app_discovery import discover_asgi_app

from core.bootstrap import ROOT
from pages.frame import serving

CONFIG = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))


def test_streamlit_run_finds_the_app_without_running_it() -> None:
    found = discover_asgi_app(ROOT / "app.py")
    assert found.is_asgi_app
    assert found.import_string == "app:app"


def apart(work: Coroutine[Any, Any, Any]) -> Any:
    """Run in a thread of its own: a browser of this session keeps a loop in the main one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def test_every_answer_carries_the_headers() -> None:
    site = Starlette(routes=serving.routes(), middleware=serving.middleware())
    for path, status in (("/api/health", 200), ("/nowhere", 404)):
        answer = apart(fetch(site, path))
        assert answer.status_code == status
        for name, value in serving.HEADERS.items():
            assert answer.headers[name] == value
    assert apart(fetch(site, "/api/health")).json() == {"ok": True}


def test_a_broken_page_says_and_logs_no_value(capsys: pytest.CaptureFixture[str]) -> None:
    def page() -> None:
        from pages.frame.serving import show_script_error

        try:
            int("what a person said")
        except ValueError as error:
            show_script_error(error)

    shown = AppTest.from_function(page).run()
    said = [each.value for each in (*shown.error, *shown.code)]
    assert said[-1] == "ValueError"
    assert "Something broke" in said[0]
    everything = capsys.readouterr()
    assert "person" not in " ".join(said) + everything.out + everything.err


def test_streamlits_own_note_of_a_broken_page_loses_the_value() -> None:
    error = ValueError("what a person said")
    record = logging.LogRecord(
        "streamlit.error_util", logging.WARNING, "", 1, "Uncaught app execution", (), None
    )
    record.exc_info = (ValueError, error, None)
    assert serving.without_values(record)
    assert logging.Formatter().format(record) == "Uncaught app execution"
    assert CONFIG["logger"]["enableRich"] is False


def test_nothing_is_fetched_from_elsewhere() -> None:
    policy = dict(
        part.split(" ", 1) for part in serving.HEADERS["Content-Security-Policy"].split("; ")
    )
    assert policy["default-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert "http" not in policy["img-src"]
    assert not any("*" in sources for sources in policy.values())


def test_a_configured_bucket_needs_no_server_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ENDPOINT", "BUCKET", "ACCESS_KEY", "SECRET_KEY"):
        monkeypatch.setenv(f"DESK_S3_{name}", "https://s3.example.org")
    monkeypatch.setenv("DESK_WORKSPACE", str(tmp_path / "workspace"))
    keeper = serving.Keeper()
    keeper.start()
    keeper.stop()
    assert not (tmp_path / "workspace").exists()


def test_half_a_configuration_is_said_and_starts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DESK_S3_BUCKET", "somewhere")
    monkeypatch.setenv("DESK_WORKSPACE", str(tmp_path / "workspace"))
    serving.Keeper().start()
    assert "settings.half_configured" in capsys.readouterr().err
    assert not (tmp_path / "workspace").exists()


@pytest.mark.parametrize(
    ("section", "name", "value"),
    [
        ("server", "address", "127.0.0.1"),
        ("server", "enableXsrfProtection", True),
        ("server", "enableCORS", True),
        ("server", "maxUploadSize", 1),
        ("server", "enableStaticServing", False),
        ("server", "fileWatcherType", "none"),
        ("client", "showErrorDetails", "none"),
        ("client", "showErrorLinks", False),
        ("client", "toolbarMode", "viewer"),
        ("browser", "gatherUsageStats", False),
        ("runner", "magicEnabled", False),
    ],
)
def test_the_safe_defaults_stand(section: str, name: str, value: object) -> None:
    assert CONFIG[section][name] == value


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("background", ["backgroundColor", "secondaryBackgroundColor"])
def test_captions_and_coloured_words_are_readable(mode: str, background: str) -> None:
    theme = CONFIG["theme"][mode]
    behind = theme[background]
    # Streamlit draws captions at 60 % of the text colour.
    assert contrast(blend(theme["textColor"], behind, 0.6), behind) >= 4.5
    words = ("link", "red", "orange", "yellow", "green", "blue", "violet", "gray")
    for name in words:
        assert contrast(theme[f"{name}Color"], behind) >= 4.5
    assert contrast(theme["primaryColor"], "#ffffff") >= 4.5


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_scales_have_the_ten_steps_that_charts_need(mode: str) -> None:
    theme = CONFIG["theme"][mode]
    assert len(theme["chartSequentialColors"]) == len(theme["chartDivergingColors"]) == 10


async def fetch(site: Starlette, path: str) -> httpx.Response:
    transport = httpx.ASGITransport(app=site)
    async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
        return await client.get(path)


def channels(colour: str) -> list[int]:
    return [int(colour[at : at + 2], 16) for at in (1, 3, 5)]


def blend(front: str, behind: str, share: float) -> str:
    mixed = (
        round(one * share + other * (1 - share))
        for one, other in zip(channels(front), channels(behind), strict=True)
    )
    return "#" + "".join(f"{value:02x}" for value in mixed)


def luminance(colour: str) -> float:
    linear = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (channel / 255 for channel in channels(colour))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)
