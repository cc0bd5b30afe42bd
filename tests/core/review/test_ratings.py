from __future__ import annotations

import dataclasses

import pytest

from core.model.errors import NotAllowed, ReviewError
from core.model.review import Flag
from core.review import ratings
from core.review.answers import parse_rating, rating_bytes
from tests.builders import PREFIX
from tests.reviewing import Review, a_reader, digest_of_rating


@pytest.fixture
def review(simulator):
    return Review(simulator)


def refusal(call, *args, **kwargs):
    with pytest.raises((ReviewError, NotAllowed)) as caught:
        call(*args, **kwargs)
    return caught.value.code


def test_a_rating_is_stored_when_made_and_comes_back(review):
    rating = review.a_rating(seconds=40, note="fine", tags=("age",))
    key = review.submit(rating)
    folder = f"{PREFIX}reviews/{review.candidate.digest}/ratings/clinician_foundation/"
    digest = digest_of_rating(rating)
    assert key == f"{folder}{rating.record_id}/clara-{digest[:16]}.json"
    (stored,) = review.loaded()
    assert stored.rating == rating
    assert stored.sha256 == digest


def test_sending_a_rating_twice_stores_it_once(review):
    assert review.rate(0) == review.rate(0)
    assert len(review.loaded()) == 1


@pytest.mark.faults
@pytest.mark.parametrize("how", ["lost_reply", "retried_reply", "error_500", "conflict_409"])
def test_a_rating_survives_a_lost_reply(review, simulator, how, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    simulator.fail(op="put_if_absent", how=how)
    review.rate(0)
    assert simulator.fired == 1
    assert len(review.loaded()) == 1


def test_rating_again_supersedes_and_says_so(review):
    first = review.a_rating(verdict="reject")
    review.submit(first)
    again = review.a_rating(at="2026-11-21T09:05:00Z", supersedes=digest_of_rating(first))
    review.submit(again)
    (stored,) = review.loaded()
    assert stored.rating == again
    assert stored.earlier == ("reject",)


def test_a_second_tab_cannot_overwrite_in_silence(review):
    review.rate(0)
    assert refusal(review.rate, 0, verdict="reject") == "review.conflict"
    assert len(review.loaded()) == 1


def test_reviewers_whose_ids_begin_alike_do_not_collide(review):
    review.rate(0, "ann-b")
    review.rate(0, "ann")
    assert [stored.rating.reviewer for stored in review.loaded()] == ["ann", "ann-b"]


def test_the_answers_to_one_record_are_found_without_those_to_others(review, simulator):
    key = review.rate(0)
    review.rate(0, "ann")
    simulator.put(review.rate(1), b"no rating at all")
    record = key.split("/")[-2]
    where = (simulator, PREFIX, review.candidate.digest, review.claim.id)
    found = ratings.load_record(*where, record)
    assert {stored.rating.record_id for stored in found} == {record}
    assert {stored.rating.reviewer for stored in found} == {"ann", "clara"}
    assert refusal(ratings.load_ratings, *where) == "review.rating_broken"


@pytest.mark.parametrize("minutes", [9, 11])
def test_a_flag_can_be_taken_back_for_ten_minutes_only(review, minutes):
    flags = (Flag(id="F1", turn=1, note="Means."),)
    flagged = review.a_rating(verdict="reject", flags=flags)
    review.submit(flagged)
    review.rate(0, at=f"2026-11-21T09:{minutes:02}:00Z", supersedes=digest_of_rating(flagged))
    (stored,) = review.loaded()
    assert stored.rating.flags == ()
    assert stored.standing == (() if minutes < 10 else flags)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"scores": {}}, "review.answer"),
        ({"scores": {"C1": "4"}}, "review.answer"),
        ({"verdict": "fine"}, "review.answer"),
        ({"flags": (Flag(id="F1", turn=0, note="why"),)}, "review.flag"),
        ({"flags": (Flag(id="F99", turn=0, note="why"),), "verdict": "reject"}, "review.flag"),
        ({"flags": (Flag(id="F1", turn=4, note="why"),), "verdict": "reject"}, "review.flag"),
        ({"flags": (Flag(id="F1", turn=-1, note="why"),), "verdict": "reject"}, "review.flag"),
        ({"flags": (Flag(id="F1", turn=0, note=" "),), "verdict": "reject"}, "review.flag"),
        ({"note": "x" * 4001}, "review.note"),
        ({"rubric": "0" * 64}, "review.stale"),
        ({"shown_sha256": "0" * 64}, "review.stale"),
        ({"candidate": "0" * 64}, "review.not_in_plan"),
        ({"claim": "other"}, "review.not_in_plan"),
        ({"at": "yesterday"}, "review.time"),
        ({"at": "2026-11-21T09:00:00"}, "review.time"),
    ],
)
def test_a_rating_that_does_not_answer_is_refused(review, simulator, changes, code):
    assert refusal(review.rate, 0, **changes) == code
    assert review.loaded() == ()


