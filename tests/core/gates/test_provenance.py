"""Any missing provenance blocks, and so does provenance that is there and untrue."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from core.canonical import canonical_bytes, decode, document_bytes, sha256_hex
from core.gates.corpus import open_corpus
from core.gates.listed import stored_listing
from core.gates.provenance import ProvenanceGate
from core.gates.row import row_faults
from core.gates.run import run_gate
from core.intake.document import decode_candidate, encode_candidate
from core.intake.inventory import listing_key, load_listing, make_listing, store_listing
from core.model.candidate import Candidate
from core.model.gate import GateReport
from core.policy.types import PhaseRule
from tests.builders import (
    PREFIX,
    SNAPSHOT_AT,
    a_candidate,
    a_policy,
    a_row,
    a_source,
    change_candidate,
    put,
    row_bytes,
    some_messages,
    some_rows,
)
from tests.clock import FixedClock
from tests.simulator import Simulator

POLICY = a_policy()
EARLIER = "2026-01-01T00:00:00Z"
UNDATED = {"provenance.books", "provenance.listing"}


def judge(simulator: Simulator, candidate: Candidate, policy=POLICY) -> GateReport:
    routing = simulator.get(candidate.routing_key, limit=1 << 20).body
    listing = stored_listing(simulator, PREFIX, candidate)
    gate = ProvenanceGate(policy, candidate, routing=routing, listing=listing)
    return run_gate(gate, open_corpus(simulator, candidate), clock=FixedClock())


def codes(report: GateReport) -> set[str]:
    return {finding.code for finding in report.blocking}


def judge_row(simulator: Simulator, **metadata: Any) -> set[str]:
    """The blocking codes for a candidate of three sound rows and one with other metadata."""
    odd = a_row(seed="odd")
    if isinstance(metadata.get("provenance"), dict):
        odd["metadata"]["provenance"].update(metadata.pop("provenance"))
    changed = odd["metadata"] | metadata
    odd["metadata"] = {name: value for name, value in changed.items() if value is not ...}
    rows = [*some_rows(3), odd]
    candidate = a_candidate(
        simulator, {("priority", "train"): rows}, sources=(a_source(records=4),)
    )
    return codes(judge(simulator, candidate))


def test_a_candidate_that_tells_the_truth_passes(simulator):
    candidate = a_candidate(
        simulator,
        {("priority", "train"): 20, ("priority", "test"): 2, ("edge_cases", "test"): 3},
    )
    report = judge(simulator, candidate)
    assert (report.verdict, report.findings) == ("pass", ())
    assert report.measures["whole_records"] == report.measures["records"] == 25
    assert report.measures["families"]["priority"] == {"test": 2, "train": 20}


METADATA = [name for name in a_row()["metadata"] if name != "provenance"]
PROVENANCE = list(a_row()["metadata"]["provenance"])


@pytest.mark.parametrize("name", METADATA)
def test_a_row_without_one_key_blocks(name, simulator):
    assert "provenance.row_schema" in judge_row(simulator, **{name: ...})


@pytest.mark.parametrize("name", [*METADATA, "provenance"])
def test_a_key_of_another_type_blocks(name, simulator):
    assert "provenance.row_schema" in judge_row(simulator, **{name: None})
    assert "provenance.row_schema" in judge_row(simulator, **{name: [1]})


@pytest.mark.parametrize("name", PROVENANCE)
def test_a_row_without_one_provenance_key_blocks(name, simulator):
    row = a_row()
    del row["metadata"]["provenance"][name]
    candidate = a_candidate(simulator, {("priority", "train"): [row]})
    assert "provenance.row_schema" in codes(judge(simulator, candidate))


def test_a_row_without_metadata_at_all_blocks_and_does_not_crash(simulator):
    candidate = a_candidate(simulator, {("priority", "train"): [{"messages": some_messages()}]})
    report = judge(simulator, candidate)
    assert report.verdict == "fail"
    assert "provenance.row_schema" in codes(report)


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        ({"content_hash": "sha256:" + "0" * 64}, "provenance.content_hash"),
        ({"record_id": "0" * 32}, "provenance.record_id"),
        ({"turns": 7}, "provenance.turns"),
        ({"pii_status": "requires_review"}, "provenance.requires_review"),
        ({"pii_status": "assumed"}, "provenance.row_schema"),
        ({"source_key": "gdrive/processed/priority/other.jsonl"}, "provenance.source_unknown"),
        ({"source_sha256": "0" * 64}, "provenance.source_digest"),
        ({"license_tag": "undecided"}, "provenance.licence_undecided"),
        ({"license_tag": "reddit_cc"}, "provenance.licence_unknown"),
        ({"license_tag": "cc-by-4.0"}, "provenance.licence_differs"),
        ({"split": "test"}, "provenance.misplaced"),
        ({"source_family": "edge_cases"}, "provenance.misplaced"),
        ({"stage": 3}, "provenance.misplaced"),
        ({"phase": "another"}, "provenance.misplaced"),
        ({"source_line": 0}, "provenance.row_schema"),
        ({"tokens": -1}, "provenance.row_schema"),
        ({"language": ""}, "provenance.row_schema"),
        ({"group_id": "x" * 32}, "provenance.row_schema"),
        ({"extra": "key"}, "provenance.row_schema"),
        ({"provenance": {"original_s3_key": "elsewhere"}}, "provenance.history"),
        ({"provenance": {"processed_at": "2020-01-01T00:00:00Z"}}, "provenance.history"),
        ({"provenance": {"processing_steps": []}}, "provenance.history"),
        ({"provenance": {"dedup_status": "assumed"}}, "provenance.row_schema"),
    ],
)
def test_metadata_that_is_untrue_blocks(metadata, code, simulator):
    assert code in judge_row(simulator, **metadata)


@pytest.mark.parametrize(
    ("listed_at", "row_at", "expected"),
    [
        (EARLIER, EARLIER, set()),
        (EARLIER, SNAPSHOT_AT, {"provenance.history"}),
        (SNAPSHOT_AT, EARLIER, {"provenance.history"}),
        ("2099-01-01T00:00:00Z", "2099-01-01T00:00:00Z", UNDATED),
        ("", "", UNDATED),
        ("lately", "lately", UNDATED),
    ],
)
def test_a_row_is_dated_by_the_first_listing_of_its_source(simulator, listed_at, row_at, expected):
    row = a_row(provenance={"processed_at": row_at})
    source = a_source(records=1, listed_at=listed_at)
    candidate = a_candidate(simulator, {("priority", "train"): [row]}, sources=(source,))
    assert codes(judge(simulator, candidate)) == expected


def a_dated_candidate(simulator: Simulator, listed_at: str = EARLIER) -> Candidate:
    row = a_row(provenance={"processed_at": listed_at})
    source = a_source(records=1, listed_at=listed_at)
    return a_candidate(simulator, {("priority", "train"): [row]}, sources=(source,))


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"listed_at": EARLIER}, "first listed at another time"),
        ({"etag": "0" * 32}, "another version than listed"),
        ({"size": 7}, "another version than listed"),
        ({"version_id": "v2"}, "another version than listed"),
        ({"key": "gdrive/processed/priority/never_listed.jsonl"}, "not in the listing"),
    ],
)
def test_sources_that_are_not_those_of_the_stored_listing_block(simulator, changes, detail):
    """Rows and books that were altered with the sources, so that they agree, do not help."""
    whole = a_dated_candidate(simulator, SNAPSHOT_AT)
    assert judge(simulator, whole).verdict == "pass"
    [source] = whole.sources
    altered = dataclasses.replace(source, **changes)
    at = {"processed_at": altered.listed_at, "original_s3_key": altered.key}
    row = a_row(provenance=at, source_key=altered.key, source_sha256=altered.sha256)
    candidate = a_candidate(
        simulator, {("priority", "train"): [row]}, sources=(altered,), snapshot=whole.snapshot
    )
    report = judge(simulator, candidate)
    assert report.verdict == "fail"
    assert [(f.code, f.detail) for f in report.blocking] == [
        ("provenance.listing", f"{detail}: {altered.key}")
    ]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (None, "gate.listing_missing"),
        (b"", "gate.listing_damaged"),
        (b"\x1f\x8bno", "gate.listing_damaged"),
    ],
)
def test_without_the_listing_it_names_a_candidate_does_not_pass(simulator, damage, reason):
    candidate = a_dated_candidate(simulator)
    key = listing_key(PREFIX, candidate.snapshot)
    simulator.delete(key)
    if damage is not None:
        simulator.put(key, damage)
    report = judge(simulator, candidate)
    assert (report.verdict, report.reason) == ("error", reason)
    unheld = ProvenanceGate(POLICY, candidate, routing=b"")
    report = run_gate(unheld, open_corpus(simulator, candidate), clock=FixedClock())
    assert (report.verdict, report.reason) == ("error", "gate.listing_missing")


def test_another_listing_under_the_name_is_no_proof(simulator):
    candidate, other = a_dated_candidate(simulator), a_candidate(simulator)
    routing = simulator.get(candidate.routing_key, limit=1 << 20).body
    listing = stored_listing(simulator, PREFIX, other)
    gate = ProvenanceGate(POLICY, candidate, routing=routing, listing=listing)
    report = run_gate(gate, open_corpus(simulator, candidate), clock=FixedClock())
    assert "another listing than it names" in {f.detail for f in report.blocking}


def test_a_candidate_of_the_first_form_is_held_by_keys_and_versions(simulator):
    """It dates no source: its rows bear the listing's own time, whatever the listing knows."""
    later = a_dated_candidate(simulator, SNAPSHOT_AT)
    objects = load_listing(simulator, PREFIX, later.snapshot).objects
    simulator.delete(listing_key(PREFIX, later.snapshot))
    dated = make_listing([dataclasses.replace(item, listed_at=EARLIER) for item in objects])
    store_listing(simulator, PREFIX, dated)
    assert codes(judge(simulator, later)) == {"provenance.listing"}
    first = decode_candidate(_first_form(encode_candidate(later)))
    assert judge(simulator, first).verdict == "pass"
    changed = dataclasses.replace(first.sources[0], etag="0" * 32)
    altered = dataclasses.replace(first, sources=(changed,))
    first = decode_candidate(_first_form(encode_candidate(altered)))
    assert codes(judge(simulator, first)) == {"provenance.listing"}


