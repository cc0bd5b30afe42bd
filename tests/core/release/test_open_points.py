"""Every reason against publishing, whole: its subject, its code, its sentence and its page."""

from __future__ import annotations

import dataclasses

import pytest

from core.model.pii import PiiState
from core.policy.types import PiiCheckRule
from tests.builders import a_candidate, some_families
from tests.proof import (
    CLARA,
    OTHER,
    POLICY,
    told,
)
from tests.release_builders import (
    a_review_state,
    some_facts,
)


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
