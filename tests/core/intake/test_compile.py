from __future__ import annotations

import dataclasses
import hashlib
import json
import random
from collections import Counter

import pytest

from core.canonical import canonical_bytes, sha256_hex
from core.intake import scan_all as scan_all_module
from core.intake.compile import load_candidate
from core.intake.inventory import make_listing
from core.model.errors import Cancelled, IntakeError
from core.model.names import Digest
from tests.builders import PREFIX, a_policy, content_hash_of, record_id_of, some_families
from tests.file_store import FileStore
from tests.sources import (
    COT,
    EDGE,
    PRIORITY,
    PROFESSIONAL,
    VOICE,
    a_pair,
    a_source_row,
    build,
    edited,
    fill,
    jsonl,
    listing_of,
    long_row,
    rows_of,
    some_source_rows,
)

KEYS = [
    "record_id",
    "source_family",
    "source_key",
    "source_sha256",
    "source_line",
    "content_hash",
    "license_tag",
    "pii_status",
    "split",
    "stage",
    "phase",
    "turns",
    "tokens",
    "language",
    "group_id",
    "cluster_id",
    "provenance",
]


def with_families(**changes):
    """A policy in which single families differ: with_families(voice={"test_only": True})."""
    families = tuple(
        dataclasses.replace(rule, **changes.get(rule.name, {})) for rule in some_families()
    )
    return a_policy(families=families)


def reasons(candidate):
    return {(item.scope, item.reason) for item in candidate.exclusions}


def some_bucket(store):
    fill(
        store,
        {
            f"{PROFESSIONAL}a.jsonl": some_source_rows(30, seed="pro"),
            f"{PRIORITY}b.jsonl": [
                *some_source_rows(5, seed="pro"),
                *some_source_rows(20, seed="pri"),
                b"{broken",
                {"chosen": "x", "rejected": "y"},
            ],
            f"{COT}c.jsonl": [
                *some_source_rows(15, seed="cot"),
                long_row("n"),
                edited(long_row("n")),
            ],
            f"{EDGE}d.jsonl": some_source_rows(10, seed="edge"),
            f"{VOICE}e.jsonl": some_source_rows(10, seed="voice"),
            "elsewhere/f.jsonl": some_source_rows(3, seed="else"),
        },
    )


def test_every_row_is_accounted_for(simulator):
    some_bucket(simulator)
    candidate = build(simulator)
    by_key = {entry.key: entry for entry in candidate.sources}
    assert set(by_key) == {
        f"{PROFESSIONAL}a.jsonl",
        f"{PRIORITY}b.jsonl",
        f"{COT}c.jsonl",
        f"{EDGE}d.jsonl",
        f"{VOICE}e.jsonl",
    }
    priority = by_key[f"{PRIORITY}b.jsonl"]
    assert (priority.rows, priority.records, priority.shipped) == (27, 25, 20)
    assert sum(priority.rejected.values()) == 1
    assert priority.lanes == {"preference": 1}
    assert priority.dropped == {"exact_duplicate": 5}
    assert candidate.rows == 30 + 27 + 17 + 10 + 10
    assert candidate.records == 30 + 20 + 17 + 10 + 10
    assert sum(candidate.rejections.values()) == 1
    assert candidate.dropped == {"exact_duplicate": 5}
    assert sum(shard.records for shard in candidate.shards) == candidate.records
    assert {name: sum(n.values()) for name, n in candidate.families.items()} == {
        "professional_therapeutic": 30,
        "priority": 20,
        "cot_reasoning": 17,
        "edge_cases": 10,
        "voice": 10,
    }


