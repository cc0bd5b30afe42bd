"""What a person decided to redact is gone from the next build, and nothing else has moved."""

from __future__ import annotations

import dataclasses
import json

import pytest

from core.intake.measure import record_id
from core.intake.privacy import build_detector, redact
from core.model.dataset import Message
from core.model.errors import IntakeError
from tests.builders import a_policy
from tests.sources import COT, PRIORITY, a_pair, build, fill, some_source_rows


def record_id_of(messages):
    return record_id(tuple(Message(role=m["role"], content=m["content"]) for m in messages))


NAME = "Zorblax Quimby"
PAIR = a_pair(
    f"My name is {NAME}, mail me at jo@example.com, and I cannot sleep at all these days.",
    f"Thank you, {NAME}. What keeps you awake?",
)


def rows_of(store, candidate):
    return [
        json.loads(line)
        for shard in candidate.shards
        for line in store.get(shard.key, limit=1 << 20).body.splitlines()
    ]


def shipped_messages(policy):
    said = [Message(role=m["role"], content=m["content"]) for m in PAIR["messages"]]
    redacted = redact(said, build_detector(policy.privacy))
    return [{"role": m.role, "content": m.content} for m in redacted.messages]


def decision(messages, turn, value, **other):
    start = messages[turn]["content"].index(value)
    return {
        "gate": "privacy",
        "code": "privacy.person",
        "action": "redact",
        "by": "lead",
        "reason": "a client's own name",
        "record_id": record_id_of(messages),
        "turn": str(turn),
        "start": str(start),
        "end": str(start + len(value)),
        **other,
    }


@pytest.fixture
def bucket(simulator):
    fill(
        simulator,
        {
            f"{PRIORITY}a.jsonl": [PAIR, *some_source_rows(4)],
            f"{COT}b.jsonl": some_source_rows(3, seed="cot"),
        },
    )
    return simulator


def test_a_decided_span_is_a_typed_placeholder_in_the_next_build(bucket):
    policy = a_policy()
    messages = shipped_messages(policy)
    before = rows_of(bucket, build(bucket, policy))
    both = [decision(messages, 0, NAME), decision(messages, 1, NAME)]
    candidate = build(bucket, policy, decisions=both)
    rows = rows_of(bucket, candidate)
    assert NAME in str(before)
    assert "Zorblax" not in str(rows)
    [row] = [row for row in rows if "[NAME]" in str(row["messages"])]
    email = messages[0]["content"].split("mail me at ")[1].split(",")[0]
    assert [message["content"] for message in row["messages"]] == [
        f"My name is [NAME], mail me at {email}, and I cannot sleep at all these days.",
        "Thank you, [NAME]. What keeps you awake?",
    ]
    data = row["metadata"]
    assert data["pii_status"] == "scrubbed"
    assert data["record_id"] == record_id_of(row["messages"])
    assert "redact_by_decision" in data["provenance"]["processing_steps"]
    untouched = [row for row in rows if row["metadata"]["record_id"] != data["record_id"]]
    assert all(row in before for row in untouched)
    assert len(rows) == len(before)
    assert build(bucket, policy, decisions=both[::-1]) == candidate


def test_a_later_decision_about_the_new_text_comes_on_top(bucket):
    policy = a_policy()
    first = decision(shipped_messages(policy), 0, NAME)
    rows = rows_of(bucket, build(bucket, policy, decisions=[first]))
    [row] = [row for row in rows if "[NAME]" in str(row["messages"])]
    second = decision(row["messages"], 1, NAME)
    rows = rows_of(bucket, build(bucket, policy, decisions=[second, first]))
    assert "Zorblax" not in str(rows)


def test_numbered_placeholders_go_on_counting(bucket):
    privacy = dataclasses.replace(a_policy().privacy, numbered=True)
    policy = a_policy(privacy=privacy)
    messages = shipped_messages(policy)
    both = [decision(messages, 0, NAME), decision(messages, 1, NAME)]
    rows = rows_of(bucket, build(bucket, policy, decisions=both))
    assert "Thank you, [NAME_1]." in str(rows)
    assert "My name is [NAME_1]" in str(rows)


def test_a_record_that_leaves_still_leaves(bucket):
    policy = a_policy()
    one = decision(shipped_messages(policy), 0, NAME)
    gone = {**one, "action": "exclude", "turn": "", "start": "", "end": ""}
    candidate = build(bucket, policy, decisions=[one, gone])
    assert candidate.dropped == {"excluded_by_decision": 1}
    assert "[NAME" not in str(rows_of(bucket, candidate))


@pytest.mark.parametrize(
    "other", [{"by": ""}, {"reason": " "}, {"gate": "duplicates"}, {"record_id": "0" * 32}]
)
def test_what_nobody_signed_or_of_another_record_strikes_nothing(bucket, other):
    policy = a_policy()
    item = {**decision(shipped_messages(policy), 0, NAME), **other}
    assert NAME in str(rows_of(bucket, build(bucket, policy, decisions=[item])))


@pytest.mark.parametrize(
    "other", [{"end": "9999"}, {"turn": "7"}, {"start": "-1"}, {"code": "privacy.over_redacted"}]
)
def test_a_decision_without_a_place_in_its_record_stops_the_build(bucket, other):
    policy = a_policy()
    item = {**decision(shipped_messages(policy), 0, NAME), **other}
    with pytest.raises(IntakeError) as raised:
        build(bucket, policy, decisions=[item])
    assert raised.value.code == "intake.redaction_misplaced"
    assert "Zorblax" not in str(raised.value)
