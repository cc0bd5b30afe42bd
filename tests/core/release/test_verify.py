"""A stranger names what is wrong with a release, whoever made it and however well it is dressed."""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.canonical import canonical_bytes, decode, sha256_hex
from core.model.errors import NoSuchRelease, ReleaseError
from core.model.names import Version
from core.model.release import ReleaseFile
from core.release.draft import with_files
from core.release.manifest import parse_manifest
from core.release.publish import publish_release
from core.release.verify import verify_release
from tests.builders import PREFIX, a_row, change_candidate, row_bytes, some_messages
from tests.release_builders import some_inputs
from tests.simulator import Simulator

VERSION = Version("v2026-11-21")
RELEASE = f"{PREFIX}releases/{VERSION}/"


@pytest.fixture
def released(simulator):
    publish_release(some_inputs(simulator))
    return simulator


def faults(store):
    return verify_release(store, VERSION, exports=PREFIX).faults


def key_of(store, part):
    return next(key for key in store.keys(RELEASE) if part in key)


def test_a_whole_release_has_no_faults(released):
    found = verify_release(released, VERSION, exports=PREFIX)
    assert (found.faults, found.withdrawn, found.records) == ((), False, 9)
    assert (
        found.bytes
        == parse_manifest(released.body(RELEASE + "manifest.json")).document["totals"]["bytes"]
    )


@pytest.mark.parametrize(
    "part",
    ["chatml/train/priority", "routing/", "evidence/privacy", "signoffs/", "reviews/", "README.md",
     "RELEASE_NOTES.md", "croissant.json", "CHECKSUMS.sha256", "evidence/coverage"],
)  # fmt: skip
def test_an_altered_or_absent_object_is_named(released, part):
    key = key_of(released, part)
    body = released.body(key)
    released.put(key, body[:-2] + bytes([body[-2] ^ 1]) + body[-1:])
    assert any(fault.startswith("release.digest") and key in fault for fault in faults(released))

    released.delete(key)
    assert f"release.absent {key}" in faults(released)


def test_an_object_that_grew_is_named(released):
    key = key_of(released, "README.md")
    released.put(key, released.body(key) + b"\n")
    assert faults(released) == (f"release.size {key}",)


def test_data_the_manifest_does_not_list_is_named(released):
    key = RELEASE + "chatml/train/extra.jsonl"
    released.put(key, b"{}\n")
    assert faults(released) == (f"release.unlisted {key}",)


def test_no_manifest_is_no_release(simulator):
    with pytest.raises(NoSuchRelease):
        faults(simulator)


def test_a_group_on_two_sides_of_a_split_is_named(simulator):
    train = a_row(some_messages("one"), group_id="a" * 32)
    test = a_row(some_messages("two"), split="test", group_id="a" * 32)
    inputs = some_inputs(
        simulator, rows={("priority", "train"): [train], ("priority", "test"): [test]}
    )
    with pytest.raises(ReleaseError, match=r"release\.not_verified.*release\.group_parted"):
        publish_release(inputs)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"source_family": "voice"}, "release.row_family"),
        ({"split": "val"}, "release.row_split"),
        ({"turns": 9}, "release.bad_row"),
        ({"pii_status": "requires_review"}, "release.bad_row"),
        ({"language": None}, "release.bad_row"),
        ({"stage": "1"}, "release.bad_row"),
        ({"note": "more"}, "release.bad_row"),
        ({"language": ...}, "release.bad_row"),
    ],
)
def test_a_row_that_is_not_what_the_manifest_says_is_named(released, change, fault):
    messages = some_messages("odd")
    assert any(item.startswith(fault) for item in _with_shard(released, a_row(messages, **change)))


def _with_shard(store, row):
    """The faults after the val shard of a forged but self-consistent manifest holds `row`."""
    body = row_bytes(row)
    sha256 = sha256_hex(body)
    key = f"{RELEASE}chatml/train/priority-{sha256}.jsonl"
    store.put(key, body)
    document = decode(store.body(RELEASE + "manifest.json"))
    files = [ReleaseFile(**item) for item in document["files"]]
    files.append(
        ReleaseFile(
            key=key, sha256=sha256, size=len(body), kind="shard", records=1,
            family="priority", split="train",
        )
    )  # fmt: skip
    document["shards"] = sorted([*document["shards"], sha256])
    document["export"]["splits"]["train"] = sorted([*document["export"]["splits"]["train"], key])
    document["splits"]["train"] += 1
    for family in document["families"]:
        if family["name"] == "priority":
            family["records"]["train"] += 1
    forged = canonical_bytes(with_files(document, files))
    parse_manifest(forged)
    store.put(RELEASE + "manifest.json", forged)
    return faults(store)


