"""A decided edit is in the next build's bytes, fits one text only, and nothing else has moved."""

from __future__ import annotations

import pytest

from core.intake.edits import Edit
from core.model.errors import IntakeError
from tests.builders import a_policy
from tests.core.intake.test_decided import decision as redaction
from tests.core.intake.test_decided import record_id_of
from tests.core.intake.test_decided import rows_of as every_row
from tests.sources import COT, PRIORITY, a_pair, build, fill, some_source_rows

PAIR = a_pair(
    "I cannot sleep at all these days, and nobody at home asks me how I am.",
    "Just pull yourself together and go to bed earlier.",
)
SPACED = a_pair(
    "I cannot sleep at all these days,  and nobody at home asks me how I am.",
    "Just pull yourself together and go to bed earlier.",
)
WORDS = "That sounds lonely. What is the night like for you?"
RECORD = record_id_of(PAIR["messages"])


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


def edit(messages=PAIR["messages"], turn=1, words=WORDS):
    return Edit(record_id=record_id_of(messages), turn=turn, words=words)


def decision(one, **other):
    return {
        "gate": "review",
        "code": "review.fix",
        "action": "edit",
        "by": "owner",
        "reason": "fixed by a second reader",
        "record_id": one.record_id,
        "turn": str(one.turn),
        "edit": "ab" * 32,
        **other,
    }


def changed(*edits, **other):
    return {"edits": edits, "decisions": [decision(one, **other) for one in edits]}


def edited_row(rows):
    [row] = [row for row in rows if row["messages"][1]["content"] == WORDS]
    return row


def test_the_next_build_holds_the_words_and_every_other_row_is_the_same(bucket):
    before = every_row(bucket, build(bucket))
    candidate = build(bucket, **changed(edit()))
    rows = every_row(bucket, candidate)
    row = edited_row(rows)
    assert row["messages"] == [PAIR["messages"][0], {"role": "assistant", "content": WORDS}]
    data = row["metadata"]
    assert data["record_id"] == record_id_of(row["messages"]) != RECORD
    assert data["provenance"]["processing_steps"].count("edit_by_decision") == 1
    was = next(row for row in before if row["metadata"]["record_id"] == RECORD)
    assert data["source_line"] == was["metadata"]["source_line"]
    assert data["pii_status"] == was["metadata"]["pii_status"]
    assert data["content_hash"] != was["metadata"]["content_hash"]
    others = [one for one in rows if one != row]
    assert len(rows) == len(before)
    assert all(one in before for one in others)
    assert candidate.decisions[0]["edit"] == "ab" * 32
    assert build(bucket, **changed(edit())) == candidate


def test_no_copy_of_the_old_text_ships_instead(bucket):
    fill(bucket, {f"{COT}c.jsonl": [SPACED, PAIR]})
    candidate = build(bucket, **changed(edit()))
    rows = every_row(bucket, candidate)
    assert "pull yourself together" not in str(rows)
    assert edited_row(rows)["metadata"]["source_family"] == "priority"
    # The spaced copy left by the decision; the exact one became a copy of the edited text.
    assert candidate.dropped == {"excluded_by_decision": 1, "exact_duplicate": 1}


def test_an_edit_of_a_text_that_is_gone_is_refused_by_name(bucket):
    fill(bucket, {f"{PRIORITY}a.jsonl": [SPACED, *some_source_rows(4)]})
    with pytest.raises(IntakeError) as raised:
        build(bucket, **changed(edit()))
    assert (raised.value.code, raised.value.place) == ("intake.edit_stale", f"{RECORD}:1")
    with pytest.raises(IntakeError) as raised:
        build(bucket, **changed(edit(SPACED["messages"], turn=2)))
    assert raised.value.code == "intake.edit_stale"


def test_an_edit_taken_back_or_signed_by_nobody_changes_nothing(bucket):
    before = every_row(bucket, build(bucket))
    for other in ({"action": "leave"}, {"by": " "}, {"reason": ""}, {"gate": "privacy"}):
        assert every_row(bucket, build(bucket, **changed(edit(), **other))) == before


def test_a_decision_without_its_words_stops_the_build(bucket):
    with pytest.raises(IntakeError) as raised:
        build(bucket, decisions=[decision(edit())])
    assert (raised.value.code, raised.value.place) == ("intake.edit_missing", f"{RECORD}:1")


def test_a_record_that_leaves_is_not_edited_first(bucket):
    found = changed(edit())
    found["decisions"].append({"action": "exclude", "record_id": RECORD, "by": "o", "reason": "r"})
    candidate = build(bucket, **found)
    assert candidate.dropped == {"excluded_by_decision": 1}
    assert WORDS not in str(every_row(bucket, candidate))


def test_a_later_edit_binds_to_the_edited_text_and_comes_on_top(bucket):
    first = edit()
    [row] = [
        row
        for row in every_row(bucket, build(bucket, **changed(first)))
        if row["messages"][1]["content"] == WORDS
    ]
    second = edit(row["messages"], 0, "I do not sleep, and nobody asks.")
    rows = every_row(bucket, build(bucket, **changed(second, first)))
    assert edited_row(rows)["messages"][0]["content"] == "I do not sleep, and nobody asks."
    back = edit(row["messages"], 1, PAIR["messages"][1]["content"])
    with pytest.raises(IntakeError) as raised:
        build(bucket, **changed(first, back))
    assert raised.value.code == "intake.edit_circle"


def test_one_turn_is_redacted_or_edited_and_never_both(bucket):
    found = changed(edit())
    other = redaction(PAIR["messages"], 0, "nobody at home")
    rows = every_row(bucket, build(bucket, **{**found, "decisions": [*found["decisions"], other]}))
    row = edited_row(rows)
    assert "[NAME] asks me" in row["messages"][0]["content"]
    steps = row["metadata"]["provenance"]["processing_steps"]
    assert {"redact_by_decision", "edit_by_decision"} <= set(steps)
    same = redaction(PAIR["messages"], 1, "together")
    with pytest.raises(IntakeError) as raised:
        build(bucket, **{**found, "decisions": [*found["decisions"], same]})
    assert (raised.value.code, raised.value.place) == ("intake.edit_conflict", f"{RECORD}:1")


def test_a_redaction_elsewhere_in_an_edited_turn_is_gone_with_it(bucket):
    policy = a_policy()
    pair = a_pair("Mail me at jo@example.com please, I am awake.", "Write to sam@example.com then.")
    fill(bucket, {f"{COT}d.jsonl": [pair]})
    [row] = [r for r in every_row(bucket, build(bucket, policy)) if "I am awake" in str(r)]
    one = edit(row["messages"], 1, WORDS)
    [again] = [
        r for r in every_row(bucket, build(bucket, policy, **changed(one))) if WORDS in str(r)
    ]
    assert again["messages"][0] == row["messages"][0]
    assert again["metadata"]["pii_status"] == "scrubbed"