def test_a_row_has_the_contracts_keys_in_order_and_says_what_is_true(simulator):
    some_bucket(simulator)
    candidate = build(simulator)
    body = simulator.body(f"{PRIORITY}b.jsonl")
    rows = rows_of(simulator, [s for s in candidate.shards if s.family == "priority"])
    assert rows
    for row in rows:
        assert list(row) == ["messages", "metadata"]
        metadata = row["metadata"]
        assert list(metadata) == KEYS
        assert [list(message) for message in row["messages"]] == [["role", "content"]] * 4
        assert metadata["record_id"] == record_id_of(row["messages"])
        assert metadata["content_hash"] == content_hash_of(row["messages"])
        assert metadata["source_sha256"] == hashlib.sha256(body).hexdigest()
        line = json.loads(body.splitlines()[metadata["source_line"] - 1])
        assert line["messages"] == row["messages"]
        assert metadata["provenance"]["original_s3_key"] == f"{PRIORITY}b.jsonl"
        assert metadata["license_tag"] == "synthetic"
        assert (metadata["stage"], metadata["phase"]) == (1, "curriculum")


def test_shards_are_named_by_their_bytes_and_sorted_by_record(simulator):
    some_bucket(simulator)
    candidate = build(simulator)
    for shard in candidate.shards:
        body = simulator.body(shard.key)
        assert shard.key == f"{PREFIX}shards/{hashlib.sha256(body).hexdigest()}.jsonl"
        rows = rows_of(simulator, [shard])
        ids = [row["metadata"]["record_id"] for row in rows]
        assert (len(body), len(rows), ids) == (shard.size, shard.records, sorted(ids))
        assert body.endswith(b"}\n")
        assert {(r["metadata"]["source_family"], r["metadata"]["split"]) for r in rows} == {
            (shard.family, shard.split)
        }


def test_shards_roll_at_the_policys_size(simulator):
    fill(simulator, {f"{PRIORITY}a.jsonl": some_source_rows(40)})
    candidate = build(simulator, a_policy(intake={"shard_bytes": 8000}))
    train = [shard for shard in candidate.shards if shard.split == "train"]
    assert len(train) > 2
    assert all(shard.size <= 8000 for shard in train)
    ids = [row["metadata"]["record_id"] for row in rows_of(simulator, train)]
    assert ids == sorted(ids)


def test_building_twice_gives_the_same_digest_and_the_same_bytes(simulator):
    some_bucket(simulator)
    first = build(simulator)
    before = {key: simulator.body(key) for key in simulator.keys(PREFIX)}
    second = build(simulator)
    assert second == first
    assert {key: simulator.body(key) for key in simulator.keys(PREFIX)} == before


def test_a_second_build_reads_no_source(simulator):
    some_bucket(simulator)
    build(simulator)
    read = simulator.count("stream")
    assert read == 5
    build(simulator)
    assert simulator.count("stream") == read


def test_a_deleted_or_damaged_cache_changes_nothing(simulator):
    some_bucket(simulator)
    first = build(simulator)
    kept = simulator.keys(f"{PREFIX}features/")
    for key in kept[::2]:
        simulator.forget(key)
    for key in [key for key in kept[1::2] if key.endswith(".parquet")]:
        simulator.put(key, b"PAR1 damaged")
    assert build(simulator) == first


def test_the_order_of_the_listing_does_not_matter(simulator):
    some_bucket(simulator)
    first = build(simulator)
    objects = list(listing_of(simulator).objects)
    random.Random(5).shuffle(objects)
    straight = make_listing(objects)
    shuffled = dataclasses.replace(straight, objects=tuple(objects))
    assert build(simulator, listing=shuffled) == first


@pytest.mark.slow
def test_the_number_of_workers_does_not_matter(simulator, tmp_path, monkeypatch):
    monkeypatch.setattr(scan_all_module, "WORTH_A_POOL", 0)
    some_bucket(simulator)
    one, other = FileStore(tmp_path / "one"), FileStore(tmp_path / "other")
    for store in (one, other):
        store.folder.mkdir()
        some_bucket(store)
    alone = build(one)
    together = build(other, workers=2, connect=other)
    assert together == alone


def test_a_candidate_reads_back_as_it_was_and_its_name_is_its_digest(simulator):
    some_bucket(simulator)
    candidate = build(simulator)
    body = simulator.body(f"{PREFIX}candidates/{candidate.digest}.json")
    assert hashlib.sha256(body).hexdigest() == candidate.digest
    assert load_candidate(simulator, PREFIX, candidate.digest) == candidate