def _first_form(body: bytes) -> bytes:
    document = decode(body)
    for source in document["sources"]:
        del source["listed_at"]
    return canonical_bytes({**document, "schema": "release-desk/candidate/1"})


def test_a_licence_that_the_policy_lists_under_undecided_still_blocks(simulator):
    policy = a_policy(licence_tags=("synthetic", "undecided"))
    row = a_row(license_tag="undecided")
    candidate = a_candidate(simulator, {("priority", "train"): [row]}, policy)
    assert "provenance.licence_undecided" in codes(judge(simulator, candidate, policy))


def test_a_findings_place_is_the_record_and_never_its_text(simulator):
    secret = "I live next to the bakery"
    row = a_row(record_id=secret, license_tag=secret, pii_status=secret)
    candidate = a_candidate(simulator, {("priority", "train"): [row]})
    report = judge(simulator, candidate)
    assert report.verdict == "fail"
    assert secret not in repr(report)
    assert {(f.shard, f.line) for f in report.blocking if f.line} == {(candidate.shards[0].key, 1)}


def test_the_same_record_twice_blocks(simulator):
    row = a_row()
    candidate = a_candidate(
        simulator,
        {
            ("priority", "train"): [row],
            ("priority", "test"): [a_row(row["messages"], split="test")],
        },
        sources=(a_source(records=2),),
    )
    assert codes(judge(simulator, candidate)) == {"provenance.record_id_repeated"}