def test_a_manifest_written_by_hand_whose_numbers_match_nothing_fails_by_name(released):
    document = decode(released.body(RELEASE + "manifest.json"))
    files = [
        dataclasses.replace(
            ReleaseFile(**item), sha256="ab" * 32 if item["kind"] == "document" else item["sha256"]
        )
        for item in document["files"]
    ]
    released.put(RELEASE + "manifest.json", canonical_bytes(with_files(document, files)))
    named = [fault for fault in faults(released) if fault.startswith("release.digest")]
    assert len(named) == sum(item["kind"] == "document" for item in document["files"]) > 4
    assert any("README.md" in fault for fault in named)


@pytest.mark.parametrize(
    ("break_it", "code"),
    [
        (lambda d: d.update(schema="release-desk/manifest/2"), "release.manifest_schema_unknown"),
        (lambda d: d.update(extra=1), "release.manifest_invalid"),
        (lambda d: d.pop("gates"), "release.manifest_invalid"),
        (lambda d: d.update(gates=[]), "release.manifest_invalid"),
        (lambda d: d.update(signoffs=[]), "release.manifest_invalid"),
        (lambda d: d["totals"].update(records=1), "release.manifest_invalid"),
        (lambda d: d["splits"].update(train=1), "release.manifest_invalid"),
        (lambda d: d["files"].reverse(), "release.manifest_invalid"),
        (lambda d: d["files"].append(d["files"][0]), "release.manifest_invalid"),
        (lambda d: d["routing"].update(sha256="0" * 64), "release.manifest_invalid"),
        (lambda d: d["signoffs"][0].update(reviewer="Dr. A Name"), "release.manifest_invalid"),
        (lambda d: d.update(version="latest"), "release.manifest_invalid"),
        (lambda d: d["shards"].pop(), "release.manifest_invalid"),
        (lambda d: d["export"]["splits"].pop("test"), "release.manifest_invalid"),
    ],
)
def test_a_manifest_that_breaks_its_schema_or_itself_is_refused(released, break_it, code):
    document = decode(released.body(RELEASE + "manifest.json"))
    break_it(document)
    released.put(RELEASE + "manifest.json", canonical_bytes(document))
    with pytest.raises(ReleaseError) as caught:
        faults(released)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"a":1,"a":1}', b'{"a": 1}', b"\xff"]
)
def test_bytes_that_are_no_canonical_object_are_no_manifest(body):
    with pytest.raises(ReleaseError, match=r"release\.manifest_unreadable|schema_unknown"):
        parse_manifest(body)


def test_a_manifest_copied_to_another_version_is_refused(released):
    released.put(
        f"{PREFIX}releases/v2026-11-22/manifest.json", released.body(RELEASE + "manifest.json")
    )
    with pytest.raises(ReleaseError, match="another version"):
        verify_release(released, Version("v2026-11-22"), exports=PREFIX)


def test_routing_whose_weights_do_not_sum_to_one_is_not_published(simulator):
    inputs = some_inputs(simulator)
    routing = json.loads(simulator.body(inputs.candidate.routing_key))
    routing["phases"][0]["families"]["priority"]["weight"] += 0.25
    body = json.dumps(routing).encode()
    key = f"{PREFIX}routing/{sha256_hex(body)}.json"
    simulator.put(key, body)
    changed = change_candidate(
        simulator, inputs.candidate, routing_key=key, routing_sha256=sha256_hex(body)
    )
    with pytest.raises(ReleaseError, match=r"release\.routing"):
        publish_release(some_inputs(simulator, candidate=changed))


@settings(max_examples=200, deadline=None)
@given(body=st.one_of(st.binary(max_size=80), st.text(max_size=80).map(str.encode)))
def test_no_bytes_make_the_parser_do_anything_but_refuse(body):
    with pytest.raises(ReleaseError):
        parse_manifest(body)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(place=st.integers(0, 1 << 16), bit=st.integers(0, 7))
def test_a_manifest_with_one_bit_flipped_is_refused_or_still_keeps_to_the_schema(
    pristine, place, bit
):
    good = pristine.body(RELEASE + "manifest.json")
    at = place % len(good)
    bad = good[:at] + bytes([good[at] ^ 1 << bit]) + good[at + 1 :]
    try:
        manifest = parse_manifest(bad)
    except ReleaseError:
        return
    assert canonical_bytes(manifest.document) == bad
    assert manifest.counts() == parse_manifest(good).counts()


@pytest.fixture(scope="module")
def pristine():
    store = Simulator()
    publish_release(some_inputs(store))
    return store
