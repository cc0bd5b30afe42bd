"""Every defect of the real bucket comes out as a record, a rejection, a lane or named noise."""

from __future__ import annotations

import dataclasses
from collections import Counter

import pytest

from core.intake.coverage import measure_coverage
from core.intake.inventory import Listing
from core.intake.measure import decode_messages
from core.intake.scan import (
    ObjectScan,
    load_features,
    read_features,
    scan_object,
    scan_settings_digest,
)
from core.policy.load import load_policy
from tests.bucket_generator import EDGE, VOICE, C, Planted, bucket
from tests.builders import PREFIX
from tests.listed import take_listing
from tests.simulator import Simulator

POLICY = load_policy(None, embedded=False)
PLANTED = bucket()


@pytest.fixture(scope="module")
def store() -> Simulator:
    made = Simulator()
    for key, item in PLANTED.items():
        made.put(key, item.body)
        if item.etag:
            # Several parts, or another provider: an etag that is no MD5 of the bytes.
            object.__setattr__(made._present(key), "etag", item.etag)
    return made


@pytest.fixture(scope="module")
def listing(store: Simulator) -> Listing:
    return take_listing(store, exclude_prefix=PREFIX)


@pytest.fixture(scope="module")
def scans(store: Simulator, listing: Listing) -> dict[str, ObjectScan]:
    settings = scan_settings_digest(POLICY)
    return {
        source.key: scan_object(
            store, source, policy=POLICY, settings_digest=settings, prefix=PREFIX
        )
        for source in listing.objects
    }


def outcome(scan: ObjectScan) -> tuple[object, ...]:
    return scan.container, scan.rows, scan.records, dict(scan.rejected), dict(scan.lanes)


def expected(item: Planted) -> tuple[object, ...]:
    return item.container, item.rows, item.records, dict(item.rejected), dict(item.lanes)


def test_the_listing_holds_every_key_untouched(listing: Listing) -> None:
    assert len(PLANTED) > 1_950
    assert [source.key for source in listing.objects] == sorted(PLANTED, key=str.encode)
    assert {s.key: s.etag for s in listing.objects if "-" in s.etag or len(s.etag) == 64} == {
        key: item.etag for key, item in PLANTED.items() if item.etag
    }


def test_every_object_comes_out_as_the_table_says(scans: dict[str, ObjectScan]) -> None:
    different = {
        key: (outcome(scans[key]), expected(item))
        for key, item in PLANTED.items()
        if outcome(scans[key]) != expected(item)
    }
    assert different == {}


def test_the_rows_of_every_object_add_up(scans: dict[str, ObjectScan]) -> None:
    for key, scan in scans.items():
        parts = scan.records + sum(scan.rejected.values()) + sum(scan.lanes.values())
        assert scan.rows == parts > 0, key


def test_copies_are_known_by_their_bytes_whatever_their_etags(
    scans: dict[str, ObjectScan],
) -> None:
    names = ("datasets/priority_1_FINAL.jsonl", "raw/priority/priority_1.jsonl")
    one, two = (scans[C + name] for name in names)
    assert one.source.etag != two.source.etag
    assert (one.sha256, one.features_key) == (two.sha256, two.features_key)
    sizes = [
        (scan.source.size, scan.sha256)
        for key, scan in scans.items()
        if "priority_complete_fixed" in key
    ]
    assert len({size for size, _ in sizes}) == 1
    assert len({digest for _, digest in sizes}) == 3


def rows_of(store: Simulator, scan: ObjectScan) -> list[dict[str, object]]:
    return read_features(load_features(store, scan)).to_pylist()


def test_identifiers_are_replaced_and_crisis_lines_are_not(
    store: Simulator, scans: dict[str, ObjectScan]
) -> None:
    row = rows_of(store, scans[f"{EDGE}planted.jsonl"])[0]
    text = decode_messages(row["messages"])[0].content  # type: ignore[arg-type]
    assert text.endswith("Write to [EMAIL] or [PHONE]; my SSN is [SSN]. I called 988.")


def test_chinese_dialogues_flow_through(store: Simulator, scans: dict[str, ObjectScan]) -> None:
    row = rows_of(store, scans[f"{VOICE}来访者/对话.jsonl"])[0]
    assert row["language"] == "zh"
    assert "睡不好" in decode_messages(row["messages"])[0].content  # type: ignore[arg-type]
    assert int(str(row["tokens"])) > 20
    assert int(str(row["shingles"])) > 10


def test_no_text_of_a_refused_row_lies_in_the_features(
    store: Simulator, scans: dict[str, ObjectScan]
) -> None:
    kinds: Counter[str] = Counter()
    for key in (f"{EDGE}losses.jsonl", f"{C}psychology_knowledge/base.json"):
        for row in rows_of(store, scans[key]):
            kinds[str(row["kind"])] += 1
            if row["kind"] == "rejection":
                filled = {name for name, value in row.items() if value is not None}
                assert filled <= {"line", "kind", "code", "labels"}
    assert kinds == {"record": 3, "rejection": 13}


def test_coverage_is_right_where_names_lie(store: Simulator, listing: Listing) -> None:
    report = measure_coverage(
        store, listing, POLICY, confirmed=frozenset(), waived={}, rule=POLICY.intake
    )
    states = {name: item.state for name, item in report.families.items()}
    assert states["cot_reasoning"] == "present_by_alias"
    assert states["priority"] == "present_by_alias"
    assert states["edge_cases"] == "present_by_alias"
    evidence = {e.key: e for family in report.families.values() for e in family.evidence}
    for key in evidence:
        if PLANTED[key].records == 0:
            assert evidence[key].state != "usable", key


def test_a_prefix_that_two_families_claim_proves_neither(
    store: Simulator, listing: Listing
) -> None:
    shared = f"{C}conversations/"
    families = tuple(
        dataclasses.replace(rule, prefixes=(shared,), aliases=())
        if rule.name in ("edge_cases", "professional_therapeutic")
        else rule
        for rule in POLICY.families
    )
    policy = dataclasses.replace(POLICY, families=families)
    report = measure_coverage(
        store, listing, policy, confirmed=frozenset(), waived={}, rule=policy.intake
    )
    for name in ("edge_cases", "professional_therapeutic"):
        assert report.families[name].state not in ("present", "present_by_alias"), name
    assert {key for key in PLANTED if key.startswith(shared)} <= set(report.shared)
