"""What once went out is tried again on the whole road, and each attempt is blocked by name.

Letters are those of the product's list; (a), (b), (d) and (f) are with the gates that see them.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.canonical import canonical_bytes, sha256_hex
from core.model.errors import Blocked, DeskError, IntakeError, NoSuchRelease, ReleaseError
from core.release.consume import open_release
from core.release.verify import load_manifest
from core.review.envelope import open_envelope, seal, statement_bytes
from core.review.keys import SigningKey, key_id_of, registered_keys
from core.review.signoffs import read_signoff
from core.storage.s3 import S3Store
from tests import road
from tests.builders import some_messages
from tests.real_desk import VERSION, a_real_desk, fill_small, json_lines, real_people, real_policy

pytestmark = [pytest.mark.seaweed, pytest.mark.slow]
TAKEN_OVER = "v2026-11-23"


def blockers(bench, digest):
    """{code: details} of what stands in the owner's way."""
    found: dict[str, list[str]] = {}
    for item in bench.releases.blockers(digest, road.person(bench, "owner")):
        found.setdefault(item.code, []).append(item.detail)
    return found


def refuses_to_publish(bench, digest, version=VERSION):
    """Publishing raises, and no manifest stands."""
    with pytest.raises(Blocked):
        bench.releases.publish(digest, road.person(bench, "owner"))
    with pytest.raises(NoSuchRelease):
        load_manifest(bench.desk.store, version, exports="exports/")
    return True


# (c) Sign-off by invented clinicians.


def a_strangers_key() -> SigningKey:
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw().hex()
    return SigningKey(key_id=key_id_of(public), public_key=public, private=private)


def forge(bench, digest, requirement, key, **claimed):
    """Put a well-formed sign-off of somebody invented where the desk keeps sign-offs."""
    rule = next(rule for rule in bench.desk.policy.signoffs if rule.id == requirement)
    said = {
        "requirement": rule.id,
        "role": rule.role,
        "reviewer": "test:dr-nobody",
        "decision": "approve",
        "meaning": "reviewed and approved",
        "at": "2026-11-22T09:00:00Z",
        **claimed,
    }
    body = seal(statement_bytes(VERSION, digest, said), key)
    place = f"exports/signoffs/{digest}/{requirement}-{sha256_hex(body)}.json"
    bench.desk.store.put_if_absent(place, body)
    return place, body


def test_c_a_signature_with_a_key_nobody_registered_is_named(rated):
    bench, digest = rated.bench, rated.digest
    for wanted in bench.desk.policy.signoffs:
        forge(bench, digest, wanted.id, a_strangers_key())
    found = blockers(bench, digest)
    assert len(found["signoff.unknown_key"]) == len(bench.desk.policy.signoffs)
    assert not any(item.signoff for item in bench.signing.requirements(digest))
    assert refuses_to_publish(bench, digest)


def test_c_a_note_of_a_sign_off_put_by_hand_is_named(rated):
    bench, digest = rated.bench, rated.digest
    note = {"reviewer": "Dr. Nobody", "role": "clinician", "decision": "approve"}
    body = json.dumps(note).encode()
    place = f"exports/signoffs/{digest}/clinician_edge-{sha256_hex(body)}.json"
    bench.desk.store.put_if_absent(place, body)
    found = blockers(bench, digest)
    assert len(found["signoff.bad_signature"]) == 1
    assert "edge" in found["signoff.bad_signature"][0]
    assert refuses_to_publish(bench, digest)


def test_c_the_desks_own_key_in_the_wrong_hands_is_not_enough(rated):
    """A key taken from the machine signs, but no act at the desk stands in the journal."""
    bench, digest = rated.bench, rated.digest
    reader = road.person(bench, "bias")
    bench.signing.sign(digest, "bias_foundation", "approve", reader.name, reader)
    secret = bytes.fromhex((bench.desk.workspace / "signing-key.hex").read_text().strip())
    private = Ed25519PrivateKey.from_private_bytes(secret)
    public = private.public_key().public_bytes_raw().hex()
    key = SigningKey(key_id=key_id_of(public), public_key=public, private=private)
    assert key.key_id in registered_keys(bench.desk.entries())

    forge(bench, digest, "clinician_edge", key, reviewer="test:clinician-1")
    found = blockers(bench, digest)
    assert len(found["signoff.not_journalled"]) == 1
    assert refuses_to_publish(bench, digest)


