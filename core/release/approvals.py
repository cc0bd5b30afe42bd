"""Who approved, who forged, and whether enough different people stand behind a candidate."""

from __future__ import annotations

from collections.abc import Iterator

from core.model.signoff import Signoff
from core.policy.types import Policy, SignoffRule
from core.release.facts import Facts
from core.release.open_point import OpenPoint, point, signoff_page
from core.release.proven_gates import counting_waivers
from core.review.identity import login_of

_FAULTS = {
    "bad_signature": "A sign-off for {title} was altered: its signature does not hold.",
    "unknown_key": "A sign-off for {title} was signed with a key this desk does not know.",
    "role_not_held": "A sign-off for {title} was given by somebody without the role it needs.",
    "not_journalled": "A sign-off for {title} lies in the bucket, but nobody gave it at the desk.",
    "wrong_candidate": "A sign-off for {title} was copied here from another candidate.",
    "missing": "A sign-off for {title} was given, but its object is gone.",
    "outdated": "{title} was signed before what it rests on (sample, rubric, ratings, "
    "settlements, acts beside them) changed; sign it again.",
    "unreadable": "A sign-off for {title} cannot be read.",
}


def counting_signoffs(facts: Facts, policy: Policy) -> tuple[Signoff, ...]:
    """Return the approvals that count for this candidate, ordered by requirement and key."""
    found = [
        signoff
        for rule in policy.signoffs
        for signoff in facts.signoffs
        if _approves(signoff, rule, facts)
    ]
    return tuple(sorted(found, key=lambda signoff: (signoff.requirement, signoff.key)))


def signoff_points(facts: Facts, policy: Policy) -> Iterator[OpenPoint]:
    """Name every sign-off that is absent, refused, void or forged."""
    if not policy.signoffs:
        detail = "The policy requires no sign-off, and nothing required is nothing proven."
        yield point("signoffs", "signoff.nothing_required", detail, "publish")
    yield from _tampering(facts, policy)
    for rule in policy.signoffs:
        subject, page = f"signoff:{rule.id}", signoff_page(rule)
        mine = [signoff for signoff in facts.signoffs if signoff.requirement == rule.id]
        here = [signoff for signoff in mine if signoff.candidate == facts.candidate.digest]
        if any(signoff.decision != "approve" for signoff in here):
            detail = f"{rule.title} was refused. Only a new candidate can clear this."
            yield point(subject, "signoff.refused", detail, page)
        elif not any(_approves(signoff, rule, facts) for signoff in here):
            code, detail = _why_unsigned(rule, mine, here, facts)
            yield point(subject, code, detail, page)


def _tampering(facts: Facts, policy: Policy) -> Iterator[OpenPoint]:
    """What lies among the sign-offs and proves nothing blocks, whatever genuine ones stand beside.

    An outdated sign-off is no forgery: the fresh one beside it is all that it waits for.
    """
    rules = {rule.id: rule for rule in policy.signoffs}
    for fault in facts.signoff_faults:
        if fault.code != "outdated":
            code = fault.code if fault.code in _FAULTS else "unreadable"
            rule = rules.get(fault.requirement)
            detail = _FAULTS[code].format(title=rule.title if rule else "no known requirement")
            page = signoff_page(rule) if rule else "audit"
            yield point(f"signoff_object:{fault.key}", f"signoff.{code}", detail, page)
    for key in facts.waiver_faults:
        detail = "An object among the waivers was not signed at this desk."
        yield point(f"waiver_object:{key}", "waiver.forged", detail, "audit")


def _why_unsigned(
    rule: SignoffRule, mine: list[Signoff], here: list[Signoff], facts: Facts
) -> tuple[str, str]:
    for fault in facts.signoff_faults:
        if fault.requirement == rule.id:
            sentence = _FAULTS.get(fault.code, _FAULTS["unreadable"])
            code = fault.code if fault.code in _FAULTS else "unreadable"
            return f"signoff.{code}", sentence.format(title=rule.title)
    if any(signoff.revoked for signoff in here):
        return "signoff.revoked", f"The sign-off for {rule.title} was revoked."
    if here:
        return "signoff.role_not_held", _FAULTS["role_not_held"].format(title=rule.title)
    if mine:
        detail = f"{rule.title} was signed for another candidate of this version."
        return "signoff.stale", detail
    return "signoff.absent", f"{rule.title} is not signed."


def _approves(signoff: Signoff, rule: SignoffRule, facts: Facts) -> bool:
    return (
        signoff.requirement == rule.id
        and signoff.candidate == facts.candidate.digest
        and signoff.decision == "approve"
        and not signoff.revoked
        and signoff.role == rule.role
        and rule.role in facts.people.get(signoff.reviewer, ())
    )


def people_points(facts: Facts, policy: Policy) -> Iterator[OpenPoint]:
    """Four eyes: builder, signers and publisher are different people; one role each."""
    approvals = counting_signoffs(facts, policy)
    acts = [(item.reviewer, item.role) for item in approvals]
    acts += [pair for waiver in counting_waivers(facts, policy) for pair in waiver.signers]
    rules = {rule.id: rule for rule in policy.signoffs}
    for signoff in approvals:
        rule = rules[signoff.requirement]
        subject, page = f"signoff:{rule.id}", signoff_page(rule)
        others = {role for who, role in acts if who == signoff.reviewer}
        login = login_of(signoff.statement)
        # One login under two ids is one person, whatever the roster says of it by now.
        ids = {one.reviewer for one in approvals if login and login_of(one.statement) == login}
        if facts.builder is None:
            detail = "The journal does not say who built this candidate."
            yield point(subject, "four_eyes.builder_unknown", detail, "audit")
        elif signoff.reviewer == facts.builder:
            detail = f"{rule.title} was signed by the person who built the candidate."
            yield point(subject, "four_eyes.builder_signed", detail, page)
        if rule.claim and signoff.reviewer == facts.publisher:
            detail = f"{rule.title} was signed by the person about to publish."
            yield point(subject, "four_eyes.publisher_signed", detail, "publish")
        if len(others) > 1:
            detail = f"One person signed in the roles {', '.join(sorted(others))}."
            yield point(subject, "four_eyes.same_person", detail, page)
        elif len(ids) > 1:
            detail = "One login signed under two ids; it is one person's."
            yield point(subject, "four_eyes.same_person", detail, page)
    signers = {signoff.reviewer for signoff in approvals}
    if len(signers) < 2 and policy.signoffs:
        detail = "At least two people must have signed for this candidate."
        yield point("four_eyes", "four_eyes.too_few", detail, "publish")
