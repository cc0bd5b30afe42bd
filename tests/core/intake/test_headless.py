from __future__ import annotations

import dataclasses
from collections import Counter

import pytest

from core.intake.read import read_object
from core.intake.tabular import guess_table
from core.model.dataset import Conversation, Rejection
from core.policy.types import MappingRule
from tests.builders import a_policy

RULE = a_policy().intake
MAPPED = dataclasses.replace(
    RULE,
    mappings=(
        MappingRule(
            name="bare_pair",
            when=("column_1", "column_2"),
            system=(),
            user=("column_1",),
            assistant=("column_2",),
        ),
    ),
)
QUOTED = (
    b'"I slept badly, again.","What kept you awake?"\n"My rent, mostly.","That weighs, then."\n'
)


def items(body: bytes, rule=RULE):
    return list(read_object((body,), key="a.csv", rule=rule))


@pytest.mark.parametrize(
    "body",
    [
        QUOTED,
        b"I slept badly last night,What kept you awake\nIt was the rent,That weighs on you\n",
        b"1,hello,hi\n2,bye,see you\n3,thanks,welcome\n",
        b"I slept badly last night\tWhat kept you\nIt was the rent\tI see\n",
        b'["I slept badly","What kept you awake?"]\n["My rent","I see"]\n',
        b'[["I slept badly","What kept you awake?"],["My rent","I see"]]',
        b'{"columns":["question","answer"],"data":[["I slept badly","Why?"],["My rent","I see"]]}',
    ],
)
def test_every_row_of_a_table_without_a_header_is_accounted_for_and_none_is_shown(body):
    found = items(body)
    rows = body.count(b"\n") or 2
    assert Counter(type(item) for item in found) == {Rejection: rows}
    assert {item.code for item in found} == {"row.unknown_shape"}
    assert {name.startswith("column_") for item in found for name in item.fields} == {True}
    assert [item.line for item in found] == list(range(1, rows + 1))


def test_a_policy_can_say_who_speaks_in_a_table_without_a_header():
    found = items(QUOTED, MAPPED)
    assert [type(item) for item in found] == [Conversation, Conversation]
    assert found[0].messages[0].content == "I slept badly, again."
    assert found[0].shape == "bare_pair"


def test_a_list_of_field_names_is_a_header_and_never_a_dialogue():
    body = b'["question","answer"]\n["I slept badly","What kept you awake?"]\n'
    assert [type(item) for item in items(body, MAPPED)] == [Rejection, Conversation]


@pytest.mark.parametrize(
    "text",
    [
        "utterance_a,reply_b\nhello there you,hi\nbye now then,see you\n",
        "Date of Birth,Visit Notes\n1990,He sat down and talked\n1991,She did not say a word\n",
        "question,answer\nHow are you today my friend?,Well\n",
    ],
)
def test_a_header_of_names_stays_a_header(text):
    table = guess_table(text, whole=True)
    assert table is not None
    assert not table.headless
    assert table.header == tuple(text.split("\n")[0].split(","))


def test_prose_with_commas_in_every_line_is_no_table_without_a_header():
    text = "When I came home, it was dark outside.\nI sat down, and nobody spoke to me.\n" * 4
    assert guess_table(text, whole=True) is None
