"""Publishing ends with a whole release or with a reason, and never with half of one."""

from __future__ import annotations

import dataclasses
import hashlib

import pytest

from core.canonical import canonical_bytes, decode, sha256_hex
from core.model.errors import Blocked, JournalBroken, NoSuchRelease, ReleaseError, VersionTaken
from core.model.names import ReviewerId, Version
from core.model.waiver import Waiver
from core.release.claim import abandon_publish, version_state, write_intent
from core.release.manifest import parse_manifest
from core.release.publish import dry_run, publish_release
from core.release.verify import load_manifest, verify_release
from tests.builders import PREFIX, a_policy, a_row, put
from tests.release_builders import a_blocking_finding, a_report, event_types, some_inputs

VERSION = Version("v2026-11-21")
RELEASE = f"{PREFIX}releases/{VERSION}/"


def test_a_proven_candidate_becomes_a_release_that_a_stranger_finds_whole(store):
    published = publish_release(some_inputs(store))

    found = verify_release(store, VERSION, exports=PREFIX)
    assert found.faults == ()
    assert found.records == 9
    assert found.manifest_sha256 == published.manifest_sha256


def test_the_journal_holds_each_step_of_the_decision_once(simulator):
    inputs = some_inputs(simulator)
    publish_release(inputs)
    publish_release(inputs)

    assert event_types(inputs) == ["publish.intent", "publish.committed", "publish.verified"]


def test_publishing_again_gives_the_same_manifest(simulator, clock):
    first = publish_release(some_inputs(simulator, clock=clock))
    clock.tick(3600)
    second = publish_release(some_inputs(simulator, clock=clock, publisher=ReviewerId("petra")))

    assert first.manifest_sha256 == second.manifest_sha256
    assert simulator.versions(RELEASE + "manifest.json") == 1


def test_the_manifest_is_the_last_object_of_the_release(simulator):
    publish_release(some_inputs(simulator))
    written = [key for op, key in simulator.calls if op in ("put_if_absent", "copy")]

    inside = [key for key in written if key.startswith(RELEASE)]
    assert inside[-1] == RELEASE + "manifest.json"
    assert len(inside) == len(set(inside)) > 10


def test_the_manifest_says_who_when_and_what_it_rests_on(simulator):
    inputs = some_inputs(simulator)
    publish_release(inputs)
    document = load_manifest(simulator, VERSION, exports=PREFIX).document
    entry = inputs.journal.replay()[0]

    assert document["published_by"] == "paula"
    assert document["created_at"] == entry.at
    assert (document["journal_seq"], document["journal_head"]) == (1, entry.digest)
    assert document["previous"] is None
    assert {item["reviewer"] for item in document["signoffs"]} == {"clara", "beatrix", "olympia"}
    assert [gate["verdict"] for gate in document["gates"]] == ["pass"] * 5
    assert document["splits"] == {"train": 7, "val": 0, "test": 2}
    assert document["reviews"][0]["limit"] == "0.5"


def test_the_next_release_names_the_one_before(simulator):
    first = publish_release(some_inputs(simulator))
    publish_release(some_inputs(simulator, version="v2026-11-22"))

    document = load_manifest(simulator, Version("v2026-11-22"), exports=PREFIX).document
    assert document["previous"] == {
        "version": VERSION,
        "manifest_sha256": first.manifest_sha256,
    }


def test_latest_moves_forward_only(simulator):
    publish_release(some_inputs(simulator, version="v2026-11-22"))
    publish_release(some_inputs(simulator, version="v2026-11-21"))
    assert decode(simulator.body(f"{PREFIX}latest.json"))["version"] == "v2026-11-22"

    publish_release(some_inputs(simulator, version="v2026-11-22.2"))
    assert decode(simulator.body(f"{PREFIX}latest.json"))["version"] == "v2026-11-22.2"


def test_a_blocker_stops_before_anything_is_written(simulator):
    inputs = some_inputs(
        simulator, gather=lambda facts: dataclasses.replace(facts, signoffs=facts.signoffs[1:])
    )
    with pytest.raises(Blocked, match=r"signoff\.absent"):
        publish_release(inputs)

    assert simulator.keys(RELEASE) == []
    assert event_types(inputs) == []


def test_the_person_who_signed_as_clinician_cannot_publish(simulator):
    with pytest.raises(Blocked, match=r"four_eyes\.publisher_signed"):
        publish_release(some_inputs(simulator, publisher=ReviewerId("clara")))