def test_c_a_sign_off_altered_to_say_approve_is_named(rated):
    bench, digest = rated.bench, rated.digest
    reader = road.person(bench, "bias")
    given = bench.signing.sign(digest, "bias_foundation", "refuse", reader.name, reader)
    store = bench.desk.store
    keys = registered_keys(bench.desk.entries())
    statement = open_envelope(read_signoff(store, given.key), keys)
    changed = {**statement["predicate"], "decision": "approve"}
    envelope = json.loads(read_signoff(store, given.key))
    forged = json.loads(seal(statement_bytes(VERSION, digest, changed), a_strangers_key()))
    envelope["payload"] = forged["payload"]
    held = store.get(given.key, limit=1 << 20)
    store.put_if_match(given.key, canonical_bytes(envelope), held.etag)

    found = blockers(bench, digest)
    assert any("bias" in detail.lower() for detail in found["signoff.bad_signature"])
    assert refuses_to_publish(bench, digest)


def test_c_a_person_the_roster_no_longer_lists_has_not_signed(signed):
    # The same people without the clinician: what they signed proves nothing any more.
    source = real_people()
    start = source.index(b'\n[[people]]\nid = "test:clinician-1"')
    end = source.index(b"\n[[people]]", start + 1)
    bench = a_real_desk(
        signed.bucket, signed.folder, workspace="other", people=source[:start] + source[end:]
    )
    found = blockers(bench, signed.digest)
    assert len(found["signoff.role_not_held"]) == 2
    # Somebody leaving is no reason to build again.
    assert "policy.changed" not in found
    assert refuses_to_publish(bench, signed.digest)


# (e) A family proven by an empty file, or by another family's object.


def test_e_an_empty_file_proves_no_family_and_the_build_says_which_stage_is_empty(unfilled):
    bench = unfilled.bench
    fill_small(bench.desk.store, edge_cases=0)
    road.decide_sources(bench, VERSION)
    edge = bench.data.coverage(VERSION).families["edge_cases"]
    assert (edge.state, edge.objects, edge.bytes, edge.records) == ("unusable", 1, 0, 0)
    with pytest.raises(IntakeError) as refused:
        bench.candidates.build(VERSION, road.person(bench, "engineer"))
    assert (refused.value.code, refused.value.place) == ("intake.stage_empty", "edge")


def test_e_an_empty_file_in_a_stage_with_others_blocks_publishing_by_the_familys_name(unfilled):
    bench = unfilled.bench
    fill_small(bench.desk.store, priority=0)
    road.decide_sources(bench, VERSION)
    assert bench.data.coverage(VERSION).families["priority"].state == "unusable"
    candidate = bench.candidates.build(VERSION, road.person(bench, "engineer"))
    found = blockers(bench, candidate.digest)
    assert ["priority" in detail for detail in found["candidate.family_empty"]] == [True]
    assert refuses_to_publish(bench, candidate.digest)


def test_e_one_object_cannot_prove_two_families(make_bucket, tmp_path: Path):
    source = real_policy().replace(
        b'prefixes = ["gdrive/processed/priority/"]',
        b'prefixes = ["gdrive/processed/professional_therapeutic/"]',
    )
    assert source != real_policy()
    bench = a_real_desk(make_bucket(), tmp_path, policy=source)
    fill_small(bench.desk.store)
    engineer = road.person(bench, "engineer")
    bench.data.take_inventory(engineer)
    coverage = bench.data.coverage(VERSION)
    key = "gdrive/processed/professional_therapeutic/talks.jsonl"
    assert {family for family, _ in coverage.shared[key]} == {
        "professional_therapeutic",
        "priority",
    }
    for name in ("professional_therapeutic", "priority"):
        assert coverage.families[name].state in ("unusable", "missing"), name
        assert {item.state for item in coverage.families[name].evidence} == {"shared"}
    with pytest.raises(IntakeError) as refused:
        bench.candidates.build(VERSION, engineer)
    assert (refused.value.code, refused.value.place) == ("intake.stage_empty", "foundation")


# (g) A manifest written by hand, whose sizes and hashes match nothing.


