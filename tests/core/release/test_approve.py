"""Nothing goes out while anything required is unproven; taking evidence away never helps."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.model.names import ReviewerId
from core.release.approve import missing_before_publish, open_points
from core.release.facts import SignoffFault
from core.release.proven_gates import finding_totals
from tests.builders import some_families
from tests.proof import OTHER, POLICY, a_waiver, codes, rule, with_signoff
from tests.release_builders import (
    BUILDER,
    a_blocking_finding,
    a_report,
    a_review_state,
    a_signoff,
)


def test_with_everything_proven_nothing_is_missing(facts):
    assert codes(facts) == set()


def test_every_blocker_has_a_sentence_and_a_page_that_exists(facts):
    pages = {
        "run_sheet", "coverage", "distribution", "clinician_review", "bias_review",
        "gates", "publish", "releases", "audit",
    }  # fmt: skip
    bare = dataclasses.replace(
        facts, reports={}, reviews={}, signoffs=(), probe_ok=False, journal_ok=False,
        version_taken=True, current_policy=OTHER, open_flags=("f1",), unconfirmed_aliases=("a",),
    )  # fmt: skip
    for blocker in missing_before_publish(bare, POLICY):
        assert blocker.page in pages
        assert blocker.detail.endswith(".")


def test_a_missing_report_blocks(facts):
    assert codes(facts, reports={**facts.reports, "privacy": None}) == {"gate.absent"}
    assert codes(facts, reports={}) == {"gate.absent"}


def test_a_pass_for_another_candidate_does_not_count(store, facts, candidate):
    other = a_report(store, candidate, "privacy", candidate=OTHER)
    assert codes(facts, reports={**facts.reports, "privacy": other}) == {"gate.absent"}


def test_a_report_of_another_gate_does_not_count(facts):
    reports = {**facts.reports, "privacy": facts.reports["leakage"]}
    assert codes(facts, reports=reports) == {"gate.absent"}


def test_an_error_is_not_a_pass(store, facts, candidate):
    report = a_report(store, candidate, "leakage", verdict="error", reason="leakage.broke")
    assert codes(facts, reports={**facts.reports, "leakage": report}) == {"gate.error"}


@pytest.mark.parametrize(("examined", "expected"), [(0, 0), (3, 3), (4, 5), (5, 4)])
def test_a_pass_that_did_not_examine_every_record_does_not_count(
    store, facts, candidate, examined, expected
):
    report = a_report(store, candidate, "privacy", examined=examined, expected=expected)
    assert codes(facts, reports={**facts.reports, "privacy": report}) == {"gate.incomplete"}


def test_a_pass_with_a_blocking_finding_is_a_fail(store, facts, candidate):
    report = a_report(store, candidate, "privacy", findings=(a_blocking_finding("privacy.span"),))
    assert codes(facts, reports={**facts.reports, "privacy": report}) == {"gate.failed"}


def test_findings_that_were_only_counted_block_like_stored_ones(store, facts, candidate):
    counted = {"findings": {"privacy.span": {"blocking": 3, "noted": 1, "stored": 0}}}
    stored = a_report(store, candidate, "privacy", measures=counted)
    assert finding_totals(stored.report) == {"privacy.span": 4}
    assert codes(facts, reports={**facts.reports, "privacy": stored}) == {"gate.failed"}


def test_a_policy_that_requires_nothing_proves_nothing(facts):
    empty = dataclasses.replace(POLICY, required_gates=(), signoffs=())
    found = codes(facts, empty, required_gates=())
    assert {"gate.nothing_required", "signoff.nothing_required"} <= found


def test_a_gate_only_the_facts_require_is_required(facts):
    assert codes(facts, required_gates=(*facts.required_gates, "extra")) == {"gate.absent"}


def failed(store, facts, candidate, gate="distribution", code="distribution.range"):
    report = a_report(store, candidate, gate, verdict="fail", findings=(a_blocking_finding(code),))
    return {**facts.reports, gate: report}


def waived(candidate, /, reports=None, **changes):
    gate = changes.get("gate", "distribution")
    return a_waiver(candidate, reports[gate].sha256 if reports else OTHER, **changes)


def test_a_fail_waived_by_two_roles_no_longer_blocks(store, facts, candidate):
    reports = failed(store, facts, candidate)
    assert codes(facts, reports=reports) == {"gate.failed"}
    assert codes(facts, reports=reports, waivers=(waived(candidate, reports),)) == set()


@pytest.mark.parametrize(
    "changes",
    [
        {"candidate": OTHER},
        {"report": OTHER},
        {"revoked": True},
        {"signers": ((ReviewerId("leander"), "review_lead"), (BUILDER, "release_owner"))},
        {"expires_at": "2026-11-21T09:00:00Z"},
        {"code": "distribution.drift"},
        {"gate": "leakage"},
        {"signers": ((ReviewerId("olympia"), "release_owner"),)},
        {"signers": ((ReviewerId("leander"), "review_lead"), (ReviewerId("x1"), "release_owner"))},
        {"signers": ((ReviewerId("clara"), "clinician"), (ReviewerId("cornelius"), "clinician"))},
    ],
)
def test_a_waiver_out_of_scope_or_short_of_two_roles_does_nothing(store, facts, candidate, changes):
    reports = failed(store, facts, candidate)
    found = codes(facts, reports=reports, waivers=(waived(candidate, reports, **changes),))
    assert found == {"gate.failed"}


@pytest.mark.parametrize("gate", ["privacy", "provenance", "leakage"])
def test_what_the_policy_calls_unwaivable_cannot_be_waived(store, facts, candidate, gate):
    reports = failed(store, facts, candidate, gate, f"{gate}.anything")
    waiver = waived(candidate, reports, gate=gate, code=f"{gate}.anything")
    assert codes(facts, reports=reports, waivers=(waiver,)) == {"gate.failed"}


@pytest.mark.parametrize(
    "code", ["privacy.us_ssn", "provenance.licence_unknown", "leakage.holdout_near"]
)
def test_a_policy_that_forgets_its_floor_waives_nothing_more(store, facts, candidate, code):
    gate = code.partition(".")[0]
    reports = failed(store, facts, candidate, gate, code)
    waiver = waived(candidate, reports, gate=gate, code=code)
    lenient = dataclasses.replace(POLICY, unwaivable=())
    assert codes(facts, lenient, reports=reports, waivers=(waiver,)) == {"gate.failed"}


@pytest.mark.parametrize("code", ["bad_signature", "unknown_key", "not_journalled", "missing"])
def test_d40_a_forged_signoff_beside_a_genuine_one_blocks_by_itself(facts, code):
    fault = SignoffFault(requirement="clinical-edge", code=code, key="exports/signoffs/x.json")
    assert codes(facts, signoff_faults=(fault,)) == {f"signoff.{code}"}
    stranger = dataclasses.replace(fault, requirement="made-up")
    (blocker,) = missing_before_publish(
        dataclasses.replace(facts, signoff_faults=(stranger,)), POLICY
    )
    assert (blocker.code, blocker.page) == (f"signoff.{code}", "audit")


def test_an_outdated_signoff_beside_a_fresh_one_is_no_forgery(facts):
    fault = SignoffFault(requirement="clinical-edge", code="outdated", key="exports/signoffs/x")
    assert codes(facts, signoff_faults=(fault,)) == set()


def test_what_was_put_among_the_waivers_by_hand_blocks(facts):
    assert codes(facts, waiver_faults=("exports/waivers/x.json",)) == {"waiver.forged"}


def test_a_waiver_is_an_act_in_a_role_and_one_person_has_one_role(store, facts, candidate):
    reports = failed(store, facts, candidate)
    people = {**facts.people, ReviewerId("clara"): ("clinician", "release_owner")}
    signers = ((ReviewerId("clara"), "release_owner"), (ReviewerId("leander"), "review_lead"))
    waivers = (waived(candidate, reports, signers=signers),)
    found = codes(facts, reports=reports, people=people, waivers=waivers)
    assert found == {"four_eyes.same_person"}


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("not_frozen", "review.not_frozen"),
        ("reading", "review.incomplete"),
        ("paused", "review.paused"),
        ("failed", "review.failed"),
        ("stale", "review.stale"),
        ("who knows", "review.incomplete"),
    ],
)
def test_a_review_that_is_not_ready_blocks(facts, state, code):
    claim = "clinical-edge"
    reviews = {**facts.reviews, claim: a_review_state(claim, state=state)}
    assert codes(facts, reviews=reviews) == {code}


def test_a_review_nobody_knows_of_is_not_frozen(facts):
    assert codes(facts, reviews={}) == {"review.not_frozen"}


def test_an_open_flag_blocks_even_a_ready_review(facts):
    reviews = {**facts.reviews, "clinical-edge": a_review_state("clinical-edge", open_flags=1)}
    assert codes(facts, reviews=reviews) == {"review.paused"}
    assert codes(facts, open_flags=("flag-1",)) == {"review.flag_open"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"decision": "refuse"}, "signoff.refused"),
        ({"decision": "refuse", "revoked": True}, "signoff.refused"),
        ({"revoked": True}, "signoff.revoked"),
        ({"candidate": OTHER}, "signoff.stale"),
        ({"role": "auditor"}, "signoff.role_not_held"),
        ({"reviewer": ReviewerId("dr.invented")}, "signoff.role_not_held"),
        ({"requirement": "something-else"}, "signoff.absent"),
    ],
)
def test_a_signoff_that_does_not_approve_this_candidate_blocks(facts, changes, code):
    found = codes(facts, signoffs=with_signoff(facts, "bias-foundation", **changes))
    assert found == {code}


def test_a_person_taken_off_the_list_no_longer_signs(facts):
    people = {who: roles for who, roles in facts.people.items() if who != "beatrix"}
    assert codes(facts, people=people) == {"signoff.role_not_held"}


def test_a_refusal_is_not_cured_by_an_approval_beside_it(store, facts, candidate):
    no = a_signoff(
        store, candidate, rule("clinical-edge"), reviewer=ReviewerId("cornelius"), decision="refuse"
    )
    assert codes(facts, signoffs=(*facts.signoffs, no)) == {"signoff.refused"}


@pytest.mark.parametrize("code", ["bad_signature", "unknown_key", "role_not_held", "unreadable"])
def test_a_signoff_that_proves_nothing_is_named(facts, code):
    signoffs = tuple(item for item in facts.signoffs if item.requirement != "clinical-edge")
    fault = SignoffFault(requirement="clinical-edge", code=code, key="exports/signoffs/x.json")
    assert codes(facts, signoffs=signoffs, signoff_faults=(fault,)) == {f"signoff.{code}"}


def test_nobody_signs_in_two_roles(facts):
    people = {**facts.people, ReviewerId("clara"): ("clinician", "bias_reviewer")}
    signoffs = with_signoff(facts, "bias-foundation", reviewer=ReviewerId("clara"))
    assert codes(facts, people=people, signoffs=signoffs) == {"four_eyes.same_person"}


def test_who_built_does_not_sign(facts):
    assert codes(facts, builder=ReviewerId("olympia")) == {"four_eyes.builder_signed"}
    assert codes(facts, builder=None) == {"four_eyes.builder_unknown"}


def test_who_signed_a_review_does_not_publish(facts):
    assert codes(facts, publisher=ReviewerId("clara")) == {"four_eyes.publisher_signed"}
    assert codes(facts, publisher=ReviewerId("olympia")) == set()
    assert codes(facts, publisher=BUILDER) == set()


def test_one_person_alone_releases_nothing(facts):
    alone = dataclasses.replace(POLICY, signoffs=(rule("release-decision"),))
    signoffs = tuple(item for item in facts.signoffs if item.requirement == "release-decision")
    found = codes(facts, alone, signoffs=signoffs)
    assert found == {"four_eyes.too_few"}


def test_a_candidate_without_records_is_nothing(store, facts):
    empty = dataclasses.replace(facts.candidate, shards=(), records=0, families={})
    assert "candidate.empty" in codes(facts, candidate=empty)


def test_a_required_family_without_records_blocks_unless_waived_by_name(facts):
    policy = dataclasses.replace(POLICY, families=some_families(required=True))
    missing = {"professional_therapeutic", "cot_reasoning", "voice"}
    assert codes(facts, policy) == {"candidate.family_empty"}
    assert codes(facts, policy, waived_families=dict.fromkeys(missing, "Not delivered.")) == set()
    assert codes(facts, policy, waived_families=dict.fromkeys(missing, "")) != set()


def test_a_source_without_a_licence_decision_blocks(facts):
    sources = tuple(
        dataclasses.replace(source, licence_tag="undecided") for source in facts.candidate.sources
    )
    candidate = dataclasses.replace(facts.candidate, sources=sources)
    assert codes(facts, candidate=candidate) == {"source.undecided"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"version_taken": True}, "version.taken"),
        ({"probe_ok": False}, "probe.failed"),
        ({"journal_ok": False}, "journal.broken"),
        ({"current_policy": OTHER}, "policy.changed"),
        ({"unconfirmed_aliases": ("voice",)}, "coverage.unconfirmed"),
    ],
)
def test_the_house_must_be_in_order(facts, changes, code):
    assert codes(facts, **changes) == {code}


def test_a_demo_policy_publishes_only_on_the_demo_bucket(facts):
    demo = dataclasses.replace(POLICY, demo=True)
    assert codes(facts, demo) == {"demo.bucket"}
    assert codes(facts, demo, embedded=True) == set()


# Evidence that may be taken away, one piece at a time. Each takes facts and a number.
def _without(items, number):
    return tuple(item for place, item in enumerate(items) if place != number % max(len(items), 1))


def _less(mapping, number):
    names = sorted(mapping)
    gone = names[number % len(names)] if names else None
    return {name: value for name, value in mapping.items() if name != gone}


REMOVALS = {
    "report": lambda f, n: dataclasses.replace(f, reports=_less(f.reports, n)),
    "review": lambda f, n: dataclasses.replace(f, reviews=_less(f.reviews, n)),
    "signoff": lambda f, n: dataclasses.replace(f, signoffs=_without(f.signoffs, n)),
    "waiver": lambda f, n: dataclasses.replace(f, waivers=_without(f.waivers, n)),
    "person": lambda f, n: dataclasses.replace(f, people=_less(f.people, n)),
    "family": lambda f, n: dataclasses.replace(f, waived_families=_less(f.waived_families, n)),
    "probe": lambda f, n: dataclasses.replace(f, probe_ok=False),
    "journal": lambda f, n: dataclasses.replace(f, journal_ok=False),
    "builder": lambda f, n: dataclasses.replace(f, builder=None),
    "shard": lambda f, n: dataclasses.replace(
        f, candidate=dataclasses.replace(f.candidate, shards=_without(f.candidate.shards, n))
    ),
}
STRIPES = st.lists(st.tuples(st.sampled_from(sorted(REMOVALS)), st.integers(0, 9)), max_size=8)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    before=STRIPES,
    taken=st.tuples(st.sampled_from(sorted(REMOVALS)), st.integers(0, 9)),
    builder=st.sampled_from(["bruno", "clara", "olympia", None]),
    publisher=st.sampled_from([None, "clara", "paula"]),
    refused=st.booleans(),
    broken=st.booleans(),
)
def test_removing_evidence_never_frees_a_subject(
    store, facts, candidate, before, taken, builder, publisher, refused, broken
):
    policy = dataclasses.replace(
        POLICY, families=some_families(required=True), unwaivable=("provenance", "privacy")
    )
    start = dataclasses.replace(
        facts,
        builder=builder,
        publisher=publisher,
        reports=failed(store, facts, candidate) if broken else facts.reports,
        waivers=(waived(candidate, failed(store, facts, candidate)),),
        waived_families=dict.fromkeys(("professional_therapeutic", "cot_reasoning"), "Later."),
        signoffs=with_signoff(facts, "clinical-edge", decision="refuse" if refused else "approve"),
    )
    for name, number in before:
        start = REMOVALS[name](start, number)
    less = REMOVALS[taken[0]](start, taken[1])

    blocked = {point.subject for point in open_points(start, policy)}
    after = {point.subject for point in open_points(less, policy)}
    assert blocked <= after
