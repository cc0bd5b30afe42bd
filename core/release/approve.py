"""A candidate may be published when nothing required is unproven; what is unproven has a name.

Pure: the same facts and policy give the same blockers. Each point carries the subject it is
about, so that a property can say: take any evidence away, and no subject becomes free.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from core.model.candidate import Candidate
from core.model.gate import GateReport, StoredReport
from core.model.names import Digest, ReviewerId
from core.model.release import Blocker
from core.model.signoff import DeskRole, Signoff
from core.model.waiver import Waiver
from core.policy.types import Policy, SignoffRule
from core.policy.waivable import may_be_waived
from core.release.facts import Facts

_REVIEW_CODES = {
    "not_frozen": ("review.not_frozen", "The sample plan of {claim} is not frozen."),
    "reading": ("review.incomplete", "{claim} is still being read: {read} of {planned} records."),
    "paused": ("review.paused", "{claim} is paused: {open_flags} hard-fail flags are unsettled."),
    "failed": ("review.failed", "{claim} found more defects than its plan allows."),
    "stale": ("review.stale", "The rubric or sample of {claim} changed after it was rated."),
}
_FAULTS = {
    "bad_signature": "A sign-off for {title} was altered: its signature does not hold.",
    "unknown_key": "A sign-off for {title} was signed with a key this desk does not know.",
    "role_not_held": "A sign-off for {title} was given by somebody without the role it needs.",
    "not_journalled": "A sign-off for {title} lies in the bucket, but nobody gave it at the desk.",
    "wrong_candidate": "A sign-off for {title} was copied here from another candidate.",
    "missing": "A sign-off for {title} was given, but its object is gone.",
    "outdated": "{title} was signed before its ratings, sample or rubric changed; sign it again.",
    "unreadable": "A sign-off for {title} cannot be read.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPoint:
    """A blocker and the subject (a gate, a claim, a sign-off …) it leaves unproven."""

    subject: str
    blocker: Blocker


def missing_before_publish(facts: Facts, policy: Policy) -> tuple[Blocker, ...]:
    """Return every reason this candidate cannot be published now; empty means it may be."""
    seen: dict[Blocker, None] = {}
    for point in open_points(facts, policy):
        seen.setdefault(point.blocker)
    return tuple(seen)


def open_points(facts: Facts, policy: Policy) -> tuple[OpenPoint, ...]:
    """Return required minus proven, subject by subject, in the order of the run sheet."""
    return (
        *_candidate_points(facts, policy),
        *_gate_points(facts, policy),
        *_pii_points(facts, policy),
        *_review_points(facts, policy),
        *_signoff_points(facts, policy),
        *_people_points(facts, policy),
        *_house_points(facts, policy),
    )


def counting_signoffs(facts: Facts, policy: Policy) -> tuple[Signoff, ...]:
    """Return the approvals that count for this candidate, ordered by requirement and key."""
    found = [
        signoff
        for rule in policy.signoffs
        for signoff in facts.signoffs
        if _approves(signoff, rule, facts)
    ]
    return tuple(sorted(found, key=lambda signoff: (signoff.requirement, signoff.key)))


def counting_waivers(facts: Facts, policy: Policy) -> tuple[Waiver, ...]:
    """Return the waivers in force for this candidate, ordered by gate, code and key."""
    found = [waiver for waiver in facts.waivers if _in_force(waiver, facts, policy)]
    return tuple(sorted(found, key=lambda waiver: (waiver.gate, waiver.code, waiver.key)))


def required_gates(facts: Facts, policy: Policy) -> tuple[str, ...]:
    """Return the union of what the policy and the facts require, in order of first mention."""
    return tuple(dict.fromkeys((*policy.required_gates, *facts.required_gates)))


def _point(subject: str, code: str, detail: str, page: str) -> OpenPoint:
    return OpenPoint(subject=subject, blocker=Blocker(code=code, detail=detail, page=page))


def _candidate_points(facts: Facts, policy: Policy) -> Iterator[OpenPoint]:
    candidate = facts.candidate
    if not candidate.shards or candidate.records <= 0:
        yield _point("candidate", "candidate.empty", "The candidate has no records.", "run_sheet")
    for rule in policy.families:
        if not rule.required or facts.waived_families.get(rule.name):
            continue
        if sum(candidate.families.get(rule.name, {}).values()) <= 0:
            detail = f"The required family {rule.name} has no record and is not waived."
            yield _point(f"family:{rule.name}", "candidate.family_empty", detail, "coverage")
    for alias in sorted(facts.unconfirmed_aliases):
        detail = f"{alias} is matched by an alias that nobody has confirmed."
        yield _point(f"alias:{alias}", "coverage.unconfirmed", detail, "coverage")
    undecided = sum(
        1
        for source in candidate.sources
        if source.shipped and source.licence_tag not in policy.licence_tags
    )
    if undecided:
        detail = f"{undecided} sources ship records without a licence decision."
        yield _point("licences", "source.undecided", detail, "coverage")


def _gate_points(facts: Facts, policy: Policy) -> Iterator[OpenPoint]:
    names = required_gates(facts, policy)
    if not names:
        detail = "The policy requires no gate, and nothing required is nothing proven."
        yield _point("gates", "gate.nothing_required", detail, "gates")
    for name in names:
        found = _judge_gate(name, facts.reports.get(name), facts, policy)
        if found is not None:
            yield _point(f"gate:{name}", found[0], found[1], "gates")


def _judge_gate(
    name: str, stored: StoredReport | None, facts: Facts, policy: Policy
) -> tuple[str, str] | None:
    if stored is None:
        return "gate.absent", f"The {name} gate has not judged this candidate."
    report = stored.report
    if (report.gate, report.candidate) != (name, facts.candidate.digest):
        return "gate.absent", f"The {name} gate's report is about something else."
    if report.verdict == "error":
        return "gate.error", f"The {name} gate could not judge; run it again."
    if not 0 < report.examined == report.expected == facts.candidate.records:
        return "gate.incomplete", f"The {name} gate did not examine every record."
    open_codes = _unwaived(name, stored, counting_waivers(facts, policy))
    if open_codes is None:
        return None
    named = ", ".join(sorted(open_codes)) or "no code given"
    return "gate.failed", f"The {name} gate failed: {named}."


def _unwaived(name: str, stored: StoredReport, waivers: Sequence[Waiver]) -> set[str] | None:
    """Return the blocking codes no waiver covers, or None when nothing is left to block."""
    report = stored.report
    codes = set(finding_totals(report, blocking_only=True))
    if report.verdict == "pass" and not codes:
        return None
    waived = {w.code for w in waivers if (w.gate, w.report) == (name, stored.sha256)}
    # A fail without a blocking finding is a contradiction, so it can never be waived.
    if report.verdict == "fail" and codes and codes <= waived:
        return None
    return codes - waived


def is_proven(
    name: str, stored: StoredReport | None, candidate: Candidate, waivers: Sequence[Waiver]
) -> bool:
    """Whether the gate judged all of `candidate` and nothing blocks but what `waivers` cover."""
    if stored is None or stored.report.verdict == "error":
        return False
    report = stored.report
    whole = 0 < report.examined == report.expected == candidate.records
    same = (report.gate, report.candidate) == (name, candidate.digest)
    return whole and same and _unwaived(name, stored, waivers) is None


def finding_totals(report: GateReport, *, blocking_only: bool = False) -> dict[str, int]:
    """Return findings by code: as the gate counted them all, or the stored ones where more.

    Only so many findings of a code are stored; the counts are in the measures.
    """
    found = Counter(item.code for item in report.findings if item.blocking or not blocking_only)
    counted = report.measures.get("findings")
    for code, cell in (counted if isinstance(counted, Mapping) else {}).items():
        total = cell["blocking"] + (0 if blocking_only else cell["noted"])
        if total > found[code]:
            found[code] = total
    return dict(sorted((code, count) for code, count in found.items() if count))


def _in_force(waiver: Waiver, facts: Facts, policy: Policy) -> bool:
    # With nobody known to have built, nobody is known to be independent of the build.
    return facts.builder is not None and waiver_counts(
        waiver,
        candidate=facts.candidate.digest,
        at=facts.at,
        people=facts.people,
        builders=frozenset({facts.builder}),
        policy=policy,
    )


def waiver_counts(
    waiver: Waiver,
    *,
    candidate: Digest,
    at: str,
    people: Mapping[ReviewerId, tuple[DeskRole, ...]],
    builders: frozenset[str],
    policy: Policy,
) -> bool:
    """Whether a waiver is of this candidate, in force at `at`, and signed by two who still may."""
    if waiver.candidate != candidate or waiver.expires_at <= at:
        return False
    if waiver.revoked or not may_be_waived(policy, waiver.gate, waiver.code):
        return False
    held = {
        (who, role)
        for who, role in waiver.signers
        if role in people.get(who, ()) and who not in builders
    }
    return len({who for who, _ in held}) >= 2 and len({role for _, role in held}) >= 2


def _pii_points(facts: Facts, policy: Policy) -> Iterator[OpenPoint]:
    """People have read what the policy asks of every family that ships; no waiver covers it."""
    for family, rule in policy.pii_families().items():
        if sum(facts.candidate.families.get(family, {}).values()) <= 0:
            continue
        subject, state = f"pii:{family}", facts.pii.get(family)
        if state is None or state.family != family:
            detail = f"The PII sample of {family} is not frozen."
            yield _point(subject, "privacy.sampling_open", detail, "pii_check")
        elif state.escapes or state.state == "escaped":
            detail = (
                f"A reader could identify somebody in {len(state.escapes)} records of {family}."
            )
            yield _point(subject, "privacy.sampling_escape", detail, "pii_check")
        elif state.state != "done" or (state.limit, state.confidence) != (
            rule.limit,
            rule.confidence,
        ):
            yield _point(subject, "privacy.sampling_open", state.sentence, "pii_check")


def _review_points(facts: Facts, policy: Policy) -> Iterator[OpenPoint]:
    for claim in dict.fromkeys(rule.claim for rule in policy.signoffs if rule.claim):
        page = _review_page(policy.claim(claim).role)
        state = facts.reviews.get(claim)
        if state is None:
            detail = f"The sample plan of {claim} is not frozen."
            yield _point(f"review:{claim}", "review.not_frozen", detail, page)
        elif state.claim != claim or state.state != "ready":
            code, sentence = _REVIEW_CODES.get(
                state.state, ("review.incomplete", "{claim} is not ready to be signed.")
            )
            detail = sentence.format(
                claim=claim, read=state.read, planned=state.planned, open_flags=state.open_flags
            )
            yield _point(f"review:{claim}", code, detail, page)
        elif state.open_flags:
            detail = f"{claim} has {state.open_flags} unsettled hard-fail flags."
            yield _point(f"review:{claim}", "review.paused", detail, page)
    if facts.open_flags:
        detail = f"{len(facts.open_flags)} hard-fail flags are unsettled."
        yield _point("flags", "review.flag_open", detail, "clinician_review")


def _signoff_points(facts: Facts, policy: Policy) -> Iterator[OpenPoint]:
    if not policy.signoffs:
        detail = "The policy requires no sign-off, and nothing required is nothing proven."
        yield _point("signoffs", "signoff.nothing_required", detail, "publish")
    yield from _tampering(facts, policy)
    for rule in policy.signoffs:
        subject, page = f"signoff:{rule.id}", _signoff_page(rule)
        mine = [signoff for signoff in facts.signoffs if signoff.requirement == rule.id]
        here = [signoff for signoff in mine if signoff.candidate == facts.candidate.digest]
        if any(signoff.decision != "approve" for signoff in here):
            detail = f"{rule.title} was refused. Only a new candidate can clear this."
            yield _point(subject, "signoff.refused", detail, page)
        elif not any(_approves(signoff, rule, facts) for signoff in here):
            code, detail = _why_unsigned(rule, mine, here, facts)
            yield _point(subject, code, detail, page)


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
            page = _signoff_page(rule) if rule else "audit"
            yield _point(f"signoff_object:{fault.key}", f"signoff.{code}", detail, page)
    for key in facts.waiver_faults:
        detail = "An object among the waivers was not signed at this desk."
        yield _point(f"waiver_object:{key}", "waiver.forged", detail, "audit")


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


def _people_points(facts: Facts, policy: Policy) -> Iterator[OpenPoint]:
    """Four eyes: builder, signers and publisher are different people; one role each."""
    approvals = counting_signoffs(facts, policy)
    acts = [(item.reviewer, item.role) for item in approvals]
    acts += [pair for waiver in counting_waivers(facts, policy) for pair in waiver.signers]
    rules = {rule.id: rule for rule in policy.signoffs}
    for signoff in approvals:
        rule = rules[signoff.requirement]
        subject, page = f"signoff:{rule.id}", _signoff_page(rule)
        others = {role for who, role in acts if who == signoff.reviewer}
        if facts.builder is None:
            detail = "The journal does not say who built this candidate."
            yield _point(subject, "four_eyes.builder_unknown", detail, "audit")
        elif signoff.reviewer == facts.builder:
            detail = f"{rule.title} was signed by the person who built the candidate."
            yield _point(subject, "four_eyes.builder_signed", detail, page)
        if rule.claim and signoff.reviewer == facts.publisher:
            detail = f"{rule.title} was signed by the person about to publish."
            yield _point(subject, "four_eyes.publisher_signed", detail, "publish")
        if len(others) > 1:
            detail = f"One person signed in the roles {', '.join(sorted(others))}."
            yield _point(subject, "four_eyes.same_person", detail, page)
    signers = {signoff.reviewer for signoff in approvals}
    if len(signers) < 2 and policy.signoffs:
        detail = "At least two people must have signed for this candidate."
        yield _point("four_eyes", "four_eyes.too_few", detail, "publish")


def _house_points(facts: Facts, policy: Policy) -> Iterator[OpenPoint]:
    if facts.version_taken:
        detail = f"The name {facts.candidate.version} has been used; a name is never reused."
        yield _point("version", "version.taken", detail, "releases")
    if not facts.probe_ok:
        detail = "The bucket did not prove that it keeps conditional writes and checksums."
        yield _point("probe", "probe.failed", detail, "publish")
    if not facts.journal_ok:
        detail = "The journal's chain or an anchored head does not hold."
        yield _point("journal", "journal.broken", detail, "audit")
    if not facts.candidate.policy == facts.current_policy == policy.digest:
        detail = "The candidate was built under another policy; build it again."
        yield _point("policy", "policy.changed", detail, "run_sheet")
    if policy.demo and not facts.embedded:
        detail = "A demo policy cannot publish on a real bucket."
        yield _point("demo", "demo.bucket", detail, "run_sheet")


def _review_page(role: str) -> str:
    return "bias_review" if role == "bias_reviewer" else "clinician_review"


def _signoff_page(rule: SignoffRule) -> str:
    return _review_page(rule.role) if rule.claim else "publish"