def test_g_a_manifest_that_only_looks_right_is_named_file_by_file(published_once):
    bench, store = published_once.bench, published_once.bench.desk.store
    document = json.loads(
        store.get(f"exports/releases/{VERSION}/manifest.json", limit=1 << 26).body
    )
    text = json.dumps(document).replace(f"releases/{VERSION}/", f"releases/{TAKEN_OVER}/")
    invented = json.loads(text)
    invented["version"] = TAKEN_OVER
    for number, file in enumerate(invented["files"]):
        file["sha256"] = sha256_hex(f"invented {number}".encode())
        if number % 2:
            store.put_if_absent(file["key"], b'{"messages": []}\n')
    digests = {file["key"]: file["sha256"] for file in invented["files"]}
    invented["shards"] = sorted(f["sha256"] for f in invented["files"] if f["kind"] == "shard")
    _point_at(invented, digests)
    key = f"exports/releases/{TAKEN_OVER}/manifest.json"
    store.put_if_absent(key, canonical_bytes(invented))

    try:
        faults = bench.releases.verify(TAKEN_OVER).faults
    except ReleaseError as error:
        faults = (f"{error.code} {error.place}",) * len(invented["files"])
    codes = Counter(fault.split()[0] for fault in faults)
    assert codes["release.absent"] >= len(invented["files"]) // 2, codes
    assert codes["release.sha256"] + codes["release.size"] > 0, codes
    for file in invented["files"]:
        assert any(file["key"] in fault for fault in faults), file["kind"]

    with pytest.raises(DeskError) as refused:
        _train_on(S3Store(published_once.bucket), TAKEN_OVER)
    assert refused.value.code.startswith("release.")


def _train_on(store, version):
    """Read a release as training would; a single row of an invented one is one too many."""
    release = open_release(store, version, exports="exports/")
    for split in release.splits:
        for _ in release.iterate(split):
            raise AssertionError("a row of an invented release reached training")


def _point_at(value, digests):
    """Make every reference {key, sha256} in a document agree with the listed files."""
    if isinstance(value, dict):
        if value.get("key") in digests:
            value["sha256"] = digests[value["key"]]
        for item in value.values():
            _point_at(item, digests)
    elif isinstance(value, list):
        for item in value:
            _point_at(item, digests)


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"version": "v2026-11-24", "files": [{"path": "train.jsonl", "sha256": "abc"}]}',
        b"release: v2026-11-24\n",
    ],
)
def test_g_a_note_in_the_place_of_a_manifest_is_no_release(unfilled, body):
    version = "v2026-11-24"
    key = f"exports/releases/{version}/manifest.json"
    unfilled.bench.desk.store.put_if_absent(key, body)
    with pytest.raises(ReleaseError) as refused:
        unfilled.bench.releases.verify(version)
    assert refused.value.code.startswith("release.manifest_")
    with pytest.raises(ReleaseError) as closed:
        open_release(S3Store(unfilled.bucket), version, exports="exports/")
    assert closed.value.code == refused.value.code


# (h) 14 % of rows lost in parsing with no word.


def test_h_losing_14_percent_of_an_objects_rows_blocks_the_release(unfilled):
    bench = unfilled.bench
    fill_small(bench.desk.store)
    good = [{"messages": some_messages(f"lossy {n}")} for n in range(86)]
    lines = json_lines(good).splitlines(keepends=True)
    for number in range(14):
        lines.insert(number * 6, b'{"messages": [{"role": "user", "content": "cut off\n')
    key = "gdrive/processed/priority/lossy.jsonl"
    bench.desk.store.put_if_absent(key, b"".join(lines))
    road.decide_sources(bench, VERSION)
    candidate, reports = road.build_and_judge(bench, VERSION)

    source = next(item for item in candidate.sources if item.key == key)
    assert (source.rows, source.records, sum(source.rejected.values())) == (100, 86, 14)
    lost = [
        finding
        for _, finding in bench.candidates.findings(
            candidate.digest, gate="provenance", code="provenance.rows_lost"
        )
    ]
    assert [finding.blocking for finding in lost] == [True]
    assert key in lost[0].detail
    assert reports["provenance"].report.verdict == "fail"
    assert any(
        "provenance.rows_lost" in words
        for words in blockers(bench, candidate.digest)["gate.failed"]
    )
    assert refuses_to_publish(bench, candidate.digest)
