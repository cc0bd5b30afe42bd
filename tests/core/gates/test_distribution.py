"""Damage is an alarm, a breach must be explained by name, and the numbers can be redrawn."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from core.canonical import document_bytes
from core.gates.corpus import open_corpus
from core.gates.damage import count_words
from core.gates.distribution import DistributionGate
from core.gates.portrait import role_pattern
from core.gates.run import run_gate
from core.gates.statistics import EDGES, compare, describe
from core.model.dataset import Message
from core.model.gate import GateReport
from core.policy.types import RangeRule
from tests.builders import a_candidate, a_distribution_rule, a_policy, a_row, a_text, some_rows
from tests.clock import FixedClock
from tests.simulator import Simulator


def judge(
    simulator: Simulator,
    rows: Any,
    *,
    rule: dict[str, Any] | None = None,
    baseline: Any = None,
    decisions: Any = (),
) -> GateReport:
    policy = a_policy(distribution=a_distribution_rule(**(rule or {})))
    wanted = rows if isinstance(rows, dict) else {("priority", "train"): rows}
    candidate = a_candidate(simulator, wanted, policy, decisions=decisions)
    gate = DistributionGate(policy, candidate, baseline=baseline)
    return run_gate(gate, open_corpus(simulator, candidate), clock=FixedClock())


def codes(report: GateReport) -> set[str]:
    return {finding.code for finding in report.blocking}


def rows_saying(*dialogues: tuple[str, ...]) -> list[dict[str, Any]]:
    """Rows whose turns are the given texts, user first."""
    roles = ("user", "assistant") * 10
    return [
        a_row([{"role": role, "content": text} for role, text in zip(roles, texts, strict=False)])
        for texts in dialogues
    ]


def test_ordinary_dialogues_pass_and_are_measured_by_family_and_split(simulator):
    rows = {("priority", "train"): 30, ("priority", "test"): 3, ("edge_cases", "test"): 4}
    report = judge(simulator, rows)
    assert (report.verdict, report.findings) == ("pass", ())
    families = report.measures["families"]
    assert {name: sorted(cells) for name, cells in families.items()} == {
        "edge_cases": ["all", "test"],
        "priority": ["all", "test", "train"],
    }
    assert families["priority"]["all"]["records"] == 33
    assert families["priority"]["all"]["turns"]["mean"] == 4
    assert families["priority"]["all"]["languages"] == {"en": 33}
    assert families["priority"]["all"]["role_patterns"] == {"(ua)*": 33}
    assert report.measures["baseline"] == "none"


def test_the_stored_histograms_and_quantiles_are_those_of_the_rows(simulator):
    rows = some_rows(40)
    cell = judge(simulator, rows).measures["families"]["priority"]["train"]
    tokens = sorted(row["metadata"]["tokens"] for row in rows)
    assert cell["tokens"]["mean"] == pytest.approx(np.mean(tokens), abs=1e-5)
    assert cell["tokens"]["quantiles"]["0"] == tokens[0]
    assert cell["tokens"]["quantiles"]["50"] == tokens[19]
    assert cell["tokens"]["quantiles"]["100"] == tokens[-1]
    assert sum(cell["tokens"]["histogram"]) == 40
    assert len(cell["tokens"]["histogram"]) == len(EDGES["tokens"]) + 1


def test_the_measures_hold_no_text_of_any_record(simulator):
    rows = some_rows(5)
    told = json.dumps(judge(simulator, rows).measures)
    words = {word for row in rows for m in row["messages"] for word in m["content"].split()}
    assert not {word for word in words if len(word) > 7 and f'"{word}"' in told}
    assert "(ua)*" in told


def test_a_wrong_token_count_blocks(simulator):
    rows = [*some_rows(5), a_row(seed="odd", tokens=1)]
    report = judge(simulator, rows)
    assert codes(report) == {"distribution.tokens_mismatch"}
    assert len(report.blocking) == 1


CONSTANT = "Thank you for sharing. That sounds difficult, tell me more about it."


def test_one_reply_to_everything_is_an_alarm_with_its_places(simulator):
    rows = rows_saying(*((a_text(n), CONSTANT) for n in range(130)))
    report = judge(simulator, rows)
    assert {"distribution.constant_reply", "distribution.alike"} <= codes(report)
    places = [f for f in report.findings if f.code == "distribution.constant_reply" and f.line]
    assert len(places) == 100
    assert {place.record_id for place in places} <= {r["metadata"]["record_id"] for r in rows}
    alarm = next(f for f in report.blocking if f.code == "distribution.constant_reply")
    assert (alarm.family, alarm.detail) == (
        "priority",
        "130 records (100.0%), at most 20.0% allowed",
    )


def test_case_and_white_space_do_not_hide_a_constant_reply(simulator):
    rows = rows_saying(
        *((a_text(n), CONSTANT.upper() if n % 2 else f"  {CONSTANT}\n") for n in range(20))
    )
    assert "distribution.constant_reply" in codes(judge(simulator, rows))


def test_a_few_equal_replies_are_no_alarm(simulator):
    few = rows_saying(*((a_text(n), CONSTANT) for n in range(4)))
    assert judge(simulator, few).verdict == "pass"
    among = rows_saying(*((a_text(n), CONSTANT) for n in range(9))) + some_rows(60)
    assert judge(simulator, among).verdict == "pass"


def test_the_same_words_within_one_record_count_once(simulator):
    rows = [
        a_row([{"role": r, "content": "Go on." if r == "assistant" else a_text(n)} for r in TURNS])
        for n in range(2)
    ]
    told = judge(simulator, rows + some_rows(20)).measures["damage"]["priority"]["alarms"]
    assert told["distribution.constant_reply"]["records"] == 2


TURNS = ("user", "assistant", "user", "assistant", "user", "assistant")


def test_replies_that_begin_alike_are_an_alarm(simulator):
    opening = "As your therapist I hear you, and I want you to know that you are not alone. " * 3
    rows = rows_saying(*((a_text(n), opening + a_text(f"end {n}")) for n in range(12)))
    assert codes(judge(simulator, rows)) == {"distribution.alike"}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"id": 4, "text": "hello"}),
        json.dumps([{"role": "user", "content": "hello"}], indent=2),
        str({"id": 4, "text": "hello"}),
        "  \n" + json.dumps({"conversation": []}) + " and more",
        '{"id": 4, "text": "cut of',
    ],
)
def test_a_stringified_record_in_a_user_turn_is_an_alarm(text, simulator):
    rows = [*some_rows(20), *rows_saying((text, a_text(1)))]
    assert codes(judge(simulator, rows)) == {"distribution.stringified"}


@pytest.mark.parametrize(
    "text",
    ["(sighs) I know", "[laughs] fine", '"Leave me alone", she said: go', "{}", "[NAME]: hi"],
)
def test_ordinary_brackets_are_no_record(text, simulator):
    rows = [*some_rows(20), *rows_saying((text, a_text(1)))]
    assert "distribution.stringified" not in codes(judge(simulator, rows))


def test_words_turned_into_placeholders_are_an_alarm(simulator):
    damaged = "I [NAME_REDACTED]. [NAME_REDACTED] I [NAME_REDACTED] 988 or [NAME_REDACTED]"
    rows = [*some_rows(20), *rows_saying(*((f"{n} {damaged}", damaged) for n in range(3)))]
    assert "distribution.over_redacted" in codes(judge(simulator, rows))


def test_a_few_placeholders_are_no_alarm(simulator):
    fine = [f"Please ring [PHONE] when you can. {a_text(n)}" for n in range(10)]
    rows = rows_saying(*((text, a_text(f"reply {text}")) for text in fine))
    assert judge(simulator, rows).verdict == "pass"


def test_a_short_record_of_long_words_or_one_placeholder_is_no_alarm(simulator):
    rows = rows_saying(*((f"Antidepressants {n}?", "Desvenlafaxine: [PHONE]") for n in range(4)))
    assert "distribution.over_redacted" not in codes(judge(simulator, rows + some_rows(10)))


def test_scripts_without_spaces_are_not_taken_for_damage(simulator):
    said = "我最近总是睡不好,一到晚上就开始担心第二天的事情。"
    rows = rows_saying(*((f"{said}{n}", f"{n}{said}你愿意多说一点吗?") for n in range(20)))
    assert "distribution.over_redacted" not in codes(judge(simulator, rows))
    assert count_words("我很好 ok") == 4
    assert count_words("quite ordinary words") == count_words("quite ordinary wörds") == 3


def test_an_empty_turn_is_an_alarm_wherever_it_stands(simulator):
    rows = [*some_rows(30), *rows_saying((a_text(1), " \n\t"))]
    assert codes(judge(simulator, rows)) == {"distribution.empty_turn"}


def test_monologues_are_an_alarm(simulator):
    rows = [*some_rows(10), *rows_saying(*((a_text(n),) for n in range(3)))]
    assert codes(judge(simulator, rows)) == {"distribution.one_sided"}
    assert judge(simulator, rows, rule={"one_sided_share": 0.5}).verdict == "pass"


def test_what_is_only_measured_is_measured(simulator):
    rows = rows_saying(
        ("How are you?", "Fine."),
        ("How are you?", "I would rather not"),
        (a_text(1), a_text(2), a_text(3), a_text(4)),
    )
    shares = judge(simulator, rows).measures["damage"]["priority"]["shares"]
    assert shares == {
        "single_turn": round(2 / 3, 6),
        "truncated_ending": round(1 / 3, 6),
        "shared_prompt": round(2 / 3, 6),
    }


def a_range(measure: str = "turns", low: float = 2, high: float = 3) -> dict[str, Any]:
    return {"ranges": (RangeRule(family="priority", measure=measure, low=low, high=high),)}


def explain(code: str, scope: str, **changes: str) -> dict[str, str]:
    return {
        "action": "explain",
        "gate": "distribution",
        "code": code,
        "scope": scope,
        "reason": "The new source has longer dialogues, as wanted.",
        "by": "olympia",
    } | changes


def test_a_mean_outside_its_range_blocks_until_a_person_explains_it(simulator):
    report = judge(simulator, 10, rule=a_range())
    assert codes(report) == {"distribution.out_of_range"}
    assert report.blocking[0].detail == "priority.turns"
    explained = explain("distribution.out_of_range", "priority.turns")
    report = judge(simulator, 10, rule=a_range(), decisions=(explained,))
    assert report.verdict == "pass"
    assert report.measures["ranges"][0]["explained_by"] == "olympia"
    assert [finding.code for finding in report.findings] == ["distribution.out_of_range"]


@pytest.mark.parametrize(
    "change",
    [{"by": ""}, {"reason": ""}, {"scope": "priority.tokens"}, {"code": "distribution.drift"}],
)
def test_an_explanation_of_something_else_explains_nothing(change, simulator):
    told = explain("distribution.out_of_range", "priority.turns") | change
    assert judge(simulator, 10, rule=a_range(), decisions=(told,)).verdict == "fail"


def test_a_mean_on_the_edge_of_its_range_is_inside(simulator):
    assert judge(simulator, 10, rule=a_range(low=4, high=4)).verdict == "pass"


def test_a_family_without_a_range_is_named(simulator):
    report = judge(
        simulator, {("priority", "train"): 3, ("voice", "train"): 3}, rule=a_range(high=9)
    )
    assert report.measures["families_without_range"] == ["voice"]


def test_a_range_over_a_measure_nobody_takes_is_an_error_and_no_pass(simulator):
    report = judge(simulator, 5, rule=a_range(measure="sentiment"))
    assert (report.verdict, report.reason) == ("error", "gate.unknown_measure")


def longer(count: int, turns: int) -> list[dict[str, Any]]:
    return [
        a_row(
            [
                {"role": role, "content": a_text(f"{n}-{turn}")}
                for turn, role in enumerate(("user", "assistant") * (turns // 2))
            ],
            source_line=n + 1,
        )
        for n in range(count)
    ]


def test_drift_from_the_last_release_blocks_until_it_is_explained(simulator):
    baseline = judge(simulator, longer(40, 4)).measures
    report = judge(simulator, longer(40, 8), baseline=baseline)
    assert codes(report) == {"distribution.drift"}
    assert {f.detail for f in report.blocking} == {"priority.turns", "priority.tokens"}
    told = [explain("distribution.drift", f"priority.{name}") for name in ("turns", "tokens")]
    report = judge(simulator, longer(40, 8), baseline=baseline, decisions=told)
    assert report.verdict == "pass"
    assert report.measures["drift"]["priority"]["turns"]["explained_by"] == "olympia"


def test_the_same_rows_again_do_not_drift(simulator):
    baseline = judge(simulator, 60).measures
    report = judge(simulator, 60, baseline=baseline)
    assert report.verdict == "pass"
    drift = report.measures["drift"]["priority"]["tokens"]
    assert (drift["wasserstein_share"], drift["ks"], drift["psi"]) == (0, 0, None)


def test_the_evidence_names_the_release_compared_with_and_why(simulator):
    policy = a_policy()
    candidate = a_candidate(simulator, {("priority", "train"): 5}, policy)
    corpus = open_corpus(simulator, candidate)
    told = {"release": "v2026-10-01", "reason": "The newest left a family out.", "by": "olympia"}
    first = run_gate(DistributionGate(policy, candidate), corpus, clock=FixedClock()).measures
    assert (first["baseline"], first["compared_with"]) == ("none", {})
    gate = DistributionGate(policy, candidate, baseline=first, compared_with=told)
    assert run_gate(gate, corpus, clock=FixedClock()).measures["compared_with"] == told


def test_other_rows_of_the_same_kind_do_not_drift(simulator):
    baseline = judge(simulator, 40).measures
    rows = [a_row(seed=f"second {n}", source_line=n + 1) for n in range(40)]
    assert judge(simulator, rows, baseline=baseline).verdict == "pass"


def test_a_family_that_is_new_or_gone_is_said_to_be(simulator):
    baseline = judge(simulator, {("priority", "train"): 5, ("voice", "train"): 5}).measures
    rows = {("priority", "train"): 5, ("edge_cases", "test"): 5}
    report = judge(simulator, rows, baseline=baseline)
    assert report.measures["drift"]["edge_cases"] == "not in the last release"
    assert report.measures["drift"]["voice"] == "no longer in the release"
    assert [f.code for f in report.findings] == ["distribution.family_gone"]


def test_a_baseline_that_is_none_of_ours_is_an_error_and_no_pass(simulator):
    assert judge(simulator, 5, baseline={"families": {"priority": {}}}).verdict == "error"
    assert judge(simulator, 5, baseline={}).verdict == "error"


def test_the_baseline_and_every_limit_bind_the_settings(simulator):
    policy = a_policy()
    candidate = a_candidate(simulator)
    plain = DistributionGate(policy, candidate).settings()
    assert DistributionGate(policy, candidate, baseline={"families": {}}).settings() != plain
    for name in ("wasserstein_share", "ks_statistic", "alike_share", "one_sided_share"):
        other = a_policy(distribution={name: 0.123})
        assert DistributionGate(other, candidate).settings() != plain
    document_bytes(plain)


def spread(values: Any) -> dict[str, Any]:
    return describe(values, EDGES["tokens"])


def test_drift_is_an_effect_and_chance_is_told_apart_from_it():
    pick = np.random.default_rng(7)
    before = spread(pick.lognormal(5, 0.5, 20_000))
    same = compare(spread(pick.lognormal(5, 0.5, 20_000)), before)
    assert same.wasserstein_share < 0.02
    assert same.ks < 0.02
    assert same.psi is not None
    assert same.psi < 0.01
    moved = compare(spread(pick.lognormal(5, 0.5, 20_000) * 1.2), before)
    assert moved.wasserstein_share == pytest.approx(0.2, abs=0.02)
    assert moved.ks == pytest.approx(0.146, abs=0.02)
    assert moved.psi == pytest.approx(0.127, abs=0.03)
    few = compare(spread(pick.lognormal(5, 0.5, 30)), before)
    assert few.psi is few.js is None
    assert few.ks < few.ks_noise
    assert few.wasserstein_share < 2 * few.wasserstein_noise


def test_nothing_measured_is_described_as_nothing():
    assert spread([]) == {"n": 0}


def test_every_value_falls_between_two_edges():
    edges = EDGES["turns"]
    told = describe([0, 1, 1, 2, 600], edges)["histogram"]
    assert (told[0], told[1], told[2], told[-1]) == (1, 2, 1, 1)


@pytest.mark.parametrize(
    ("roles", "pattern"),
    [
        ("u a", "ua"),
        ("s u a", "sua"),
        ("u a u a", "(ua)*"),
        ("s u a u a u", "s(ua)*u"),
        ("a u a", "aua"),
        ("u u a a u u a a u u a a u u", "uuaauuaauuaa+"),
    ],
)
def test_who_speaks_is_one_short_pattern(roles, pattern):
    names = {"u": "user", "a": "assistant", "s": "system"}
    messages = tuple(Message(role=names[r], content="x") for r in roles.split())  # type: ignore[arg-type]
    assert role_pattern(messages) == pattern