def test_a_source_overwritten_after_the_listing_fails_the_build(simulator):
    some_bucket(simulator)
    listing = listing_of(simulator)
    simulator.put(f"{COT}c.jsonl", jsonl(some_source_rows(3, seed="new")))
    with pytest.raises(IntakeError) as caught:
        build(simulator, listing=listing)
    assert (caught.value.code, caught.value.place) == ("intake.object_changed", f"{COT}c.jsonl")
    assert not simulator.keys(f"{PREFIX}candidates/")


def test_a_source_deleted_after_the_listing_fails_the_build(simulator):
    some_bucket(simulator)
    listing = listing_of(simulator)
    simulator.forget(f"{COT}c.jsonl")
    with pytest.raises(IntakeError, match=r"intake\.object_changed"):
        build(simulator, listing=listing)


def test_a_short_read_fails_the_build_and_a_broken_one_is_tried_again(simulator):
    some_bucket(simulator)
    simulator.fail(op="stream", how="short_body", key=f"{COT}c.jsonl")
    first = build(simulator)
    for key in simulator.keys(f"{PREFIX}features/"):
        simulator.forget(key)
    simulator.heal()
    simulator.fail(op="stream", how="silent_short_body", times=None, key=f"{COT}c.jsonl")
    with pytest.raises(IntakeError, match=r"intake\.object_changed"):
        build(simulator)
    simulator.heal()
    assert build(simulator) == first


def test_an_exact_copy_stays_with_the_family_of_lowest_order_then_key_then_line(simulator):
    row = a_source_row("copy")
    shouted = {
        "messages": [
            {**message, "content": message["content"].upper()} for message in row["messages"]
        ]
    }
    fill(
        simulator,
        {
            f"{PRIORITY}a.jsonl": [row, *some_source_rows(3, seed="pri")],
            f"{PROFESSIONAL}b.jsonl": [a_source_row("x"), shouted, row],
            f"{PROFESSIONAL}c.jsonl": [row, a_source_row("y")],
        },
    )
    candidate = build(simulator)
    dropped = {entry.key: dict(entry.dropped) for entry in candidate.sources}
    assert dropped == {
        f"{PRIORITY}a.jsonl": {"exact_duplicate": 1},
        f"{PROFESSIONAL}b.jsonl": {"exact_duplicate": 1},
        f"{PROFESSIONAL}c.jsonl": {"exact_duplicate": 1},
    }
    kept = [
        metadata
        for metadata in (item["metadata"] for item in rows_of(simulator, candidate.shards))
        if metadata["provenance"]["dedup_status"] == "kept_first"
    ]
    assert [(m["source_key"], m["source_line"]) for m in kept] == [(f"{PROFESSIONAL}b.jsonl", 2)]


def test_what_belongs_together_is_never_parted(simulator):
    near, prompts, talks = [], [], []
    for number in range(40):
        row = long_row(f"near-{number}")
        near += [row, edited(row)]
        prompts += [
            a_pair(f"The same prompt, asked again and again: {number}", f"Reply {number} {n}")
            for n in range(3)
        ]
        talks += [a_source_row(f"talk-{number}-{n}", conversation_id=f"c{number}") for n in (1, 2)]
    fill(
        simulator,
        {
            f"{PRIORITY}near.jsonl": near[::2],
            f"{COT}near.jsonl": near[1::2],
            f"{PRIORITY}prompts.jsonl": prompts,
            f"{EDGE}talks.jsonl": talks,
        },
    )
    policy = a_policy(splits={"train": 0.5, "val": 0.25, "test": 0.25})
    rows = rows_of(simulator, build(simulator, policy).shards)
    assert len(rows) == 80 + 120 + 80
    groups: dict[str, set[str]] = {}
    for row in rows:
        groups.setdefault(row["metadata"]["group_id"], set()).add(row["metadata"]["split"])
    assert len(groups) == 120
    assert all(len(splits) == 1 for splits in groups.values())
    assert Counter(len(splits) for splits in groups.values()) == {1: 120}
    assert {row["metadata"]["split"] for row in rows} == {"train", "val", "test"}
    lines = {
        (row["metadata"]["source_key"], row["metadata"]["source_line"]): row["metadata"]
        for row in rows
    }
    for number in range(40):
        one = lines[f"{PRIORITY}near.jsonl", number + 1]
        other = lines[f"{COT}near.jsonl", number + 1]
        assert one["cluster_id"] == other["cluster_id"]
        assert one["provenance"]["dedup_status"] == "near_duplicate_kept"
        talk = [lines[f"{EDGE}talks.jsonl", 2 * number + n]["group_id"] for n in (1, 2)]
        assert talk[0] == talk[1]
        asked = {lines[f"{PRIORITY}prompts.jsonl", 3 * number + n]["group_id"] for n in (1, 2, 3)}
        assert len(asked) == 1


