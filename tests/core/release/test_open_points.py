"""Every reason against publishing, whole: its subject, its code, its sentence and its page."""

from __future__ import annotations

import dataclasses

import pytest

from core.model.names import Digest, ReviewerId
from core.model.pii import PiiState
from core.model.waiver import Waiver
from core.policy.types import PiiCheckRule, Policy
from core.release.approvals import counting_signoffs
from core.release.approve import missing_before_publish, open_points
from core.release.facts import Facts, SignoffFault
from core.release.proven_gates import counting_waivers, finding_totals, is_proven
from tests.builders import a_candidate, a_policy, some_families
from tests.release_builders import (
    BUILDER,
    a_blocking_finding,
    a_report,
    a_review_state,
    some_facts,
)
from tests.simulator import Simulator

POLICY = a_policy()
OTHER = Digest("1" * 64)
CLARA, OLYMPIA = ReviewerId("clara"), ReviewerId("olympia")


@pytest.fixture(scope="module")
def store():
    return Simulator()


@pytest.fixture(scope="module")
def candidate(store):
    return a_candidate(store, {("priority", "train"): 3, ("edge_cases", "test"): 2}, POLICY)


@pytest.fixture(scope="module")
def facts(store, candidate):
    return some_facts(store, candidate, POLICY)


def told(facts: Facts, policy: Policy = POLICY, **changes):
    """Every point as (subject, code, sentence, page)."""
    found = open_points(dataclasses.replace(facts, **changes), policy)
    return [(p.subject, p.blocker.code, p.blocker.detail, p.blocker.page) for p in found]


def signed(facts, name, **changes):
    return tuple(
        dataclasses.replace(signoff, **changes) if signoff.requirement == name else signoff
        for signoff in facts.signoffs
    )


def without(facts, name):
    return tuple(signoff for signoff in facts.signoffs if signoff.requirement != name)


def rule(name):
    return next(item for item in POLICY.signoffs if item.id == name)


def title(name):
    return rule(name).title


def test_the_house_names_each_thing_that_is_out_of_order(facts):
    found = told(
        facts,
        dataclasses.replace(POLICY, demo=True),
        version_taken=True,
        probe_ok=False,
        journal_ok=False,
        current_policy=OTHER,
    )
    assert found == [
        (
            "version",
            "version.taken",
            f"The name {facts.candidate.version} has been used; a name is never reused.",
            "releases",
        ),
        (
            "probe",
            "probe.failed",
            "The bucket did not prove that it keeps conditional writes and checksums.",
            "publish",
        ),
        (
            "journal",
            "journal.broken",
            "The journal's chain or an anchored head does not hold.",
            "audit",
        ),
        (
            "policy",
            "policy.changed",
            "The candidate was built under another policy; build it again.",
            "run_sheet",
        ),
        ("demo", "demo.bucket", "A demo policy cannot publish on a real bucket.", "run_sheet"),
    ]


def test_a_candidate_under_another_policy_than_is_asked_about_is_named(facts):
    other = dataclasses.replace(POLICY, digest=OTHER)
    assert [code for _, code, _, _ in told(facts, other)] == ["policy.changed"]
    assert [code for _, code, _, _ in told(facts, other, current_policy=OTHER)] == [
        "policy.changed"
    ]


@pytest.mark.parametrize("change", [{"shards": ()}, {"records": 0}, {"records": -1}])
def test_a_candidate_without_shards_or_without_records_is_empty(facts, change):
    empty = dataclasses.replace(facts.candidate, **change)
    assert told(facts, candidate=empty)[0] == (
        "candidate",
        "candidate.empty",
        "The candidate has no records.",
        "run_sheet",
    )


def test_a_candidate_of_one_record_is_not_empty(store):
    one = a_candidate(store, {("priority", "train"): 1}, POLICY)
    policy = dataclasses.replace(POLICY, families=some_families(required=False))
    assert told(some_facts(store, one, POLICY), policy) == []


def family_point(name):
    return (
        f"family:{name}",
        "candidate.family_empty",
        f"The required family {name} has no record and is not waived.",
        "coverage",
    )


