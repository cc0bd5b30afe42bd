"""An assignment is the old policy's bytes and one table more, and says exactly what was meant."""

from __future__ import annotations

import pytest

from core.model.errors import PolicyError
from core.policy.assign import assign_prefix, standing
from core.policy.load import load_policy, parse_policy
from core.policy.types import Policy

AT = "2026-11-21T09:00:00Z"
ODD = 'a "b"\\ \x7f\t\n#&/：心理😀 /'


def demo() -> Policy:
    return load_policy(None, embedded=True)


def given(policy: Policy, prefix: str, family: str = "priority") -> Policy:
    return assign_prefix(policy, family=family, prefix=prefix, by="demo:owner", at=AT)


def test_the_old_bytes_are_the_beginning_of_the_new_ones() -> None:
    policy = demo()
    new = given(policy, "datasets/new/")
    assert new.source.startswith(policy.source)
    assert new.digest != policy.digest
    assert (new.assignments[0].by, new.assignments[0].at) == ("demo:owner", AT)
    assert given(policy, "datasets/new/").digest == new.digest


def test_any_key_comes_back_as_it_was() -> None:
    assert standing(parse_policy(given(demo(), ODD).source)) == {ODD: "priority"}


def test_a_file_without_a_last_line_end_is_continued_on_a_new_line() -> None:
    policy = demo()
    bare = parse_policy(policy.source.rstrip(b"\n"))
    assert standing(given(bare, "x/")) == {"x/": "priority"}


def test_the_last_word_about_a_prefix_stands_and_may_take_it_back() -> None:
    policy = given(given(demo(), "x/"), "x/", "voice")
    assert standing(policy) == {"x/": "voice"}
    assert standing(given(policy, "x/", "")) == {}


@pytest.mark.parametrize(
    ("prefix", "family", "code"),
    [
        ("", "priority", "policy.assignment"),
        ("x/", "nobody", "policy.unknown_name"),
        ("x/", "", "policy.assigned"),
    ],
)
def test_what_cannot_be_meant_is_refused(prefix: str, family: str, code: str) -> None:
    with pytest.raises(PolicyError) as caught:
        given(demo(), prefix, family)
    assert caught.value.code == code


def test_the_same_assignment_twice_is_refused() -> None:
    with pytest.raises(PolicyError) as caught:
        given(given(demo(), "x/"), "x/")
    assert caught.value.code == "policy.assigned"
