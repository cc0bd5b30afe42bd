"""A verifier that knows the schema and nothing of the desk takes a good release, no spoiled one."""

from __future__ import annotations

import ast
import copy
import json
from pathlib import Path

import pytest

from tests.real_desk import VERSION
from tests.release_verifier import refusals

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "core" / "release" / "manifest_schema.json").read_text("utf-8"))
PREFIX = f"exports/releases/{VERSION}/"
MANIFEST = PREFIX + "manifest.json"
OTHER = "ab" * 32


@pytest.fixture(scope="module")
def objects(published_once):
    store = published_once.bench.desk.store
    return {found.key: store.get(found.key, limit=1 << 26).body for found in store.list(PREFIX)}


def shard(said):
    return next(file for file in said["files"] if file["kind"] == "shard")


def put(*path, value):
    """A mutation that puts `value` (or what it makes of the old one) at `path`."""

    def mutate(said):
        *way, last = path
        place = said
        for step in way:
            place = step(place) if callable(step) else place[step]
        place[last] = value(place[last]) if callable(value) else value

    return mutate


def more(number):
    return number + 1


MUTATIONS = {
    "schema": put("schema", value="release-desk/manifest/2"),
    "version": put("version", value="v2026-11-30"),
    "candidate digest": put("candidate", "digest", value=OTHER),
    "candidate key": put("candidate", "key", value="exports/candidates/other.json"),
    "snapshot time": put("candidate", "snapshot_at", value="2020-01-01T00:00:00Z"),
    "policy digest": put("policy", "digest", value=OTHER),
    "demo": put("policy", "demo", value=lambda demo: not demo),
    "desk": put("desk", value="another-desk/9"),
    "published at": put("created_at", value="2020-01-01T00:00:00Z"),
    "published by": put("published_by", value="nobody"),
    "journal head": put("journal_head", value=OTHER),
    "journal number": put("journal_seq", value=more),
    "previous": put("previous", value={"version": "v2020-01-01", "manifest_sha256": OTHER}),
    "family records": put("families", 0, "records", "train", value=more),
    "family name": put("families", 0, "name", value="other"),
    "split": put("splits", "train", value=more),
    "file digest": put("files", 0, "sha256", value=OTHER),
    "shard size": put(shard, "size", value=more),
    "shard records": put(shard, "records", value=more),
    "shard family": put(shard, "family", value="other"),
    "shard split": put(shard, "split", value="val"),
    "shard key": put(shard, "key", value=lambda key: key + "x"),
    "shard kind": put(shard, "kind", value="evidence"),
    "shards": put("shards", value=lambda shards: shards[1:]),
    "export format": put("export", "format", value="parquet"),
    "export of a split": put("export", "splits", "train", value=lambda keys: keys[1:]),
    "routing": put("routing", "sha256", value=OTHER),
    "verdict": put("gates", 0, "verdict", value="fail"),
    "examined": put("gates", 0, "examined", value=more),
    "expected": put("gates", 0, "expected", value=more),
    "gate settings": put("gates", 0, "settings", value=OTHER),
    "findings": put("gates", 0, "findings", value={"made.up": 1}),
    "gate name": put("gates", 0, "gate", value="other"),
    "reviewer": put("signoffs", 0, "reviewer", value="nobody"),
    "requirement": put("signoffs", 0, "requirement", value="other"),
    "signed at": put("signoffs", 0, "at", value="2020-01-01T00:00:00Z"),
    "read": put("reviews", 0, "read", value=more),
    "readers": put("reviews", 0, "reviewers", value=["nobody"]),
    "review sentence": put("reviews", 0, "sentence", value="All is well."),
    "upper bound": put("reviews", 0, "upper", value="0.000001"),
    "claim": put("reviews", 0, "claim", value="other"),
    "dissents": put("reviews", 0, "dissents", value=["Somebody else's."]),
    "source rows": put("sources", 0, "rows", value=more),
    "source rejected": put("sources", 0, "rejected", value={"made.up": 1}),
    "provenance rows": put("provenance", "rows", value=more),
    "licences": put("provenance", "licences", value={"other": 1}),
    "scrubbed": put("pii", "train", "scrubbed", value=more),
    "total bytes": put("totals", "bytes", value=more),
    "total records": put("totals", "records", value=more),
    "exclusions": put("exclusions", value=[{"scope": "made:up", "reason": "none"}]),
    "a field more": lambda said: said.update(extra=1),
    "a field less": lambda said: said.pop("pii"),
}


def spoiled(objects, mutate):
    said = copy.deepcopy(json.loads(objects[MANIFEST]))
    mutate(said)
    body = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert body != objects[MANIFEST]
    return {**objects, MANIFEST: body}


def test_it_knows_nothing_of_the_desk():
    tree = ast.parse((ROOT / "tests" / "release_verifier.py").read_text("utf-8"))
    imported = {
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        )
    }
    assert not {name for name in imported if str(name).split(".")[0] in ("core", "pages", "tests")}


def test_it_accepts_a_good_release(objects):
    assert refusals(objects, MANIFEST, SCHEMA) == []


def test_there_are_more_than_thirty_ways_to_spoil_one():
    assert len(MUTATIONS) > 30


@pytest.mark.parametrize("name", MUTATIONS)
def test_it_refuses_a_manifest_with_one_field_changed(objects, name):
    assert refusals(spoiled(objects, MUTATIONS[name]), MANIFEST, SCHEMA)


def test_it_refuses_any_object_with_a_byte_changed_or_gone(objects):
    kinds = {}
    for file in json.loads(objects[MANIFEST])["files"]:
        kinds.setdefault((file["kind"], file["split"]), file["key"])
    assert len(kinds) >= 7
    for key in kinds.values():
        body = objects[key]
        assert refusals({**objects, key: body[:-1] + b"~"}, MANIFEST, SCHEMA), key
        without = {name: held for name, held in objects.items() if name != key}
        assert refusals(without, MANIFEST, SCHEMA), key


def test_the_run_sheet_as_of_the_publication_lies_in_the_release(objects):
    [key] = [key for key in objects if key.startswith(f"{PREFIX}evidence/run_sheet-")]
    sheet = json.loads(objects[key])
    assert sheet["candidate"] == json.loads(objects[MANIFEST])["candidate"]["digest"]
    states = {line["id"]: line["state"] for line in sheet["lines"]}
    assert {"0.1", "1.1", "2.1", "3.1", "4.1", "4.4", "5.1", "6.2"} <= set(states)
    assert all(states[name] == "done" for name in ("0.1", "4.1", "4.2", "4.3", "4.4", "5.1"))
    # What needs the release itself cannot have been done before it stood.
    later = {"0.2", "0.3", "3.1", "3.2", "3.3", "6.1", "6.2"}
    assert {name for name, state in states.items() if state == "after_publication"} == later
    assert "not_started" not in states.values()
    page = objects[f"{PREFIX}RUN_SHEET.md"].decode()
    assert all(f"| {name} |" in page for name in states)