def reordered(row):
    return {"metadata": row["metadata"], "messages": row["messages"]}


def shuffled_metadata(row):
    return {**row, "metadata": dict(reversed(row["metadata"].items()))}


def with_text(row):
    return {**row, "text": "flattened"}


def with_named_message(row):
    return {**row, "messages": [{**message, "name": "x"} for message in row["messages"]]}


def with_other_role(row):
    return {**row, "messages": [{"role": "client", "content": "hello"}]}


def without_messages(row):
    return {**row, "messages": []}


@pytest.mark.parametrize(
    "change",
    [reordered, shuffled_metadata, with_text, with_named_message, with_other_role],
)
def test_a_row_of_another_shape_has_faults(change):
    row = change(a_row())
    assert row_faults(row_bytes(row).rstrip(b"\n"), row["metadata"])


def test_a_row_without_messages_blocks(simulator):
    row = without_messages(a_row())
    candidate = a_candidate(simulator, {("priority", "train"): [row]})
    assert "provenance.turns" in codes(judge(simulator, candidate))


@pytest.mark.parametrize("text", ["", '\u2028 \x7f \x1f\t\n"\\/', "心理健康 – ünïcödé 🙂"])
def test_a_sound_row_has_no_fault_whatever_its_text(text):
    row = a_row([{"role": "user", "content": text}, {"role": "assistant", "content": "x"}])
    assert row_faults(row_bytes(row).rstrip(b"\n"), row["metadata"]) == ()
    spaced = json.dumps(row, ensure_ascii=True).encode()
    assert row_faults(spaced, row["metadata"]) == ()


