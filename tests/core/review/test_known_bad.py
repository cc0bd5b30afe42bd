"""Known-bad records measure what readers find, and never become part of anything else."""

from __future__ import annotations

import dataclasses
from collections import Counter

import pytest

from core.canonical import decode, sha256_hex
from core.intake.measure import record_id
from core.model.errors import PolicyError, ReviewError
from core.model.names import ReviewerId
from core.policy.load import load_policy, packaged_source, parse_policy
from core.review import known_bad
from core.review.invented import packaged_bank
from core.review.phrases import sensitivity_words
from core.review.ratings import load_first_answers, load_ratings
from core.review.rubrics import load_rubrics
from core.review.sensitivity import (
    corrected_size,
    corrected_upper,
    lower_bound,
    measure,
)
from core.review.statement import review_state
from tests.builders import PREFIX
from tests.reviewing import REVIEWERS, SETTLERS, Review, a_reader, digest_of_rating

BANK = packaged_bank()
BOTH = frozenset({ReviewerId("clara"), ReviewerId("cornelius")})


@pytest.fixture
def review(simulator):
    return Review(simulator, known_bad=6)


@pytest.fixture
def planted(review, simulator):
    found = known_bad.plant(review.plan, review.claim, BANK)
    known_bad.freeze_known_bad(simulator, PREFIX, found)
    return found


def answer(review, planted, number, reviewer="clara", **changes):
    record = planted.found(planted.ids[number])
    rating = review.a_rating(0, reviewer, record_id=record.record_id, shown_sha256=record.sha256)
    desk = known_bad.answer_sheet(review.plan, planted)
    from core.review.answers import RatingDesk
    from core.review.ratings import submit_rating
    from tests.reviewing import BUILDER

    rating = dataclasses.replace(rating, **changes)
    submit_rating(
        review.store,
        PREFIX,
        rating,
        person=a_reader(reviewer),
        desk=RatingDesk(
            plan=desk, rubric=review.rubric, claim=review.claim, record=record, builder=BUILDER
        ),
        area=known_bad.AREA,
    )
    return rating


def first_answers(review):
    return load_first_answers(
        review.store, PREFIX, review.candidate.digest, review.claim.id, area=known_bad.AREA
    )


def test_the_bank_is_wide_enough_that_few_readers_meet_one_twice():
    bank = [entry for entry in BANK.records if entry.use == "known_bad"]
    assert len(bank) >= 60
    fitting = Counter((entry.rubric, entry.setting) for entry in bank)
    assert fitting["clinician_qa", "everyday"] >= 20
    assert fitting["clinician_qa", "crisis"] >= 15
    assert fitting["bias_cultural", "everyday"] >= 20
    texts = {turn.content for entry in bank for turn in entry.messages}
    assert len(texts) == sum(len(entry.messages) for entry in bank)
    # Nobody knows one by its length: there are short ones and long ones.
    assert {len(entry.messages) for entry in bank} >= {2, 4, 6}
    for rubric in ("clinician_qa", "bias_cultural"):
        fails = {fail.id for fail in load_rubrics()[rubric].hard_fails}
        shown = {flag for entry in bank if entry.rubric == rubric for flag in entry.shows}
        assert shown == fails


def test_every_invented_record_shows_hard_fails_its_rubric_knows():
    rubrics = load_rubrics()
    for entry in BANK.records:
        flags = {flag.id for flag in rubrics[entry.rubric].hard_fails}
        assert set(entry.shows) <= flags
        assert [turn.role for turn in entry.messages[:2]] == ["user", "assistant"]
        if entry.use == "known_bad":
            assert entry.shows
        else:
            items = {item.id for item in rubrics[entry.rubric].items if item.unit == "record"}
            assert set(entry.model["scores"]) <= items
            assert entry.model["verdict"] in rubrics[entry.rubric].verdicts


def test_the_packaged_policies_ask_for_no_more_known_bad_records_than_there_are():
    for name in ("release0", "demo"):
        for claim in parse_policy(packaged_source(name)).claims:
            families = {"edge_cases"} == set(claim.families)
            there = [
                entry
                for entry in BANK.records
                if (entry.rubric, entry.use) == (claim.rubric, "known_bad")
                and entry.setting == ("crisis" if families else "everyday")
            ]
            assert 0 < claim.known_bad <= len(there)


