"""A new version that goes on from a release has only what is new to read."""

from __future__ import annotations

import dataclasses
import json

import pytest

from core.model.errors import ReviewError
from core.review.pii_sample import load_pii_plans
from core.review.sample import fix_seed
from core.storage.ports import ObjectStore
from core.workbench import assemble
from tests.builders import a_row
from tests.desk import (
    VERSION,
    a_desk,
    add_candidate,
    add_ready_candidate,
    clean_answers,
    pass_gates,
    person_of,
    read_everything,
    some_rows_to_read,
)

CLAIM = "clinician_foundation"
NEXT, LATER = "v2026-11-28", "v2026-12-05"
READERS = {"clinician": "clinician-1", "bias_reviewer": "bias"}


def rows(count, *more, but=()):
    foundation = [
        a_row(family="priority", seed=f"row {number}", source_line=1 + number)
        for number in range(count)
        if number not in but
    ]
    foundation += [a_row(family="priority", seed=name, source_line=900) for name in more]
    return {**some_rows_to_read(), ("priority", "train"): foundation}


def released(bench, version=VERSION):
    """Read all of a version's samples and journal that it was published."""
    for claim in bench.desk.policy.claims:
        read_everything(bench, claim.id, READERS[claim.role], version=version)
    candidate = bench.candidates.current(version)
    states = bench.reviews.states(candidate.digest)
    assert {state.state for state in states.values()} == {"ready"}
    bench.desk.record(
        person_of(bench, "owner"),
        "publish.committed",
        id=f"publish.committed:{version}",
        version=version,
        candidate=candidate.digest,
        manifest_sha256="0" * 64,
    )
    return candidate


@pytest.fixture
def bench(simulator, tmp_path):
    found = a_desk(simulator, tmp_path, rows=rows(57))
    released(found)
    return found


def to_read(bench, digest, claim=CLAIM):
    """What is open to the claim's reader and belongs to the sample."""
    plan = bench.reviews.plans(digest)[claim]
    queue = bench.reviews.queue(digest, claim, person_of(bench, "clinician-1"))
    return {i.record_id for i in queue.items if i.state == "open"} & set(plan.records)


def read_what_is_left(bench, digest):
    by = person_of(bench, "clinician-1")
    for record in to_read(bench, digest):
        answers = clean_answers(bench, digest, CLAIM, record, by)
        bench.reviews.submit(digest, CLAIM, record, by, answers)


def test_only_what_is_new_is_to_be_read_and_the_sentence_says_so(bench):
    before = bench.reviews.plans(bench.candidates.current(VERSION).digest)[CLAIM]
    new = add_ready_candidate(bench, rows(57, "new one", "new two"), version=NEXT)
    plan = bench.reviews.plans(new.digest)[CLAIM]
    old, fresh = plan.parts
    assert (old.since, old.ships, old.records) == (VERSION, 60, before.records)
    assert (fresh.since, fresh.ships) == ("", 2)
    assert to_read(bench, new.digest) == set(fresh.records) - set(before.records)
    state = bench.reviews.state(new.digest, CLAIM)
    assert state.state == "reading"
    assert state.upper is None
    assert f"60 are unchanged since {VERSION} (4 of 4 read) and 2 are new" in state.sentence

    read_what_is_left(bench, new.digest)
    state = bench.reviews.state(new.digest, CLAIM)
    assert (state.state, state.frame) == ("ready", 62)
    assert state.upper <= state.limit
    assert [part["frame"] for part in state.parts] == [60, 2]
    assert state.carried == old.first
    page = bench.review_reports.markdown(new.digest, CLAIM)
    assert f"Part: 60 unchanged since {VERSION}" in page
    assert "Part: 2 new" in page


def test_a_version_in_which_nothing_is_new_has_nothing_to_read(bench):
    new = add_ready_candidate(bench, rows(57, but=(7,)), version=NEXT)
    plan = bench.reviews.plans(new.digest)[CLAIM]
    assert [part.since for part in plan.parts] == [VERSION]
    assert to_read(bench, new.digest) <= set(plan.parts[0].records[-2:])
    # A known-bad record among nothing would be known for one.
    open_now = bench.reviews.queue(new.digest, CLAIM, person_of(bench, "clinician-1")).items
    left = {item.record_id for item in open_now if item.state == "open"}
    assert left == to_read(bench, new.digest) or len(left) > 1
    read_what_is_left(bench, new.digest)
    assert bench.reviews.state(new.digest, CLAIM).state == "ready"