def test_every_required_family_without_a_record_is_named_whatever_stands_between(facts):
    policy = dataclasses.replace(POLICY, families=some_families(required=True))
    names = [item.name for item in policy.families]
    none = dataclasses.replace(facts.candidate, families={})
    assert told(facts, policy, candidate=none) == [family_point(name) for name in names]
    # One that is waived, or not required, hides none of those that come after it.
    for number, name in enumerate(names):
        others = [family_point(other) for other in names if other != name]
        assert told(facts, policy, candidate=none, waived_families={name: "Later."}) == others
        families = list(policy.families)
        families[number] = dataclasses.replace(families[number], required=False)
        loose = dataclasses.replace(policy, families=tuple(families))
        assert told(facts, loose, candidate=none) == others
    zero = {name: {"train": 0, "test": 0} for name in names}
    counted = dataclasses.replace(facts.candidate, families={**zero, names[0]: {"train": 1}})
    assert told(facts, policy, candidate=counted) == [family_point(name) for name in names[1:]]


def test_aliases_that_nobody_confirmed_are_named_in_order(facts):
    assert told(facts, unconfirmed_aliases=("voice", "edge_cases")) == [
        (
            f"alias:{name}",
            "coverage.unconfirmed",
            f"{name} is matched by an alias that nobody has confirmed.",
            "coverage",
        )
        for name in ("edge_cases", "voice")
    ]


def test_only_sources_that_ship_need_a_licence_and_they_are_counted(facts):
    bad = tuple(
        dataclasses.replace(source, licence_tag="undecided") for source in facts.candidate.sources
    )
    candidate = dataclasses.replace(facts.candidate, sources=bad)
    assert told(facts, candidate=candidate) == [
        (
            "licences",
            "source.undecided",
            f"{len(bad)} sources ship records without a licence decision.",
            "coverage",
        )
    ]
    unshipped = tuple(dataclasses.replace(source, shipped=0) for source in bad)
    candidate = dataclasses.replace(facts.candidate, sources=unshipped)
    assert told(facts, candidate=candidate) == []


# --- Gates.


def gate_point(name, code, sentence):
    return (f"gate:{name}", code, sentence, "gates")


def test_each_way_a_gate_is_unproven_has_its_own_sentence(store, facts, candidate):
    def one(name, **changes):
        report = a_report(store, candidate, changes.pop("named", name), **changes)
        return told(facts, reports={**facts.reports, name: report})

    assert told(facts, reports={**facts.reports, "leakage": None}) == [
        gate_point("leakage", "gate.absent", "The leakage gate has not judged this candidate.")
    ]
    elsewhere = "The leakage gate's report is about something else."
    assert one("leakage", candidate=OTHER) == [gate_point("leakage", "gate.absent", elsewhere)]
    assert one("leakage", named="privacy") == [gate_point("leakage", "gate.absent", elsewhere)]
    assert one("leakage", verdict="error") == [
        gate_point("leakage", "gate.error", "The leakage gate could not judge; run it again.")
    ]
    assert one("leakage", examined=4) == [
        gate_point("leakage", "gate.incomplete", "The leakage gate did not examine every record.")
    ]
    found = (a_blocking_finding("leakage.b"), a_blocking_finding("leakage.a"))
    assert one("leakage", verdict="fail", findings=found) == [
        gate_point("leakage", "gate.failed", "The leakage gate failed: leakage.a, leakage.b.")
    ]
    assert one("leakage", verdict="fail") == [
        gate_point("leakage", "gate.failed", "The leakage gate failed: no code given.")
    ]


def test_a_policy_that_requires_nothing_says_so_twice(facts):
    empty = dataclasses.replace(POLICY, required_gates=(), signoffs=())
    assert told(facts, empty, required_gates=()) == [
        (
            "gates",
            "gate.nothing_required",
            "The policy requires no gate, and nothing required is nothing proven.",
            "gates",
        ),
        (
            "signoffs",
            "signoff.nothing_required",
            "The policy requires no sign-off, and nothing required is nothing proven.",
            "publish",
        ),
    ]