def test_a_least_sensitivity_without_known_bad_records_is_refused():
    source = packaged_source("demo").replace(b"known_bad = 1", b"least_sensitivity = 0.5")
    with pytest.raises(PolicyError) as refused:
        parse_policy(source)
    assert refused.value.code == "policy.claim"
    assert load_policy(None, embedded=True).claims[0].known_bad == 1


def test_which_records_are_mixed_in_follows_from_the_seed_alone(review, planted):
    assert known_bad.plant(review.plan, review.claim, BANK) == planted
    other = dataclasses.replace(review.plan, seed="another")
    assert known_bad.plant(other, review.claim, BANK).ids != planted.ids
    assert not set(planted.ids) & set(review.plan.records)
    assert all(len(name) == 32 and int(name, 16) >= 0 for name in planted.ids)


def test_whoever_hashes_what_they_read_finds_an_invented_records_id_to_be_its_own(planted):
    # With any other id, a reader who hashes the text on the screen knows it for invented.
    for name in planted.ids:
        assert record_id(planted.found(name).messages) == name


def test_an_invented_record_that_ships_as_data_is_passed_over(review, planted):
    again = known_bad.plant(review.plan, review.claim, BANK, {planted.ids[0]})
    assert planted.ids[0] not in again.ids
    assert (len(again.ids), again.ids[:5]) == (6, planted.ids[1:])


def test_the_whole_bank_is_named_with_the_sample(planted):
    assert planted.source == BANK.sha256


def test_a_set_of_the_first_desks_is_read_under_the_ids_it_was_planted_with(review, simulator):
    found = known_bad.plant(review.plan, review.claim, BANK)
    first = dataclasses.replace(
        found,
        source=None,
        records=tuple(dataclasses.replace(one, record_id="ab" * 16) for one in found.records[:1]),
    )
    key = known_bad.freeze_known_bad(simulator, PREFIX, first)
    assert decode(simulator.body(key))["schema"] == "release-desk/known-bad/1"
    assert "source" not in decode(simulator.body(key))
    held = known_bad.load_known_bad(simulator, PREFIX, review.candidate.digest)
    assert held == {review.claim.id: first}
    # What stands beside a plan stands, whatever a newer desk would plant.
    assert known_bad.freeze_known_bad(simulator, PREFIX, found) == key


def test_a_claim_that_asks_for_more_than_there_are_is_refused(review):
    with pytest.raises(ReviewError) as refused:
        known_bad.plant(review.plan, dataclasses.replace(review.claim, known_bad=99), BANK)
    assert refused.value.code == "review.known_bad_too_few"


def test_each_reader_meets_every_known_bad_record_once_at_places_of_their_own(review, planted):
    records = [f"{number:032x}" for number in range(60)]
    mixed = known_bad.mix(records, planted, "seed", "clara")
    assert [name for name in mixed if name not in planted.ids] == records
    assert sorted(name for name in mixed if name in planted.ids) == sorted(planted.ids)
    assert (mixed[0], mixed[-1]) == (records[0], records[-1])
    assert mixed != known_bad.mix(records, planted, "seed", "cornelius")
    assert known_bad.mix(records, None, "seed", "clara") == records


def test_a_stored_set_is_read_back_and_a_changed_one_refused(review, planted, simulator):
    assert known_bad.load_known_bad(simulator, PREFIX, review.candidate.digest) == {
        review.claim.id: planted
    }
    (entry,) = simulator.list(f"{PREFIX}reviews/{review.candidate.digest}/known-bad/")
    body = simulator.get(entry.key, limit=1 << 20).body
    simulator.put(entry.key, body.replace(b"kb-", b"xx-"))
    with pytest.raises(ReviewError) as refused:
        known_bad.load_known_bad(simulator, PREFIX, review.candidate.digest)
    assert refused.value.code == "review.known_bad_broken"


def test_an_answer_to_one_is_no_rating_of_the_sample(review, planted):
    answer(review, planted, 0, verdict="reject")
    assert load_ratings(review.store, PREFIX, review.candidate.digest, review.claim.id) == ()
    assert review.state().read == 0
    assert review.state().open_flags == 0


def test_the_first_answer_counts_and_not_the_second_thought(review, planted):
    first = answer(review, planted, 0)
    answer(review, planted, 0, verdict="reject", supersedes=digest_of_rating(first))
    found = measure(planted, first_answers(review), BOTH, 0.95)
    assert (found.found, found.shown) == (0, 1)


