"""What the demo bucket promises newcomers, gates and documentation, checked on its bytes."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict

import pytest

from core.demo.layout import SEED, demo_objects, planted
from core.intake.near import near_duplicate_pairs
from core.intake.privacy import build_detector
from core.intake.privacy.names import NameFinder
from core.intake.read import read_object
from core.model.dataset import Asset, Conversation, Rejection
from core.policy.load import load_policy
from core.policy.types import Policy

FAMILIES = {
    "gdrive/processed/professional_therapeutic/": "professional_therapeutic",
    "gdrive/processed/priority/": "priority",
    "datasets/gdrive/tier3_cot_reasoning/": "cot_reasoning",
    "gdrive/processed/edge_cases/": "edge_cases",
    "voice/": "voice",
}
Item = Conversation | Asset | Rejection


def family_of(key: str) -> str:
    return next((name for prefix, name in FAMILIES.items() if key.startswith(prefix)), "")


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy(None, embedded=True)


@pytest.fixture(scope="module")
def read(policy: Policy) -> dict[str, list[Item]]:
    return {
        key: list(read_object(iter([body]), key=key, rule=policy.intake))
        for key, body in demo_objects()
    }


@pytest.fixture(scope="module")
def texts(read: dict[str, list[Item]]) -> list[str]:
    found = [item for items in read.values() for item in items if isinstance(item, Conversation)]
    return [
        " ".join(turn.content for turn in item.messages if turn.role != "system") for item in found
    ]


def test_the_bytes_are_the_same_on_every_machine() -> None:
    total = hashlib.sha256()
    for key, body in demo_objects():
        total.update(key.encode() + b"\0" + body)
    assert total.hexdigest() == ("f1cb16f30de65ee2559b108dbb4026893ffa096cf13887545d442c33e495a350")


def test_another_seed_writes_another_bucket() -> None:
    assert dict(demo_objects(SEED + 1)) != dict(demo_objects())


def test_the_bucket_is_small_enough_for_a_first_run() -> None:
    facts = planted()
    assert facts.objects <= 60
    assert facts.bytes <= 20_000_000
    assert 2_900 <= sum(facts.dialogues.values()) <= 3_200


def test_every_family_reads_as_planted(read: dict[str, list[Item]]) -> None:
    rows: Counter[str] = Counter()
    dialogues: Counter[str] = Counter()
    for key, items in read.items():
        family = family_of(key)
        inside = [item for item in items if not (isinstance(item, Rejection) and item.line == 0)]
        rows[family] += len(inside)
        dialogues[family] += sum(isinstance(item, Conversation) for item in inside)
    facts = planted()
    assert {name: rows[name] for name in FAMILIES.values()} == facts.rows
    assert {name: dialogues[name] for name in FAMILIES.values()} == facts.dialogues


def test_broken_rows_are_refused_one_by_one_and_stay_under_the_alarm(
    read: dict[str, list[Item]],
) -> None:
    for key, broken in planted().malformed.items():
        refused = [item for item in read[key] if isinstance(item, Rejection)]
        assert len(refused) == broken
        assert all(item.line > 0 for item in refused)
        assert 0 < broken < 0.04 * len(read[key])


def test_six_shapes_and_four_containers_are_there(
    read: dict[str, list[Item]], policy: Policy
) -> None:
    shapes = {
        item.shape for items in read.values() for item in items if isinstance(item, Conversation)
    }
    assert len(shapes) >= 6
    containers = set()
    for key, body in demo_objects():
        reading = read_object(iter([body]), key=key, rule=policy.intake)
        if any(isinstance(item, Conversation) for item in reading):
            containers.add(reading.container)
    assert containers == {"jsonl", "json_array", "json_object", "csv"}


def test_lanes_hold_what_trains_nothing(read: dict[str, list[Item]]) -> None:
    lanes = Counter(
        item.lane for items in read.values() for item in items if isinstance(item, Asset)
    )
    facts = planted()
    assert lanes == {
        "preference": facts.preference_rows,
        "prompt_only": facts.prompt_only_rows,
        "persona": facts.persona_profiles,
    }


def test_reasoning_lies_under_an_alias_alone(policy: Policy) -> None:
    rule = policy.family("cot_reasoning")
    keys = [key for key, _ in demo_objects()]
    assert not any(key.startswith(prefix) for key in keys for prefix in rule.prefixes)
    assert any(key.startswith(alias) for key in keys for alias in rule.aliases)


def test_only_the_planted_pairs_are_near_duplicates(texts: list[str], policy: Policy) -> None:
    found = near_duplicate_pairs(texts, policy.near_duplicates, policy.near_duplicates.threshold)
    likeness = [each for _, _, each in found]
    facts = planted()
    assert sum(each == 1 for each in likeness) == facts.exact_copies
    assert sum(each < 1 for each in likeness) == facts.near_pairs
    assert len(texts) - len(set(texts)) == facts.exact_copies


def test_one_object_stands_under_two_keys() -> None:
    keys = defaultdict(list)
    for key, body in demo_objects():
        if body:
            keys[body].append(key)
    assert [len(same) for same in keys.values() if len(same) > 1] == [2]


def test_the_same_transcripts_lie_in_voice_and_edge(read: dict[str, list[Item]]) -> None:
    families: dict[str, set[str]] = defaultdict(set)
    for key, items in read.items():
        for item in items:
            if isinstance(item, Conversation):
                said = " ".join(turn.content for turn in item.messages if turn.role != "system")
                families[said].add(family_of(key))
    assert sum(each == {"voice", "edge_cases"} for each in families.values()) == 12


def test_every_planted_identifier_is_found_and_nothing_else(
    read: dict[str, list[Item]], policy: Policy
) -> None:
    detector = build_detector(policy.privacy)
    found: Counter[str] = Counter()
    for items in read.values():
        for item in items:
            if isinstance(item, Conversation):
                for turn in item.messages:
                    found.update(span.entity for span in detector.find(turn.content))
    assert found == planted().pii


def test_crisis_lines_are_nobodys_phone_number(read: dict[str, list[Item]], policy: Policy) -> None:
    detector = build_detector(policy.privacy)
    offers = 0
    for key, items in read.items():
        if family_of(key) != "edge_cases":
            continue
        for item in items:
            if isinstance(item, Conversation):
                for turn in item.messages:
                    if re.search(r"\b(988|741741)\b", turn.content):
                        offers += 1
                        assert not detector.find(turn.content)
    assert offers == planted().crisis_lines > 200


@pytest.mark.slow
def test_names_are_found_where_they_were_planted_and_nowhere_else(
    read: dict[str, list[Item]], policy: Policy
) -> None:
    detector = build_detector(policy.privacy)
    said = {
        turn.content
        for items in read.values()
        for item in items
        if isinstance(item, Conversation)
        for turn in item.messages
        if not detector.find(turn.content)
    }
    least = policy.privacy.entities["PERSON"].score
    found = [
        span
        for spans in NameFinder().find(sorted(said))
        for span in spans
        if span.entity == "PERSON" and span.score >= least
    ]
    assert len(found) == planted().named_records == 12


def test_no_reply_is_a_refrain(read: dict[str, list[Item]], policy: Policy) -> None:
    replies: dict[str, Counter[str]] = defaultdict(Counter)
    for key, items in read.items():
        for item in items:
            if isinstance(item, Conversation):
                said = {turn.content for turn in item.messages if turn.role == "assistant"}
                replies[family_of(key)].update(said)
    dialogues = planted().dialogues
    for family, counted in replies.items():
        assert counted.most_common(1)[0][1] < 0.05 * dialogues[family]
