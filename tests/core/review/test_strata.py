"""What a release was read for stands as a stratum, and proves no more than it did."""

from __future__ import annotations

import dataclasses
import itertools
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import hypergeom

from core.canonical import sha256_hex
from core.model.errors import ReviewError
from core.review import bounds, strata
from core.review.attempts import Past, has_failed
from core.review.plans import freeze_plan, load_plans, parse_plan
from core.review.plans import plan_bytes as bytes_of
from core.review.rubrics import load_rubrics
from core.review.sample import draw_sample, fix_seed
from core.review.strata import ReadPart, SampleFrame, divide
from tests.builders import PREFIX
from tests.core.review.test_attempts import reading
from tests.reviewing import a_claim

CLAIM = a_claim(limit=0.05, confidence=0.95, first=63, second=113, overlap=20)
RUBRIC = load_rubrics()["clinician_qa"]
RELEASED = "v2026-11-01"


def alone(names):
    """Records that are clusters of their own."""
    return [(name, name, "priority") for name in names]


def draw(records, *, seed="first", before=(), past=None, claim=CLAIM):
    return draw_sample(
        records,
        claim=claim,
        rubric=RUBRIC,
        candidate=sha256_hex(repr(sorted(records)).encode()),
        seed=fix_seed(sha256_hex(b"any"), seed),
        before=before,
        **({} if past is None else {"past": past}),
    )


def as_read(*drawn, since=RELEASED, read=None):
    """The strata of these samples as a later one finds them, the newest plan being the last."""
    frames = {strata.frame_digest(one.frame): one.frame for one in drawn if one.frame}
    plan = drawn[-1].plan
    who = frozenset(
        name
        for part in plan.strata
        for name in (part.records[: part.first] if read is None else read)
    )
    return tuple(
        ReadPart(part=part, frame=frames[part.drawn_from], since=part.since or since, read=who)
        for part in plan.strata
    )


NAMES = [f"{number:04}" for number in range(1000)]
NEW = [f"new {number:02}" for number in range(37)]


def test_what_ships_unchanged_is_not_drawn_again():
    first = draw(alone(NAMES))
    second = draw(alone(NAMES + NEW), seed="second", before=as_read(first))
    old, new = second.plan.parts
    assert (old.since, old.frame, old.ships) == (RELEASED, 1000, 1000)
    assert old.records == first.plan.records
    assert (old.first, old.second) == (first.plan.first, first.plan.second)
    assert (new.since, new.frame, new.ships) == ("", 37, 37)
    assert set(new.records) <= set(NEW)
    assert (second.plan.frame, second.plan.first) == (1037, old.first + new.first)
    assert second.plan.records == (*old.records, *new.records)
    # Each stratum has to show the limit by itself: of 37 records that takes 29, and not 63.
    assert (new.first, new.second) == (29, 0) or new.second > new.first > 0
    assert new.first < 37 < first.plan.first
    assert second.frame is not None
    assert set(second.frame.ranked) == set(NEW)


def test_with_nothing_new_nothing_is_drawn():
    first = draw(alone(NAMES))
    second = draw(alone(NAMES), seed="second", before=as_read(first))
    assert second.frame is None
    assert [part.since for part in second.plan.parts] == [RELEASED]
    assert second.plan.records == first.plan.records


def test_a_third_release_goes_on_from_both():
    first = draw(alone(NAMES))
    second = draw(alone(NAMES + NEW), seed="second", before=as_read(first))
    newest = [f"newest {number}" for number in range(9)]
    third = draw(
        alone(NAMES[5:] + NEW + newest),
        seed="third",
        before=as_read(first, second, since="v2026-11-09"),
    )
    assert [part.since for part in third.plan.parts] == [RELEASED, "v2026-11-09", ""]
    assert [part.ships for part in third.plan.parts][1:] == [37, 9]
    assert third.plan.frame == third.plan.parts[0].ships + 46


