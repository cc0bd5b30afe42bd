"""An object belongs to the family whose prefix claims it, and to no two in silence."""

from __future__ import annotations

import dataclasses
from datetime import datetime

import pytest

from core.intake.assignment import Assignment, assign, covers, longest_match
from core.model.dataset import SourceObject
from core.policy.types import Policy
from tests.builders import a_policy


def an_object(key: str) -> SourceObject:
    return SourceObject(key=key, size=1, etag="e", modified=datetime.fromisoformat("2026-01-02"))


def a_policy_of(**families: tuple[tuple[str, ...], tuple[str, ...]]) -> Policy:
    """A policy with these families: name → (prefixes, aliases)."""
    template = a_policy().families[0]
    return a_policy(
        families=tuple(
            dataclasses.replace(
                template, name=name, order=order, prefixes=prefixes, aliases=aliases
            )
            for order, (name, (prefixes, aliases)) in enumerate(families.items())
        )
    )


def placed(assignment: Assignment) -> dict[str, list[str]]:
    return {
        name: [match.object.key for match in matches]
        for name, matches in assignment.by_family.items()
    }


@pytest.mark.parametrize(
    ("pattern", "key", "expected"),
    [
        ("a/b/", "a/b/c.jsonl", True),
        ("a/b/", "a/bc.jsonl", False),
        ("a/b", "a/b", True),
        ("a/b", "a/b/c", True),
        ("a/b", "a/bc", False),
        ("a/priority_*_FINAL.jsonl", "a/priority_1_FINAL.jsonl", True),
        ("a/priority_*_FINAL.jsonl", "a/priority_1_FINAL.jsonl.bak", False),
        ("a/CoT_*", "a/CoT_x/deep/file.json", True),
        ("a/v*/stage1/", "a/v2/stage1/x.jsonl", True),
        ("a/v*/stage1/", "a/v2/stage10/x.jsonl", False),
        ("a/*", "a/line\nbreak", True),
        ("a/[b]?.x", "a/[b]?.x", True),
        ("a/[b]?.x", "a/bc.x", False),
        ("a.b", "axb", False),
        ("", "anything", False),
        ("A/", "a/x", False),
    ],
)
def test_a_pattern_covers_what_it_says(pattern: str, key: str, expected: bool) -> None:
    assert covers(pattern, key) is expected


def test_the_longest_pattern_is_the_one_that_matched() -> None:
    assert longest_match("a/b/c/d", ("a/", "a/b/c/", "a/b/", "z/")) == "a/b/c/"


def test_canonical_beats_alias_across_families() -> None:
    policy = a_policy_of(first=(("data/a/",), ()), second=((), ("data/a/deeper/",)))

    found = assign([an_object("data/a/deeper/x")], policy)

    assert placed(found) == {"first": ["data/a/deeper/x"], "second": []}
    assert found.shared == {}


def test_a_canonical_prefix_inside_another_is_meant() -> None:
    policy = a_policy_of(outer=(("data/",), ()), inner=(("data/edge/",), ()))

    found = assign([an_object("data/edge/x"), an_object("data/y")], policy)

    assert placed(found) == {"outer": ["data/y"], "inner": ["data/edge/x"]}


def test_an_object_under_two_aliases_proves_neither_family() -> None:
    policy = a_policy_of(foundation=((), ("conversations/",)), edge=((), ("conversations/edge_*",)))

    found = assign(
        [an_object("conversations/edge_1"), an_object("conversations/other")],
        policy,
        frozenset({("edge", "conversations/edge_*")}),
    )

    assert placed(found) == {"foundation": ["conversations/other"], "edge": []}
    assert found.shared == {
        "conversations/edge_1": (
            ("edge", "conversations/edge_*"),
            ("foundation", "conversations/"),
        )
    }


def test_a_canonical_claim_ends_the_sharing() -> None:
    policy = a_policy_of(
        foundation=((), ("conversations/",)), edge=(("conversations/edge_1",), ("conversations/",))
    )

    found = assign([an_object("conversations/edge_1")], policy)

    assert placed(found)["edge"] == ["conversations/edge_1"]
    assert not found.by_family["edge"][0].alias


def test_one_canonical_prefix_of_two_families_is_shared() -> None:
    policy = a_policy_of(one=(("data/",), ()), two=(("data/",), ()))

    assert list(assign([an_object("data/x")], policy).shared) == ["data/x"]


def test_two_aliases_of_one_family_are_not_shared() -> None:
    policy = a_policy_of(one=((), ("data/", "data/deep/")))

    found = assign([an_object("data/deep/x")], policy)

    assert [match.prefix for match in found.by_family["one"]] == ["data/deep/"]
    assert found.shared == {}


def test_only_the_very_alias_that_was_confirmed_counts_as_confirmed() -> None:
    policy = a_policy_of(one=(("canon/",), ("old/", "older/")))
    objects = [an_object(key) for key in ("canon/x", "old/x", "older/x")]

    found = assign(objects, policy, frozenset({("one", "old/"), ("two", "older/")}))

    assert [(match.alias, match.confirmed) for match in found.by_family["one"]] == [
        (False, True),
        (True, True),
        (True, False),
    ]


def test_every_object_has_exactly_one_place() -> None:
    policy = a_policy_of(one=(("a/",), ("c/",)), two=(("b/",), ("c/",)))
    objects = [an_object(key) for key in ("a/1", "b/1", "c/1", "d/1", "e")]

    found = assign(objects, policy)

    places = [key for keys in placed(found).values() for key in keys]
    places += [*found.shared, *(item.key for item in found.unmatched)]
    assert sorted(places) == [item.key for item in objects]
