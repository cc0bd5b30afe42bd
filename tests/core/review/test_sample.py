from __future__ import annotations

import dataclasses
import hashlib
import random

import pytest

from core.canonical import sha256_hex
from core.model.errors import ReviewError
from core.policy.load import packaged_source, parse_policy
from core.review import bounds, frame, plans, sample
from core.review.rubrics import load_rubrics
from tests.builders import PREFIX, a_candidate, a_row, change_candidate
from tests.reviewing import a_claim

CANDIDATE = sha256_hex(b"candidate")
RUBRIC = load_rubrics()["clinician_qa"]
SEED = sample.fix_seed(CANDIDATE, "a nonce")


def some_records(count, *, family="priority", cluster=1):
    return [
        (f"{number:032x}", f"cluster-{family}-{number // cluster}", family)
        for number in range(count)
    ]


def draw(records, **changes):
    return sample.draw_sample(
        records, claim=a_claim(**changes), rubric=RUBRIC, candidate=CANDIDATE, seed=SEED
    ).plan


LARGE = {"limit": 0.05, "confidence": 0.95, "first": 63, "second": 113, "overlap": 50}


def test_the_seed_is_the_digest_of_candidate_and_nonce():
    assert sample.fix_seed("ab", "cd") == hashlib.sha256(b"abcd").hexdigest()
    assert sample.fix_seed(CANDIDATE, "a") != sample.fix_seed(CANDIDATE, "b")
    with pytest.raises(ReviewError) as caught:
        sample.fix_seed(CANDIDATE, "  ")
    assert caught.value.code == "review.nonce"


def test_the_plan_does_not_depend_on_the_order_of_the_records():
    records = some_records(500, cluster=2)
    shuffled = random.Random(1).sample(records, len(records))
    assert draw(records, **LARGE) == draw(shuffled, **LARGE)


def test_records_are_ranked_by_the_seeded_hash_and_a_longer_plan_holds_the_shorter():
    plan = draw(some_records(5000), **LARGE)
    ranks = [hashlib.sha256(f"{SEED}:{name}".encode()).hexdigest() for name in plan.records]
    assert ranks == sorted(ranks)
    longer = draw(some_records(5000), **{**LARGE, "first": 100, "second": 200})
    assert longer.records[: len(plan.records)] == plan.records


def test_another_seed_draws_other_records():
    other = sample.draw_sample(
        some_records(5000), claim=a_claim(**LARGE), rubric=RUBRIC, candidate=CANDIDATE, seed="x"
    ).plan
    assert other.records != draw(some_records(5000), **LARGE).records


def test_a_later_candidate_keeps_the_sample_of_its_unchanged_records():
    records = some_records(5000)
    before = draw(records, **LARGE).records
    gone = set(before[::7])
    after = draw([record for record in records if record[0] not in gone], **LARGE).records
    kept = [name for name in before if name not in gone]
    assert list(after[: len(kept)]) == kept


@pytest.mark.parametrize("name", ["release0", "demo"])
def test_every_packaged_claim_has_a_rubric_and_a_plan_at_any_size(name):
    policy = parse_policy(packaged_source(name))
    assert policy.claims
    for claim in policy.claims:
        assert claim.rubric in load_rubrics()
        for size in (1, 2, 3, 4, 5, 9, 17, 40, 64, 113, 300, 2000):
            first, second = sample.plan_stages(claim, size)
            assert 1 <= first <= min(claim.first, size)
            assert second == 0 or first < second <= min(claim.second, size)
            assert bounds.hypergeometric_upper(0, first, size, claim.confidence) <= claim.limit


def test_the_frame_is_one_record_per_cluster():
    plan = draw(some_records(1000, cluster=10), **LARGE)
    assert plan.frame == 100
    clusters = {int(name, 16) // 10 for name in plan.records}
    assert len(clusters) == len(plan.records)


def test_a_cluster_of_many_copies_is_read_no_more_often_than_a_record_alone():
    alone = [(f"a{number}", f"a{number}", "priority") for number in range(600)]
    copies = [
        (f"c{number}-{copy}", f"c{number}", "priority")
        for number in range(60)
        for copy in range(10)
    ]
    drawn = 0
    for number in range(60):
        plan = sample.draw_sample(
            alone + copies,
            claim=a_claim(**LARGE),
            rubric=RUBRIC,
            candidate=CANDIDATE,
            seed=sample.fix_seed(CANDIDATE, f"nonce {number}"),
        ).plan
        drawn += sum(name.startswith("c") for name in plan.records[: plan.first])
        assert plan.frame == 660
    # One in eleven of 60 x 63; the standard deviation of that many draws is 18.
    assert abs(drawn - 60 * 63 / 11) < 4 * 18


def test_which_copy_speaks_for_its_cluster_is_drawn_evenly():
    records = some_records(300, cluster=3)
    places = [int(name, 16) % 3 for name in draw(records, **LARGE).records]
    assert all(places.count(place) > len(places) / 6 for place in range(3))


def test_only_the_families_of_the_claim_are_drawn():
    mixed = some_records(30) + some_records(30, family="voice")
    assert draw(mixed).frame == 30
    with pytest.raises(ReviewError) as caught:
        draw(some_records(30, family="voice"))
    assert caught.value.code == "review.empty_frame"


def test_the_default_plan_is_63_then_113():
    plan = draw(some_records(12_345), **LARGE)
    assert (plan.first, plan.second, len(plan.records), plan.overlap) == (63, 113, 113, 50)
    assert plan.scope == "foundation"


@pytest.mark.parametrize("size", [1, 2, 7, 15, 20, 40, 63, 100, 113, 200, 500, 1000])
def test_a_small_frame_reads_fewer_and_proves_as_much(size):
    plan = draw(some_records(size), **LARGE)
    assert plan.first <= min(63, size)
    assert bounds.finite_risk(plan.first, plan.second, size, 0.05) <= 0.05 + 1e-3
    if plan.first > 1 and size <= 500:
        second = plan.second or min(113, size)
        assert bounds.finite_risk(plan.first - 1, second, size, 0.05) > 0.05
    assert bounds.hypergeometric_upper(0, plan.first, size, 0.95) <= 0.05


def test_a_single_plan_in_a_small_frame_is_the_hypergeometric_one():
    single = {"limit": 0.05, "confidence": 0.95, "first": 59, "second": 0}
    found = {size: draw(some_records(size), **single).first for size in (100, 200, 500, 1000)}
    assert found == {100: 39, 200: 47, 500: 54, 1000: 56}


def test_a_claim_that_its_sample_cannot_prove_is_refused():
    with pytest.raises(ReviewError) as caught:
        draw(some_records(1000), limit=0.05, confidence=0.95, first=30, second=0)
    assert caught.value.code == "review.plan_too_small"


def test_a_plan_survives_its_bytes():
    plan = draw(some_records(500), **LARGE)
    assert plans.parse_plan(plans.plan_bytes(plan)) == plan
    assert b'"limit":"0.05"' in plans.plan_bytes(plan)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"schema":"release-desk/sample-plan/1"}'])