@given(
    frame=st.integers(20, 1200), share=st.floats(0.6, 1), limit=st.sampled_from([0.05, 0.1, 0.01])
)
@settings(max_examples=40, deadline=None)
def test_what_is_left_is_never_proven_by_less_than_its_limit_takes(frame, share, limit):
    names = NAMES[:frame] + [f"x{number}" for number in range(max(0, frame - 1000))]
    claim = dataclasses.replace(CLAIM, limit=limit, first=320, second=580)
    first = draw(alone(names), claim=claim)
    left = math.ceil(share * frame)
    # What has been read stays: the rest is chosen by whoever builds.
    kept = [*first.plan.records, *(n for n in names if n not in set(first.plan.records))][:left]
    division = divide(alone(kept), as_read(first, read=first.plan.records), claim, 0.95)
    assert division.rest == ()
    for part in division.parts:
        bad = bounds.least_bad(limit, part.ships)
        risk = bounds.finite_pass_probability(part.first, part.second, part.frame, bad)
        assert risk <= 0.05 + bounds.RISK_TOLERANCE
        assert part.first >= first.plan.first
        if part.first <= part.frame:
            upper = bounds.quoted_part_upper(0, part.first, part.frame, part.ships, 0.95, limit)
            assert upper <= limit + 1e-12


def fished(number):
    """Whether a scope passes its release, and what is left of it for a builder who fishes.

    With 2 % bad it often passes its release. The builder then leaves out good records that
    nobody read, until just more than 5 % of what is left is bad.
    """
    names = [f"{number}-{name}" for name in NAMES]
    bad = set(random.Random(number).sample(names, 20))
    first = draw(alone(names), seed=str(number))
    if has_failed(reading(first.plan, bad)):
        return False, False
    good = [name for name in names if name not in bad | set(first.plan.records)]
    kept = [name for name in names if name not in set(good[:610])]
    # Enough was read that the part can go on, however much of it has to be read now.
    [part] = divide(alone(kept), as_read(first, read=names), CLAIM, 0.95).parts
    assert part.first > 2 * first.plan.first
    plan = dataclasses.replace(first.plan, parts=(part,), records=part.records)
    return True, not has_failed(reading(plan, bad))


def test_leaving_out_what_is_good_and_unread_does_not_make_the_rest_pass():
    released, passed = zip(*(fished(number) for number in range(120)), strict=True)
    # Were the sample of the release taken for one of what is left, all of these would pass.
    assert sum(released) > 30
    assert sum(passed) <= 120 * 0.05 + 3 * (120 * 0.05 * 0.95) ** 0.5
    assert sum(passed) < sum(released) / 2


def test_a_bad_addition_fails_whatever_is_known_of_the_rest():
    fails = 0
    for number in range(40):
        first = draw(alone(NAMES), seed=str(number))
        bad = set(random.Random(number).sample(NEW, 4))
        second = draw(alone(NAMES + NEW), seed=f"{number}!", before=as_read(first))
        assert second.plan.parts
        fails += has_failed(reading(second.plan, bad))
    # A tenth of what is new: all in all 4 of 1,037, which a sample of the whole would not see.
    assert fails >= 38


def test_a_cluster_that_has_grown_is_new_and_one_that_shrank_is_not():
    copies = [(f"{n}-{c}", f"c{n}", "priority") for n, c in itertools.product(range(300), range(2))]
    first = draw(copies)
    spoke = set(first.frame.ranked)
    grown = ("another copy", "c7", "priority")
    shrunk = next(item for item in copies if item[1] == "c8" and item[0] not in spoke)
    silenced = next(item for item in copies if item[1] == "c9" and item[0] in spoke)
    records = [item for item in (*copies, grown) if item not in (shrunk, silenced)]
    division = divide(records, as_read(first), CLAIM, 0.95)
    assert {cluster for _, cluster, _ in division.rest} == {"c7", "c9"}
    assert division.parts[0].ships == 298


