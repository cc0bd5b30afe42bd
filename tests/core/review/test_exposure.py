from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.model.dataset import Message
from core.model.errors import PolicyError
from core.policy.types import CareRule
from core.review.exposure import Exposures, Look, exposure_of, is_heavy
from core.review.themes import intensity_of, parse_themes, themes_of

NOW = datetime(2026, 11, 21, 15, 0, tzinfo=UTC)
RULE = CareRule(rest_after=3, rest_minutes=10, heavy_a_day=4, minutes_a_day=60)


def said(text):
    return [Message(role="user", content=text)]


def looks(*minutes_ago_and_levels, seconds=60):
    return [
        Look(
            candidate="c",
            record_id=f"r{number}",
            intensity=level,
            seconds=seconds,
            opened_at=(NOW - timedelta(minutes=ago)).isoformat(),
        )
        for number, (ago, level) in enumerate(minutes_ago_and_levels)
    ]


def test_a_card_names_themes_the_most_intense_first_and_no_word_of_the_text():
    found = themes_of(said("He DIED. I want to die and I’ve been cutting myself, I can’t go on."))
    assert [(theme.id, theme.intensity) for theme in found] == [
        ("self_harm", 3),
        ("suicide", 3),
        ("despair", 2),
        ("death", 1),
    ]
    assert intensity_of(found) == 3


@pytest.mark.parametrize("text", ["my skills", "a grape", "therapist", "we diedre", "start over"])
def test_words_inside_words_warn_of_nothing(text):
    assert themes_of(said(text)) == ()


def test_a_folded_family_is_heavy_whatever_its_words():
    assert is_heavy(said("hello"), "edge_cases", RULE)
    assert not is_heavy(said("hello"), "priority", RULE)
    assert is_heavy(said("I hear voices"), "priority", RULE)


def test_heavy_records_in_a_row_bring_a_rest_and_a_light_one_or_a_pause_ends_the_row():
    assert exposure_of(looks((3, 3), (2, 2), (1, 3)), NOW, RULE).rest_until
    assert not exposure_of(looks((3, 3), (2, 0), (1, 3)), NOW, RULE).rest_until
    assert not exposure_of(looks((30, 3), (2, 2), (1, 3)), NOW, RULE).rest_until
    rested = exposure_of(looks((12, 3), (11, 2), (10, 3)), NOW, RULE)
    assert (rested.rest_until, rested.in_a_row) == ("", 0)
    never = CareRule(rest_after=0)
    assert not exposure_of(looks((3, 3), (2, 2), (1, 3)), NOW, never).rest_until


def test_the_budget_is_of_24_hours_and_counts_heavy_records_or_minutes():
    assert not exposure_of(looks((3, 3), (2, 0), (1, 0)), NOW, RULE).over
    assert exposure_of(looks((40, 3), (30, 3), (20, 3), (9, 3)), NOW, RULE).over
    assert exposure_of(looks((40, 0), seconds=3600), NOW, RULE).over
    old = exposure_of(looks((24 * 60, 3), (24 * 60 - 1, 3)), NOW, RULE)
    assert (old.heavy, old.minutes) == (1, 1.0)


def test_a_look_is_kept_once_its_seconds_only_grow_and_old_ones_are_forgotten(tmp_path):
    kept = Exposures(tmp_path)
    (old, new) = looks((60 * 24 * 31, 3), (1, 2), seconds=0)
    for look in (old, new, new):
        kept.opened("clara", look)
    for seconds in (40, 10):
        kept.spent("clara", "c", "r1", seconds)
    (held,) = Exposures(tmp_path).of("clara")
    assert (held.record_id, held.seconds) == ("r1", 40)
    assert kept.of("cora") == ()
    assert (tmp_path / "exposure.sqlite").stat().st_mode & 0o077 == 0


def test_nobody_is_told_about_others_until_enough_of_them_have_read(tmp_path):
    kept = Exposures(tmp_path)
    for name in ("clara", "cora"):
        kept.opened(name, looks((1, 3))[0])
    assert kept.together(NOW, RULE) is None
    kept.opened("celia", looks((1, 0))[0])
    together = kept.together(NOW, RULE)
    assert together is not None
    assert (together.readers, together.heavy, together.light) == (3, 2, 1)


@pytest.mark.parametrize("source", [b"- no", b"schema_version: 2\nthemes: []", b"\xff"])
def test_a_theme_list_of_another_form_is_refused(source):
    with pytest.raises(PolicyError):
        parse_themes(source)
