"""What a newer desk stored of a review, a scan or a stream is refused, never guessed at."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from core.canonical import canonical_bytes, decode, document_bytes, sha256_hex
from core.intake.scan import ObjectScan, decode_scan, encode_scan
from core.model.dataset import SourceObject
from core.model.errors import DeskError, ReleaseError
from core.model.names import Digest, ReviewerId
from core.model.pii import PiiAnswer
from core.release.consume import open_release
from core.release.documents.reports import coverage_report
from core.release.publish import publish_release
from core.release.smoke import read_evidence, smoke_release
from core.review import acts, carried, known_bad, pairs, pii_answers, settlements
from core.review.invented import packaged_bank
from core.review.report_page import report_markdown
from tests.builders import PREFIX
from tests.desk import VERSION, a_desk
from tests.release_builders import no_wait, some_inputs
from tests.reviewing import Review
from tests.simulator import Simulator

AT = "2026-11-21T09:00:00Z"
DIGEST = Digest("ab" * 32)
CLARA = ReviewerId("clara")


def of_the_next_version(body: bytes, schema: str) -> bytes:
    name, _, number = schema.rpartition("/")
    altered = body.replace(f'"{schema}"'.encode(), f'"{name}/{int(number) + 7}"'.encode())
    assert altered != body
    return altered


class Kept(NamedTuple):
    """One stored document: its bytes, the key such bytes lie at, and its reader."""

    schema: str
    body: bytes
    key: Callable[[Digest], str]
    load: Callable[[], Any]
    code: str


def a_settlement(review: Review) -> Kept:
    candidate, claim = review.candidate.digest, review.claim.id
    record = review.plan.records[0]
    body = settlements.settlement_bytes(
        settlements.Settlement(
            candidate=candidate, claim=claim, record_id=record, kind="flag", target="t",
            decision="accept", reason="A slip.", by=CLARA, at=AT,
        )
    )  # fmt: skip
    return Kept(
        settlements.SCHEMA,
        body,
        lambda sha: f"{PREFIX}reviews/{candidate}/settlements/{claim}/{record}/{sha}.json",
        lambda: settlements.load_settlements(review.store, PREFIX, candidate, claim),
        "review.settlement_broken",
    )


def an_act(review: Review) -> Kept:
    candidate, claim = review.candidate.digest, review.claim.id
    act = acts.Act(
        candidate=candidate, claim=claim, kind="reveal", record_id=review.plan.records[0],
        by=CLARA, at=AT, why="asked", scores={},
    )  # fmt: skip
    return Kept(
        acts.SCHEMA,
        acts.act_bytes(act),
        lambda sha: f"{PREFIX}reviews/{candidate}/acts/{claim}/reveal/{sha}.json",
        lambda: acts.load_acts(review.store, PREFIX, candidate, claim),
        "review.act_broken",
    )


def a_carried_list(review: Review) -> Kept:
    candidate, claim = review.candidate.digest, review.claim.id
    found = carried.Carried(
        candidate=candidate, claim=claim, rubric=review.rubric.digest,
        ratings={DIGEST: (DIGEST,)}, settlements={},
    )  # fmt: skip
    aside = Simulator()
    key = carried.freeze_carried(aside, PREFIX, found)
    return Kept(
        carried.SCHEMA,
        aside.body(key),
        lambda sha: f"{PREFIX}reviews/{candidate}/carried/{claim}-{sha}.json",
        lambda: carried.load_carried(review.store, PREFIX, candidate),
        "review.carried_broken",
    )


def a_known_bad_set(review: Review) -> Kept:
    candidate = review.candidate.digest
    aside = Simulator()
    key = known_bad.freeze_known_bad(
        aside, PREFIX, known_bad.plant(review.plan, review.claim, packaged_bank())
    )
    body = aside.body(key)
    return Kept(
        known_bad.SCHEMA,
        body,
        lambda sha: key.replace(sha256_hex(body), sha),
        lambda: known_bad.load_known_bad(review.store, PREFIX, candidate),
        "review.known_bad_broken",
    )


def a_pair_answer(review: Review) -> Kept:
    candidate, claim = review.candidate.digest, review.claim.id
    left, right = review.plan.records[:2]
    answer = pairs.PairAnswer(
        candidate=candidate, claim=claim, pair="cd" * 8, rubric=review.rubric.digest, item="i",
        reviewer=CLARA, seed="s", left=left, right=right, masked=True, score="4", worse="",
        note="", shown={left: DIGEST, right: DIGEST}, number=1, at=AT,
    )  # fmt: skip
    return Kept(
        pairs.SCHEMA,
        pairs.answer_bytes(answer),
        lambda sha: (
            f"{PREFIX}reviews/{candidate}/pairs/{claim}/{answer.pair}/clara-{sha[:16]}.json"
        ),
        lambda: pairs.load_answers(review.store, PREFIX, candidate, claim),
        "review.pair_broken",
    )


def a_pii_answer(review: Review) -> Kept:
    candidate, family = review.candidate.digest, review.claim.families[0]
    record = review.plan.records[0]
    answer = PiiAnswer(
        candidate=candidate, family=family, record_id=record, plan=DIGEST, reviewer=CLARA,
        answer="nobody", turn=-1, kind="", shown_sha256=DIGEST, at=AT,
    )  # fmt: skip
    return Kept(
        pii_answers.SCHEMA,
        pii_answers.answer_bytes(answer),
        lambda sha: (
            f"{PREFIX}reviews/{candidate}/pii/answers/{family}/{record}/clara-{sha[:16]}.json"
        ),
        lambda: pii_answers.load_answers(review.store, PREFIX, candidate, family),
        "review.answer_broken",
    )


@pytest.mark.parametrize(
    "make",
    [a_settlement, an_act, a_carried_list, a_known_bad_set, a_pair_answer, a_pii_answer],
)
def test_of_what_people_did_in_a_review(
    simulator: Simulator, make: Callable[[Review], Kept]
) -> None:
    kept = make(Review(simulator, known_bad=6))
    key = kept.key(sha256_hex(kept.body))
    simulator.put(key, kept.body)
    assert len(kept.load()) == 1

    simulator.forget(key)
    newer = of_the_next_version(kept.body, kept.schema)
    # Its name is true of its bytes, so that nothing but the version is wrong with it.
    simulator.put(kept.key(sha256_hex(newer)), newer)
    with pytest.raises(DeskError) as caught:
        kept.load()
    assert caught.value.code == kept.code


def test_of_a_cached_scan_whose_source_is_read_again(clock: Any) -> None:
    source = SourceObject(key="a.jsonl", size=1, etag="e", modified=clock.now())
    scan = ObjectScan(
        source=source, sha256=DIGEST, container="jsonl", rows=1, records=1, rejected={}, lanes={},
        features_key="f", features_sha256=DIGEST,
    )  # fmt: skip
    body = canonical_bytes(encode_scan(scan))
    assert decode_scan(decode(body), source) == scan
    newer = of_the_next_version(body, "release-desk/scan/2")
    assert decode_scan(decode(newer), source) is None


def test_of_a_trainers_position(simulator: Simulator, clock: Any) -> None:
    publish_release(some_inputs(simulator, clock=clock))
    release = open_release(simulator, VERSION, exports=PREFIX, sleep=no_wait)
    stream = release.iterate("train")
    next(stream)
    assert len(list(release.iterate("train", start=stream.position))) == 6
    newer = of_the_next_version(stream.position.encode(), "release-desk/position/1").decode()
    with pytest.raises(ReleaseError) as caught:
        release.iterate("train", start=newer)
    assert caught.value.code == "release.position"


def test_of_a_smoke_tests_evidence(simulator: Simulator, clock: Any) -> None:
    publish_release(some_inputs(simulator, clock=clock))
    body = document_bytes(smoke_release(simulator, VERSION, exports=PREFIX))
    assert read_evidence(body)["ok"] is True
    for unknown in (of_the_next_version(body, "release-desk/smoke/1"), b"[]", b"{"):
        with pytest.raises(ReleaseError) as caught:
            read_evidence(unknown)
        assert caught.value.code == "smoke.schema"


def test_of_a_coverage_report_and_a_review_report(simulator: Simulator, tmp_path: Any) -> None:
    bench = a_desk(simulator, tmp_path)
    digest = bench.candidates.current(VERSION).digest
    report = bench.review_reports.report(digest, bench.desk.policy.claims[0].id)
    families = {"priority": {
        "stage": 1, "state": "present", "objects": 1, "bytes": 2, "records": 3, "newest": AT,
        "why": "", "evidence": [],
    }}  # fmt: skip
    covered = {"schema": "release-desk/coverage/2", "families": families}
    for read, document, code in (
        (report_markdown, report, "review.report_schema"),
        (lambda found: coverage_report({"version": VERSION}, found), covered, "coverage.schema"),
    ):
        assert read(document).startswith("# ")
        schema = re.sub(r"\d+$", lambda found: str(int(found[0]) + 7), document["schema"])
        for unknown in ({**document, "schema": schema}, {**document, "schema": None}):
            with pytest.raises(DeskError) as caught:
                read(unknown)
            assert caught.value.code == code