def test_a_part_goes_on_only_while_what_must_be_read_of_it_can_be():
    first = draw(alone(NAMES))
    plan = first.plan
    unread = plan.records[plan.first + 2]
    read = plan.records[3]
    # One that was read and has left is still known; of the reserve, there is then none.
    without = alone([name for name in NAMES if name not in (read, unread)])
    [part] = divide(without, as_read(first), CLAIM, 0.95).parts
    assert (part.second, len(part.records), part.ships) == (0, part.first, 998)
    assert read in part.records
    kept = draw(without, seed="second", before=as_read(first))
    assert read in kept.plan.gone
    assert read not in kept.plan.shipped
    # One that nobody has read and that its first stage needs cannot be made up for.
    lost = alone([name for name in NAMES if name != plan.records[5]])
    division = divide(lost, as_read(first, read=plan.records[:5]), CLAIM, 0.95)
    assert (division.parts, len(division.rest)) == ((), 999)


def test_a_whole_new_sample_is_drawn_where_it_is_less_to_read():
    first = draw(alone(NAMES[:500]))
    fresh = [f"fresh {number}" for number in range(20_000)]
    # Hardly anything of the release is left: to prove 5 % of 40 takes much of its 500.
    second = draw(alone(NAMES[:40] + fresh), seed="second", before=as_read(first))
    assert second.plan.parts == ()
    assert second.plan.first == 63


def test_after_a_failed_sample_nothing_goes_on():
    first = draw(alone(NAMES))
    past = Past(failed=((2, 63),), read=frozenset(first.plan.records[:63]))
    second = draw(alone(NAMES + NEW), seed="second", before=as_read(first), past=past)
    assert second.plan.parts == ()
    assert second.plan.attempt == 2


def test_a_fail_that_left_within_the_version_counts_where_it_was_drawn():
    first = draw(alone(NAMES))
    second = draw(alone(NAMES + NEW), seed="second", before=as_read(first))
    old, new = second.plan.parts
    gone = (old.records[0], new.records[0])
    kept = [name for name in NAMES + NEW if name not in gone]
    third = draw(alone(kept), seed="second", before=as_read(first), past=Past(gone=gone))
    assert set(third.plan.gone) == set(gone)
    assert [part.records for part in third.plan.parts] == [old.records, new.records]
    assert [part.frame for part in third.plan.parts] == [1000, 37]
    found = reading(third.plan, set(gone))
    assert [part.defects for part in found.parts] == [1, 1]


def test_a_problem_that_hides_in_one_part_is_missed_as_often_as_is_said():
    parts = ((59, 1000, 1000), (20, 40, 37))
    said = bounds.worst_miss_probability(0.01, parts)
    bad = math.ceil(0.01 * 1037)
    every = [
        hypergeom.pmf(0, 1000, bad - here, 59) * hypergeom.pmf(0, 40, here, 20)
        for here in range(bad + 1)
    ]
    assert said == pytest.approx(max(every))
    assert bounds.worst_miss_probability(0.01, ((59, 1000, 1000),)) == pytest.approx(
        bounds.miss_probability(0.01, 59, 1000)
    )


def test_a_plan_of_parts_survives_its_bytes_and_its_frame_is_stored_before_it(simulator):
    first = draw(alone(NAMES))
    second = draw(alone(NAMES + NEW), seed="second", before=as_read(first))
    for one in (first, second):
        assert parse_plan(bytes_of(one.plan)) == one.plan
        assert b"sample-plan/3" in bytes_of(one.plan)
        freeze_plan(simulator, PREFIX, one.plan, one.frame)
        plan = load_plans(simulator, PREFIX, one.plan.candidate)[CLAIM.id]
        part = plan.strata[-1]
        held = strata.load_frame(simulator, PREFIX, part.candidate, part.drawn_from)
        assert held == one.frame
        assert held.ranked[: len(part.records)] == part.records


def test_a_frame_that_is_not_what_its_name_says_is_refused(simulator):
    frame = SampleFrame(
        candidate=sha256_hex(b"x"), claim="c", seed="s", ranked=("a", "b"), others=("d",)
    )
    key = strata.freeze_frame(simulator, PREFIX, frame)
    digest = strata.frame_digest(frame)
    body = strata.frame_bytes(frame)
    for other in (body.replace(b'"d"', b'"e"'), b"", b"[]", body.replace(b"frame/1", b"frame/2")):
        simulator.put(key, other)
        with pytest.raises(ReviewError) as refused:
            strata.load_frame(simulator, PREFIX, frame.candidate, digest)
        assert refused.value.code == "review.frame_broken"
