"""The privacy gate blocks on what is left, on damage, and on a detector it cannot trust."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest

from core.gates.corpus import open_corpus
from core.gates.gate import settings_digest
from core.gates.name_sample import upper_bound
from core.gates.privacy import PrivacyGate
from core.gates.run import run_gate
from core.intake.privacy import canaries
from core.intake.privacy.recognisers import DetectorWarned
from core.intake.privacy.values import value_digest
from tests.builders import a_candidate, a_policy, a_row, a_text, some_rows
from tests.privacy_rules import a_privacy_rule
from tests.privacy_texts import FOUND_TEXTS


def a_dialogue(user: str, assistant: str = "") -> list[dict[str, str]]:
    return [
        {"role": "user", "content": user},
        {"role": "assistant", "content": assistant or a_text(f"answer to {len(user)}")},
    ]


def judge(store, clock, *messages, rule=None, decisions=(), row=None, rows=None):
    policy = replace(a_policy(), privacy=rule or a_privacy_rule())
    shown = rows or [
        a_row(one, seed=place, source_line=place + 1, **(row or {}))
        for place, one in enumerate(messages)
    ]
    candidate = a_candidate(store, {("priority", "train"): shown}, policy, decisions=decisions)
    gate = PrivacyGate(policy, candidate)
    return run_gate(gate, open_corpus(store, candidate), clock=clock)


def codes(report):
    return Counter(finding.code for finding in report.blocking)


def test_clean_records_pass_and_the_evidence_says_what_was_read(simulator, clock):
    report = judge(simulator, clock, rows=some_rows(12))
    assert (report.verdict, report.examined) == ("pass", 12)
    assert report.measures["records"] == 12
    assert report.measures["ner"]["records"] == 12
    assert report.measures["ner"]["upper_bound_95"] == 0.0
    assert report.measures["ner"]["model_version"] == "3.8.0"
    assert report.measures["shards_with_canaries_found"] == 1


@pytest.mark.parametrize("text", FOUND_TEXTS)
def test_one_identifier_left_in_one_record_blocks(simulator, clock, text):
    report = judge(simulator, clock, a_dialogue(a_text(1) + " " + text), a_dialogue(a_text(2)))
    assert report.verdict == "fail"
    (finding,) = report.blocking
    shown = a_text(1) + " " + text
    assert finding.code.removeprefix("privacy.").upper() in a_privacy_rule().entities
    assert shown[finding.start : finding.end] in text


def test_no_finding_and_no_measure_quotes_the_text(simulator, clock):
    secret = "zanzibarius.quux@example.com"
    report = judge(simulator, clock, a_dialogue(f"I am Zanzibarius Quux, mail {secret}"))
    stored = json.dumps([report.measures, [repr(finding) for finding in report.findings]])
    assert report.verdict == "fail"
    assert "anzibarius" not in stored
    assert "example.com" not in stored


def test_system_turns_are_read_too(simulator, clock):
    messages = [{"role": "system", "content": "Mail jo@example.com."}, *a_dialogue(a_text(3))]
    assert codes(judge(simulator, clock, messages)) == {"privacy.email_address": 1}


def test_a_secret_blocks_even_if_the_policy_forgot_it(simulator, clock):
    report = judge(
        simulator,
        clock,
        a_dialogue("my password is Tr0ub4dor&3 ok"),
        rule=a_privacy_rule(without=("SECRET",)),
    )
    assert codes(report) == {"privacy.secret": 1}


def test_a_confident_name_blocks_until_a_person_says_it_is_none(simulator, clock):
    text = a_text(4) + " Then my brother Kevin Miller cried."
    first = judge(simulator, clock, a_dialogue(text))
    (finding,) = first.blocking
    assert finding.code == "privacy.person"
    assert text[finding.start : finding.end] == "Kevin Miller"
    assert first.measures["ner"]["records_with_confident_names"] == 1
    decision = {
        "action": "false_positive",
        "record_id": finding.record_id,
        "gate": "privacy",
        "code": "privacy.person",
        "turn": str(finding.turn),
        "start": str(finding.start),
        "end": str(finding.end),
        "by": "leander",
        "reason": "a character in a novel",
    }
    second = judge(simulator, clock, a_dialogue(text), decisions=[decision])
    assert second.verdict == "pass"
    assert second.measures["dismissed_findings"] == 1
    for broken in ({"reason": " "}, {"by": ""}, {"start": "0"}, {"code": "privacy.mrn"}):
        again = judge(simulator, clock, a_dialogue(text), decisions=[{**decision, **broken}])
        assert codes(again) == {"privacy.person": 1}


def test_confirmed_identifiers_cannot_be_called_false(simulator, clock):
    text = "my ssn is 536-22-8471"
    (finding,) = judge(simulator, clock, a_dialogue(text)).blocking
    decision = {
        "action": "false_positive",
        "record_id": finding.record_id,
        "gate": "privacy",
        "code": finding.code,
        "turn": str(finding.turn),
        "start": str(finding.start),
        "end": str(finding.end),
        "by": "leander",
        "reason": "looks fine",
    }
    report = judge(simulator, clock, a_dialogue(text), decisions=[decision])
    assert codes(report) == {"privacy.us_ssn": 1}


def test_a_possible_name_is_shown_and_does_not_block(simulator, clock):
    report = judge(simulator, clock, a_dialogue("Later on we met Allison there and ate."))
    people = [f for f in report.findings if f.code.startswith("privacy.person")]
    assert people
    assert all(f.blocking == (f.code == "privacy.person") for f in people)


@pytest.mark.parametrize(
    ("status", "code"),
    [("requires_review", "privacy.requires_review"), ("clean", "privacy.status_unknown")],
)
def test_a_record_that_is_not_cleared_blocks(simulator, clock, status, code):
    report = judge(simulator, clock, a_dialogue(a_text(5)), row={"pii_status": status})
    assert codes(report) == {code: 1}


@pytest.mark.parametrize("mark", ["[NAME_REDACTED]", "<PERSON>", "[EMAIL]", "{{NAME}}"])
def test_a_text_destroyed_by_any_redactor_blocks(simulator, clock, mark):
    text = f"I {mark}. {mark} I {mark} and then {mark} or so when {mark} {mark} home again."
    assert codes(judge(simulator, clock, a_dialogue(text)))["privacy.over_redacted"] == 1


def test_a_few_placeholders_in_a_long_text_are_no_damage(simulator, clock):
    text = f"{a_text(6, 6)} [EMAIL] {a_text(7, 6)} [PHONE]"
    assert judge(simulator, clock, a_dialogue(text)).verdict == "pass"


def test_words_too_long_to_be_words_block_unless_the_script_has_none(simulator, clock):
    swollen = " ".join("counterrevolutionary" for _ in range(30))
    damaged = a_dialogue(swollen, swollen)
    assert codes(judge(simulator, clock, damaged)) == {"privacy.over_redacted": 1}
    chinese = a_dialogue("我最近总是睡不着觉心里很难受不知道怎么办才好 " * 30, "请您慢慢说 " * 30)
    assert judge(simulator, clock, chinese, row={"language": "zh"}).verdict == "pass"


@pytest.mark.parametrize(
    "text",
    [
        "If you feel suicidal, call [PHONE] right away.",
        "The crisis lifeline is [PHONE_REDACTED].",
        "Call <PHONE_NUMBER>, the suicide hotline, at any hour.",
    ],
)
def test_a_crisis_line_that_was_redacted_blocks(simulator, clock, text):
    report = judge(simulator, clock, a_dialogue(a_text(8), text))
    assert codes(report) == {"privacy.crisis_line_removed": 1}


def test_a_persons_own_redacted_number_is_no_crisis_line(simulator, clock):
    report = judge(simulator, clock, a_dialogue("I was in crisis then. My number is [PHONE]."))
    assert report.verdict == "pass"


def test_a_missed_canary_is_an_error_and_not_a_pass(simulator, clock, monkeypatch):
    monkeypatch.setitem(canaries.CANARIES, "MRN", "There is nothing to find here.")
    report = judge(simulator, clock, rows=some_rows(3))
    assert (report.verdict, report.reason) == ("error", "privacy.canary_missed")


def test_a_missed_name_canary_is_an_error(simulator, clock, monkeypatch):
    monkeypatch.setattr(canaries, "NAME_CANARY", "There is nobody here.")
    assert judge(simulator, clock, rows=some_rows(3)).reason == "privacy.canary_missed"


def test_an_entity_that_nothing_detects_is_an_error(simulator, clock):
    rule = a_privacy_rule()
    entities = {**rule.entities, "SHOE_SIZE": replace(rule.entities["MRN"], entity="SHOE_SIZE")}
    report = judge(simulator, clock, rows=some_rows(2), rule=replace(rule, entities=entities))
    assert (report.verdict, report.reason) == ("error", "privacy.canary_missed")


def test_a_detector_that_warns_makes_the_verdict_an_error(simulator, clock, monkeypatch):
    rows = some_rows(4)
    policy = replace(a_policy(), privacy=a_privacy_rule())
    candidate = a_candidate(simulator, {("priority", "train"): rows}, policy)
    gate = PrivacyGate(policy, candidate)

    def warn(text):
        raise DetectorWarned("privacy.detector_warned", "It warned.")

    monkeypatch.setattr(gate._detector, "find", warn)
    report = run_gate(gate, open_corpus(simulator, candidate), clock=clock)
    assert (report.verdict, report.reason) == ("error", "privacy.detector_warned")


def test_the_sample_is_the_lowest_hashes_of_each_stratum_with_its_bound(simulator, clock):
    policy = replace(a_policy(), privacy=a_privacy_rule(ner_records=5))
    rows = {("priority", "train"): 30, ("priority", "test"): 3}
    candidate = a_candidate(simulator, rows, policy)
    gate = PrivacyGate(policy, candidate)
    report = run_gate(gate, open_corpus(simulator, candidate), clock=clock)
    ner = report.measures["ner"]
    assert (ner["records"], ner["of_records"]) == (8, 33)
    assert ner["strata"]["priority/train"]["upper_bound_95"] == pytest.approx(0.450720)
    assert ner["strata"]["priority/test"]["upper_bound_95"] == 0.0


def test_another_language_is_left_to_the_patterns_and_counted(simulator, clock):
    text = "Mi hermano Kevin Miller lloró, su correo es kevin@example.com."
    said = a_dialogue(text, "Gracias por contarlo.")
    report = judge(simulator, clock, said, row={"language": "es"})
    assert codes(report) == {"privacy.email_address": 1}
    assert report.measures["ner_skipped_language"] == 1
    assert report.measures["ner"]["records"] == 0


def test_the_bound_is_exact():
    assert upper_bound(0, 59, 12_345) == pytest.approx(0.0495, abs=1e-4)
    assert upper_bound(0, 0, 10) is None
    assert upper_bound(2, 10, 10) == 0.2


def test_settings_follow_policy_and_decisions(simulator):
    policy = replace(a_policy(), privacy=a_privacy_rule())
    candidate = a_candidate(simulator, None, policy)
    digest = settings_digest(PrivacyGate(policy, candidate))
    assert digest == settings_digest(PrivacyGate(policy, candidate))
    other = replace(policy, privacy=replace(policy.privacy, redaction_share=0.3))
    assert digest != settings_digest(PrivacyGate(other, candidate))


def an_allowance(value, **changes):
    return {
        "action": "allow",
        "gate": "privacy",
        "code": "privacy.person",
        "scope": value_digest("privacy.person", value),
        "by": "leander",
        "reason": "An invented person of the vignettes.",
        **changes,
    }


def test_a_value_that_somebody_allowed_does_not_block_anywhere_and_is_counted(simulator, clock):
    texts = [
        "My sister Margaret Thompson called me about it yesterday.",
        "I told my sister Margaret Thompson that I am tired.",
        "My brother Terrence Okafor called me about it as well.",
    ]
    shown = [a_dialogue(text) for text in texts]
    before = judge(simulator, clock, *shown)
    assert len(before.blocking) == 3
    after = judge(simulator, clock, *shown, decisions=[an_allowance("MARGARET  Thompson")])
    (left,) = after.blocking
    assert texts[2][left.start : left.end] == "Terrence Okafor"
    assert after.measures["allowed_findings"] == 2
    assert after.settings != before.settings


@pytest.mark.parametrize(
    "changes", [{"by": ""}, {"reason": " "}, {"code": "privacy.location"}, {"gate": "leakage"}]
)
def test_an_allowance_without_name_reason_or_of_another_kind_allows_nothing(
    simulator, clock, changes
):
    text = "My sister Margaret Thompson called me about it yesterday."
    decision = an_allowance("Margaret Thompson", **changes)
    assert judge(simulator, clock, a_dialogue(text), decisions=[decision]).verdict == "fail"


def test_what_has_a_form_is_never_allowed_by_value(simulator, clock):
    decision = an_allowance(
        "x", code="privacy.us_ssn", scope=value_digest("privacy.us_ssn", "536-22-8471")
    )
    shown = a_dialogue(a_text(1) + " ssn 536-22-8471")
    assert judge(simulator, clock, shown, decisions=[decision]).verdict == "fail"


def test_a_record_in_another_language_is_noted_for_people(simulator, clock):
    said = a_dialogue("No puedo dormir y tengo miedo de estar sola.", "Gracias por contarlo.")
    report = judge(simulator, clock, said, row={"language": "es"})
    assert report.measures["ner_skipped_language"] == 1
    assert [f.code for f in report.findings if not f.blocking] == ["privacy.other_language"]


def test_a_record_in_two_languages_is_read_for_names_in_its_english(simulator, clock):
    said = a_dialogue(
        "No puedo dormir y tengo miedo de estar sola otra vez en la casa. "
        "I told you that my brother Kevin Miller is not with me and that they have left."
    )
    report = judge(simulator, clock, said, row={"language": "es"})
    assert codes(report)["privacy.person"] == 1
    assert report.measures["ner_skipped_language"] == 0
    assert report.measures["ner_read_for_its_english_part"] == 1
    assert "privacy.other_language" in {f.code for f in report.findings if not f.blocking}


def test_a_number_cut_in_two_by_a_turn_blocks(simulator, clock):
    said = a_dialogue(a_text(1) + " it is 536-22", "-8471, that is all. " + a_text(2))
    report = judge(simulator, clock, said)
    assert codes(report) == {"privacy.us_ssn": 2}