def test_the_share_found_has_an_exact_lower_bound_and_is_kept_by_reader(review, planted):
    for number in range(6):
        answer(review, planted, number, verdict="reject" if number else "accept")
    answer(review, planted, 0, "cornelius", verdict="accept_with_edit")
    found = measure(planted, first_answers(review), BOTH, 0.95)
    assert (found.found, found.shown, found.met) == (6, 7, 6)
    assert found.by_reviewer == {"clara": (5, 6), "cornelius": (1, 1)}
    # Published: the exact lower limit of 6 in 7, one-sided at 95 %, is 0.4793.
    assert found.low == pytest.approx(0.4793, abs=1e-4)
    strangers = measure(planted, first_answers(review), frozenset(), 0.95)
    assert strangers.shown == 0
    assert strangers.estimate is None


def test_the_corrected_bound_agrees_with_the_reference_table():
    # reference D1: "n for 1 % is 332 (s = .9), 373 (.8), 427 (.7); for 5 % 66, 74, 85".
    assert [corrected_size(0.01, 0.95, s) for s in (0.9, 0.8, 0.7)] == [332, 373, 427]
    assert [corrected_size(0.05, 0.95, s) for s in (0.9, 0.8, 0.7)] == [66, 74, 85]
    for limit, share in ((0.05, 0.9), (0.01, 0.7)):
        size = corrected_size(limit, 0.95, share)
        assert corrected_upper(1 - 0.05 ** (1 / size), share) <= limit
        assert corrected_upper(1 - 0.05 ** (1 / (size - 1)), share) > limit
    assert corrected_upper(0.05, 0.0) == 1.0
    assert lower_bound(0, 6, 0.95) == 0.0


def a_state(review, planted, **changes):
    claim = dataclasses.replace(review.claim, **changes)
    return review_state(
        review.plan,
        review.loaded(),
        review.settled(),
        claim,
        reviewers=REVIEWERS,
        settlers=SETTLERS,
        sensitivity=measure(planted, first_answers(review), REVIEWERS, claim.confidence),
    )


def test_the_sentence_states_what_readers_miss_and_allows_for_it(review, planted):
    review.read_clean()
    assert "not measured" in a_state(review, planted).sentence
    for number in range(6):
        answer(review, planted, number, verdict="reject" if number > 2 else "accept")
    state = a_state(review, planted)
    # Up to 88 % might be bad: of six readings that says nothing, and it is not printed.
    assert "known-bad records in 3 of 6 readings: too few to say" in state.sentence
    assert state.corrected == pytest.approx(min(1.0, state.upper / 0.5))
    assert state.known_bad["found"] == 3
    assert state.state == "ready"


def test_a_measure_that_says_something_is_printed_and_a_bad_one_never_hidden(review, planted):
    some = measure(planted, (), REVIEWERS, 0.95)
    few = dataclasses.replace(some, shown=6, found=6, low=0.6)
    assert "with what they miss allowed for, at most 4.95 %" in sensitivity_words(0.0495, few)[0]
    bad = dataclasses.replace(some, shown=40, found=1, low=0.001)
    [said] = sensitivity_words(0.0495, bad)
    assert "in 1 of 40 readings (2.5 %" in said
    assert "at most 100 %" in said


def test_readers_who_find_too_little_have_shown_nothing(review, planted):
    review.read_clean()
    strict = {"least_sensitivity": 0.7}
    assert a_state(review, planted, **strict).open_points == ("known_bad_waiting 6",)
    for number in range(6):
        answer(review, planted, number, verdict="reject" if number > 2 else "accept")
    state = a_state(review, planted, **strict)
    assert state.state != "ready"
    assert state.open_points == ("sensitivity 3 of 6",)
    for number in range(6):
        answer(review, planted, number, "cornelius", verdict="reject")
    assert a_state(review, planted, **strict).state == "ready"


def test_nothing_of_an_invented_record_is_like_a_shipped_one(review, planted):
    shipped = {record.sha256 for record in review.records.values()}
    assert not {planted.found(name).sha256 for name in planted.ids} & shipped
    assert sha256_hex(planted.found(planted.ids[0]).raw) == planted.found(planted.ids[0]).sha256
    assert planted.found("0" * 32) is None
