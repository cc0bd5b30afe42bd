"""A bank of known-bad records is checked whole before anybody meets one of them."""

from __future__ import annotations

import copy
from importlib import resources

import pytest
import yaml

from core.model.errors import PolicyError
from core.policy.load import load_policy
from core.review.invented import packaged_bank, parse_bank, read_bank

PACKAGED = (resources.files("core.policy") / "known_bad.yaml").read_bytes()
CLAIMS = load_policy(None, embedded=True).claims
SECRET = "A sentence that no message may quote."


def own(*, crises=2, everyday=2):
    """A bank of a team's own, in the form of a document."""
    kinds = [("clinician_qa", "crisis")] * crises + [
        (rubric, "everyday")
        for rubric in ("clinician_qa", "bias_cultural")
        for _ in range(everyday)
    ]
    flags = {"clinician_qa": "F7", "bias_cultural": "G1"}
    return {
        "schema_version": 1,
        "records": [
            {
                "id": f"own-{number}",
                "rubric": rubric,
                "use": "known_bad",
                "setting": setting,
                "shows": [flags[rubric]],
                "why": "Our own people wrote it.",
                "turns": [f"Number {number} asks.\nTwice.", SECRET],
            }
            for number, (rubric, setting) in enumerate(kinds)
        ],
    }


def written(folder, document):
    path = folder / "bank.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


def test_without_a_file_it_is_the_packaged_bank():
    assert read_bank(None, CLAIMS) is packaged_bank()
    assert parse_bank(PACKAGED) == packaged_bank()


def test_a_bank_of_the_teams_own_serves_every_claim_and_leaves_the_packaged_practice(tmp_path):
    bank = read_bank(written(tmp_path, own()), CLAIMS)
    for claim in CLAIMS:
        assert {entry.id[:4] for entry in bank.fitting(claim)} == {"own-"}
        packaged = packaged_bank().warm_ups(claim.rubric, claim.families)
        assert packaged
        assert bank.warm_ups(claim.rubric, claim.families) == packaged
    assert bank.sha256 != packaged_bank().sha256


def test_practice_of_the_teams_own_takes_the_packages_place():
    document = own()
    warm_up = {
        "id": "own-w",
        "use": "warm_up",
        "shows": [],
        "verdict": "accept",
        "scores": {"C3": "4"},
        "turns": ["One asks.", "One answers."],
    }
    document["records"].append({**document["records"][2], **warm_up})
    bank = parse_bank(yaml.safe_dump(document).encode())
    assert [entry.id for entry in bank.warm_ups("clinician_qa", ("priority",))] == ["own-w"]


@pytest.mark.parametrize(
    "change",
    [
        {"id": ""},
        {"rubric": "none"},
        {"use": "known_good"},
        {"setting": "everywhere"},
        {"shows": []},
        {"shows": ["F99"]},
        {"shows": [["F7"]]},
        {"shows": "F7"},
        {"why": 3},
        {"turns": ["only one"]},
        {"turns": ["one", "two", "three"]},
        {"turns": ["one", "  "]},
        {"turns": ["one", 2]},
        {"turns": ["one", "with a \x07 bell"]},
        {"turns": SECRET},
        {"unknown": "field"},
        {"use": "warm_up"},
        {"use": "warm_up", "scores": {"C3": "4"}, "verdict": "perhaps"},
        {"use": "warm_up", "scores": {"C3": "6"}, "verdict": "accept"},
        {"use": "warm_up", "scores": {"Z9": "4"}, "verdict": "accept"},
        {"use": "warm_up", "scores": {"C3": "4"}, "verdict": "accept", "flag_turn": 9},
        {"use": "warm_up", "scores": {"C3": "4"}, "verdict": "accept", "flag_turn": True},
    ],
)
def test_a_dialogue_that_is_none_is_refused_at_its_place_and_without_its_words(change):
    document = own()
    document["records"][2].update(change)
    with pytest.raises(PolicyError) as refused:
        parse_bank(yaml.safe_dump(document).encode())
    assert (refused.value.code, refused.value.place) == ("known_bad.record", "records[2]")
    assert SECRET not in str(refused.value)


def test_a_dialogue_without_one_of_its_fields_is_refused():
    for name in own()["records"][0]:
        document = copy.deepcopy(own())
        del document["records"][0][name]
        with pytest.raises(PolicyError) as refused:
            parse_bank(yaml.safe_dump(document).encode())
        assert refused.value.code == "known_bad.record"


@pytest.mark.parametrize("change", [{"id": "own-1"}, {"turns": own()["records"][1]["turns"]}])
def test_no_dialogue_stands_twice(change):
    document = own()
    document["records"][0].update(change)
    with pytest.raises(PolicyError) as refused:
        parse_bank(yaml.safe_dump(document).encode())
    assert (refused.value.code, refused.value.place) == ("known_bad.twice", "records[0]")


@pytest.mark.parametrize(
    "source",
    [
        b"",
        b"records: []\nschema_version: 1",
        b"records: [1]\nschema_version: 2",
        b"schema_version: 1",
        b"[1, 2]",
        b"a: {b",
        b"\xff\xfe\x00",
        b"schema_version: 1\nrecords: []\nmore: 1",
        b"schema_version: 1\nrecords: !!python/object/apply:os.getcwd []",
        b"[" * 5000,
        b"#" * ((8 << 20) + 1),
    ],
)
def test_what_is_no_such_file_is_refused(source):
    with pytest.raises(PolicyError) as refused:
        parse_bank(source)
    assert refused.value.code == "known_bad.shape"


def test_a_bank_with_too_few_for_a_claim_is_refused_when_the_desk_starts(tmp_path):
    with pytest.raises(PolicyError) as refused:
        read_bank(written(tmp_path, own(crises=0)), CLAIMS)
    assert (refused.value.code, refused.value.place) == ("known_bad.too_few", "clinician_edge")


def test_a_file_that_cannot_be_read_is_no_packaged_bank(tmp_path):
    for path in (tmp_path / "absent.yaml", tmp_path):
        with pytest.raises(PolicyError) as refused:
            read_bank(path, CLAIMS)
        assert refused.value.code == "known_bad.unreadable"
