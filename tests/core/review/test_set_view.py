from __future__ import annotations

import pytest

from core.model.dataset import Message
from core.model.errors import PolicyError
from core.review.pairs import (
    LEAST_ALIKE,
    MASK,
    NOT_NAMED,
    as_matchable,
    masked,
    match_pairs,
    sides,
)
from core.review.set_view import UNKNOWN, draw_portrait, draw_set_view, load_lexicon, parse_lexicon

LEXICON = load_lexicon()


def said(*turns):
    roles = ("user", "assistant")
    return [Message(role=roles[n % 2], content=turn) for n, turn in enumerate(turns)]


def portrait(*turns):
    return draw_portrait(said(*turns), LEXICON)


def test_who_is_named_by_whom_with_which_problem_and_which_help():
    one = portrait(
        "I’m a Muslim student and I cannot sleep before exams.", "Older women can call the NHS."
    )
    assert one.named["client"] == {("religion_or_spirituality", "muslim")}
    assert one.named["helper"] == {("gender_identity_or_expression", "women")}
    assert one.problems == ("sleep", "work_or_school")
    assert one.resources == {"United Kingdom and Ireland"}


def test_no_name_of_a_person_says_who_they_are():
    one = portrait("I am Fatima and my friend is Jesús.", "Hello Fatima.")
    assert not one.named["client"]
    assert not one.named["helper"]


def test_a_word_inside_another_is_not_that_word():
    one = portrait("The salesman mentioned a manual; she was humane.", "Ask a craftsman.")
    assert not one.named["client"]


def test_unknown_is_counted_and_is_as_large_as_it_is():
    view = draw_set_view(
        [portrait("I am gay and lonely.", "ok"), portrait("Hello.", "Call 988.")], 9, LEXICON
    )
    assert (view.records, view.frame) == (2, 9)
    assert view.unknown["sexual_orientation"] == 1
    assert view.unknown["disability"] == 2
    assert "disability" in view.silent()
    assert "sexual_orientation" not in view.silent()
    assert view.problems == {"loneliness": 1, UNKNOWN: 1}
    assert view.resources == {UNKNOWN: 1, "United States": 1}
    cells = {(one.value, one.role, one.problem): one.records for one in view.appearances}
    assert cells["gay_or_lesbian", "client", ""] == 1
    assert cells["gay_or_lesbian", "client", "loneliness"] == 1


def matchables(*texts):
    return [as_matchable(f"r{n}", said(text, "ok"), LEXICON) for n, text in enumerate(texts)]


def test_a_pair_has_one_problem_and_another_group_and_each_record_stands_once():
    records = matchables(
        "As a Muslim woman I cannot sleep since the move and work is hard",
        "As a Jewish woman I cannot sleep since the move and work is hard",
        "I cannot sleep since the move and work is hard",
        "My dog barks.",
    )
    (pair, *rest) = match_pairs(records, LEXICON.dimension_names)
    assert pair.records == ("r0", "r1")
    assert pair.dimension == "religion_or_spirituality"
    assert pair.values == ("muslim", "jewish")
    assert pair.alike == 1.0
    assert not {"r0", "r1"} & {name for one in rest for name in one.records}
    assert all(one.alike >= LEAST_ALIKE for one in rest)


def test_a_group_named_may_stand_against_none_named_when_nothing_better_is_there():
    (pair,) = match_pairs(
        matchables("I am gay and lonely at night", "I am lonely at night"),
        LEXICON.dimension_names,
    )
    assert set(pair.values) == {"gay_or_lesbian", NOT_NAMED}


def test_sides_follow_from_seed_pair_and_reader_and_both_orders_occur():
    (pair,) = match_pairs(
        matchables("I am gay and lonely at night", "I am lonely at night"),
        LEXICON.dimension_names,
    )
    drawn = {sides(pair, f"seed {n}", "beatrix") for n in range(20)}
    assert drawn == {("r0", "r1"), ("r1", "r0")}
    assert sides(pair, "seed", "beatrix") == sides(pair, "seed", "beatrix")


def test_a_mask_strikes_out_what_names_a_group_and_leaves_all_else():
    text = "As a MUSLIM woman, I’m in a wheelchair — İstanbul-born? No."
    assert masked(text.replace("İ", "I"), LEXICON) == (
        f"As a {MASK} {MASK}, I’m in a {MASK} — Istanbul-born? No."
    )
    assert masked("nothing here", LEXICON) == "nothing here"


@pytest.mark.parametrize("source", [b"[]", b"schema_version: 9", b"schema_version: 1"])
def test_words_of_another_form_are_refused(source):
    with pytest.raises(PolicyError):
        parse_lexicon(source)
