"""The documents of a release repeat its manifest, name nobody, and are checked by other tools."""

from __future__ import annotations

import hashlib
import json

import pytest
import yaml

from core.canonical import decode
from core.intake.compile import decode_candidate
from core.model.candidate import Exclusion
from core.release.document import make_documents
from core.release.publish import publish_release
from tests.builders import PREFIX, a_candidate, a_policy, a_row
from tests.release_builders import ROWS, some_inputs

RELEASE = f"{PREFIX}releases/v2026-11-21/"


@pytest.fixture
def released(simulator):
    candidate = a_candidate(
        simulator,
        ROWS,
        a_policy(),
        exclusions=[Exclusion(scope="family:voice", reason="Persona <b>assets</b> are missing.")],
    )
    publish_release(some_inputs(simulator, candidate=candidate))
    return simulator


def text(store, name):
    return store.body(RELEASE + name).decode()


def test_the_card_names_every_file_of_every_split_for_a_loader(released):
    header = yaml.safe_load(text(released, "README.md").split("---")[1])
    [config] = header["configs"]
    listed = {item["split"]: item["path"] for item in config["data_files"]}

    assert set(listed) == {"train", "test"}
    assert len(listed["train"]) == 2
    for path in [path for paths in listed.values() for path in paths]:
        assert released.body(RELEASE + path)
        assert path.startswith("chatml/")


def test_the_card_tells_what_is_in_it_and_what_is_not(released):
    card = text(released, "README.md")
    assert "| priority | 1 | 4 | 0 | 2 |" in card
    assert "family:voice: Persona ‹b›assets‹/b› are missing." in card
    for heading in ("Motivation", "Composition", "Collection", "Limits", "Uses", "Maintenance"):
        assert heading in card


def test_the_notes_hold_gates_samples_reviewers_and_a_text_to_paste(released):
    notes = text(released, "RELEASE_NOTES.md")
    assert "| privacy | pass | 9 | 9 | none |" in notes
    assert "`clara`, `cornelius`" in notes
    assert "4 of 4 planned records read from" in notes
    assert "Two records were set aside." in notes
    assert "One reviewer would have asked about sleep." in notes
    assert "Release v2026-11-21 is published at exports/releases/v2026-11-21/" in notes
    assert "Not included: professional_therapeutic, cot_reasoning, voice" in notes


def test_no_name_and_no_record_text_is_in_any_document_or_the_manifest(released):
    names = ["README.md", "RELEASE_NOTES.md", "croissant.json", "CHECKSUMS.sha256", "manifest.json"]
    whole = "".join(text(released, name) for name in names)
    for person in a_policy().people:
        assert person.name not in whole
        assert person.subject not in whole
    for message in a_row(seed=0)["messages"]:
        assert message["content"] not in whole


def test_the_checksums_cover_everything_but_themselves_and_the_manifest(released):
    lines = dict(
        reversed(line.split("  ", 1)) for line in text(released, "CHECKSUMS.sha256").splitlines()
    )
    inside = {key.removeprefix(RELEASE) for key in released.keys(RELEASE)}
    assert set(lines) == inside - {"CHECKSUMS.sha256", "manifest.json"}
    for name, digest in lines.items():
        assert hashlib.sha256(released.body(RELEASE + name)).hexdigest() == digest


def test_croissant_names_every_shard_with_its_digest(released):
    whole = json.loads(text(released, "croissant.json"))
    shards = {
        file["key"].removeprefix(RELEASE): file["sha256"]
        for file in decode(released.body(RELEASE + "manifest.json"))["files"]
        if file["kind"] == "shard"
    }
    assert {item["contentUrl"]: item["sha256"] for item in whole["distribution"]} == shards
    sources = {
        field["source"]["fileObject"]["@id"]
        for records in whole["recordSet"]
        for field in records["field"]
    }
    assert sources == set(shards)
    assert whole["conformsTo"] == "http://mlcommons.org/croissant/1.0"


def test_documents_follow_from_the_manifest_alone(released):
    document = decode(released.body(RELEASE + "manifest.json"))
    made = {"README.md", "RELEASE_NOTES.md", "croissant.json", "CHECKSUMS.sha256"}
    document["files"] = [
        file for file in document["files"] if file["key"].removeprefix(RELEASE) not in made
    ]
    for part in make_documents(document, RELEASE):
        assert part.body == released.body(RELEASE + part.name)


def test_a_stored_candidate_decodes_to_the_one_that_was_published(simulator):
    inputs = some_inputs(simulator, read_candidate=decode_candidate)
    assert publish_release(inputs).verification.faults == ()
