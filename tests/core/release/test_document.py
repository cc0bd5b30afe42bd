"""The documents of a release repeat its manifest, name nobody, and are checked by other tools."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from html.parser import HTMLParser

import pytest
import yaml

from core.canonical import canonical_bytes, decode
from core.intake.compile import decode_candidate
from core.model.candidate import Exclusion
from core.model.errors import ReleaseError
from core.release.document import make_documents
from core.release.documents.sheet import AFTER, SCHEMA
from core.release.documents.text import share, shown, size
from core.release.inputs import IncludedFile, Part
from core.release.publish import publish_release
from tests.builders import PREFIX, a_candidate, a_policy, a_row, a_source, some_people
from tests.release_builders import ROWS, some_inputs

RELEASE = f"{PREFIX}releases/v2026-11-21/"
DOCUMENTS = {
    "README.md",
    "RELEASE_NOTES.md",
    "KNOWN_EXCLUSIONS.md",
    "REVIEW_SUMMARY.md",
    "COVERAGE.md",
    "STORIES.md",
    "RUN_SHEET.md",
    "SIGNOFF.html",
    "croissant.json",
    "CHECKSUMS.sha256",
}


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
    assert "4 of 4 planned records read, from" in notes
    assert "Two records were set aside." in notes
    assert "One reviewer would have asked about sleep." in notes
    assert "Release v2026-11-21 is published at exports/releases/v2026-11-21/" in notes
    assert "Not included: professional_therapeutic, cot_reasoning, voice" in notes


def test_no_name_and_no_record_text_is_in_any_document_or_the_manifest(released):
    whole = "".join(text(released, name) for name in (*DOCUMENTS, "manifest.json"))
    for person in some_people():
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
        if "source" in field
    }
    assert sources == set(shards)
    assert "http://mlcommons.org/croissant/1.0" in whole["conformsTo"]


def test_documents_follow_from_the_manifest_and_the_evidence_it_lists(released):
    document = decode(released.body(RELEASE + "manifest.json"))
    listed = {file["key"].removeprefix(RELEASE): file for file in document["files"]}
    assert {name for name, file in listed.items() if file["kind"] == "document"} == DOCUMENTS
    document["files"] = [file for name, file in listed.items() if name not in DOCUMENTS]
    parts = [
        Part(name=name, kind=file["kind"], body=released.body(file["key"]))
        for name, file in listed.items()
        if file["kind"] == "evidence"
    ]
    made = make_documents(document, RELEASE, parts)
    assert {part.name for part in made} == DOCUMENTS
    for part in made:
        assert part.body == released.body(RELEASE + part.name)


def test_a_stored_candidate_decodes_to_the_one_that_was_published(simulator):
    inputs = some_inputs(simulator, read_candidate=decode_candidate)
    assert publish_release(inputs).verification.faults == ()


class Page(HTMLParser):
    """What a page shows and what it would fetch or run."""

    def __init__(self, text):
        super().__init__()
        self.words, self.tags, self.fetched = [], Counter(), []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1
        self.fetched += [value for name, value in attrs if name in ("src", "href", "srcset")]

    def handle_data(self, data):
        self.words.append(data)


def manifest_of(released):
    return decode(released.body(RELEASE + "manifest.json"))


def test_the_sign_off_page_repeats_every_signature_and_fetches_nothing(released):
    source = text(released, "SIGNOFF.html")
    page, manifest = Page(source), manifest_of(released)
    shown = " ".join(page.words)
    for signoff in manifest["signoffs"]:
        for name in ("title", "reviewer", "at", "sha256"):
            assert signoff[name] in shown
        assert signoff["role"].replace("_", " ") in shown
    for review in manifest["reviews"]:
        assert review["sentence"] in shown
        assert all(dissent in shown for dissent in review["dissents"])
    assert manifest["candidate"]["digest"] in shown
    assert manifest["journal_head"] in shown
    assert "Persona <b>assets</b> are missing." in shown
    # What no person decided is left out as well, and an auditor is told of it here.
    assert f"Of {manifest['provenance']['rows']:,} rows read" in shown
    assert not page.fetched
    assert not set(page.tags) & {"script", "img", "link", "iframe", "b"}
    assert "url(" not in source
    assert page.tags["h1"] == 1


def test_known_exclusions_account_for_every_row_that_did_not_ship(simulator):
    policy = a_policy()
    sources = [
        a_source(
            key="a/b.jsonl",
            rows=20,
            records=12,
            shipped=6,
            rejected={"shape.unknown": 5},
            lanes={"preference": 3},
            dropped={"exact_duplicate": 6},
        ),
        a_source(key="c/d.jsonl", family="edge_cases", records=3),
    ]
    candidate = a_candidate(simulator, ROWS, policy, sources=sources)
    publish_release(some_inputs(simulator, candidate=candidate))
    page, facts = text(simulator, "KNOWN_EXCLUSIONS.md"), manifest_of(simulator)["provenance"]
    said = {
        name: int(count) for name, count in re.findall(r"^\| ([a-z ,]+) \| (\d+) \|$", page, re.M)
    }
    left_out = facts["rejected"] + facts["lanes"] + sum(facts["dropped"].values())
    assert sum(said.values()) == left_out == facts["rows"] - facts["records"]
    for code, count in (facts["rejections"] | facts["dropped"]).items():
        assert f"| {code} | {count} |" in page
    assert "| a/b.jsonl | priority | 20 | 6 | 5 | 3 | 6 |" in page
    assert "c/d.jsonl" not in page


def test_every_story_names_evidence_that_stands_in_the_release(released):
    page, manifest = text(released, "STORIES.md"), manifest_of(released)
    keys = {file["key"] for file in manifest["files"]} | {RELEASE + "manifest.json"}
    named = set(re.findall(rf"`({re.escape(RELEASE)}[^`]+)`", page))
    assert named <= keys
    for kind in ("gates", "reviews", "signoffs"):
        assert {item["key"] for item in manifest[kind]} <= named
    stories = re.split(r"^## ", page, flags=re.M)[1:]
    # Families, the release, five gates in four stories, reviews, sign-offs, training.
    expected = 2 + 4 + len(manifest["reviews"]) + len(manifest["signoffs"]) + 1
    assert len(stories) == expected
    assert all("vidence" in story or "Manifest:" in story for story in stories)


def test_the_review_summary_has_the_manifests_numbers(released):
    page = text(released, "REVIEW_SUMMARY.md")
    for review in manifest_of(released)["reviews"]:
        numbers = ("claim", "read", "planned", "frame", "double_rated", "defects")
        shares = [f"{100 * float(review[name]):.3g} %" for name in ("upper", "limit", "confidence")]
        row = " | ".join([*(str(review[name]) for name in numbers), *shares])
        assert f"| {row} |" in page
        assert review["sentence"] in page


@pytest.mark.parametrize(
    ("count", "read"), [(0, "0 B"), (999, "999 B"), (12345, "12.3 kB"), (6494504, "6.5 MB")]
)
def test_bytes_are_told_in_the_unit_a_person_reads(count, read):
    assert size(count) == read


def test_a_share_is_told_in_per_cent_and_a_count_with_its_thousands_apart():
    assert [share(text) for text in ("0.35", "0.33126", "0.8")] == ["35 %", "33.1 %", "80 %"]
    assert [shown(value) for value in (1728, "1728", True)] == ["1,728", "1728", "True"]


def test_the_coverage_page_says_what_each_family_proved(simulator):
    found = {
        "stage": 1,
        "state": "present_by_alias",
        "objects": 3,
        "bytes": 12345,
        "records": 7,
        "newest": "2026-11-20T08:00:00Z",
        "why": "",
        "evidence": ["there/a.jsonl"],
    }
    absent = {**found, "state": "missing", "objects": 0, "why": "Nothing | there.", "evidence": []}
    families = {"priority": found, "voice": {**absent, "stage": 4}}
    body = canonical_bytes({"schema": "release-desk/coverage/2", "families": families})
    publish_release(some_inputs(simulator, included=(IncludedFile(name="coverage", body=body),)))
    page = text(simulator, "COVERAGE.md")
    alias = "present by a confirmed alias"
    assert f"| 1 | priority | {alias} | 3 | 12.3 kB | 7 | 2026-11-20T08:00:00Z |  |" in page
    assert "| 4 | voice | missing | 0 |" in page
    assert "Nothing \\| there." in page
    assert "- `there/a.jsonl`" in page
    assert "No object gave records." in page


def test_without_a_coverage_report_the_page_says_so(released):
    assert "No coverage report came with this release." in text(released, "COVERAGE.md")


def test_the_card_answers_every_part_of_a_datasheet_or_says_that_nobody_did(released):
    card = text(released, "README.md")
    parts = (
        "Motivation",
        "Composition",
        "Collection",
        "Preparation and labelling",
        "Uses",
        "Distribution",
        "Maintenance",
    )
    for part in parts:
        body = card.split(f"## {part}\n")[1].split("\n## ")[0]
        questions = re.findall(r"^\*\*([^*]+\?)\*\* (.+)$", body, re.M)
        assert questions, part
        assert all(len(answer) > 10 for _, answer in questions)


def test_croissant_tells_what_people_read_and_what_they_found(released):
    whole, manifest = json.loads(text(released, "croissant.json")), manifest_of(released)
    assert len(whole["rai:dataAnnotationAnalysis"]) == len(manifest["reviews"])
    for review in manifest["reviews"]:
        assert review["sentence"] in whole["rai:dataLimitations"]
        assert review["rubric"]["sha256"] in whole["rai:dataAnnotationProtocol"]
        assert set(review["dissents"]) <= set(whole["rai:dataBiases"])
    assert any("family:voice" in limit for limit in whole["rai:dataLimitations"])


def a_sheet(**altered):
    line = {"id": "4.1", "title": "Privacy", "state": "done", "why": "9 of 9.", "page": "gates"}
    evidence = [{"key": "exports/evidence/x.json", "sha256": "0" * 64}, {"journal": 7}]
    later = [
        {**line, "id": name, "title": "T", "state": "after_publication", "why": "W", "evidence": []}
        for name in AFTER
    ]
    return {"schema": SCHEMA, "lines": [{**line, "evidence": evidence}, *later], **altered}


def publish_with_sheet(simulator, sheet):
    body = canonical_bytes(sheet)
    publish_release(some_inputs(simulator, included=(IncludedFile(name="run_sheet", body=body),)))


def test_the_run_sheet_ships_line_by_line_with_its_evidence(simulator):
    publish_with_sheet(simulator, a_sheet())
    page = text(simulator, "RUN_SHEET.md")
    keys = "exports/evidence/x.json; journal entry 7"
    assert f"| 4.1 | Privacy | done | 9 of 9. | {keys} |" in page


def test_the_shipped_run_sheet_closes_what_is_known_before_the_manifest_and_no_more(simulator):
    publish_with_sheet(simulator, a_sheet())
    page, manifest = text(simulator, "RUN_SHEET.md"), manifest_of(simulator)
    states = dict(re.findall(r"^\| (\d\.\d) \| [^|]+ \| ([^|]+) \|", page, re.M))
    done = {"3.2", "3.3", "4.1", "6.2"}
    assert {name for name, state in states.items() if state == "done"} == done
    assert {name for name, state in states.items() if state == "after publication"} == {
        *AFTER
    } - done
    totals = manifest["totals"]
    assert f"{totals['shards']} shards with {totals['records']} records" in page
    assert manifest["routing"]["key"] in page
    assert f"{RELEASE}RELEASE_NOTES.md" in page


def test_a_run_sheet_of_another_form_is_refused(simulator):
    with pytest.raises(ReleaseError) as caught:
        publish_with_sheet(simulator, a_sheet(schema="release-desk/run-sheet/9"))
    assert caught.value.code == "checklist.schema"
