"""A bucket laid out as the real one: canonical prefixes bare, data under aliases, copies, noise."""

from __future__ import annotations

import dataclasses
import json

import pytest

from core.intake.coverage import CoverageReport, measure_coverage
from core.intake.inventory import Listing
from core.policy.load import load_policy
from core.policy.types import Policy
from tests.listed import take_listing
from tests.simulator import Simulator
from tests.sources import jsonl, some_source_rows

D = "datasets/"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 9\n"
SHARED = f"{D}gdrive/processed/professional_therapeutic/"
# Two families were once said to be covered by one and the same prefix.
BOTH = ("professional_therapeutic", "edge_cases")
COPIES = jsonl(some_source_rows(6, seed="priority"))


def layout() -> dict[str, bytes]:
    """The keys of the real bucket, spaces and odd signs included; all text is invented."""
    talk = jsonl(some_source_rows(5, seed="talk"))
    return {
        # Foundation: canonical and aliases hold no row of its own.
        "gdrive/processed/professional_therapeutic/README.md": b"# nothing here yet\n",
        f"{SHARED}long_running_therapy.jsonl": jsonl(some_source_rows(9, seed="long")),
        f"{D}gdrive/processed/professional_datasets_final/report.json": b'{"status": "done"}',
        f"{D}gdrive/processed/soulchat_complete/soulchat (1).jsonl": b"",
        f"{D}gdrive/tier2_professional/data.parquet": POINTER,
        # Priority: copies under several names, three templates of one size.
        f"{D}consolidated/datasets/priority_1_FINAL.jsonl": COPIES,
        f"{D}consolidated/raw/priority/priority_1.jsonl": COPIES,
        f"{D}gdrive/tier1_priority/unified #2 & 'more'.jsonl": jsonl(
            some_source_rows(4, seed="tier1")
        ),
        # Chain of thought: an array, and lines.
        f"{D}gdrive/tier3_cot_reasoning/CoT_Therapy.json": json.dumps(
            some_source_rows(5, seed="cot")
        ).encode(),
        f"{D}gdrive/raw/CoT_Philosophy/CoT.jsonl.jsonl": jsonl(some_source_rows(3, seed="cot2")),
        # Edge: empty train beside a full validation file, prompts without replies, a pointer.
        f"{D}gdrive/tier3_edge_crisis/train.jsonl": b"",
        f"{D}training_v2/stage3_edge_crisis/nightmare_scenarios_batch_241.jsonl": b"\n\n",
        f"{D}gdrive/processed/edge_cases/cptsd.jsonl": POINTER,
        f"{D}consolidated/conversations/pixelated_val.jsonl": talk,
        # Voice: transcripts with full-width signs in a folder that ends in a space, a profile.
        f"{D}gdrive/tier4_voice_persona/Patrick Teahan /a ｜ Part 21： “Why”？.txt": b"Hello. "
        * 90,
        f"{D}training_v3/stage4_voice_persona/talk.jsonl": talk,
        f"{D}training_v3/stage4_voice_persona/persona_profile.json": json.dumps(
            {"sentence_starters": {"So": 2}, "analogies": ["a garden"]}
        ).encode(),
        f"{D}consolidated/voice_data/checkpoint_epoch_0.json": b'{"epoch": 0, "loss": 1.5}',
        # Noise by the thousand, as names alone would have it.
        f"{D}local/ai/lightning/personalfinance_1.csv": b"month,spent\njan,3\n",
        f"{D}vps_archaeology/.cache/huggingface/x.lock": b"",
        f"{D}gdrive/raw/emotions/1/images_face.png": b"\x89PNG\r\n\x1a\n" + b"0" * 40,
    }


@pytest.fixture
def listing(simulator: Simulator) -> Listing:
    for key, body in layout().items():
        simulator.put(key, body)
    return take_listing(simulator, exclude_prefix="exports/")


def policy_with_a_shared_prefix() -> Policy:
    """The packaged policy, where the edge family too claims the foundation's real prefix."""
    policy = load_policy(None, embedded=False)
    families = tuple(
        dataclasses.replace(rule, aliases=(*rule.aliases, SHARED))
        if rule.name in BOTH and SHARED not in rule.aliases
        else rule
        for rule in policy.families
    )
    return dataclasses.replace(policy, families=families)


def cover(simulator: Simulator, listing: Listing, *, confirm: bool) -> CoverageReport:
    policy = policy_with_a_shared_prefix()
    confirmed = {(rule.name, alias) for rule in policy.families for alias in rule.aliases}
    return measure_coverage(
        simulator,
        listing,
        policy,
        confirmed=frozenset(confirmed if confirm else ()),
        waived={},
        rule=policy.intake,
    )


def test_three_families_are_present_by_alias_and_two_are_refused(
    simulator: Simulator, listing: Listing
) -> None:
    families = cover(simulator, listing, confirm=False).families
    found = {name: item.state for name, item in families.items()}
    assert {name for name, state in found.items() if state == "present_by_alias"} == {
        "priority",
        "cot_reasoning",
        "voice",
    }
    assert {found[name] for name in BOTH} == {"unusable"}
    assert all(families[name].needs_confirmation for name in ("priority", "cot_reasoning", "voice"))
    assert families["professional_therapeutic"].records == 0
    assert families["edge_cases"].records == 0


def test_confirming_every_alias_does_not_make_shared_or_empty_evidence_count(
    simulator: Simulator, listing: Listing
) -> None:
    families = cover(simulator, listing, confirm=True).families
    for name in ("priority", "cot_reasoning", "voice"):
        assert (families[name].state, families[name].needs_confirmation) == ("present_by_alias", ())
    for name in BOTH:
        assert families[name].state == "unusable"
        assert [item.key for item in families[name].evidence if item.state == "shared"] == [
            f"{SHARED}long_running_therapy.jsonl"
        ]


def test_what_lies_under_no_family_is_named_and_never_evidence(
    simulator: Simulator, listing: Listing
) -> None:
    report = cover(simulator, listing, confirm=True)
    stray = {found.prefix: found for found in report.unmatched}
    assert stray[f"{D}consolidated/conversations/"].guess.startswith("jsonl")
    assert f"{D}local/ai/" in {prefix[: len(f"{D}local/ai/")] for prefix in stray}
    evidence = {item.key for found in report.families.values() for item in found.evidence}
    assert not any("personalfinance" in key or key.endswith(".lock") for key in evidence)
    claimed = sum(found.objects for found in report.families.values()) - len(report.shared)
    assert claimed + sum(found.objects for found in report.unmatched) == len(listing.objects)