def a_waiver(candidate, report, **changes):
    fields = {
        "gate": "distribution",
        "code": "distribution.range",
        "candidate": candidate.digest,
        "report": report,
        "reason": "Expected.",
        "signers": ((ReviewerId("leander"), "review_lead"), (OLYMPIA, "release_owner")),
        "expires_at": "2026-12-01T00:00:00Z",
        "key": "exports/waivers/x.json",
        "sha256": OTHER,
    }
    return Waiver(**{**fields, **changes})


def test_a_waiver_that_covers_one_code_leaves_the_other_standing(store, facts, candidate):
    found = (a_blocking_finding("distribution.range"), a_blocking_finding("distribution.drift"))
    report = a_report(store, candidate, "distribution", verdict="fail", findings=found)
    reports = {**facts.reports, "distribution": report}
    first = a_waiver(candidate, report.sha256)
    second = a_waiver(candidate, report.sha256, code="distribution.drift")
    assert told(facts, reports=reports, waivers=(first,)) == [
        gate_point(
            "distribution", "gate.failed", "The distribution gate failed: distribution.drift."
        )
    ]
    assert told(facts, reports=reports, waivers=(first, second)) == []
    assert told(facts, reports=reports, waivers=(first, second), builder=None) != []


def test_a_fail_that_names_no_code_is_waived_by_nothing(store, facts, candidate):
    report = a_report(store, candidate, "distribution", verdict="fail")
    waiver = a_waiver(candidate, report.sha256)
    reports = {**facts.reports, "distribution": report}
    assert told(facts, reports=reports, waivers=(waiver,)) == [
        gate_point("distribution", "gate.failed", "The distribution gate failed: no code given.")
    ]


def test_a_waiver_ends_at_the_very_second_it_names(store, facts, candidate):
    found = (a_blocking_finding("distribution.range"),)
    report = a_report(store, candidate, "distribution", verdict="fail", findings=found)
    reports = {**facts.reports, "distribution": report}
    last = a_waiver(candidate, report.sha256, expires_at="2026-11-21T09:00:01Z")
    over = a_waiver(candidate, report.sha256, expires_at="2026-11-21T09:00:00Z")
    assert told(facts, reports=reports, waivers=(last,)) == []
    assert told(facts, reports=reports, waivers=(over,)) != []


def test_waivers_that_count_are_ordered_by_gate_code_and_key(facts, candidate):
    wanted = [
        a_waiver(candidate, OTHER, gate=gate, code=code, key=key)
        for gate, code in (
            ("distribution", "distribution.drift"),
            ("distribution", "distribution.range"),
            ("duplicates", "duplicates.near"),
        )
        for key in ("exports/waivers/a.json", "exports/waivers/b.json")
    ]
    shuffled = tuple(wanted[place] for place in (4, 1, 3, 0, 5, 2))
    many = dataclasses.replace(facts, waivers=shuffled)
    counted = counting_waivers(many, POLICY)
    assert counted == tuple(item for item in wanted if item in counted)
    assert len(counted) >= 4


def test_signoffs_that_count_are_ordered_by_requirement_and_key(facts):
    twice = [
        dataclasses.replace(signoff, key=f"{signoff.key}{end}")
        for signoff in facts.signoffs
        for end in ("b", "a")
    ]
    counted = counting_signoffs(dataclasses.replace(facts, signoffs=tuple(twice)), POLICY)
    assert [(s.requirement, s.key) for s in counted] == sorted(
        (s.requirement, s.key) for s in twice
    )
    assert len(counted) == len(twice) == 8


def test_a_gate_is_proven_by_a_whole_pass_of_its_own_alone(store, candidate):
    whole = a_report(store, candidate, "privacy")
    assert is_proven("privacy", whole, candidate, ())
    assert not is_proven("privacy", None, candidate, ())
    assert not is_proven("leakage", whole, candidate, ())
    for change in (
        {"verdict": "error"},
        {"verdict": "fail"},
        {"examined": 0, "expected": 0},
        {"examined": 4},
        {"expected": 6},
        {"examined": 4, "expected": 4},
        {"candidate": OTHER},
        {"findings": (a_blocking_finding("privacy.span"),)},
    ):
        report = a_report(store, candidate, "privacy", **change)
        assert not is_proven("privacy", report, candidate, ()), change
    nothing = dataclasses.replace(candidate, records=0)
    assert not is_proven("privacy", a_report(store, nothing, "privacy"), nothing, ())
    single = dataclasses.replace(candidate, records=1)
    assert is_proven("privacy", a_report(store, single, "privacy"), single, ())


