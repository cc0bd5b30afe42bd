"""What a detector finds stands in the shipped record alone: no artefact, log or page repeats it."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.storage.ports import SystemClock
from pages.frame import bench as page_bench
from tests.desk import NONCE, VERSION, a_desk, person_of, some_rows_to_read, spoken
from tests.simulator import Simulator

ROOT = Path(__file__).resolve().parents[2]
VALUES = (
    "zanzi.quux@example.org",
    "536-22-8471",
    "415-555-7391",
    "AKIAIOSFODNN7ZANZIBA",
    "Margaret Thompson",
    "742 Larkspur Terrace",
)
SAID = (
    "My sister Margaret Thompson called me; mail her at zanzi.quux@example.org or 415-555-7391.",
    "My ssn is 536-22-8471, I live at 742 Larkspur Terrace and the key is AKIAIOSFODNN7ZANZIBA.",
)


def test_no_artefact_log_or_page_repeats_a_value_that_was_found(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.DEBUG)
    store = Simulator(clock=SystemClock())
    rows = {**some_rows_to_read(), ("priority", "train"): [spoken(SAID[0], SAID[1])]}
    bench = a_desk(store, tmp_path, rows=rows, passed=False, frozen=False)
    candidate = bench.candidates.current(VERSION)
    assert candidate is not None
    digest = candidate.digest
    reports = bench.candidates.run_gates(digest, person_of(bench, "engineer"))
    found = {item.code for item in reports["privacy"].report.blocking}
    assert found >= {
        "privacy.email_address",
        "privacy.us_ssn",
        "privacy.phone_number",
        "privacy.secret",
        "privacy.person",
        "privacy.street_address",
    }, "or the rest of this test would prove nothing"
    names = [f for f in reports["privacy"].report.blocking if f.code == "privacy.person"]
    lead = person_of(bench, "lead")
    for action, places in (
        ("allow", bench.candidates.values_of(digest, names)),
        ("exclude", [{"record_id": names[0].record_id}]),
    ):
        bench.candidates.decide(
            digest,
            gate="privacy",
            code="privacy.person",
            action=action,
            reason="Somebody invented.",
            by=lead,
            places=places,
        )
    bench.reviews.freeze(digest, NONCE, lead)
    bench.releases.blockers(digest)
    shards = {shard.key for shard in candidate.shards}
    kept = {entry.key: store.get(entry.key, limit=1 << 26).body for entry in store.list("")}
    assert any(VALUES[0].encode() in body for key, body in kept.items() if key in shards)
    kept = {key: body for key, body in kept.items() if key not in shards}
    assert any("/evidence/" in key for key in kept)
    kept["journal export"] = bench.audit.export()
    kept |= {
        str(path): path.read_bytes()
        for path in tmp_path.rglob("*")
        if path.is_file() and "shards" not in path.parts
    }
    kept |= pages_as_text(bench, monkeypatch)
    written = capfd.readouterr()
    kept["printed"] = (written.out + written.err).encode()
    kept["logged"] = caplog.text.encode()
    held = [
        (key, value) for key, body in kept.items() for value in VALUES if value.encode() in body
    ]
    assert [key for key, _ in held] == []


def pages_as_text(bench: object, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Every page that shows no record until asked, as all the text it draws."""
    monkeypatch.setattr(page_bench, "_open", lambda: [bench])
    found = {}
    for name in ("run_sheet", "gates", "findings", "privacy", "pii_check", "publish", "audit"):
        page = AppTest.from_file(str(ROOT / "pages" / "frame" / "shell.py"), default_timeout=60)
        page.session_state["demo_identity"] = "demo:owner"
        page.session_state["version"] = VERSION
        page = page.switch_page(str(ROOT / "pages" / f"{name}.py")).run()
        assert not page.exception, name
        frames = "".join(item.value.to_csv() for item in page.dataframe)
        found[f"page {name}"] = (words_of(page.main) + frames).encode()
        assert page.title[0].value.encode() in found[f"page {name}"], name
    return found


def words_of(block: object) -> str:
    """All that a block sends to the browser, as text."""
    inner = getattr(block, "children", None)
    if inner is not None:
        return "\n".join(words_of(child) for child in inner.values())
    return str(getattr(block, "proto", ""))