def test_the_same_conversation_id_in_two_objects_is_two_conversations(simulator):
    fill(
        simulator,
        {
            f"{PRIORITY}a.jsonl": [a_source_row("one", conversation_id="1")],
            f"{PRIORITY}b.jsonl": [a_source_row("two", conversation_id="1")],
        },
    )
    rows = rows_of(simulator, build(simulator).shards)
    assert len({row["metadata"]["group_id"] for row in rows}) == 2


def test_a_dropped_copy_still_holds_its_conversation_together(simulator):
    shared = a_source_row("shared")
    fill(
        simulator,
        {
            f"{PROFESSIONAL}a.jsonl": [shared],
            f"{COT}b.jsonl": [
                {**shared, "conversation_id": "7"},
                a_source_row("next", conversation_id="7"),
            ],
        },
    )
    rows = rows_of(simulator, build(simulator).shards)
    assert len(rows) == 2
    assert len({row["metadata"]["group_id"] for row in rows}) == 1


def test_every_group_with_a_test_only_member_goes_to_test(simulator):
    shared = [long_row(f"shared-{number}") for number in range(12)]
    fill(
        simulator,
        {
            f"{PRIORITY}a.jsonl": [*shared, *some_source_rows(20)],
            f"{VOICE}b.jsonl": [edited(row) for row in shared],
        },
    )
    policy = with_families(voice={"test_only": True})
    rows = rows_of(simulator, build(simulator, policy).shards)
    voice = {r["metadata"]["group_id"] for r in rows if r["metadata"]["source_family"] == "voice"}
    assert len(voice) == 12
    held = [row["metadata"] for row in rows if row["metadata"]["group_id"] in voice]
    assert len(held) == 24
    assert {metadata["split"] for metadata in held} == {"test"}


def test_one_per_cluster_keeps_the_first_of_each_cluster(simulator):
    row = long_row("cluster")
    others = [edited(row, word=f"word{number}") for number in range(4)]
    fill(
        simulator,
        {f"{PRIORITY}a.jsonl": [row, *others[:2]], f"{COT}b.jsonl": [*others[2:], long_row("z")]},
    )
    policy = with_families(priority={"near_duplicates": "one_per_cluster"})
    candidate = build(simulator, policy)
    assert candidate.dropped == {"near_duplicate": 2}
    assert sum(candidate.families["priority"].values()) == 1
    assert sum(candidate.families["cot_reasoning"].values()) == 3


def test_decisions_leave_out_a_record_with_its_copies_or_a_whole_group(simulator):
    row, pair = (
        a_source_row("bad"),
        [a_pair("The same prompt, asked three times over", f"Reply {n}") for n in range(3)],
    )
    fill(
        simulator,
        {
            f"{PRIORITY}a.jsonl": [row, *pair, *some_source_rows(4)],
            f"{COT}b.jsonl": [row, a_source_row("fine")],
        },
    )
    decisions = [
        {"action": "exclude", "record_id": record_id_of(row["messages"]), "reason": "harmful"},
        {"action": "exclude_group", "record_id": record_id_of(pair[1]["messages"])},
        {"action": "false_positive", "record_id": record_id_of(some_source_rows(1)[0]["messages"])},
    ]
    candidate = build(simulator, decisions=decisions)
    assert candidate.dropped == {"excluded_by_decision": 5}
    assert candidate.records == 5
    assert len(candidate.decisions) == 3
    assert build(simulator, decisions=decisions[::-1]) == candidate


