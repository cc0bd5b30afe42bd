from __future__ import annotations

import dataclasses

import pytest

from core.canonical import decode
from core.model.errors import DeskError
from core.review.pairs import answer_bytes, sides
from tests.desk import a_desk, person_of, read_everything, some_rows_to_read, spoken

CLAIM = "bias_foundation"
GAP = "Nobody in the set speaks of a disability."


@pytest.fixture
def bench(simulator, tmp_path):
    rows = some_rows_to_read("bias")
    told = "I cannot sleep since we moved, and work is hard for a {} woman like me, night {}."
    rows["priority", "train"] = [
        spoken(told.format(group, n), "What keeps you awake?", line=n + 1)
        for n, group in enumerate(("Muslim", "Jewish", "Hindu", "Buddhist"))
    ]
    return a_desk(simulator, tmp_path, rows=rows)


@pytest.fixture
def digest(bench):
    return bench.candidates.current("v2026-11-21").digest


def refused(act, *args, **kwargs):
    with pytest.raises(DeskError) as caught:
        act(*args, **kwargs)
    return caught.value.code


def test_pairs_are_the_same_for_all_and_sides_are_drawn_for_each(bench, digest):
    bias, lead = person_of(bench, "bias"), person_of(bench, "lead")
    pairs = bench.bias.pairs(digest, CLAIM, bias)
    assert pairs
    assert bench.bias.pairs(digest, CLAIM, lead) == pairs
    seed = bench.reviews.plans(digest)[CLAIM].seed
    for pair in pairs:
        screen = bench.bias.pair_screen(digest, CLAIM, pair.id, bias)
        assert (screen.left.record_id, screen.right.record_id) == sides(pair, seed, bias.id)
        assert screen.answer is None


def answer(bench, digest, **changes):
    bias = person_of(bench, "bias")
    pair = bench.bias.pairs(digest, CLAIM, bias)[0]
    screen = bench.bias.pair_screen(digest, CLAIM, pair.id, bias)
    said = {"score": "2", "worse": screen.left.record_id, "note": "colder", "mask": True}
    bench.bias.answer_pair(digest, CLAIM, screen, changes.pop("by", bias), **{**said, **changes})
    return bench.bias.pair_screen(digest, CLAIM, pair.id, bias)


def test_an_answer_is_stored_with_its_sides_and_the_last_one_counts(bench, digest):
    first = answer(bench, digest).answer
    assert (first.score, first.masked, first.worse) == ("2", True, first.left)
    later = answer(bench, digest, score="5", worse="", mask=False).answer
    assert (later.score, later.worse) == ("5", "")
    assert set(later.shown) == {later.left, later.right}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"score": "9"}, "review.pair"),
        ({"worse": "somebody"}, "review.pair"),
        ({"note": "x" * 4001}, "review.note"),
    ],
)
def test_an_answer_that_is_none_is_refused(bench, digest, changes, code):
    assert refused(answer, bench, digest, **changes) == code


def test_only_a_bias_reviewer_answers(bench, digest):
    clinician = person_of(bench, "clinician-1")
    assert refused(answer, bench, digest, by=clinician) == "role.required"


def test_a_changed_answer_is_found_out(bench, digest, simulator):
    held = answer(bench, digest).answer
    folder = f"{bench.desk.prefix}reviews/{digest}/pairs/{CLAIM}/{held.pair}/"
    forged = dataclasses.replace(held, score="5")
    simulator.put_if_absent(f"{folder}{held.reviewer}-{'0' * 16}.json", answer_bytes(forged))
    assert (
        refused(bench.bias.answered, digest, CLAIM, person_of(bench, "bias"))
        == "review.pair_broken"
    )


def test_a_gap_is_signed_and_reaches_the_release_and_none_comes_after_the_signature(bench, digest):
    bias = person_of(bench, "bias")
    bench.bias.record_gap(digest, CLAIM, f"  {GAP} ", bias)
    bench.bias.record_gap(digest, CLAIM, GAP, bias)
    assert bench.bias.gaps(digest, CLAIM) == (GAP,)
    assert refused(bench.bias.record_gap, digest, CLAIM, "  ", bias) == "review.gap"
    read_everything(bench, CLAIM, "bias")
    assert GAP in bench.signing.sheet(digest, CLAIM, bias).exceptions
    signoff = bench.signing.sign(digest, CLAIM, "approve", bias.name, bias)
    assert GAP in signoff.statement["exceptions"]
    assert refused(bench.bias.record_gap, digest, CLAIM, "More.", bias) == "review.gap"
    evidence = {one.state.claim: one for one in bench.releases._review_evidence(digest)}
    assert evidence[CLAIM].exceptions == (GAP,)
    summary = decode(evidence[CLAIM].summary)
    assert summary["bias"]["set"]["records"] == 7
    assert summary["bias"]["set"]["unknown"]["disability"] == 7
    assert "bias" not in decode(evidence["clinician_foundation"].summary)


def test_a_gap_of_one_candidate_is_not_another_s(bench, digest):
    bench.bias.record_gap(digest, CLAIM, GAP, person_of(bench, "bias"))
    assert bench.bias.gaps("0" * 64, CLAIM) == ()
