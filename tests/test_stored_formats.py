"""A desk that meets a stored format it does not know refuses it, and rewrites nothing."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.canonical import canonical_bytes, decode, document_bytes, sha256_hex
from core.demo import fill
from core.gates.evidence import decode_report
from core.intake.document import decode_candidate
from core.model.errors import (
    DeskError,
    JournalBroken,
    PolicyError,
    ReleaseError,
    StorageError,
)
from core.model.progress import silent
from core.policy.load import packaged_source, parse_policy
from core.release.latest import move_latest, read_latest
from core.release.manifest import parse_manifest
from core.release.publish import publish_release
from core.release.receipt import read_receipt
from core.release.routing import parse_routing
from core.release.withdraw import read_withdrawal, withdraw_release
from core.review import keys
from core.review.answers import parse_rating
from core.review.envelope import open_envelope, seal, statement_bytes
from core.review.plans import parse_plan
from core.review.strata import parse_frame
from core.storage.journal import Journal
from core.storage.ports import SystemClock
from tests.builders import PREFIX
from tests.desk import VERSION, a_desk, read_everything
from tests.release_builders import no_wait, some_inputs
from tests.simulator import Simulator

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Simulator:
    """A bucket with a candidate, its evidence, its plans and ratings."""
    store = Simulator(clock=SystemClock())
    bench = a_desk(store, tmp_path_factory.mktemp("formats"))
    read_everything(bench, "clinician_edge", "clinician-1")
    return store


@pytest.fixture
def released(simulator: Simulator, clock: Any) -> Simulator:
    """A bucket with a whole release."""
    publish_release(some_inputs(simulator, clock=clock))
    return simulator


def stored(store: Simulator, schema: str) -> bytes:
    """The first stored document of this format."""
    for key in store.keys(PREFIX):
        body = store.body(key)
        if f'"{schema}"'.encode() in body:
            return body
    raise AssertionError(schema)


def of_the_next_version(body: bytes, schema: str) -> bytes:
    name, _, number = schema.rpartition("/")
    altered = body.replace(f'"{schema}"'.encode(), f'"{name}/{int(number) + 7}"'.encode())
    assert altered != body
    return altered


def own_frame(body: bytes) -> object:
    """Read a frame under the name its bytes have."""
    return parse_frame(body, sha256_hex(body))


@pytest.mark.parametrize(
    ("schema", "read", "code"),
    [
        ("release-desk/candidate/2", decode_candidate, "candidate.schema"),
        ("release-desk/evidence/1", decode_report, "gate.evidence_unreadable"),
        ("release-desk/sample-plan/3", parse_plan, "review.plan_broken"),
        ("release-desk/sample-frame/1", own_frame, "review.frame_broken"),
        ("release-desk/rating/2", parse_rating, "review.rating_broken"),
    ],
)
def test_of_the_desks_documents(
    desk: Simulator, schema: str, read: Callable[[bytes], object], code: str
) -> None:
    body = stored(desk, schema)
    assert read(body)
    with pytest.raises(DeskError) as caught:
        read(of_the_next_version(body, schema))
    assert caught.value.code == code


def test_of_a_releases_manifest_and_routing(released: Simulator) -> None:
    for schema, read, code in (
        ("release-desk/manifest/1", parse_manifest, "release.manifest_schema_unknown"),
        ("release-desk/routing/1", parse_routing, "release.routing_unreadable"),
    ):
        body = stored(released, schema)
        assert read(body, place="x")
        with pytest.raises(DeskError) as caught:
            read(of_the_next_version(body, schema), place="x")
        assert caught.value.code == code


def test_of_a_withdrawal_which_counts_all_the_same(released: Simulator, clock: Any) -> None:
    journal = Journal(released, PREFIX, clock, sleep=no_wait)
    withdraw_release(
        released, journal, clock, exports=PREFIX, version=VERSION, by="olympia", reason="Wrong.",
        find_private=lambda text: (), sleep=no_wait,
    )  # fmt: skip
    key = f"{PREFIX}releases/{VERSION}/withdrawn.json"
    released.put(key, of_the_next_version(released.body(key), "release-desk/withdrawn/1"))
    with pytest.raises(DeskError) as caught:
        read_withdrawal(released, VERSION, exports=PREFIX, sleep=no_wait)
    assert caught.value.code == "withdraw.unreadable"


def test_of_the_pointer_which_is_left_as_it_is(released: Simulator) -> None:
    key = f"{PREFIX}latest.json"
    newer = of_the_next_version(released.body(key), "release-desk/latest/1")
    released.put(key, newer)
    assert read_latest(released, PREFIX, sleep=no_wait) is None
    move_latest(released, PREFIX, "v2027-01-01", "0" * 64, sleep=no_wait)
    assert released.body(key) == newer


def test_of_a_statement_under_a_true_signature(tmp_path: Path, clock: Any) -> None:
    journal = Journal(Simulator(clock=clock), PREFIX, clock, sleep=no_wait)
    key = keys.ensure_key(tmp_path, journal, "desk")
    said = statement_bytes(
        "v", "0" * 64, {"decision": "approve"}, kind="urn:release-desk:signoff:v9"
    )
    with pytest.raises(DeskError) as caught:
        open_envelope(seal(said, key), {key.key_id: key.public_key})
    assert caught.value.code == "signoff.bad_signature"


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "release-desk/receipt/2"},
        {"schema": None},
        {"journal": {}},
        {"journal": None},
        {"journal": {"entry": "x", "sha256": "0" * 64}},
        {"manifest_sha256": ...},
    ],
)
def test_of_a_receipt(change: dict[str, object]) -> None:
    whole = {
        "schema": "release-desk/receipt/1",
        "version": "v2026-11-21",
        "manifest_sha256": "1" * 64,
        "journal": {"entry": 7, "sha256": "2" * 64},
    }
    assert read_receipt(canonical_bytes(whole)).anchor == (7, "2" * 64)
    other = {name: value for name, value in {**whole, **change}.items() if value is not ...}
    for body in (canonical_bytes(other), b"", b"[]", b"{"):
        with pytest.raises(ReleaseError) as caught:
            read_receipt(body)
        assert caught.value.code == "release.receipt_unreadable"


def test_of_the_demos_marker(simulator: Simulator) -> None:
    assert not fill.is_filled(simulator)
    simulator.put(fill.MARKER, fill._marker([("a", b"b")]))
    assert fill.is_filled(simulator)
    for body in (b'{"schema":"release-desk/demo-bucket/2"}', b"[]", b"{", b"{}"):
        simulator.put(fill.MARKER, body)
        for act in (fill.is_filled, lambda store: fill.ensure_filled(store, silent)):
            with pytest.raises(StorageError) as caught:
                act(simulator)
            assert caught.value.code == "demo.marker"
    assert simulator.keys() == [fill.MARKER]


def test_of_a_journal_entry(simulator: Simulator, clock: Any) -> None:
    journal = Journal(simulator, PREFIX, clock, sleep=no_wait)
    entry = journal.append("olympia", {"type": "test"})
    value = {**decode(simulator.body(entry.key)), "schema": "release-desk/entry/2"}
    simulator.put(entry.key, canonical_bytes(value))
    with pytest.raises(JournalBroken) as caught:
        Journal(simulator, PREFIX, clock, sleep=no_wait).replay()
    assert caught.value.code == "journal.shape"


def test_of_a_policy() -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy(b'format = "2"\n' + packaged_source("release0"))
    assert caught.value.code == "policy.unknown_key"


def test_the_readmes_table_names_formats_and_readers_that_exist() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme.split("### Stored formats")[1].split("\n#")[0]
    source = "".join(path.read_text("utf-8") for path in (ROOT / "core").rglob("*.py"))
    formats = re.findall(r"`((?:urn:)?release-desk[:/][\w/:-]+)`", table)
    assert len(formats) >= 11
    for schema in formats:
        assert f'"{schema}"' in source, schema
    # Every document that is written says its format under this very name.
    written = set(re.findall(r'"((?:urn:)?release-desk[:/][\w-]+[:/]v?\d+)"', source))
    assert sorted(written - set(formats)) == []
    rows = [row for row in table.splitlines() if row.startswith("| `")]
    without = [row for row in rows if "`core." not in row]
    assert [row for row in without if "no desk reads it back" not in row] == []
    assert len(without) == 1
    for reader in re.findall(r"`(core(?:\.\w+)+)`", table):
        module, _, name = reader.removesuffix(".replay").rpartition(".")
        assert hasattr(importlib.import_module(module), name), reader


def test_documents_are_read_back_as_they_were_written(desk: Simulator) -> None:
    body = stored(desk, "release-desk/evidence/1")
    assert document_bytes(decode(body)) == body