def test_identifiers_are_redacted_before_anything_is_measured(simulator):
    fill(
        simulator,
        {
            f"{PRIORITY}a.jsonl": [
                a_pair("My mail is jane.roe@example.com", "I will not repeat it"),
                *some_source_rows(3),
            ]
        },
    )
    rows = rows_of(simulator, build(simulator).shards)
    [row] = [row for row in rows if row["metadata"]["pii_status"] == "scrubbed"]
    assert row["messages"][0]["content"] == "My mail is [EMAIL]"
    assert row["metadata"]["record_id"] == record_id_of(row["messages"])
    shards = b"".join(simulator.body(key) for key in simulator.keys(PREFIX))
    assert b"jane.roe" not in shards


def test_a_record_that_requires_review_never_ships(simulator, monkeypatch):
    from core.intake import scan

    real = scan.redact_all

    def doubtful(dialogues, detector):
        return [
            dataclasses.replace(found, status="requires_review")
            if "secret" in messages[0].content
            else found
            for messages, found in zip(dialogues, real(dialogues, detector), strict=True)
        ]

    monkeypatch.setattr(scan, "redact_all", doubtful)
    fill(simulator, {f"{PRIORITY}a.jsonl": [a_pair("a secret", "yes"), *some_source_rows(2)]})
    candidate = build(simulator)
    assert candidate.dropped == {"requires_review": 1}
    assert candidate.records == 2


def test_sources_without_a_decision_enter_undecided_and_refused_ones_stay_out(simulator):
    some_bucket(simulator)
    candidate = build(
        simulator,
        licences={"priority": "synthetic", f"{COT}c": "cc-by-4.0", "cot_reasoning": "synthetic"},
        refused={"edge_cases": "defer", f"{VOICE}e": "reject"},
    )
    tags = {entry.family: entry.licence_tag for entry in candidate.sources}
    assert tags == {
        "professional_therapeutic": "undecided",
        "priority": "synthetic",
        "cot_reasoning": "cc-by-4.0",
    }
    assert ("edge_cases", "Source decision: defer") in reasons(candidate)
    assert (f"{VOICE}e", "Source decision: reject") in reasons(candidate)


def test_aliases_enter_once_somebody_confirmed_them(simulator):
    fill(
        simulator,
        {
            f"datasets/{PRIORITY}a.jsonl": some_source_rows(5),
            f"{COT}c.jsonl": some_source_rows(5, seed="cot"),
        },
    )
    without = build(simulator)
    assert set(without.families) == {"cot_reasoning"}
    assert any(scope == "priority" and "Alias" in why for scope, why in reasons(without))
    confirmed = frozenset({("priority", f"datasets/{PRIORITY}")})
    assert set(build(simulator, confirmed=confirmed).families) == {"cot_reasoning", "priority"}


def test_waived_missing_and_barren_families_are_named(simulator):
    fill(
        simulator,
        {
            f"{PRIORITY}a.jsonl": some_source_rows(30),
            f"{COT}c.jsonl": b"",
            f"{EDGE}d.jsonl": some_source_rows(4, seed="edge"),
        },
    )
    candidate = build(simulator, waived={"edge_cases": "not ready"})
    told = dict.fromkeys(scope for scope, _ in reasons(candidate))
    assert set(candidate.families) == {"priority"}
    assert ("edge_cases", "Waived by name: not ready") in reasons(candidate)
    assert ("voice", "No object matches the family.") in reasons(candidate)
    assert ("cot_reasoning", "Its objects hold no record that can ship.") in reasons(candidate)
    assert "stage:edge" in told


