from __future__ import annotations

import dataclasses

import pytest

from core.canonical import canonical_bytes, decode
from core.model.errors import ReviewError
from core.model.review import BiasTag, Flag
from core.review.answers import SCHEMA_1, parse_rating, rating_bytes
from core.review.tags import count_tags
from tests.reviewing import Review, a_reader

BEATRIX = a_reader("beatrix", "bias_reviewer")


@pytest.fixture
def bias(simulator):
    return Review(simulator, id="bias_foundation", rubric="bias_cultural", role="bias_reviewer")


def a_tag(**changes):
    words = {"dimension": "age", "about_whom": "client", "harm": "stereotype", "turn": 0}
    return BiasTag(**{**words, **changes})


def rate(bias, **changes):
    scores = {item.id: "5" for item in bias.rubric.items if item.id not in ("B2", "B8")}
    rating = bias.a_rating(0, "beatrix", scores=scores, **changes)
    return bias.submit(rating, person=BEATRIX)


def test_tags_and_marked_words_are_stored_with_the_rating_and_come_back(bias):
    flags = (Flag(id="G1", turn=1, note="why", start=2, end=7),)
    tags = (a_tag(turn=1, start=0, end=4, note="the first word"), a_tag(harm="erasure"))
    rate(bias, verdict="reject", flags=flags, bias_tags=tags)
    (stored,) = bias.loaded()
    assert stored.rating.flags == flags
    assert stored.rating.bias_tags == tags


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"dimension": "height"}, "review.tag"),
        ({"about_whom": "everybody"}, "review.tag"),
        ({"harm": ""}, "review.tag"),
        ({"turn": 9}, "review.tag"),
        ({"turn": -1}, "review.tag"),
        ({"note": "x" * 501}, "review.note"),
        ({"start": 3}, "review.span"),
        ({"end": 3}, "review.span"),
        ({"start": 3, "end": 3}, "review.span"),
        ({"start": -1, "end": 3}, "review.span"),
        ({"start": 0, "end": 10_000}, "review.span"),
    ],
)
def test_a_tag_outside_the_rubric_or_the_record_is_refused(bias, changes, code):
    with pytest.raises(ReviewError) as caught:
        rate(bias, bias_tags=(a_tag(**changes),))
    assert caught.value.code == code
    assert bias.loaded() == ()


def test_a_rubric_without_tags_takes_none(simulator):
    with pytest.raises(ReviewError) as caught:
        Review(simulator).rate(0, bias_tags=(a_tag(),))
    assert caught.value.code == "review.tag"


def test_a_span_is_counted_in_code_points_not_in_bytes_or_utf_16_units(simulator):
    from core.model.dataset import Message
    from core.review.tags import check_span

    said = [Message(role="user", content="é😀 ok")]
    check_span(0, 1, 5, said)
    with pytest.raises(ReviewError):
        check_span(0, 1, 6, said)


def test_a_rating_of_the_first_form_is_still_read_and_anything_newer_is_not(simulator):
    rating = Review(simulator).a_rating()
    first = rating_bytes(rating, SCHEMA_1)
    assert parse_rating(first) == rating
    with pytest.raises(ReviewError):
        parse_rating(canonical_bytes({**decode(first), "schema": "release-desk/rating/3"}))
    with pytest.raises(ReviewError):
        parse_rating(canonical_bytes({**decode(first), "bias_tags": []}))


def test_counts_name_combinations_records_and_people(simulator):
    one = dataclasses.replace(Review(simulator).a_rating(), bias_tags=(a_tag(), a_tag(turn=1)))
    other = dataclasses.replace(one, record_id="other", bias_tags=(a_tag(), a_tag(harm="blame")))
    first, second = count_tags([one, other])
    assert (first.harm, first.tags, first.records, first.reviewers) == (
        *("stereotype", 3, 2),
        (one.reviewer,),
    )
    assert second.harm == "blame"
