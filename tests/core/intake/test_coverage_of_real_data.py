"""Real public data under the five families' prefixes is covered as what it is."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from core.intake.coverage import measure_coverage
from core.policy.load import load_policy
from tests.listed import take_listing
from tests.simulator import Simulator

SHARED = Path(os.environ.get("RELEASE_DESK_SHARED", Path(__file__).parents[4] / "shared" / "data"))
PLACES = {
    "A_dialogue/counsel-chat": "gdrive/processed/professional_therapeutic/",
    "A_dialogue/mts-dialog": "datasets/gdrive/processed/priority_datasets/",
    "A_cot/gsm8k": "gdrive/processed/cot_reasoning/",
    "A_crisis/xstest": "gdrive/processed/edge_cases/prompts/",
    "A_persona/synthetic-persona-chat": "voice/talks/",
}


def test_five_families_of_real_data_are_told_apart_by_what_they_hold(
    simulator: Simulator,
) -> None:
    root = SHARED / "permissive"
    if not root.is_dir():
        pytest.skip("the shared data is not here")
    for source, prefix in PLACES.items():
        for path in (root / source).iterdir():
            if path.suffix in (".csv", ".jsonl"):
                simulator.put(prefix + path.name, path.read_bytes())
    simulator.put(
        "voice/profile.json",
        json.dumps({"sentence_starters": {"So": 2}, "analogies": ["a garden"]}).encode(),
    )
    policy = load_policy(None, embedded=False)

    report = measure_coverage(
        simulator,
        take_listing(simulator, exclude_prefix="exports/"),
        policy,
        confirmed=frozenset(),
        waived={},
        rule=policy.intake,
    )

    assert {name: (item.state, item.records) for name, item in report.families.items()} == {
        "professional_therapeutic": ("present", 2129),
        "priority": ("present_by_alias", 83),
        "cot_reasoning": ("present", 1319),
        "edge_cases": ("unusable", 0),
        "voice": ("present", 982),
    }
    assert "450 prompt_only" in report.families["edge_cases"].why
    assert report.unmatched == ()
