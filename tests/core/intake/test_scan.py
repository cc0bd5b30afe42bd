from __future__ import annotations

import dataclasses
import hashlib
import json

import pytest

from core.intake.features import SCHEMA
from core.intake.kernel import sketch
from core.intake.measure import decode_messages
from core.intake.scan import load_features, read_features, scan_object, scan_settings_digest
from core.intake.text import compared_text, digest_dialogue, digest_prompt
from core.model.errors import Forbidden, IntakeError
from tests.builders import PREFIX, a_policy, content_hash_of, count_tokens, record_id_of
from tests.sources import PRIORITY, a_pair, a_source_row, jsonl, some_source_rows

POLICY = a_policy()
KEY = f"{PRIORITY}a.jsonl"
MAIL = a_pair("Write to jane.roe@example.com today", "I would rather call 988")


@pytest.fixture
def settings():
    return scan_settings_digest(POLICY)


def scan(store, settings, **more):
    [source] = list(store.list(PRIORITY))
    return scan_object(
        store, source, policy=POLICY, settings_digest=settings, prefix=PREFIX, **more
    )


def features(store, found):
    return read_features(load_features(store, found)).to_pylist()


def test_every_row_of_an_object_is_one_row_of_its_features(simulator, settings):
    body = jsonl([a_source_row("one"), b"{broken", {"chosen": "a", "rejected": "b"}, MAIL])
    simulator.put(KEY, body)
    found = scan(simulator, settings)
    rows = features(simulator, found)
    assert [(row["line"], row["kind"]) for row in rows] == [
        (1, "record"),
        (2, "rejection"),
        (3, "lane"),
        (4, "record"),
    ]
    assert (found.rows, found.records, sum(found.rejected.values())) == (4, 2, 1)
    assert found.lanes == {"preference": 1}
    assert found.sha256 == hashlib.sha256(body).hexdigest()
    assert found.features_key == f"{PREFIX}features/{settings}/{found.sha256}.parquet"
    assert found.container == "jsonl"


def test_a_record_is_measured_on_the_text_that_would_ship(simulator, settings):
    system = {"role": "system", "content": "You are a calm listener."}
    simulator.put(KEY, jsonl([{"messages": [system, *MAIL["messages"]], "id": "c-7"}]))
    [row] = features(simulator, scan(simulator, settings))
    shipped = json.loads(row["messages"])
    assert shipped[1] == {"role": "user", "content": "Write to [EMAIL] today"}
    messages = decode_messages(row["messages"])
    signatures, counts = sketch([compared_text(messages)], shingle=5, count=128, seed=1)
    assert row["signature"] == signatures[0].tobytes()
    assert row["shingles"] == counts[0]
    assert row["text_digest"] == digest_dialogue(messages)
    assert row["prompt_digest"] == digest_prompt(messages)
    assert row["content_hash"] == content_hash_of(shipped)
    assert row["record_id"] == record_id_of(shipped)
    assert row["tokens"] == sum(count_tokens(message["content"]) for message in shipped)
    assert row["turns"] == 3
    assert row["characters"] == sum(len(message["content"]) for message in shipped)
    assert row["words"] == sum(len(message["content"].split()) for message in shipped)
    assert row["conversation_id"] == "c-7"
    assert row["pii_status"] == "scrubbed"
    assert json.loads(row["entities"]) == {"EMAIL_ADDRESS": 1}
    [place] = json.loads(row["redactions"])
    text = shipped[place["turn"]]["content"]
    assert text[place["start"] : place["end"]] == "[EMAIL]"
    assert row["redacted_characters"] == len("jane.roe@example.com")


def test_features_name_neither_key_nor_family():
    assert not {"key", "family", "source_key", "source_family"} & set(SCHEMA.names)


def test_a_cached_scan_reads_nothing_of_the_source(simulator, settings):
    simulator.put(KEY, jsonl(some_source_rows(3)))
    first = scan(simulator, settings)
    again = scan(simulator, settings)
    assert again == first
    assert simulator.count("stream", KEY) == 1
    assert simulator.count("get", KEY) == simulator.count("head_bytes", KEY) == 0
    assert scan(simulator, settings, fresh=True) == first
    assert simulator.count("stream", KEY) == 2


def test_a_new_version_of_an_object_is_scanned_anew(simulator, settings):
    simulator.put(KEY, jsonl(some_source_rows(3)))
    first = scan(simulator, settings)
    simulator.put(KEY, jsonl(some_source_rows(4)))
    second = scan(simulator, settings)
    assert (first.records, second.records) == (3, 4)


@pytest.mark.parametrize(
    "changes",
    [
        {"intake": {"line_bytes": 1 << 19}},
        {"near_duplicates": {"seed": 2}},
        {"near_duplicates": {"shingle": 4}},
        {"privacy": {"allow": ("988", "741741")}},
    ],
)
def test_the_cache_is_bound_to_everything_that_decides_a_scan(settings, changes):
    assert scan_settings_digest(a_policy(**changes)) != settings


def test_the_entities_rules_are_part_of_the_settings(settings):
    entities = dict(POLICY.privacy.entities)
    entities["PERSON"] = dataclasses.replace(entities["PERSON"], action="count")
    assert scan_settings_digest(a_policy(privacy={"entities": entities})) != settings
    assert scan_settings_digest(a_policy(name="another")) == settings


def test_damaged_features_are_told_from_good_ones(simulator, settings):
    simulator.put(KEY, jsonl(some_source_rows(3)))
    found = scan(simulator, settings)
    good = simulator.body(found.features_key)
    simulator.put(found.features_key, good[:-1] + b"x")
    with pytest.raises(IntakeError, match=r"intake\.features_damaged"):
        load_features(simulator, found)
    anew = scan(simulator, settings, fresh=True)
    assert anew.features_key != found.features_key
    assert load_features(simulator, anew) == good


def test_a_pointer_that_is_damaged_counts_for_nothing(simulator, settings):
    simulator.put(KEY, jsonl(some_source_rows(3)))
    first = scan(simulator, settings)
    [pointer] = [key for key in simulator.keys(PREFIX) if "/by-version/" in key]
    for body in (b"", b"[]", b'{"schema":"release-desk/scan/1"}', b"\xff"):
        simulator.put(pointer, body)
        assert scan(simulator, settings) == first


def test_an_object_that_is_no_longer_the_listed_one_is_refused(simulator, settings):
    simulator.put(KEY, jsonl(some_source_rows(3)))
    [source] = list(simulator.list(PRIORITY))
    simulator.put(KEY, jsonl(some_source_rows(3, seed="other")))
    with pytest.raises(IntakeError) as caught:
        scan_object(simulator, source, policy=POLICY, settings_digest=settings, prefix=PREFIX)
    assert (caught.value.code, caught.value.place) == ("intake.object_changed", KEY)
    assert not simulator.keys(PREFIX)


def test_a_refused_object_is_one_rejection_and_still_has_its_digest(simulator, settings):
    body = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12\n"
    simulator.put(KEY, body)
    found = scan(simulator, settings)
    assert (found.rows, found.records) == (1, 0)
    assert sum(found.rejected.values()) == 1
    assert found.sha256 == hashlib.sha256(body).hexdigest()


def test_a_forbidden_source_stops_at_once(simulator, settings):
    simulator.put(KEY, jsonl(some_source_rows(1)))
    simulator.fail(op="stream", how="forbidden", times=None)
    with pytest.raises(Forbidden):
        scan(simulator, settings)
    assert simulator.count("stream") == 1
