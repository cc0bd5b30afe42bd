"""The duplicates page names what was left out and shows any pair with its differences, as text."""

from __future__ import annotations

import dataclasses

import pytest

from core.model.errors import DeskError
from core.workbench.duplicates import Duplicates, families_crossed
from pages.frame.side_by_side import marked
from tests import road
from tests.pages.conftest import JUDGED_VERSION


@pytest.mark.parametrize(
    ("one", "other", "marks"),
    [
        ("a b c", "a b c", ("a b c", "a b c")),
        ("a b c", "a x c", ("a ⟦b⟧ c", "a ⟦x⟧ c")),
        ("a b", "a b c d", ("a b", "a b ⟦c d⟧")),
        ("", "all new", ("", "⟦all new⟧")),
        ("a  b\n\nc", "a b c", ("a  b\n\nc", "a b c")),
        ("**x** <b>", "**x** <i>", ("**x** ⟦<b>⟧", "**x** ⟦<i>⟧")),
    ],
)
def test_words_that_differ_stand_in_double_brackets(one, other, marks):
    assert marked(one, other) == marks


def test_taking_the_brackets_away_gives_the_texts_back():
    one, other = "the quick brown fox jumps", "the slow brown fox leaps high"
    assert [text.replace("⟦", "").replace("⟧", "") for text in marked(one, other)] == [one, other]


def test_the_page_says_what_the_build_left_out_and_what_it_cannot_see(judged_desk, open_page):
    page = open_page("duplicates", version=JUDGED_VERSION)
    assert not page.exception
    candidate = judged_desk.candidates.current(JUDGED_VERSION)
    said = "\n".join(str(item.value) for kind in ("caption", "markdown") for item in page.get(kind))
    assert "paraphrase or a translation is not a near" in said.replace("\\", "")
    assert [item.value for item in page.header] == [
        "What the build left out",
        "What ships side by side",
        "Leak paths",
        "Pairs that the gates named",
    ]
    dropped = Duplicates(judged_desk.candidates).dropped(candidate.digest)
    assert dropped is not None
    assert len(dropped) == sum(candidate.dropped.values()) > 0


def test_a_record_left_out_can_be_read_beside_the_one_kept(judged_desk):
    duplicates = Duplicates(judged_desk.candidates)
    digest = judged_desk.candidates.current(JUDGED_VERSION).digest
    entry = next(entry for entry in duplicates.dropped(digest) if entry.kept)
    owner = road.person(judged_desk, "demo:owner")
    gone = duplicates.messages_of_dropped(digest, entry, owner)
    kept = judged_desk.reviews.record(digest, entry.kept, owner).messages
    assert [message.role for message in gone if message.role != "system"] == [
        message.role for message in kept if message.role != "system"
    ]
    assert sum(families_crossed(duplicates.dropped(digest)).values()) > 0
    engineer = road.person(judged_desk, "demo:engineer")
    outsider = dataclasses.replace(engineer, roles=())
    with pytest.raises(DeskError):
        duplicates.messages_of_dropped(digest, entry, outsider)