def test_what_a_gate_only_notes_blocks_nothing_and_needs_no_waiver(store, facts, candidate):
    note = dataclasses.replace(a_blocking_finding("distribution.note"), blocking=False)
    counted = {"findings": {"distribution.note": {"blocking": 0, "noted": 3, "stored": 1}}}
    report = a_report(store, candidate, "distribution", findings=(note,), measures=counted)
    assert told(facts, reports={**facts.reports, "distribution": report}) == []
    assert is_proven("distribution", report, candidate, ())
    both = (note, a_blocking_finding("distribution.range"))
    report = a_report(store, candidate, "distribution", verdict="fail", findings=both)
    reports = {**facts.reports, "distribution": report}
    waiver = a_waiver(candidate, report.sha256)
    assert told(facts, reports=reports, waivers=(waiver,)) == []


def test_a_report_over_nothing_is_incomplete_even_of_a_candidate_without_records(store, facts):
    empty = dataclasses.replace(facts.candidate, records=0)
    report = a_report(store, empty, "privacy")
    found = told(facts, candidate=empty, reports={**facts.reports, "privacy": report})
    assert ("gate:privacy", "gate.incomplete") in [point[:2] for point in found]


def test_a_fail_is_proven_by_waivers_of_this_gate_this_report_and_every_code(store, candidate):
    found = (a_blocking_finding("distribution.range"),)
    report = a_report(store, candidate, "distribution", verdict="fail", findings=found)

    def proven(**changes):
        waiver = a_waiver(candidate, changes.pop("report", report.sha256), **changes)
        return is_proven("distribution", report, candidate, (waiver,))

    assert proven()
    assert not proven(gate="duplicates")
    assert not proven(code="distribution.drift")
    assert not proven(report=OTHER)
    # Such a waiver takes findings away; it does not turn an error into a verdict.
    broken = a_report(store, candidate, "distribution", verdict="error", findings=found)
    waiver = a_waiver(candidate, broken.sha256)
    assert not is_proven("distribution", broken, candidate, (waiver,))


def test_findings_are_totalled_by_code_stored_or_counted_blocking_or_all(store, candidate):
    findings = (
        a_blocking_finding("a.stored"),
        a_blocking_finding("a.stored"),
        dataclasses.replace(a_blocking_finding("a.note"), blocking=False),
    )
    counted = {
        "a.stored": {"blocking": 1, "noted": 0, "stored": 1},
        "a.counted": {"blocking": 3, "noted": 4, "stored": 0},
        "a.noted": {"blocking": 0, "noted": 2, "stored": 0},
    }
    report = a_report(
        store, candidate, "privacy", findings=findings, measures={"findings": counted}
    ).report
    assert finding_totals(report) == {"a.counted": 7, "a.note": 1, "a.noted": 2, "a.stored": 2}
    assert finding_totals(report, blocking_only=True) == {"a.counted": 3, "a.stored": 2}
    assert list(finding_totals(report)) == ["a.counted", "a.note", "a.noted", "a.stored"]
    odd = dataclasses.replace(report, measures={"findings": 3})
    assert finding_totals(odd) == {"a.note": 1, "a.stored": 2}


# --- People who look for personal data.

RULES = (
    PiiCheckRule(families=("voice", "priority", "edge_cases"), limit=0.35, confidence=0.8, first=4),
)
WITH_PII = dataclasses.replace(POLICY, pii_checks=RULES)


def a_pii_state(family, **changes):
    fields = {
        "family": family,
        "state": "done",
        "frame": 5,
        "planned": 4,
        "read": 4,
        "escapes": (),
        "limit": 0.35,
        "confidence": 0.8,
        "upper": 0.33,
        "sentence": f"Where the reading of {family} stands.",
        "readers": (CLARA,),
        "plan": "",
        "seed": "",
    }
    return PiiState(**{**fields, **changes})