UNBALANCED = {
    "rows": {"rows": 11},
    "records": {"records": 9},
    "shipped": {"shipped": 9},
    "rejected": {"rejected": {"shape.unknown": 1}},
    "lanes": {"lanes": {"persona": 1}},
    "dropped": {"dropped": {"exact_duplicate": 1}},
    "negative": {"rejected": {"shape.unknown": -1, "shape.empty": 1}},
}


@pytest.mark.parametrize("name", UNBALANCED)
def test_a_source_whose_rows_do_not_add_up_blocks(name, simulator):
    source = dataclasses.replace(a_source(records=10), **UNBALANCED[name])
    candidate = a_candidate(simulator, {("priority", "train"): 10}, sources=(source,))
    assert "provenance.books" in codes(judge(simulator, candidate))


@pytest.mark.parametrize(
    "changes",
    [
        {"rows": 11},
        {"rejections": {"shape.unknown": 1}},
        {"dropped": {"exact_duplicate": 1}},
        {"families": {"priority": {"train": 9}}},
        {"families": {"priority": {"train": 10}, "edge_cases": {"test": 4}}},
        {"families": {}},
        {"sources": ()},
        {"sources": (a_source(records=10), a_source(records=10))},
    ],
)
def test_a_candidate_whose_totals_are_not_its_sources_blocks(changes, simulator):
    sound = a_candidate(simulator, {("priority", "train"): 10})
    candidate = change_candidate(simulator, sound, **changes)
    assert "provenance.books" in codes(judge(simulator, candidate))


def test_d22_a_family_without_a_single_record_blocks_with_its_own_code(simulator):
    candidate = a_candidate(simulator, {("priority", "train"): 4, ("edge_cases", "test"): []})
    found = codes(judge(simulator, candidate))
    assert {"provenance.empty_family", "provenance.empty_shard"} <= found


def test_what_was_lost_and_dropped_and_set_aside_balances(simulator):
    source = a_source(
        rows=100,
        records=97,
        shipped=90,
        rejected={"shape.unknown": 2},
        lanes={"persona": 1},
        dropped={"exact_duplicate": 7},
    )
    candidate = a_candidate(
        simulator,
        {("priority", "train"): 90},
        sources=(source,),
    )
    report = judge(simulator, candidate)
    assert (report.verdict, report.findings) == ("pass", ())
    assert report.measures["rejected_share_worst"] == 0.02


def losing(simulator: Simulator, *decisions: dict[str, str]) -> GateReport:
    source = a_source(rows=50, records=43, shipped=43, rejected={"strict.not_json": 7})
    candidate = a_candidate(
        simulator,
        {("priority", "train"): 43},
        sources=(source,),
        decisions=decisions,
    )
    return judge(simulator, candidate)


EXPLAINED = {
    "action": "explain",
    "gate": "provenance",
    "code": "provenance.rows_lost",
    "scope": a_source().key,
    "reason": "Seven header lines of the vendor's export.",
    "by": "olympia",
}


