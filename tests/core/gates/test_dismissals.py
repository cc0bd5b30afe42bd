"""A false alarm is asked again where anything stands that nobody read, and nowhere else."""

from __future__ import annotations

import pytest

from core.gates.dismissals import Dismissals
from core.intake.measure import record_id
from core.model.dataset import Message
from core.model.gate import Finding
from core.model.shown import turn_digests
from tests.builders import a_text
from tests.core.gates.test_privacy_gate import codes, judge

ALARM = "Then my brother Kevin Miller cried. " + a_text("asks", 2)
NUMBER = "Reach me at 415-555-2671 tonight."
REPLACED = "Reach me at [PHONE_NUMBER] tonight."
LAST = a_text("last", 2)


def told(*contents):
    roles = ("user", "assistant")
    return tuple(
        Message(role=roles[number % 2], content=content) for number, content in enumerate(contents)
    )


READ = told(ALARM, NUMBER, LAST, a_text("end"))
REDACTED = told(ALARM, REPLACED, LAST, a_text("end"))
START = ALARM.index("Kevin")
SIGNED = {"gate": "privacy", "by": "leander", "reason": "a character in a novel"}


def false_alarm(messages=READ, **changes):
    return {
        **SIGNED,
        "action": "false_positive",
        "code": "privacy.person",
        "record_id": record_id(messages),
        "turn": "0",
        "start": str(START),
        "end": str(START + len("Kevin Miller")),
        "shown": " ".join(turn_digests(messages)),
        **changes,
    }


def redaction(messages=READ, **changes):
    return {
        **SIGNED,
        "action": "redact",
        "code": "privacy.phone_number",
        "record_id": record_id(messages),
        "turn": "1",
        "start": "12",
        "end": "24",
        **changes,
    }


def finding(messages, **changes):
    fields = {"turn": 0, "start": START, "end": START + len("Kevin Miller"), **changes}
    return Finding(code="privacy.person", blocking=True, record_id=record_id(messages), **fields)


def holds(messages, *decisions, **changes):
    return Dismissals(decisions).hold(finding(messages, **changes), messages)


def plain(messages):
    return [{"role": turn.role, "content": turn.content} for turn in messages]


def test_what_was_decided_holds_for_the_record_itself(simulator):
    assert holds(READ, false_alarm())
    assert holds(READ, false_alarm(shown=""))
    assert not holds(READ)


def test_it_holds_after_a_redaction_in_another_turn_of_the_very_record():
    assert holds(REDACTED, false_alarm(), redaction())


@pytest.mark.parametrize(
    "decisions",
    [
        (false_alarm(),),
        (false_alarm(shown=""), redaction()),
        (false_alarm(by=""), redaction()),
        (false_alarm(reason=" "), redaction()),
        (false_alarm(code="privacy.location"), redaction()),
        (false_alarm(end="40"), redaction()),
        (false_alarm(), redaction(by="")),
        (false_alarm(), redaction(gate="review")),
        (false_alarm(), redaction(action="allow")),
        (false_alarm(), redaction(turn="2")),
        # The turn of the alarm was itself redacted: what stands around it is not what was read.
        (false_alarm(), redaction(), redaction(turn="0", start="0", end="4")),
        # Somebody redacted a turn of another record.
        (false_alarm(), redaction(told("Another", "record"))),
    ],
)
def test_it_is_asked_again_wherever_one_of_these_is_wanting(decisions):
    assert not holds(REDACTED, *decisions)


@pytest.mark.parametrize(
    "messages",
    [
        told(ALARM + " ", REPLACED, LAST, a_text("end")),
        told(ALARM, REPLACED, LAST + " And Anna came.", a_text("end")),
        told(ALARM, REPLACED, LAST),
        told(ALARM, REPLACED, LAST, a_text("end"), "More."),
        told(ALARM, REPLACED, a_text("end"), LAST),
        (Message(role="system", content=ALARM), *REDACTED[1:]),
        told("Another story. ", REPLACED, LAST, a_text("end")),
    ],
)
def test_it_is_never_carried_onto_text_that_nobody_read(messages):
    assert not holds(messages, false_alarm(), redaction())


def test_another_place_of_the_same_turn_is_another_alarm():
    assert not holds(REDACTED, false_alarm(), redaction(), start=START + 1)
    assert not holds(REDACTED, false_alarm(), redaction(), turn=2)


def test_the_gate_asks_once_and_says_under_which_decisions_it_judged(simulator, clock):
    assert codes(judge(simulator, clock, plain(REDACTED))) == {"privacy.person": 1}
    decided = judge(simulator, clock, plain(REDACTED), decisions=[false_alarm(), redaction()])
    assert decided.verdict == "pass"
    assert decided.measures["dismissed_findings"] == 1
    # A redaction may make a turn what nobody read: the verdict's settings name both.
    settings = [
        Dismissals(decisions).settings()
        for decisions in ([false_alarm()], [false_alarm(), redaction()], [false_alarm(shown="")])
    ]
    assert len({str(one) for one in settings}) == 3
    assert "dismissals_carried" not in settings[2]