def pii_point(family, code, sentence):
    return (f"pii:{family}", f"privacy.{code}", sentence, "pii_check")


def test_every_family_that_ships_is_read_by_people_and_no_other(facts):
    done = {name: a_pii_state(name) for name in ("priority", "edge_cases")}
    assert told(facts, WITH_PII, pii=done) == []
    # "voice" ships nothing and stands before the two that do.
    assert told(facts, WITH_PII, pii={}) == [
        pii_point(name, "sampling_open", f"The PII sample of {name} is not frozen.")
        for name in ("priority", "edge_cases")
    ]
    mixed = {**done, "priority": a_pii_state("edge_cases")}
    assert told(facts, WITH_PII, pii=mixed) == [
        pii_point("priority", "sampling_open", "The PII sample of priority is not frozen.")
    ]


def test_a_single_record_of_a_family_has_to_be_read_too(store):
    one = a_candidate(store, {("priority", "train"): 1, ("edge_cases", "test"): 2}, POLICY)
    alone = some_facts(store, one, POLICY, pii={"edge_cases": a_pii_state("edge_cases")})
    assert [subject for subject, *_ in told(alone, WITH_PII)] == ["pii:priority"]


@pytest.mark.parametrize(
    "change", [{"escapes": ("r1",)}, {"escapes": ("r1",), "state": "escaped"}, {"state": "escaped"}]
)
def test_a_record_that_identifies_somebody_blocks_whatever_the_state_says(facts, change):
    state = a_pii_state("priority", **change)
    states = {"priority": state, "edge_cases": a_pii_state("edge_cases")}
    sentence = f"A reader could identify somebody in {len(state.escapes)} records of priority."
    assert told(facts, WITH_PII, pii=states) == [pii_point("priority", "sampling_escape", sentence)]


@pytest.mark.parametrize(
    "change",
    [
        {"state": "reading"},
        {"state": "stale"},
        {"state": "unproven"},
        {"state": "who knows"},
        {"limit": 0.4},
        {"confidence": 0.7},
    ],
)
def test_a_reading_that_is_not_done_or_was_for_less_blocks_in_its_own_words(facts, change):
    state = a_pii_state("priority", **change)
    states = {"priority": state, "edge_cases": a_pii_state("edge_cases")}
    assert told(facts, WITH_PII, pii=states) == [
        pii_point("priority", "sampling_open", state.sentence)
    ]


# --- Reviews.


@pytest.mark.parametrize(
    ("state", "code", "sentence"),
    [
        ("not_frozen", "not_frozen", "The sample plan of {claim} is not frozen."),
        ("reading", "incomplete", "{claim} is still being read: 3 of 9 records."),
        ("paused", "paused", "{claim} is paused: 2 hard-fail flags are unsettled."),
        ("failed", "failed", "{claim} found more defects than its plan allows."),
        ("stale", "stale", "The rubric or sample of {claim} changed after it was rated."),
        ("who knows", "incomplete", "{claim} is not ready to be signed."),
    ],
)
@pytest.mark.parametrize(
    ("claim", "page"),
    [("clinical-edge", "clinician_review"), ("bias-foundation", "bias_review")],
)
def test_a_review_that_is_not_ready_says_where_it_stands(facts, claim, page, state, code, sentence):
    found = a_review_state(claim, state=state, read=3, planned=9, open_flags=2)
    assert told(facts, reviews={**facts.reviews, claim: found}) == [
        (f"review:{claim}", f"review.{code}", sentence.format(claim=claim), page)
    ]


def test_a_review_nobody_froze_is_asked_for_once_on_its_page(facts):
    assert told(facts, reviews={}) == [
        (
            f"review:{claim}",
            "review.not_frozen",
            f"The sample plan of {claim} is not frozen.",
            page,
        )
        for claim, page in (
            ("clinical-foundation", "clinician_review"),
            ("clinical-edge", "clinician_review"),
            ("bias-foundation", "bias_review"),
        )
    ]


