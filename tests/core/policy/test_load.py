"""A policy that contradicts itself is refused when it is loaded."""

from __future__ import annotations

import pytest

from core.model.errors import PolicyError
from core.policy.load import load_policy, packaged_source, parse_policy


def altered(old: str, new: str, *, times: int = 1, name: str = "release0") -> bytes:
    source = packaged_source(name).decode()
    assert old in source
    return source.replace(old, new, times).encode()


@pytest.mark.parametrize("name", ["release0", "demo"])
def test_the_packaged_policies_hold_together(name: str) -> None:
    policy = parse_policy(packaged_source(name))
    assert {rule.name for rule in policy.families} == {
        "professional_therapeutic",
        "priority",
        "cot_reasoning",
        "edge_cases",
        "voice",
    }
    assert policy.required_gates == (
        "privacy",
        "provenance",
        "duplicates",
        "leakage",
        "distribution",
    )
    assert policy.privacy.entities["PERSON"].action == "review"


def test_the_digest_names_the_exact_bytes() -> None:
    first = parse_policy(packaged_source("release0"))
    second = parse_policy(packaged_source("release0") + b"\n")
    assert first.digest != second.digest


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("weight = 0.40", "weight = 0.50", "policy.weights"),
        ("train = 0.90", "train = 0.80", "policy.weights"),
        ('families = ["edge_cases"]', 'families = ["edge_case_crisis"]', "policy.unknown_name"),
        ("stages = [1, 2, 3, 4]", "stages = [1, 2, 3, 9]", "policy.unknown_name"),
        ("needs_persona = true", "test_only = true", "policy.test_only_trained"),
        ("order = 2", "order = 1", "policy.duplicate"),
        ("first = 63", "first = 20", "policy.claim_too_weak"),
        ("second = 113", "second = 80", "policy.claim_too_weak"),
        ('claim = "clinician_edge"', 'claim = "clinician_egde"', "policy.unknown_name"),
        ("bands = 21", "bands = 40", "policy.bands"),
        ("shingle = 5", "shingel = 5", "policy.unknown_key"),
        ("shingle = 5", 'shingle = "five"', "policy.shape"),
        (
            'required_gates = ["privacy", "provenance", "duplicates", "leakage", "distribution"]',
            "required_gates = []",
            "policy.no_gates",
        ),
        ('"privacy", "provenance"', '"privacy", "providence"', "policy.unknown_name"),
        ('action = "redact"', 'action = "keep"', "policy.entity"),
        ("[splits]", "[splits", "policy.not_toml"),
        ("required_gates = [", "[[unused]]\nx = [", "policy.unknown_key"),
    ],
)
def test_a_contradiction_is_refused_by_code(old: str, new: str, code: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy(altered(old, new))
    assert caught.value.code == code


def test_the_demo_policy_is_refused_outside_the_demo_bucket(tmp_path) -> None:
    path = tmp_path / "policy.toml"
    path.write_bytes(packaged_source("demo"))
    assert load_policy(path, embedded=True).demo
    with pytest.raises(PolicyError) as caught:
        load_policy(path, embedded=False)
    assert caught.value.code == "policy.demo_outside"


def test_a_test_only_family_without_a_weight_is_allowed() -> None:
    source = altered(
        'aliases = [\n    "datasets/gdrive/tier4_voice_persona/"',
        'test_only = true\naliases = [\n    "datasets/gdrive/tier4_voice_persona/"',
    ).decode()
    extra = """
[[families]]
name = "long_sessions"
title = "Long sessions"
stage = 4
order = 6
required = false
weight = 0.0
prefixes = ["long/"]
aliases = []
test_only = true
"""
    with pytest.raises(PolicyError):
        parse_policy(source.encode())
    policy = parse_policy(packaged_source("release0") + extra.encode())
    assert policy.family("long_sessions").test_only


def test_a_policy_may_ask_for_retention_and_an_older_one_asks_for_none() -> None:
    source = packaged_source("release0")
    assert parse_policy(source).release.retention_days == 0
    asking = parse_policy(source + b"\n[release]\nretention_days = 365\n")
    assert asking.release.retention_days == 365


@pytest.mark.parametrize("days", [-1, 3651])
def test_a_retention_nobody_can_mean_is_refused(days: int) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy(packaged_source("release0") + b"\n[release]\nretention_days = %d\n" % days)
    assert caught.value.code == "policy.retention"