def test_rows_lost_without_a_word_block(simulator):
    report = losing(simulator)
    assert codes(report) == {"provenance.rows_lost"}
    assert report.blocking[0].detail == a_source().key
    assert [(loss["rejected"], loss["rows"]) for loss in report.measures["rows_lost"]] == [(7, 50)]


def test_rows_lost_and_explained_by_name_do_not_block_and_stay_on_record(simulator):
    report = losing(simulator, EXPLAINED)
    assert report.verdict == "pass"
    assert [finding.code for finding in report.findings] == ["provenance.rows_lost"]


@pytest.mark.parametrize(
    "change", [{"by": " "}, {"reason": ""}, {"scope": "other"}, {"action": "exclude"}]
)
def test_half_an_explanation_explains_nothing(change, simulator):
    assert losing(simulator, {**EXPLAINED, **change}).verdict == "fail"


def route(simulator: Simulator, change) -> set[str]:
    candidate = a_candidate(simulator, {("priority", "train"): 4, ("edge_cases", "test"): 2})
    document = decode(simulator.get(candidate.routing_key, limit=1 << 20).body)
    change(document, document["phases"][0])
    body = document_bytes(document)
    key = f"exports/routing/{sha256_hex(body)}.json"
    put(simulator, key, body)
    changed = change_candidate(
        simulator, candidate, routing_key=key, routing_sha256=sha256_hex(body)
    )
    return codes(judge(simulator, changed))


@pytest.mark.parametrize(
    "change",
    [
        lambda document, phase: document.update(schema="release-desk/routing/2"),
        lambda document, phase: document.update(version="v2020-01-01"),
        lambda document, phase: document.update(phases=[]),
        lambda document, phase: document.update(note="by hand"),
        lambda document, phase: phase.update(name="another"),
        lambda document, phase: phase["families"]["priority"].update(weight=0.4),
        lambda document, phase: phase["families"]["priority"].update(stage=2),
        lambda document, phase: phase["families"]["priority"]["splits"]["train"].update(records=5),
        lambda document, phase: phase["families"].pop("edge_cases"),
        lambda document, phase: phase["families"].update(voice=phase["families"]["edge_cases"]),
        lambda document, phase: phase["stages"][0].update(weight=0.9),
    ],
)
def test_a_routing_that_does_not_fit_the_shards_or_the_policy_blocks(change, simulator):
    assert route(simulator, change) == {"provenance.routing"}


def test_the_routing_as_built_does_not_block(simulator):
    assert route(simulator, lambda document, phase: None) == set()


@pytest.mark.parametrize("routing", [None, b"", b"{}"])
def test_a_missing_or_other_routing_blocks(routing, simulator):
    candidate = a_candidate(simulator)
    listing = stored_listing(simulator, PREFIX, candidate)
    gate = ProvenanceGate(POLICY, candidate, routing=routing, listing=listing)
    report = run_gate(gate, open_corpus(simulator, candidate), clock=FixedClock())
    assert codes(report) == {"provenance.routing"}


def test_a_weight_on_a_family_without_training_records_blocks(simulator):
    def give(document, phase):
        phase["families"]["priority"].update(weight=0.5)
        phase["families"]["edge_cases"].update(weight=0.5)
        phase["stages"][0].update(weight=0.5)
        phase["stages"][2].update(weight=0.5)

    assert route(simulator, give) == {"provenance.routing"}


def test_a_family_that_no_phase_draws_from_is_held_out_and_needs_no_route(simulator):
    policy = a_policy(phases=(PhaseRule(name="curriculum", stages=(1, 2)),))
    rows = {
        ("priority", "train"): some_rows(3),
        ("voice", "test"): some_rows(3, family="voice", split="test", phase="held_out"),
    }
    candidate = a_candidate(simulator, rows, policy)
    assert judge(simulator, candidate, policy).verdict == "pass"
    drawn = {**rows, ("voice", "test"): some_rows(3, family="voice", split="test")}
    candidate = a_candidate(simulator, drawn, policy)
    assert codes(judge(simulator, candidate, policy)) == {"provenance.misplaced"}
