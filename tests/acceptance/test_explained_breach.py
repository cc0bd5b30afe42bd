"""A distribution that left its range blocks, until a named person's words pass it and ship."""

from __future__ import annotations

import json

import pytest

from core.model.errors import GateError, NotAllowed
from tests import road
from tests.builders import some_messages
from tests.real_desk import VERSION, fill_small, json_lines

pytestmark = [pytest.mark.seaweed, pytest.mark.slow]

TURNS = 24
TURNS_OF, WORDS_OF = "priority.turns", "priority.words"
WORDS = "The new clinic writes down whole sessions, so these dialogues run long."
FINDING = {"gate": "distribution", "code": "distribution.out_of_range"}


def fill_with_long_sessions(store):
    """Every family as usual, but one: it speaks longer than the policy expects of its mean."""
    fill_small(store, priority=0)
    rows = [{"messages": some_messages(f"long {n}", turns=TURNS)} for n in range(30)]
    store.put_if_absent("gdrive/processed/priority/sessions.jsonl", json_lines(rows))


def distribution_of(reports):
    return reports["distribution"].report


def breaches(report):
    """What lies outside its range, and whether it blocks."""
    return {finding.detail: finding.blocking for finding in report.findings}


def test_a_breach_blocks_until_it_is_explained_by_name_and_the_words_ship(unfilled):
    bench = unfilled.bench
    engineer, owner = road.person(bench, "engineer"), road.person(bench, "owner")
    fill_with_long_sessions(bench.desk.store)
    road.decide_sources(bench, VERSION)

    first, reports = road.build_and_judge(bench, VERSION)
    judged = distribution_of(reports)
    assert judged.verdict == "fail"
    assert {f.code for f in judged.findings} == {FINDING["code"]}
    assert breaches(judged) == {TURNS_OF: True, WORDS_OF: True}
    blocked = {(b.code, b.page) for b in bench.releases.blockers(first.digest, owner)}
    assert ("gate.failed", "gates") in blocked

    explain = {**FINDING, "action": "explain", "places": [{"scope": TURNS_OF}]}
    decide = bench.candidates.decide
    with pytest.raises(NotAllowed):
        decide(first.digest, reason=WORDS, by=road.person(bench, "clinician-1"), **explain)
    with pytest.raises(GateError, match=r"finding\.reason"):
        decide(first.digest, reason=" ", by=engineer, **explain)
    assert decide(first.digest, reason=WORDS, by=engineer, **explain) == 1
    told = [entry for entry in bench.desk.entries() if WORDS in json.dumps(entry.event)]
    assert [entry.actor for entry in told] == [engineer.id]

    # The words count for the next candidate, and for the one measure they are about.
    assert distribution_of(bench.candidates.reports(first.digest)).verdict == "fail"
    second, reports = road.build_and_judge(bench, VERSION)
    assert distribution_of(reports).verdict == "fail"
    assert breaches(distribution_of(reports)) == {TURNS_OF: False, WORDS_OF: True}
    decide(second.digest, reason=WORDS, by=engineer, **explain | {"places": [{"scope": WORDS_OF}]})
    candidate, reports = road.build_until_passed(bench, VERSION, rounds=2)
    judged = distribution_of(reports)
    assert breaches(judged) == {TURNS_OF: False, WORDS_OF: False}
    held = [r for r in judged.measures["ranges"] if r["family"] == "priority"]
    assert {(r["within"], r["explained_by"]) for r in held} == {(False, engineer.id)}

    road.rate_all(bench, candidate.digest)
    road.sign_all(bench, candidate.digest)
    assert bench.releases.publish(candidate.digest, owner).smoke_passed
    home = f"exports/releases/{VERSION}/"
    manifest = json.loads(bench.desk.store.get(f"{home}manifest.json", limit=1 << 24).body)
    assert manifest["explanations"] == [
        {**FINDING, "scope": scope, "by": engineer.id, "reason": WORDS}
        for scope in (TURNS_OF, WORDS_OF)
    ]
    notes = bench.desk.store.get(f"{home}RELEASE_NOTES.md", limit=1 << 24).body.decode()
    assert WORDS.rstrip(".") in notes.replace("\\", "")
    assert bench.releases.verify(VERSION).faults == ()
