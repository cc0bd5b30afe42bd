from __future__ import annotations

import dataclasses

from hypothesis import given, settings
from hypothesis import strategies as st

from core.canonical import sha256_hex
from core.model.names import ReviewerId
from core.model.review import Flag, Rating, SamplePlan
from core.review.ratings import StoredRating
from core.review.reading import read_plan
from core.review.statement import review_state
from tests.reviewing import AT, REVIEWERS, SETTLERS, Review, a_claim

CANDIDATE, RUBRIC = sha256_hex(b"candidate"), sha256_hex(b"rubric")
RECORDS = tuple(f"r{number}" for number in range(7))
VERDICTS = ("accept", "accept", "accept", "accept", "reject", "accept_with_edit", "second_opinion")
PLAN = SamplePlan(
    id="p",
    candidate=CANDIDATE,
    claim="clinician_foundation",
    scope="foundation",
    role="clinician",
    rubric=RUBRIC,
    seed="s",
    frame=500,
    limit=0.5,
    confidence=0.9,
    first=4,
    second=7,
    overlap=2,
    records=RECORDS,
)


def a_stored(record_id, reviewer, verdict, *, flagged):
    flags = (Flag(id="F1", turn=0, note="why"),) if flagged else ()
    rating = Rating(
        candidate=CANDIDATE,
        claim="clinician_foundation",
        record_id=record_id,
        rubric=RUBRIC,
        reviewer=ReviewerId(reviewer),
        scores={"C1": "4"},
        verdict=verdict,
        flags=flags,
        note="",
        shown_sha256=CANDIDATE,
        at=AT,
    )
    key = f"{record_id}/{reviewer}"
    return StoredRating(
        rating=rating, key=key, sha256=sha256_hex(key.encode()), standing=flags, earlier=()
    )


@st.composite
def some_ratings(draw):
    found = []
    for record_id in RECORDS:
        readers = draw(st.sampled_from([(), ("clara",), ("clara", "celia"), ("clara", "celia")]))
        for reader in readers:
            verdict = draw(st.sampled_from(VERDICTS))
            flagged = verdict == "reject" and draw(st.integers(0, 9)) == 0
            found.append(a_stored(record_id, reader, verdict, flagged=flagged))
    return found


def state_of(ratings):
    people = {"reviewers": REVIEWERS, "settlers": SETTLERS}
    return review_state(PLAN, ratings, (), a_claim(), **people)


def verdicts_by_record(ratings):
    return {
        record_id: [
            entry.rating.verdict for entry in ratings if entry.rating.record_id == record_id
        ]
        for record_id in RECORDS
    }


def is_defect(verdicts):
    against = any(verdict in ("reject", "accept_with_edit") for verdict in verdicts)
    return against or (bool(verdicts) and all(verdict == "second_opinion" for verdict in verdicts))


@given(some_ratings())
@settings(max_examples=150, deadline=None)
def test_the_plan_is_followed_to_the_letter(ratings):
    state = state_of(ratings)
    answers = verdicts_by_record(ratings)
    in_first = sum(is_defect(answers[name]) for name in RECORDS[:4])
    planned = RECORDS if in_first == 1 else RECORDS[:4]
    assert state.planned == len(planned)
    assert state.defects == sum(is_defect(answers[name]) for name in planned)
    assert state.read == sum(bool(answers[name]) for name in planned)
    assert state.sentence.startswith(f"{state.read} of {state.planned} read, ")
    if state.state == "ready":
        assert all(answers[name] for name in planned)
        assert all(len(answers[name]) >= 2 for name in planned[:2])
        assert state.defects == in_first <= 1
        assert state.open_points == ()
        assert state.open_flags == 0
    if state.open_flags:
        assert state.state == "paused"


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_a_clean_ready_review_stays_ready_only_with_its_evidence(data):
    clean = [
        a_stored(record_id, reader, "accept", flagged=False)
        for number, record_id in enumerate(RECORDS[:4])
        for reader in (("clara", "celia") if number < 2 else ("clara",))
    ]
    assert state_of(clean).state == "ready"
    lost = data.draw(st.integers(0, len(clean) - 1))
    assert state_of(clean[:lost] + clean[lost + 1 :]).state == "reading"
    struck = data.draw(st.integers(0, len(clean) - 1))
    bad = clean[struck].rating
    worse = a_stored(bad.record_id, bad.reviewer, "reject", flagged=True)
    assert state_of([*clean[:struck], worse, *clean[struck + 1 :]]).state == "paused"


def test_the_order_in_which_ratings_are_loaded_does_not_matter():
    ratings = [a_stored(name, "clara", "accept", flagged=False) for name in RECORDS]
    assert state_of(ratings) == state_of(ratings[::-1])


def test_a_record_that_left_counts_as_failed_unless_its_readings_say_it_did_not(simulator):
    review = Review(simulator)
    review.rate(0, scores={**review.a_rating().scores, "C2": "1"})
    review.rate(1, verdict="reject")
    gone = review.plan.records[:3]
    plan = dataclasses.replace(review.plan, gone=gone)
    found = read_plan(plan, review.loaded(), review.loaded(), {})
    low, failed, unread = found.planned[:3]
    assert (low.read, low.defect) == (True, False)
    assert (failed.read, failed.defect, failed.leaves) == (True, True, False)
    # What nothing is known of any more left for a reason: it is a fail.
    assert (unread.read, unread.defect) == (True, True)
    assert found.read == 3