def test_nothing_to_ship_is_an_error(simulator):
    fill(simulator, {f"{PRIORITY}a.jsonl": [b"{broken"]})
    with pytest.raises(IntakeError, match=r"intake\.nothing_to_ship"):
        build(simulator)


def test_the_build_says_how_far_it_is_and_can_be_cancelled(simulator):
    some_bucket(simulator)
    told = []
    build(simulator, progress=lambda done, total, message: told.append((done, total, message)))
    assert any(
        (done, total) == (5, 5) and message.startswith("scan 5/5 objects")
        for done, total, message in told
    )
    assert any(message.startswith("write priority") for _, _, message in told)

    def cancel(done, total, message):
        if done == 2:
            raise Cancelled("job.cancelled", "A person cancelled the job.")

    before = simulator.keys(f"{PREFIX}candidates/")
    with pytest.raises(Cancelled):
        build(simulator, a_policy(intake={"line_bytes": 1 << 19}), progress=cancel)
    assert simulator.keys(f"{PREFIX}candidates/") == before


def test_books_that_do_not_balance_stop_the_build(simulator):
    from core.intake.books import check_books

    some_bucket(simulator)
    candidate = build(simulator)
    check_books(candidate)
    entry = candidate.sources[0]
    wrong = [
        dataclasses.replace(candidate, rows=candidate.rows + 1),
        dataclasses.replace(candidate, records=candidate.records - 1),
        dataclasses.replace(candidate, dropped={}),
        dataclasses.replace(candidate, rejections={"line.bad": 2}),
        dataclasses.replace(candidate, shards=candidate.shards[1:]),
        dataclasses.replace(
            candidate,
            sources=(dataclasses.replace(entry, rows=entry.rows + 1), *candidate.sources[1:]),
        ),
    ]
    for faulty in wrong:
        with pytest.raises(IntakeError, match=r"intake\.rows_do_not_add_up"):
            check_books(faulty)


def test_a_candidate_of_the_first_schema_is_read_as_it_was(simulator):
    from core.intake.document import decode_candidate, encode_candidate

    some_bucket(simulator)
    plain = json.loads(encode_candidate(build(simulator)))
    for source in plain["sources"]:
        del source["listed_at"]
    body = canonical_bytes({**plain, "schema": "release-desk/candidate/1"})
    former = decode_candidate(body)
    assert former.digest == sha256_hex(body)
    assert {source.listed_at for source in former.sources} == {former.snapshot_at}
    dated = [{**source, "listed_at": former.snapshot_at} for source in plain["sources"]]
    for schema, sources in ((1, dated), (2, plain["sources"])):
        mixed = {**plain, "schema": f"release-desk/candidate/{schema}", "sources": sources}
        with pytest.raises(IntakeError) as caught:
            decode_candidate(canonical_bytes(mixed))
        assert caught.value.code == "candidate.malformed"


def test_an_altered_or_unknown_candidate_is_refused(simulator):
    from core.intake.document import decode_candidate, encode_candidate

    some_bucket(simulator)
    candidate = build(simulator)
    body = encode_candidate(candidate)
    assert decode_candidate(body) == candidate
    other = json.loads(body)
    for changed, code in [
        (body.replace(b"candidate/2", b"candidate/3"), "candidate.schema"),
        (body[:-1], "candidate.malformed"),
        (body.replace(b'"rows":94', b'"rows": 94'), "candidate.malformed"),
        (json.dumps({**other, "extra": 1}, sort_keys=True).encode(), "candidate.malformed"),
        (b"[]", "candidate.schema"),
    ]:
        assert changed != body
        with pytest.raises(IntakeError) as caught:
            decode_candidate(changed)
        assert caught.value.code == code
    wrong = Digest("0" * 64)
    simulator.put(f"{PREFIX}candidates/{wrong}.json", body)
    with pytest.raises(IntakeError, match=r"candidate\.altered"):
        load_candidate(simulator, PREFIX, wrong)
