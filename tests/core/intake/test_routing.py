from __future__ import annotations

import dataclasses
import json

import pytest

from core.intake.routing import build_routing
from core.model.errors import IntakeError
from tests.builders import a_policy, some_families

ALL = {
    name: {"train": 9, "test": 1}
    for name in ("professional_therapeutic", "priority", "cot_reasoning", "edge_cases", "voice")
}


def route(counts, policy=None, waived=None):
    routing = build_routing(
        policy or a_policy(), counts, version="v2026-11-21", waived=waived or {}
    )
    [phase] = json.loads(routing.body)["phases"]
    return phase, [note.scope for note in routing.notes]


def weights(phase):
    return {name: family["weight"] for name, family in phase["families"].items()}


def without(*names):
    return {name: splits for name, splits in ALL.items() if name not in names}


def test_all_families_have_their_own_weight():
    phase, notes = route(ALL)
    assert weights(phase) == {
        "professional_therapeutic": 0.2,
        "priority": 0.2,
        "cot_reasoning": 0.25,
        "edge_cases": 0.2,
        "voice": 0.15,
    }
    assert phase["families"]["voice"]["splits"] == {"train": {"records": 9}, "test": {"records": 1}}
    assert [stage["weight"] for stage in phase["stages"]] == [0.4, 0.25, 0.2, 0.15]
    assert notes == []


def test_an_absent_family_gives_its_weight_to_the_rest_of_its_stage():
    phase, notes = route(without("priority"))
    assert weights(phase)["professional_therapeutic"] == 0.4
    assert notes == ["priority"]


def test_an_empty_stage_gives_its_weight_to_the_others_in_proportion():
    phase, notes = route(without("voice"))
    found = weights(phase)
    assert found["cot_reasoning"] == pytest.approx(0.25 / 0.85)
    assert phase["stages"][3]["weight"] == 0
    assert notes == ["stage:voice"]


@pytest.mark.parametrize("gone", [(), ("voice",), ("voice", "priority"), ("edge_cases",)])
def test_weights_always_sum_to_one(gone):
    phase, _ = route(without(*gone))
    assert sum(weights(phase).values()) == pytest.approx(1, abs=1e-11)
    assert sum(stage["weight"] for stage in phase["stages"]) == pytest.approx(1, abs=1e-11)


def test_a_family_with_nothing_to_train_on_is_named_and_weighs_nothing():
    phase, notes = route({**ALL, "priority": {"test": 3}})
    assert weights(phase)["priority"] == 0
    assert weights(phase)["professional_therapeutic"] == 0.4
    assert notes == ["priority"]


def test_an_empty_stage_of_a_required_family_stops_the_build_unless_it_is_waived():
    families = tuple(
        dataclasses.replace(rule, required=rule.name == "voice") for rule in some_families()
    )
    policy = a_policy(families=families)
    with pytest.raises(IntakeError) as caught:
        route(without("voice"), policy)
    assert (caught.value.code, caught.value.place) == ("intake.stage_empty", "voice")
    phase, _ = route(without("voice"), policy, {"voice": "later"})
    assert sum(weights(phase).values()) == pytest.approx(1)