def test_the_state_of_another_claim_proves_nothing(facts):
    swapped = {**facts.reviews, "clinical-edge": facts.reviews["bias-foundation"]}
    (point,) = told(facts, reviews=swapped)
    assert point[:2] == ("review:clinical-edge", "review.incomplete")


def test_an_open_flag_is_named_with_its_claim_and_in_all(facts):
    reviews = {**facts.reviews, "clinical-edge": a_review_state("clinical-edge", open_flags=1)}
    assert told(facts, reviews=reviews, open_flags=("f1", "f2")) == [
        (
            "review:clinical-edge",
            "review.paused",
            "clinical-edge has 1 unsettled hard-fail flags.",
            "clinician_review",
        ),
        ("flags", "review.flag_open", "2 hard-fail flags are unsettled.", "clinician_review"),
    ]


# --- Sign-offs.

PAGES = {
    "clinical-foundation": "clinician_review",
    "bias-foundation": "bias_review",
    "release-decision": "publish",
}


@pytest.mark.parametrize("name", sorted(PAGES))
def test_each_way_a_signoff_is_wanting_has_its_sentence_and_its_page(facts, name):
    page, words = PAGES[name], title(name)

    def point(code, sentence):
        return [(f"signoff:{name}", f"signoff.{code}", sentence, page)]

    def one(**changes):
        return told(facts, signoffs=signed(facts, name, **changes))

    absent = told(facts, signoffs=without(facts, name))
    assert absent == point("absent", f"{words} is not signed.")
    assert one(revoked=True) == point("revoked", f"The sign-off for {words} was revoked.")
    stale = point("stale", f"{words} was signed for another candidate of this version.")
    assert one(candidate=OTHER) == stale
    roleless = f"A sign-off for {words} was given by somebody without the role it needs."
    assert one(reviewer=ReviewerId("nobody")) == point("role_not_held", roleless)
    assert one(role="auditor") == point("role_not_held", roleless)
    refused = f"{words} was refused. Only a new candidate can clear this."
    assert one(decision="refuse") == point("refused", refused)


SENTENCES = {
    "bad_signature": "A sign-off for {title} was altered: its signature does not hold.",
    "unknown_key": "A sign-off for {title} was signed with a key this desk does not know.",
    "role_not_held": "A sign-off for {title} was given by somebody without the role it needs.",
    "not_journalled": "A sign-off for {title} lies in the bucket, but nobody gave it at the desk.",
    "wrong_candidate": "A sign-off for {title} was copied here from another candidate.",
    "missing": "A sign-off for {title} was given, but its object is gone.",
    "unreadable": "A sign-off for {title} cannot be read.",
    "outdated": (
        "{title} was signed before what it rests on (sample, rubric, ratings, settlements, acts "
        "beside them) changed; sign it again."
    ),
    "never heard of": "A sign-off for {title} cannot be read.",
}


@pytest.mark.parametrize("code", sorted(SENTENCES))
@pytest.mark.parametrize("name", sorted(PAGES))
def test_what_lies_among_the_signoffs_and_proves_nothing_is_named(facts, name, code):
    fault = SignoffFault(requirement=name, code=code, key="exports/signoffs/x.json")
    word = "unreadable" if code == "never heard of" else code
    sentence = SENTENCES[code].format(title=title(name))
    beside = [("signoff_object:exports/signoffs/x.json", f"signoff.{word}", sentence, PAGES[name])]
    if code == "outdated":
        beside = []
    assert told(facts, signoff_faults=(fault,)) == beside
    instead = [*beside, (f"signoff:{name}", f"signoff.{word}", sentence, PAGES[name])]
    assert told(facts, signoffs=without(facts, name), signoff_faults=(fault,)) == instead
    # A page shows a sentence once, however many subjects it leaves unproven.
    changed = dataclasses.replace(facts, signoffs=without(facts, name), signoff_faults=(fault,))
    assert len(missing_before_publish(changed, POLICY)) == 1