@pytest.mark.parametrize("answer", ["0", "6", "", "4.0", "yes"])
def test_an_answer_off_the_scale_is_refused(review, answer):
    scores = {**review.a_rating().scores, "C4": answer}
    assert refusal(review.rate, 0, scores=scores) == "review.answer"


def test_an_unknown_question_is_refused(review):
    assert (
        refusal(review.rate, 0, scores={**review.a_rating().scores, "X1": "4"}) == "review.answer"
    )


def test_a_record_outside_the_sample_is_refused(review):
    outside = next(iter(set(review.records) - set(review.plan.records)))
    rating = review.a_rating(record_id=outside, shown_sha256=review.records[outside].sha256)
    assert refusal(review.submit, rating) == "review.not_in_plan"


def test_a_rubric_edited_after_the_freeze_is_refused(review):
    edited = dataclasses.replace(review.rubric, digest="1" * 64)
    rating = review.a_rating(rubric=edited.digest)
    assert refusal(review.submit, rating, rubric=edited) == "review.stale"


def test_risk_has_to_be_judged_in_the_edge_family_and_at_a_risk_cue(simulator):
    edge = Review(simulator, families=("edge_cases",))
    scores = {**edge.a_rating().scores, "C1": "na"}
    assert refusal(edge.rate, 0, scores=scores) == "review.answer"
    calm = Review(simulator)
    scores = {**calm.a_rating().scores, "C1": "na"}
    assert refusal(calm.rate, 0, scores=scores, tags=("risk_cue",)) == "review.answer"
    assert calm.rate(0, scores=scores)


def test_what_needs_a_matched_pair_or_the_whole_set_may_be_left_out(simulator):
    bias = Review(simulator, id="bias_foundation", rubric="bias_cultural", role="bias_reviewer")
    scores = {item.id: "5" for item in bias.rubric.items if item.id not in ("B2", "B8")}
    beatrix = a_reader("beatrix", "bias_reviewer")
    assert bias.submit(bias.a_rating(0, "beatrix", scores=scores), person=beatrix)
    scores.pop("B7")
    rating = bias.a_rating(1, "beatrix", scores=scores)
    assert refusal(bias.submit, rating, person=beatrix) == "review.answer"


@pytest.mark.parametrize(
    ("person", "code"),
    [
        (a_reader("clara", "bias_reviewer"), "review.role"),
        (a_reader("clara", "release_owner", "auditor"), "review.role"),
        (a_reader("cornelius"), "review.not_yourself"),
    ],
)
def test_only_who_holds_the_role_rates_and_only_for_themselves(review, person, code):
    assert refusal(review.submit, review.a_rating(), person=person) == code


def test_who_built_the_candidate_does_not_review_it(review):
    assert refusal(review.rate, 0, "olympia") == "review.builder"


def test_an_edited_rating_is_noticed(review, simulator):
    key = review.rate(0, verdict="reject")
    simulator.put(key, rating_bytes(review.a_rating(verdict="accept")))
    assert refusal(review.loaded) == "review.rating_broken"


def test_a_rating_under_another_name_is_noticed(review, simulator):
    key = review.rate(0)
    simulator.put(key.replace("clara-", "celia-"), simulator.body(key))
    assert refusal(review.loaded) == "review.rating_broken"


@pytest.mark.parametrize("body", [b"", b"null", b"{}", b'{"schema":"release-desk/rating/1"}'])
def test_bytes_that_are_no_rating_are_refused(review, simulator, body):
    assert refusal(parse_rating, body) == "review.rating_broken"
    simulator.put(review.rate(0), body)
    assert refusal(review.loaded) == "review.rating_broken"


def test_a_cache_saves_reads_and_never_hides_a_wrong_body(review, simulator):
    key = review.rate(0)
    cache: dict[str, ratings.StoredRating] = {}
    where = (simulator, PREFIX, review.candidate.digest, review.claim.id)
    ratings.load_ratings(*where, cache=cache)
    before = simulator.count("get")
    assert len(ratings.load_ratings(*where, cache=cache)) == 1
    assert simulator.count("get") == before
    other = review.rate(1)
    simulator.put(other, simulator.get(other, limit=1 << 20).body.replace(b"accept", b"reject"))
    assert refusal(ratings.load_ratings, *where, cache=cache) == "review.rating_broken"
    assert set(cache) == {key}


def test_the_digest_of_ratings_follows_every_answer(review):
    review.rate(0)
    one = ratings.ratings_digest(review.loaded())
    assert ratings.ratings_digest(reversed(review.loaded())) == one
    review.rate(1, verdict="reject")
    assert ratings.ratings_digest(review.loaded()) != one