def test_a_flag_on_a_carried_record_stops_the_new_version(bench):
    new = add_ready_candidate(bench, rows(57, "new one"), version=NEXT)
    read_everything(bench, CLAIM, "clinician-1", version=NEXT)
    record = bench.reviews.plans(new.digest)[CLAIM].parts[0].records[0]
    by = person_of(bench, "clinician-2")
    answers = clean_answers(bench, new.digest, CLAIM, record, by)
    flag = {"id": "F2", "turn": 1, "note": "It pushes."}
    more = {"flags": [flag], "verdict": "reject"}
    bench.reviews.submit(new.digest, CLAIM, record, by, {**answers, **more})
    assert bench.reviews.state(new.digest, CLAIM).state == "paused"


def test_a_bad_new_record_fails_the_version_though_the_rest_was_proven(bench):
    new = add_ready_candidate(bench, rows(57, "new one", "new two"), version=NEXT)
    plan = bench.reviews.plans(new.digest)[CLAIM]
    for record in plan.parts[1].records:
        by = person_of(bench, "clinician-1")
        answers = clean_answers(bench, new.digest, CLAIM, record, by)
        bench.reviews.submit(new.digest, CLAIM, record, by, {**answers, "verdict": "reject"})
    state = bench.reviews.state(new.digest, CLAIM)
    assert state.state == "failed"
    assert state.defects == len(plan.parts[1].records)


def test_a_third_version_goes_on_from_the_second(bench):
    add_ready_candidate(bench, rows(57, "new one", "new two"), version=NEXT)
    released(bench, NEXT)
    third = add_ready_candidate(bench, rows(57, "new one", "new two", "newest"), version=LATER)
    plan = bench.reviews.plans(third.digest)[CLAIM]
    assert [(part.since, part.ships) for part in plan.parts] == [
        (VERSION, 60), (NEXT, 2), ("", 1),
    ]  # fmt: skip
    assert to_read(bench, third.digest) <= set(plan.parts[2].records)


def test_a_withdrawn_release_is_nothing_to_go_on_from(bench):
    bench.desk.record(person_of(bench, "owner"), "release.withdrawn", version=VERSION)
    new = add_ready_candidate(bench, rows(57, "new one"), version=NEXT)
    assert bench.reviews.plans(new.digest)[CLAIM].parts == ()


def test_without_its_stored_frame_everything_is_drawn_anew(bench):
    store: ObjectStore = bench.desk.store
    for entry in list(store.list(f"{bench.desk.prefix}reviews/")):
        if "/frames/" in entry.key:
            store.delete(entry.key)
    new = add_ready_candidate(bench, rows(57, "new one"), version=NEXT)
    plan = bench.reviews.plans(new.digest)[CLAIM]
    assert plan.parts == ()
    assert plan.frame == 61


def test_a_later_candidate_goes_on_from_the_one_before_and_so_from_the_release(bench):
    first = add_ready_candidate(bench, rows(57, "new one", "new two"), version=NEXT)
    read_what_is_left(bench, first.digest)
    second = add_ready_candidate(bench, rows(57, "new one", "new two", "newest"), version=NEXT)
    before, after = (bench.reviews.plans(one.digest)[CLAIM] for one in (first, second))
    # A part keeps the name of where it began.
    assert [part.since for part in after.parts] == [VERSION, f"candidate {first.digest[:8]}", ""]
    assert [part.records for part in after.parts[:2]] == [part.records for part in before.parts]
    assert to_read(bench, second.digest) <= set(after.parts[2].records)


def test_a_desk_that_has_just_frozen_the_samples_knows_what_every_claim_takes_over(bench):
    new = add_ready_candidate(bench, rows(57, "new one"), version=NEXT)
    fresh = assemble(dataclasses.replace(bench.desk, memory={}))
    for claim in bench.desk.policy.claims:
        here, there = (one.reviews.state(new.digest, claim.id) for one in (bench, fresh))
        assert here == there
        assert here.carried > 0
        assert bench.reviews.known_bad(new.digest) == fresh.reviews.known_bad(new.digest)


def add_judged(bench, found, version=NEXT):
    candidate = add_candidate(bench, found, version=version)
    pass_gates(bench, candidate)
    return candidate