def test_a_revocation_after_the_intent_stops_the_commit_and_frees_the_version(simulator):
    asked = []

    def revoked_later(facts):
        asked.append(1)
        if len(asked) < 2:
            return facts
        gone = dataclasses.replace(facts.signoffs[0], revoked=True)
        return dataclasses.replace(facts, signoffs=(gone, *facts.signoffs[1:]))

    inputs = some_inputs(simulator, gather=revoked_later)
    with pytest.raises(Blocked, match=r"signoff\.revoked"):
        publish_release(inputs)

    assert event_types(inputs) == ["publish.intent", "publish.abandoned"]
    with pytest.raises(NoSuchRelease):
        verify_release(simulator, VERSION, exports=PREFIX)
    again = some_inputs(simulator)
    assert publish_release(again).verification.faults == ()


def test_a_used_name_is_never_used_again_even_after_deletion(simulator):
    publish_release(some_inputs(simulator))
    simulator.delete(RELEASE + "manifest.json")

    with pytest.raises(VersionTaken):
        publish_release(some_inputs(simulator))
    with pytest.raises(VersionTaken):
        publish_release(some_inputs(simulator, rows={("priority", "train"): 3}))


def test_a_delete_marker_alone_takes_the_name(simulator):
    simulator.put(RELEASE + "manifest.json", b"something")
    simulator.delete(RELEASE + "manifest.json")

    inputs = some_inputs(simulator)
    with pytest.raises(VersionTaken):
        publish_release(inputs)
    assert event_types(inputs) == []


def test_another_candidate_cannot_take_a_published_version(simulator):
    first = publish_release(some_inputs(simulator))
    with pytest.raises(VersionTaken):
        publish_release(some_inputs(simulator, rows={("priority", "train"): 3}))

    manifest = load_manifest(simulator, VERSION, exports=PREFIX)
    assert manifest.sha256 == first.manifest_sha256


def test_a_manifest_the_journal_knows_nothing_of_is_not_taken_for_a_rerun(simulator):
    other = some_inputs(simulator)
    publish_release(other)
    for key in simulator.keys(f"{PREFIX}journal/"):
        simulator.forget(key)

    with pytest.raises(VersionTaken):
        publish_release(some_inputs(simulator))


def test_an_intent_of_another_candidate_holds_the_version_until_it_is_abandoned(simulator):
    mine = some_inputs(simulator)
    other = some_inputs(simulator, rows={("priority", "train"): 3})
    write_intent(
        mine.journal,
        (),
        version=VERSION,
        candidate=other.candidate.digest,
        inputs=other.candidate.digest,
        by=ReviewerId("petra"),
        desk="release-desk/0.1",
    )
    with pytest.raises(VersionTaken, match=r"version\.claimed"):
        publish_release(mine)

    abandon_publish(mine.journal, VERSION, by=ReviewerId("petra"), reason="another_candidate")
    assert publish_release(mine).verification.faults == ()


def test_data_of_an_abandoned_attempt_may_not_be_published_beside(simulator):
    put(simulator, RELEASE + "chatml/train/other-" + "0" * 64 + ".jsonl", b"{}\n")
    with pytest.raises(VersionTaken, match=r"version\.not_clean"):
        publish_release(some_inputs(simulator))


def test_evidence_that_changed_since_the_crash_gives_a_new_intent(simulator):
    first = some_inputs(simulator, on_step=_stop_at("build"))
    with pytest.raises(_Stopped):
        publish_release(first)
    second = some_inputs(simulator, included=())
    publish_release(second)

    kinds = event_types(second)
    assert kinds[:3] == ["publish.intent", "publish.abandoned", "publish.intent"]
    assert kinds[3:] == ["publish.committed", "publish.verified"]


def test_a_shard_changed_after_it_was_judged_is_not_published(simulator):
    inputs = some_inputs(simulator)
    shard = inputs.candidate.shards[0]
    simulator.put(shard.key, simulator.body(shard.key).replace(b"user", b"User", 1))

    with pytest.raises(ReleaseError):
        publish_release(inputs)
    assert simulator.keys(RELEASE + "manifest.json") == []


def test_evidence_changed_where_it_lies_is_not_published(simulator):
    inputs = some_inputs(simulator)
    report = inputs.gather_facts().reports["privacy"]
    simulator.put(report.key, b"{}")
    with pytest.raises(ReleaseError, match=r"release\.evidence_changed"):
        publish_release(inputs)


def test_a_candidate_altered_where_it_lies_is_not_published(simulator):
    inputs = some_inputs(simulator)
    simulator.put(inputs.candidate_key, b"{}")
    with pytest.raises(ReleaseError, match=r"release\.candidate_changed"):
        publish_release(inputs)


def test_a_row_outside_the_schema_is_not_published(simulator):
    row = {**a_row(), "text": "a trainer would prefer this"}
    inputs = some_inputs(simulator, rows={("priority", "train"): [row]})
    with pytest.raises(ReleaseError, match=r"release\.bad_row|release\.read_back"):
        publish_release(inputs)
    assert simulator.keys(RELEASE + "manifest.json") == []