def test_bytes_that_are_no_plan_are_refused(body):
    with pytest.raises(ReviewError) as caught:
        plans.parse_plan(body)
    assert caught.value.code == "review.plan_broken"


def test_a_plan_is_frozen_once(simulator):
    plan = draw(some_records(500), **LARGE)
    key = plans.freeze_plan(simulator, PREFIX, plan)
    assert plans.freeze_plan(simulator, PREFIX, plan) == key
    name = f"clinician_foundation-{plans.plan_digest(plan)}.json"
    assert key == f"{PREFIX}reviews/{CANDIDATE}/plans/{name}"
    kinder = dataclasses.replace(plan, seed="kinder", id="kinder")
    with pytest.raises(ReviewError) as caught:
        plans.freeze_plan(simulator, PREFIX, kinder)
    assert caught.value.code == "review.frozen_already"
    assert plans.load_plans(simulator, PREFIX, CANDIDATE) == {plan.claim: plan}


def test_a_second_plan_put_by_hand_stops_everything(simulator):
    plan = draw(some_records(500), **LARGE)
    plans.freeze_plan(simulator, PREFIX, plan)
    kinder = dataclasses.replace(plan, seed="kinder", id="kinder")
    folder = f"{PREFIX}reviews/{CANDIDATE}/plans/"
    simulator.put(
        f"{folder}{plan.claim}-{plans.plan_digest(kinder)}.json", plans.plan_bytes(kinder)
    )
    with pytest.raises(ReviewError) as caught:
        plans.load_plans(simulator, PREFIX, CANDIDATE)
    assert caught.value.code == "review.two_plans"


def test_an_edited_plan_is_noticed(simulator):
    plan = draw(some_records(500), **LARGE)
    key = plans.freeze_plan(simulator, PREFIX, plan)
    simulator.put(key, plans.plan_bytes(dataclasses.replace(plan, first=1, second=0)))
    with pytest.raises(ReviewError) as caught:
        plans.load_plans(simulator, PREFIX, CANDIDATE)
    assert caught.value.code == "review.plan_broken"


def test_the_frame_names_every_shipped_record(simulator):
    candidate = a_candidate(
        simulator, {("priority", "train"): 6, ("priority", "test"): 2, ("voice", "train"): 3}
    )
    rows = list(frame.read_frame(simulator, candidate))
    assert len(rows) == candidate.records == 11
    assert len({row.record_id for row in rows}) == 11
    found = frame.find_record(simulator, candidate, rows[4].record_id)
    assert (found.shard, found.line, found.family) == (rows[4].shard, rows[4].line, rows[4].family)
    assert found.sha256 == sha256_hex(found.raw)
    assert found.raw == simulator.body(found.shard).splitlines()[found.line - 1]
    assert found.messages[0].role == "user"
    assert found.metadata["record_id"] == found.record_id


def test_a_changed_shard_shows_nothing_to_a_reviewer(simulator):
    candidate = a_candidate(simulator, {("priority", "train"): 6})
    shard = candidate.shards[0]
    record_id = next(iter(frame.read_frame(simulator, candidate))).record_id
    body = simulator.body(shard.key)
    simulator.put(shard.key, body.replace(b"I ", b"J ", 1))
    with pytest.raises(ReviewError) as caught:
        frame.find_record(simulator, candidate, record_id)
    assert caught.value.code == "review.shard_changed"


@pytest.mark.parametrize("change", [{"records": 7}, {"size": 1}])
def test_a_shard_with_other_books_is_refused(simulator, change):
    candidate = a_candidate(simulator, {("priority", "train"): 6})
    lied = change_candidate(
        simulator, candidate, shards=(dataclasses.replace(candidate.shards[0], **change),)
    )
    with pytest.raises(ReviewError) as caught:
        list(frame.read_frame(simulator, lied))
    assert caught.value.code == "review.shard_changed"


def test_a_row_of_another_family_is_refused(simulator):
    stray = a_row(family="voice")
    candidate = a_candidate(simulator, {("priority", "train"): [stray]})
    with pytest.raises(ReviewError) as caught:
        list(frame.read_frame(simulator, candidate))
    assert caught.value.code == "review.row_broken"


def test_a_record_that_is_not_shipped_is_not_found(simulator):
    candidate = a_candidate(simulator, {("priority", "train"): 6})
    with pytest.raises(ReviewError) as caught:
        frame.find_record(simulator, candidate, "f" * 32)
    assert caught.value.code == "review.no_such_record"