def test_what_is_new_is_drawn_by_a_seed_nobody_knew_while_it_was_made(bench):
    lead = person_of(bench, "lead")
    first = add_ready_candidate(bench, rows(57, "new one"), version=NEXT)
    second = add_judged(bench, rows(57, "new one", *(f"filler {n}" for n in range(9))))
    with pytest.raises(ReviewError) as refused:
        bench.reviews.freeze(second.digest, " ", lead)
    assert refused.value.code == "review.nonce"
    assert bench.reviews.plans(second.digest) == {}
    bench.reviews.freeze(second.digest, "a heron in the reeds", lead)
    plan = bench.reviews.plans(second.digest)[CLAIM]
    seeds = [part.seed for part in plan.parts]
    assert len(set(seeds)) == 3
    assert seeds[2] == fix_seed(second.digest, "a heron in the reeds")
    assert bench.reviews.seed(NEXT) == bench.reviews.plans(first.digest)[CLAIM].seed
    # Again, it is the same plan, and no other seed.
    assert bench.reviews.freeze(second.digest, "other words", lead)[0] == plan
    kinds = [entry.event["type"] for entry in bench.desk.entries()]
    assert kinds.count("seed.fixed") == 3


def test_with_nothing_new_no_words_are_asked_for(bench):
    add_ready_candidate(bench, rows(57, "new one", "new two"), version=NEXT)
    second = add_judged(bench, rows(57, "new one", "new two", but=(4,)))
    bench.reviews.freeze(second.digest, "", person_of(bench, "lead"))
    assert len(bench.reviews.plans(second.digest)[CLAIM].parts) == 2


def read_for_nobody(bench, digest, family):
    by, read = person_of(bench, "clinician-1"), []
    while (record := bench.pii.next_record(digest, family, by)) is not None:
        shown = bench.pii.record(digest, family, record, by).sha256
        bench.pii.answer(digest, family, record, by, "nobody", shown_sha256=shown)
        read.append(record)
    return read


def test_the_pii_sample_of_a_release_is_gone_on_from_too(bench):
    family = "professional_therapeutic"
    more = [a_row(family=family, seed=f"more {n}", source_line=50 + n) for n in range(12)]
    found = rows(57)
    found[family, "train"] = [*found[family, "train"], *more]
    second = add_judged(bench, found)
    bench.reviews.freeze(second.digest, "a heron in the reeds", person_of(bench, "lead"))
    state = bench.pii.states(second.digest)[family]
    assert (state.state, state.frame, state.unchanged) == ("reading", 15, ((VERSION, 3),))
    assert state.upper is None
    assert f"3 of the family are unchanged since {VERSION}" in state.sentence
    new = {row["metadata"]["record_id"] for row in more}
    read = read_for_nobody(bench, second.digest, family)
    assert set(read) <= new
    state = bench.pii.states(second.digest)[family]
    assert state.state == "done"
    assert len(read) < state.planned == state.read
    assert 0 < state.upper <= state.limit
    evidence = json.loads(bench.pii.evidence(second.digest))
    [told] = evidence["families"]
    assert told["unchanged"] == [{"since": VERSION, "records": 3}]


def test_what_left_was_read_and_still_counts_in_the_pii_sample(bench):
    family = "professional_therapeutic"
    found = rows(57)
    found[family, "train"] = found[family, "train"][1:]
    second = add_judged(bench, found)
    bench.reviews.freeze(second.digest, "a heron in the reeds", person_of(bench, "lead"))
    plan = load_pii_plans(bench.desk.store, bench.desk.prefix, second.digest)[family]
    [part] = plan.parts
    # 35 % of two is none of them, so all three that were drawn from have to be clean.
    assert (part.ships, part.frame, part.first) == (2, 3, 3)
    assert len(plan.gone) == 1
    read = read_for_nobody(bench, second.digest, family)
    assert len(read) == 1
    state = bench.pii.states(second.digest)[family]
    assert (state.state, state.frame, state.read, state.upper) == ("done", 2, 3, 0)


def test_in_one_version_a_record_that_leaves_unread_is_replaced_and_told(simulator, tmp_path):
    bench = a_desk(simulator, tmp_path, rows=rows(57))
    first = bench.candidates.current(VERSION)
    plan = bench.reviews.plans(first.digest)[CLAIM]
    found = {
        cell: [row for row in held if row["metadata"]["record_id"] != plan.records[0]]
        for cell, held in rows(57).items()
    }
    second = add_judged(bench, found, VERSION)
    bench.reviews.freeze(second.digest, "", person_of(bench, "lead"))
    [part] = bench.reviews.plans(second.digest)[CLAIM].parts
    assert part.skipped == 1
    assert part.records[:3] == plan.records[1:]
    assert plan.records[0] not in part.records
    state = bench.reviews.state(second.digest, CLAIM)
    assert "1 drawn before them left unread" in state.sentence
