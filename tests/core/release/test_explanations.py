"""What people explained in words ships with the release, and is screened before it does."""

from __future__ import annotations

import json

import pytest

from core.model.errors import ReleaseError
from core.release.publish import publish_release
from tests.builders import PREFIX, a_candidate, a_policy
from tests.release_builders import ROWS, some_inputs

EXPLAINED = {
    "action": "explain",
    "gate": "distribution",
    "code": "distribution.out_of_range",
    "scope": "priority.words",
    "by": "olympia",
    "reason": "The new source holds longer letters.",
}
EXCLUDED = {"action": "exclude", "gate": "g", "code": "c", "record_id": "f" * 32, "by": "o"}


def publish(simulator, *decisions):
    policy = a_policy()
    candidate = a_candidate(simulator, ROWS, policy, decisions=decisions)
    return publish_release(some_inputs(simulator, policy=policy, candidate=candidate))


def test_the_manifest_and_its_documents_tell_who_explained_what(simulator):
    publish(simulator, EXPLAINED, EXCLUDED)
    home = f"{PREFIX}releases/v2026-11-21/"
    manifest = json.loads(simulator.get(f"{home}manifest.json", limit=1 << 24).body)
    assert manifest["explanations"] == [
        {name: EXPLAINED[name] for name in ("gate", "code", "scope", "by", "reason")}
    ]
    documents = [
        simulator.get(found.key, limit=1 << 24).body.decode()
        for found in simulator.list(home)
        if found.key.endswith(".md")
    ]
    assert any(
        "The new source holds longer letters" in text.replace("\\", "") for text in documents
    )


def test_a_release_without_any_says_so(simulator):
    publish(simulator)
    body = simulator.get(f"{PREFIX}releases/v2026-11-21/manifest.json", limit=1 << 24).body
    assert json.loads(body)["explanations"] == []


def test_private_words_in_an_explanation_do_not_ship(simulator):
    with pytest.raises(ReleaseError, match=r"release\.private_text"):
        publish(simulator, {**EXPLAINED, "reason": "ask someone@example.org"})