def test_what_was_meant_for_no_requirement_is_for_the_auditor(facts):
    faults = tuple(
        SignoffFault(requirement=name, code=code, key=f"exports/signoffs/{name}.json")
        for name, code in (("late", "outdated"), ("made-up", "bad_signature"), ("odd", "nonsense"))
    )
    words = "no known requirement"
    assert told(facts, signoff_faults=faults, waiver_faults=("w/1.json", "w/2.json")) == [
        (
            "signoff_object:exports/signoffs/made-up.json",
            "signoff.bad_signature",
            SENTENCES["bad_signature"].format(title=words),
            "audit",
        ),
        (
            "signoff_object:exports/signoffs/odd.json",
            "signoff.unreadable",
            SENTENCES["unreadable"].format(title=words),
            "audit",
        ),
        *(
            (
                f"waiver_object:{key}",
                "waiver.forged",
                "An object among the waivers was not signed at this desk.",
                "audit",
            )
            for key in ("w/1.json", "w/2.json")
        ),
    ]


def test_of_two_faults_only_its_own_explains_a_missing_signoff(facts):
    faults = (
        SignoffFault(requirement="clinical-foundation", code="missing", key="a"),
        SignoffFault(requirement="bias-foundation", code="unknown_key", key="b"),
    )
    found = told(facts, signoffs=without(facts, "bias-foundation"), signoff_faults=faults)
    assert found[-1][:2] == ("signoff:bias-foundation", "signoff.unknown_key")
    mine = told(facts, signoffs=without(facts, "clinical-edge"), signoff_faults=faults)
    assert mine[-1][:2] == ("signoff:clinical-edge", "signoff.absent")


# --- Four eyes.


@pytest.mark.parametrize("name", sorted(PAGES))
def test_who_built_and_who_publishes_is_told_on_the_page_that_clears_it(facts, name):
    words, page = title(name), PAGES[name]
    signoffs = signed(facts, name, reviewer=ReviewerId("una"))
    people = {**facts.people, ReviewerId("una"): (rule(name).role,)}

    def one(**changes):
        return told(facts, signoffs=signoffs, people=people, **changes)

    assert one() == []
    assert one(builder=ReviewerId("una")) == [
        (
            f"signoff:{name}",
            "four_eyes.builder_signed",
            f"{words} was signed by the person who built the candidate.",
            page,
        )
    ]
    publishing = [
        (
            f"signoff:{name}",
            "four_eyes.publisher_signed",
            f"{words} was signed by the person about to publish.",
            "publish",
        )
    ]
    assert one(publisher=ReviewerId("una")) == (publishing if rule(name).claim else [])


def test_with_an_unknown_builder_every_signoff_is_in_doubt(facts):
    assert told(facts, builder=None) == [
        (
            f"signoff:{item.requirement}",
            "four_eyes.builder_unknown",
            "The journal does not say who built this candidate.",
            "audit",
        )
        for item in counting_signoffs(facts, POLICY)
    ]


def test_one_person_in_two_roles_is_told_of_both_signoffs(facts):
    people = {**facts.people, CLARA: ("clinician", "bias_reviewer")}
    found = told(facts, people=people, signoffs=signed(facts, "bias-foundation", reviewer=CLARA))
    sentence = "One person signed in the roles bias_reviewer, clinician."
    assert found == [
        ("signoff:bias-foundation", "four_eyes.same_person", sentence, "bias_review"),
        ("signoff:clinical-edge", "four_eyes.same_person", sentence, "clinician_review"),
        ("signoff:clinical-foundation", "four_eyes.same_person", sentence, "clinician_review"),
    ]


def test_one_signer_is_too_few_and_two_are_enough(facts):
    few = (
        "four_eyes",
        "four_eyes.too_few",
        "At least two people must have signed for this candidate.",
        "publish",
    )
    clinical = tuple(rule(name) for name in ("clinical-foundation", "clinical-edge"))
    alone = dataclasses.replace(POLICY, signoffs=clinical)
    assert told(facts, alone) == [few]
    two = dataclasses.replace(POLICY, signoffs=(*clinical, rule("release-decision")))
    assert told(facts, two) == []
    assert few in told(facts, signoffs=())
    assert BUILDER not in {item.reviewer for item in facts.signoffs}