def test_private_words_in_a_typed_reason_do_not_ship(simulator):
    inputs = some_inputs(
        simulator,
        gather=lambda facts: dataclasses.replace(
            facts, waived_families={"voice": "ask someone@example.org"}
        ),
    )
    with pytest.raises(ReleaseError, match=r"release\.private_text") as caught:
        publish_release(inputs)
    assert "@" not in str(caught.value)
    assert event_types(inputs) == []


def test_a_dry_run_lists_what_would_be_written_and_writes_nothing(simulator):
    inputs = some_inputs(simulator)
    before = simulator.keys()
    plan = dry_run(inputs)
    assert simulator.keys() == before
    assert plan.blockers == ()

    publish_release(inputs)
    listed = {file["key"] for file in _document(simulator)["files"]}
    assert {file.key for file in plan.objects} == listed


def test_a_dry_run_of_a_blocked_candidate_says_what_blocks_it(simulator):
    inputs = some_inputs(
        simulator,
        policy=a_policy(),
        gather=lambda facts: dataclasses.replace(facts, reports={}, signoffs=(), probe_ok=False),
    )
    plan = dry_run(inputs)
    codes = {blocker.code for blocker in plan.blockers}
    assert {"gate.absent", "signoff.absent", "probe.failed"} <= codes
    assert len(plan.objects) > 3


def test_every_listed_object_is_the_bytes_the_manifest_says(simulator):
    publish_release(some_inputs(simulator))
    for file in _document(simulator)["files"]:
        body = simulator.body(file["key"])
        assert hashlib.sha256(body).hexdigest() == file["sha256"]
        assert len(body) == file["size"]


def test_the_manifest_holds_no_floats_and_parses_back(simulator):
    publish_release(some_inputs(simulator))
    body = simulator.body(RELEASE + "manifest.json")
    assert canonical_bytes(parse_manifest(body).document) == body


def test_a_signed_claim_ships_the_very_review_it_rests_on(simulator):
    whole = some_inputs(simulator)
    with pytest.raises(ReleaseError, match=r"release\.review_differs"):
        publish_release(dataclasses.replace(whole, reviews=whole.reviews[1:]))
    first = whole.reviews[0]
    rosier = dataclasses.replace(first, state=dataclasses.replace(first.state, defects=7))
    with pytest.raises(ReleaseError, match=r"release\.review_differs"):
        publish_release(dataclasses.replace(whole, reviews=(rosier, *whole.reviews[1:])))
    assert event_types(whole) == []


def test_a_manifest_anchors_the_journal(simulator):
    inputs = some_inputs(simulator)
    publish_release(inputs)
    anchor = load_manifest(simulator, VERSION, exports=PREFIX).anchor
    inputs.journal.verify([anchor])
    simulator.put(f"{PREFIX}journal/000000000001.json", b"{}")
    with pytest.raises(JournalBroken):
        inputs.journal.verify([anchor])


def test_a_waived_fail_ships_with_its_waiver_in_sight(simulator):
    body = canonical_bytes({"waiver": "distribution.range"})
    key = f"{PREFIX}waivers/{sha256_hex(body)}.json"
    put(simulator, key, body)

    def waived(facts):
        report = a_report(
            simulator,
            facts.candidate,
            "distribution",
            verdict="fail",
            findings=(a_blocking_finding(),),
        )
        waiver = Waiver(
            gate="distribution",
            code="distribution.range",
            candidate=facts.candidate.digest,
            report=report.sha256,
            reason="The source changed its format.",
            signers=(
                (ReviewerId("leander"), "review_lead"),
                (ReviewerId("olympia"), "release_owner"),
            ),
            expires_at="2026-12-01T00:00:00Z",
            key=key,
            sha256=sha256_hex(body),
        )
        reports = {**facts.reports, "distribution": report}
        return dataclasses.replace(facts, reports=reports, waivers=(waiver,))

    published = publish_release(some_inputs(simulator, gather=waived))
    assert published.verification.faults == ()
    document = _document(simulator)
    assert [gate["verdict"] for gate in document["gates"]].count("fail") == 1
    [shown] = document["waivers"]
    assert [item["reviewer"] for item in shown["signers"]] == ["leander", "olympia"]
    assert simulator.body(shown["key"]) == body
    assert "The source changed its format." in simulator.body(RELEASE + "RELEASE_NOTES.md").decode()


def test_a_resumed_intent_is_read_from_the_journal(simulator):
    inputs = some_inputs(simulator, on_step=_stop_at("write"))
    with pytest.raises(_Stopped):
        publish_release(inputs)
    live = version_state(inputs.journal.replay(), VERSION).live
    assert live is not None
    assert live.candidate == inputs.candidate.digest


class _Stopped(Exception):
    pass


def _stop_at(step):
    def stop(name):
        if name == step:
            raise _Stopped

    return stop


def _document(simulator):
    return decode(simulator.body(RELEASE + "manifest.json"))
