"""A candidate may be published when nothing required is unproven; what is unproven has a name.

Pure: the same facts and policy give the same blockers. Each point carries the subject it is
about, so that a property can say: take any evidence away, and no subject becomes free.
"""

from __future__ import annotations

from collections.abc import Iterator

from core.model.release import Blocker
from core.policy.types import Policy
from core.release.approvals import people_points, signoff_points
from core.release.facts import Facts
from core.release.open_point import OpenPoint, point, review_page
from core.release.proven_gates import gate_points

_REVIEW_CODES = {
    "not_frozen": ("review.not_frozen", "The sample plan of {claim} is not frozen."),
    "reading": ("review.incomplete", "{claim} is still being read: {read} of {planned} records."),
    "paused": ("review.paused", "{claim} is paused: {open_flags} hard-fail flags are unsettled."),
    "failed": ("review.failed", "{claim} found more defects than its plan allows."),
    "stale": ("review.stale", "The rubric or sample of {claim} changed after it was rated."),
}


def missing_before_publish(facts: Facts, policy: Policy) -> tuple[Blocker, ...]:
    """Return every reason this candidate cannot be published now; empty means it may be."""
    seen: dict[Blocker, None] = {}
    for found in open_points(facts, policy):
        seen.setdefault(found.blocker)
    return tuple(seen)


def open_points(facts: Facts, policy: Policy) -> tuple[OpenPoint, ...]:
    """Return required minus proven, subject by subject, in the order of the run sheet."""
    return (
        *_candidate_points(facts, policy),
        *gate_points(facts, policy),
        *_pii_points(facts, policy),
        *_review_points(facts, policy),
        *signoff_points(facts, policy),
        *people_points(facts, policy),
        *_house_points(facts, policy),
    )


def _candidate_points(facts: Facts, policy: Policy) -> Iterator[OpenPoint]:
    candidate = facts.candidate
    if not candidate.shards or candidate.records <= 0:
        yield point("candidate", "candidate.empty", "The candidate has no records.", "run_sheet")
    for rule in policy.families:
        if not rule.required or facts.waived_families.get(rule.name):
            continue
        if sum(candidate.families.get(rule.name, {}).values()) <= 0:
            detail = f"The required family {rule.name} has no record and is not waived."
            yield point(f"family:{rule.name}", "candidate.family_empty", detail, "coverage")
    for alias in sorted(facts.unconfirmed_aliases):
        detail = f"{alias} is matched by an alias that nobody has confirmed."
        yield point(f"alias:{alias}", "coverage.unconfirmed", detail, "coverage")
    undecided = sum(
        1
        for source in candidate.sources
        if source.shipped and source.licence_tag not in policy.licence_tags
    )
    if undecided:
        detail = f"{undecided} sources ship records without a licence decision."
        yield point("licences", "source.undecided", detail, "coverage")


def _pii_points(facts: Facts, policy: Policy) -> Iterator[OpenPoint]:
    """People have read what the policy asks of every family that ships; no waiver covers it."""
    for family, rule in policy.pii_families().items():
        if sum(facts.candidate.families.get(family, {}).values()) <= 0:
            continue
        subject, state = f"pii:{family}", facts.pii.get(family)
        if state is None or state.family != family:
            detail = f"The PII sample of {family} is not frozen."
            yield point(subject, "privacy.sampling_open", detail, "pii_check")
        elif state.escapes or state.state == "escaped":
            detail = (
                f"A reader could identify somebody in {len(state.escapes)} records of {family}."
            )
            yield point(subject, "privacy.sampling_escape", detail, "pii_check")
        elif state.state != "done" or (state.limit, state.confidence) != (
            rule.limit,
            rule.confidence,
        ):
            yield point(subject, "privacy.sampling_open", state.sentence, "pii_check")


def _review_points(facts: Facts, policy: Policy) -> Iterator[OpenPoint]:
    for claim in dict.fromkeys(rule.claim for rule in policy.signoffs if rule.claim):
        page = review_page(policy.claim(claim).role)
        state = facts.reviews.get(claim)
        if state is None:
            detail = f"The sample plan of {claim} is not frozen."
            yield point(f"review:{claim}", "review.not_frozen", detail, page)
        elif state.claim != claim or state.state != "ready":
            code, sentence = _REVIEW_CODES.get(
                state.state, ("review.incomplete", "{claim} is not ready to be signed.")
            )
            detail = sentence.format(
                claim=claim, read=state.read, planned=state.planned, open_flags=state.open_flags
            )
            yield point(f"review:{claim}", code, detail, page)
        elif state.open_flags:
            detail = f"{claim} has {state.open_flags} unsettled hard-fail flags."
            yield point(f"review:{claim}", "review.paused", detail, page)
    if facts.open_flags:
        detail = f"{len(facts.open_flags)} hard-fail flags are unsettled."
        yield point("flags", "review.flag_open", detail, "clinician_review")


def _house_points(facts: Facts, policy: Policy) -> Iterator[OpenPoint]:
    if facts.version_taken:
        detail = f"The name {facts.candidate.version} has been used; a name is never reused."
        yield point("version", "version.taken", detail, "releases")
    if not facts.probe_ok:
        detail = "The bucket did not prove that it keeps conditional writes and checksums."
        yield point("probe", "probe.failed", detail, "publish")
    if not facts.journal_ok:
        detail = "The journal's chain or an anchored head does not hold."
        yield point("journal", "journal.broken", detail, "audit")
    if not facts.candidate.policy == facts.current_policy == policy.digest:
        detail = "The candidate was built under another policy; build it again."
        yield point("policy", "policy.changed", detail, "run_sheet")
    if policy.demo and not facts.embedded:
        detail = "A demo policy cannot publish on a real bucket."
        yield point("demo", "demo.bucket", detail, "run_sheet")
