"""A review's report says who read how much of what, and nothing of any record's text."""

from __future__ import annotations

import json

import pytest

from core.canonical import decode, document_bytes
from core.review.report import WITHHELD
from tests.desk import VERSION, a_desk, clean_answers, person_of, read_everything

CLAIM = "clinician_foundation"


@pytest.fixture
def bench(simulator, tmp_path):
    return a_desk(simulator, tmp_path)


@pytest.fixture
def digest(bench):
    return bench.candidates.current(VERSION).digest


def test_the_report_is_whole_and_the_same_twice(bench, digest):
    read_everything(bench, CLAIM, "clinician-1")
    report = bench.review_reports.report(digest, CLAIM)
    assert report["schema"] == "release-desk/review-report/2"
    assert report["reviewers"] == ["demo:clinician-1"]
    assert (report["read"], report["planned"]) == (3, 3)
    assert report["known_bad"]["by_reviewer"] == {"demo:clinician-1": {"found": 0, "readings": 1}}
    assert report["corrected"] == 1.0
    assert report["exposure"] is None
    assert document_bytes(report) == document_bytes(bench.review_reports.report(digest, CLAIM))


def test_the_page_says_what_the_data_says_and_no_record_speaks_in_it(bench, digest):
    read_everything(bench, CLAIM, "clinician-1")
    read_everything(bench, CLAIM, "clinician-2")
    page = bench.review_reports.markdown(digest, CLAIM)
    report = bench.review_reports.report(digest, CLAIM)
    assert report["sentence"] in page
    assert "`demo:clinician-2`: 3 records" in page
    assert "Undefined means" in page
    assert "Not shown: too few readers" in page
    everything = page + json.dumps(report)
    for record in bench.reviews.plans(digest)[CLAIM].records:
        found = bench.reviews.record(digest, record, person_of(bench, "lead"))
        assert not any(turn.content in everything for turn in found.messages)


def test_a_settlement_ships_with_its_reason_unless_that_names_somebody(bench, digest):
    for number, reason in enumerate(("Read again.", "Call jane.roe@example.org about it.")):
        record = bench.reviews.plans(digest)[CLAIM].records[number]
        by = person_of(bench, "clinician-1")
        flag = {"id": "F1", "turn": 1, "note": "It names a means."}
        answers = clean_answers(bench, digest, CLAIM, record, by)
        bench.reviews.submit(
            digest, CLAIM, record, by, {**answers, "flags": [flag], "verdict": "reject"}
        )
        bench.reviews.adjudicate(digest, CLAIM, record, "accept", reason, person_of(bench, "lead"))
    reasons = {one["reason"] for one in bench.review_reports.report(digest, CLAIM)["adjudicated"]}
    assert reasons == {"Read again.", WITHHELD}


def test_the_release_ships_the_report_as_data_and_as_a_page(bench, digest):
    read_everything(bench, CLAIM, "clinician-1")
    evidence = {one.state.claim: one for one in bench.releases._review_evidence(digest)}
    assert decode(evidence[CLAIM].summary) == decode(
        document_bytes(bench.review_reports.report(digest, CLAIM))
    )
    from core.workbench.releases import _readable

    page = _readable(evidence[CLAIM])
    assert page.suffix == ".md"
    assert page.body.decode() == bench.review_reports.markdown(digest, CLAIM)
