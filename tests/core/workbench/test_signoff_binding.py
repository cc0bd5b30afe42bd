"""Whatever a review's statement rests on is bound by its signature: any later act outdates it."""

from __future__ import annotations

import dataclasses

import pytest

from core.review.frame import read_frame
from core.review.signing import changed_since
from tests.clock import FixedClock
from tests.desk import VERSION, a_desk, clean_answers, person_of, read_everything

CLAIM = "clinician_foundation"


@pytest.fixture
def bench(simulator, tmp_path):
    return a_desk(simulator, tmp_path, clock=FixedClock())


def digest_of(bench):
    return bench.candidates.current(VERSION).digest


def answer(bench, record, by, **changes):
    person, digest = person_of(bench, by), digest_of(bench)
    answers = clean_answers(bench, digest, CLAIM, record, person)
    bench.reviews.submit(digest, CLAIM, record, person, {**answers, **changes})


def sampled(bench):
    return bench.reviews.plans(digest_of(bench))[CLAIM].records


def an_extra(bench):
    families = bench.desk.policy.claim(CLAIM).families
    rows = read_frame(bench.desk.store, bench.candidates.get(digest_of(bench)))
    other = next(
        r.record_id for r in rows if r.family in families and r.record_id not in sampled(bench)
    )
    lead = person_of(bench, "lead")
    assert bench.reviews.choose_extra(digest_of(bench), CLAIM, [other], "long ones", lead) == 1


def a_known_bad_answer(bench):
    planted = bench.reviews.known_bad(digest_of(bench))[CLAIM].ids[0]
    answer(bench, planted, "clinician-2")


def votes_shown(bench):
    bench.reviews.reveal(digest_of(bench), CLAIM, sampled(bench)[0], person_of(bench, "lead"))


def a_vote_again(bench):
    by = person_of(bench, "clinician-1")
    bench.reviews.revote(
        digest_of(bench), CLAIM, sampled(bench)[1], by, {"C4": "3"}, "slip", "I misread it."
    )


def an_edit(bench):
    by = person_of(bench, "clinician-1")
    record = sampled(bench)[0]
    bench.reviews.propose_edit(digest_of(bench), CLAIM, record, 1, "How are you?", "Kinder.", by)


def sign(bench):
    person = person_of(bench, "clinician-1")
    return bench.signing.sign(digest_of(bench), CLAIM, "approve", person.name, person)


def codes(bench):
    found = bench.releases.blockers(digest_of(bench), person_of(bench, "owner"))
    return {point.code for point in found}


@pytest.mark.parametrize(
    ("kind", "act"),
    [
        ("extra", an_extra),
        ("known_bad", a_known_bad_answer),
        ("reveal", votes_shown),
        ("revote", a_vote_again),
        ("edit", an_edit),
    ],
)
def test_a_later_act_of_each_kind_outdates_what_was_signed(bench, kind, act):
    read_everything(bench, CLAIM, "clinician-1")
    for record in sampled(bench)[:2]:
        answer(bench, record, "clinician-2")
    bench.reviews.reveal(digest_of(bench), CLAIM, sampled(bench)[1], person_of(bench, "lead"))
    signoff = sign(bench)
    assert bench.signing.changed_since(digest_of(bench), signoff) == ()
    assert "signoff.outdated" not in codes(bench)
    before = signoff.statement["acts"]["counts"][kind]

    act(bench)
    assert bench.signing.changed_since(digest_of(bench), signoff) == ("acts",)
    assert "signoff.outdated" in codes(bench)
    again = sign(bench)
    assert again.statement["acts"]["counts"][kind] == before + 1
    assert "signoff.outdated" not in codes(bench)


def test_a_sign_off_of_the_first_desks_is_held_to_what_it_bound(bench):
    read_everything(bench, CLAIM, "clinician-1")
    signoff = sign(bench)
    basis = bench.signing._basis(bench.signing._rule(CLAIM), digest_of(bench))
    statement = {k: v for k, v in signoff.statement.items() if k not in ("basis", "acts")}
    first = dataclasses.replace(signoff, statement=statement)
    assert changed_since(first, basis) == ()
    assert changed_since(first, dataclasses.replace(basis, ratings=())) == ("ratings",)
    newer = dataclasses.replace(signoff, statement={**statement, "basis": "release-desk/9"})
    assert changed_since(newer, basis) == ("basis",)


def test_a_listing_of_the_sample_gives_no_known_bad_record_away_while_it_is_read(bench):
    digest, reader = digest_of(bench), person_of(bench, "clinician-1")
    plan, known_bad = bench.reviews.plan(digest, CLAIM), bench.reviews.known_bad(digest)[CLAIM]
    listed = bench.reviews.listed(digest, CLAIM)
    read = {item.record_id for item in bench.reviews.queue(digest, CLAIM, reader).items}
    assert read <= set(listed)
    assert set(known_bad.ids) <= set(listed)
    assert list(listed) == sorted(listed)
    assert not bench.reviews.read_to_the_end(digest, CLAIM)
    read_everything(bench, CLAIM, "clinician-1")
    assert bench.reviews.read_to_the_end(digest, CLAIM)
    assert bench.reviews.listed(digest, CLAIM) == plan.records
