"""Each way a sign-off is wanting, and each way the people behind them are too few, whole."""

from __future__ import annotations

import dataclasses

import pytest

from core.model.names import ReviewerId
from core.release.approvals import counting_signoffs
from core.release.approve import missing_before_publish
from core.release.facts import SignoffFault
from tests.proof import (
    CLARA,
    OTHER,
    POLICY,
    rule,
    title,
    told,
    with_signoff,
    without,
)
from tests.release_builders import (
    BUILDER,
)

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
        return told(facts, signoffs=with_signoff(facts, name, **changes))

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
    signoffs = with_signoff(facts, name, reviewer=ReviewerId("una"))
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
    found = told(
        facts, people=people, signoffs=with_signoff(facts, "bias-foundation", reviewer=CLARA)
    )
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
