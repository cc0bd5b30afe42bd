"""Whatever the release's card says can go wrong does go wrong so, and is told by that name."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from core.canonical import canonical_bytes
from core.model.errors import DeskError
from core.release.consume import open_release
from core.release.documents.training import FAILURES, NEEDS, cell_code
from core.release.latest import SCHEMA as LATEST
from core.release.publish import publish_release
from core.release.withdraw import withdraw_release
from tests.builders import PREFIX, a_row
from tests.release_builders import no_wait, some_inputs

ROOT = Path(__file__).resolve().parents[3]
VERSION = "v2026-11-21"
RELEASE = f"{PREFIX}releases/{VERSION}/"
CODES = {failure.seen.strip("`") for failure in FAILURES if failure.seen.startswith("`")}


@pytest.fixture
def inputs(simulator):
    inputs = some_inputs(simulator)
    publish_release(inputs)
    return inputs


def opened(simulator, version=VERSION, **more):
    return open_release(simulator, version, exports=PREFIX, sleep=no_wait, **more)


def nobody_published(simulator, inputs):
    opened(simulator, "v2026-01-01")


def withdrawn(simulator, inputs):
    withdraw_release(
        simulator,
        inputs.journal,
        inputs.clock,
        exports=PREFIX,
        version=VERSION,
        by="olympia",
        reason="A consent was revoked.",
        find_private=inputs.find_private,
        sleep=no_wait,
    )
    opened(simulator)


def altered(simulator, inputs):
    release = opened(simulator)
    key = release.shards("train")[0].key
    simulator.put(key, simulator.body(key) + b"\n")
    next(release.iterate("train"))


def pointed_elsewhere(simulator, inputs):
    pointer = {"schema": LATEST, "version": VERSION, "manifest_sha256": "0" * 64}
    simulator.put(f"{PREFIX}latest.json", canonical_bytes(pointer))
    opened(simulator, "latest")


def pinned_to_another(simulator, inputs):
    opened(simulator, manifest_sha256="0" * 64)


def from_a_newer_desk(simulator, inputs):
    manifest = json.loads(simulator.body(f"{RELEASE}manifest.json"))
    manifest["schema"] = "release-desk/manifest/2"
    simulator.put(f"{RELEASE}manifest.json", canonical_bytes(manifest))
    opened(simulator)


def going_on_elsewhere(simulator, inputs):
    release = opened(simulator)
    release.iterate("test", start=release.iterate("train").position)


def without_the_right_to_read(simulator, inputs):
    simulator.fail(op="get", nth=1, times=None, how="forbidden")
    opened(simulator)


def without_an_answer(simulator, inputs):
    rows = opened(simulator).iterate("train")
    simulator.fail(op="stream", nth=1, times=None, how="short_body")
    next(rows)


PROVOKED = {
    "release.none": nobody_published,
    "release.withdrawn": withdrawn,
    "release.altered": altered,
    "release.latest_differs": pointed_elsewhere,
    "release.other_manifest": pinned_to_another,
    "release.manifest_schema_unknown": from_a_newer_desk,
    "release.position": going_on_elsewhere,
    "storage.forbidden": without_the_right_to_read,
    "storage.transient": without_an_answer,
}


def test_every_code_on_the_card_is_provoked_here():
    assert set(PROVOKED) == CODES


@pytest.mark.parametrize("code", sorted(PROVOKED))
def test_a_failure_is_told_by_the_name_on_the_card(simulator, inputs, code):
    with pytest.raises(DeskError) as caught:
        PROVOKED[code](simulator, inputs)
    assert caught.value.code == code
    text = a_row()["messages"][0]["content"]
    assert text not in str(caught.value)


def test_a_trainer_that_went_on_after_silence_misses_no_row(simulator, inputs):
    whole = [row["metadata"]["record_id"] for row in opened(simulator).iterate("train")]
    rows = opened(simulator).iterate("train")
    before = [next(rows)["metadata"]["record_id"]]
    simulator.fail(op="stream", nth=1, times=5, how="short_body")
    with pytest.raises(DeskError, match=r"storage\.transient"):
        before.extend(row["metadata"]["record_id"] for row in rows)
    again = opened(simulator).iterate("train", start=rows.position)
    assert before + [row["metadata"]["record_id"] for row in again] == whole


def test_the_card_and_the_readme_tell_the_same_failures(simulator, inputs):
    card = simulator.body(f"{RELEASE}README.md").decode()
    readme = (ROOT / "README.md").read_text("utf-8")
    for failure in FAILURES:
        row = f"| {cell_code(failure.seen)} | {failure.why} | {failure.cure} |"
        assert row in card
        assert row in readme
    for need in NEEDS:
        assert f"- {need}" in card


def test_a_reader_needs_the_packages_the_card_names_and_none_besides():
    code = (
        "import sys, importlib.metadata as m\n"
        "import core.release.training, core.settings, core.storage.s3\n"
        "of = m.packages_distributions()\n"
        "print(*sorted({d for n in sys.modules for d in of.get(n.split('.')[0], [])}))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    loaded = set(found.stdout.split())
    named = {"boto3", "msgspec", "jsonschema"}
    assert named <= loaded
    assert all(f"`{name}`" in NEEDS[0] for name in named)
    heavy = {"streamlit", "duckdb", "pandas", "pyarrow", "numpy", "spacy", "presidio-analyzer"}
    assert not loaded & (heavy | {"tiktoken", "cryptography", "plotly", "numba", "scipy"})
