"""What was near a record that people edited or rejected is read before anybody signs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.policy.load import packaged_source, parse_policy
from core.workbench import assemble
from core.workbench.reviews.basis import SIBLING_WHY
from tests import road
from tests.builders import a_text
from tests.clock import FixedClock
from tests.core.workbench.test_review_outcomes import (
    CLAIM,
    FLAG,
    answer,
    build,
    rows_of,
    settle,
)
from tests.desk import VERSION, a_bare_desk, person_of
from tests.sources import COT, EDGE, PRIORITY, VOICE, a_pair, edited, fill, some_source_rows

OTHER_WORDS = a_text("wholly other words", 8)
ORIGINAL = a_pair(a_text("asks", 2), a_text("answers", 8))
SIBLINGS = [edited(ORIGINAL, word=word) for word in ("one", "another", "third")]
LATER = edited(ORIGINAL, word="later")


def sources(*rows):
    return {
        f"{PRIORITY}a.jsonl": [*rows, *some_source_rows(5, seed="priority")],
        f"{COT}b.jsonl": some_source_rows(6, seed="cot"),
        f"{VOICE}c.jsonl": some_source_rows(6, seed="voice"),
        f"{EDGE}d.jsonl": some_source_rows(6, seed="edge"),
    }


@pytest.fixture
def bench(simulator, tmp_path):
    fill(simulator, sources(ORIGINAL, *SIBLINGS))
    found = a_bare_desk(simulator, tmp_path, clock=FixedClock())
    road.decide_sources(found, VERSION)
    return found


def ids_of(bench, candidate, *rows):
    """The ids under which the candidate ships these rows, in their order."""
    shipped = rows_of(bench, candidate)
    return [
        name for row in rows for name in shipped if shipped[name]["messages"] == row["messages"]
    ]


def decide(bench, digest, record, outcome, action="apply"):
    """Have one record read, flagged, settled by `outcome`, and taken into the next candidate."""
    lead, owner = person_of(bench, "lead"), person_of(bench, "owner")
    if record not in bench.reviews.plan(digest, CLAIM).records:
        bench.reviews.choose_extra(digest, CLAIM, [record], "risk words", lead)
    answer(bench, digest, record, flags=[FLAG], verdict="reject")
    words = {"turn": 1, "words": OTHER_WORDS} if outcome == "fix" else {}
    settle(bench, digest, record, outcome, **words)
    items = [item for item in bench.outcomes.waiting(VERSION) if item.record_id == record]
    assert bench.outcomes.decide(VERSION, items, action, owner, "Said by a test.") == 1


def must_be_read(bench, digest, claim=CLAIM):
    """What is read of a candidate: its sample, and what stands beside it."""
    return bench.reviews.edited(digest, claim) | set(bench.reviews.plan(digest, claim).records)


@pytest.mark.parametrize("outcome", ["fix", "reject"])
def test_what_was_near_a_record_that_was_edited_or_rejected_is_had_read(bench, outcome):
    first = build(bench)
    [record], siblings = ids_of(bench, first, ORIGINAL), ids_of(bench, first, *SIBLINGS)
    shipped = rows_of(bench, first)
    near = {shipped[name]["metadata"]["cluster_id"] for name in (record, *siblings)}
    assert (len(siblings), len(near)) == (3, 1)
    decide(bench, first.digest, record, outcome)
    second = build(bench)
    assert {record, *siblings} & set(rows_of(bench, second)) == set(siblings)
    for claim in (CLAIM, "bias_foundation"):
        assert set(siblings) <= must_be_read(bench, second.digest, claim)
    assert not set(siblings) & must_be_read(bench, second.digest, "clinician_edge")

    # Nothing is signed before that, however much of the sample has been read.
    planned = set(bench.reviews.plan(second.digest, CLAIM).shipped)
    beside = bench.reviews.edited(second.digest, CLAIM) - planned
    assert beside & set(siblings)
    for name in sorted(planned):
        answer(bench, second.digest, name, "clinician-2")
    state = bench.reviews.state(second.digest, CLAIM)
    assert state.state == "reading"
    assert set(state.open_points) == {f"edited_unread {name}" for name in beside}
    for name in sorted(beside):
        answer(bench, second.digest, name, "clinician-2")
    state = bench.reviews.state(second.digest, CLAIM)
    assert (state.state, state.open_points) == ("ready", ())

    # A later candidate that ships them unchanged does not ask for them again.
    away = next(
        name for name in sorted(rows_of(bench, second)) if name not in {*siblings, *planned}
    )
    bench.candidates.decide(
        second.digest, gate="privacy", code="privacy.person", action="exclude", reason="Out.",
        by=person_of(bench, "owner"), places=[{"record_id": away}],
    )  # fmt: skip
    third = build(bench)
    assert set(siblings) <= must_be_read(bench, third.digest)
    points = bench.reviews.state(third.digest, CLAIM).open_points
    assert not [point for point in points if point.startswith("edited_unread")]


def test_a_near_copy_that_came_meanwhile_is_had_read_and_what_is_not_near_is_not(bench, simulator):
    first = build(bench)
    [record] = ids_of(bench, first, ORIGINAL)
    decide(bench, first.digest, record, "fix")
    fill(simulator, {f"{PRIORITY}z.jsonl": [LATER, *some_source_rows(3, seed="far")]})
    second = build(bench)
    [came], far = (
        ids_of(bench, second, LATER),
        ids_of(bench, second, *some_source_rows(3, seed="far")),
    )
    assert came in must_be_read(bench, second.digest)
    assert not set(far) & bench.reviews.edited(second.digest, CLAIM)


def test_a_near_copy_that_the_first_build_left_out_is_had_read_when_it_ships(simulator, tmp_path):
    fill(simulator, sources(ORIGINAL, *SIBLINGS))
    policy = packaged_source("demo").replace(
        b'name = "priority"\n', b'name = "priority"\nnear_duplicates = "one_per_cluster"\n'
    )
    bare = a_bare_desk(simulator, tmp_path, clock=FixedClock())
    bench = assemble(replace(bare.desk, policy=parse_policy(policy)))
    road.decide_sources(bench, VERSION)
    first = build(bench)
    [record] = ids_of(bench, first, ORIGINAL)
    assert first.dropped == {"near_duplicate": 3}
    decide(bench, first.digest, record, "fix")
    second = build(bench)
    [sibling] = ids_of(bench, second, *SIBLINGS)
    assert sibling in must_be_read(bench, second.digest)


def test_what_must_be_read_and_lies_in_reserve_is_read_all_the_same(simulator, tmp_path):
    fill(simulator, sources(ORIGINAL, *some_source_rows(6, seed="more")))
    # Four records, and eight after one fail.
    policy = packaged_source("demo")
    policy = policy[: policy.index(b"[[claims]]")] + policy[policy.index(b"[[claims]]") :].replace(
        b"limit = 0.35\nconfidence = 0.80\nfirst = 4\nsecond = 0",
        b"limit = 0.5\nconfidence = 0.80\nfirst = 4\nsecond = 8",
        1,
    )
    bare = a_bare_desk(simulator, tmp_path, clock=FixedClock())
    bench = assemble(replace(bare.desk, policy=parse_policy(policy)))
    road.decide_sources(bench, VERSION)
    candidate = build(bench)
    plan = bench.reviews.plan(candidate.digest, CLAIM)
    [part] = plan.strata
    planned, held = part.records[: part.first], part.records[part.first]
    reader = person_of(bench, "clinician-2")
    bench.reviews._have_read(plan, [planned[0], held], SIBLING_WHY, person_of(bench, "lead"))
    assert bench.reviews.edited(candidate.digest, CLAIM) == {held}
    for name in planned:
        answer(bench, candidate.digest, name, "clinician-2")
    state = bench.reviews.state(candidate.digest, CLAIM)
    assert (state.state, state.open_points) == ("reading", (f"edited_unread {held}",))
    offered = bench.reviews.queue(candidate.digest, CLAIM, reader).items
    assert held in {item.record_id for item in offered if item.state == "open"}
    answer(bench, candidate.digest, held, "clinician-2")
    state = bench.reviews.state(candidate.digest, CLAIM)
    assert (state.state, state.open_points, state.read) == ("ready", (), part.first)


def test_what_was_left_as_it_is_has_nothing_read_beside_it(bench):
    first = build(bench)
    [record] = ids_of(bench, first, ORIGINAL)
    decide(bench, first.digest, record, "reject", "leave")
    second = build(bench)
    assert second.digest != first.digest
    assert record in rows_of(bench, second)
    assert bench.reviews.edited(second.digest, CLAIM) == frozenset()
