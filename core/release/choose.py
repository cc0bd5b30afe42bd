"""What ships as evidence is read from where it was stored and proven by its digest."""

from __future__ import annotations

from collections.abc import Iterator

from core.canonical import sha256_hex
from core.model.errors import ReleaseError
from core.model.names import Digest
from core.release.approvals import counting_signoffs
from core.release.draft import Chosen, json_part
from core.release.facts import Facts
from core.release.inputs import Part, ReleaseInputs
from core.release.objects import steadily
from core.release.proven_gates import counting_waivers, required_gates
from core.release.routing import parse_routing, routing_faults

_LIMIT = 1 << 30


def choose_evidence(inputs: ReleaseInputs, facts: Facts) -> Chosen:
    """Return the evidence that counts for this candidate, with its exact bytes.

    Reports of gates that could not judge are left out: they prove nothing and block.

    Raises:
        ReleaseError: stored bytes are not what their digest says, the routing does not fit the
            candidate, or a typed text that would ship holds something private.
    """
    _refuse_private_text(inputs, facts)
    candidate, policy = inputs.candidate, inputs.policy
    reports = [facts.reports.get(name) for name in required_gates(facts, policy)]
    gates = [stored for stored in reports if stored and stored.report.verdict != "error"]
    claims = {rule.claim for rule in policy.signoffs if rule.claim}
    reviews = [review for review in inputs.reviews if review.state.claim in claims]
    routing = _stored(inputs, candidate.routing_key, candidate.routing_sha256)
    _refuse_wrong_routing(inputs, routing)
    return Chosen(
        facts=facts,
        gates=tuple(
            (stored, json_part("evidence", stored.report.gate, "evidence", body))
            for stored in gates
            for body in (_stored(inputs, stored.key, stored.sha256),)
        ),
        signoffs=tuple(
            (signoff, json_part("signoffs", signoff.requirement, "signoff", body))
            for signoff in counting_signoffs(facts, policy)
            for body in (_stored(inputs, signoff.key, signoff.sha256),)
        ),
        waivers=tuple(
            (waiver, json_part("evidence", f"waiver-{waiver.gate}", "evidence", body))
            for waiver in counting_waivers(facts, policy)
            for body in (_stored(inputs, waiver.key, waiver.sha256),)
        ),
        reviews=tuple(
            (review, json_part("reviews", review.state.claim, "review", review.summary))
            for review in sorted(reviews, key=lambda review: review.state.claim)
        ),
        routing=_routing_part(routing),
        included=tuple(
            json_part("evidence", file.name, "evidence", file.body, file.suffix)
            for file in inputs.included
        ),
    )


def refuse_missing_reviews(inputs: ReleaseInputs, facts: Facts) -> None:
    """Every claim that was signed ships its review, and as the facts have it.

    Raises:
        ReleaseError: a claim's review is not among the inputs, or says something else.
    """
    given = {review.state.claim: review.state for review in inputs.reviews}
    for claim in sorted({rule.claim for rule in inputs.policy.signoffs if rule.claim}):
        if claim not in given or given[claim] != facts.reviews.get(claim):
            raise ReleaseError(
                "release.review_differs",
                "The review that would ship is not the one the sign-off rests on.",
                place=claim,
            )


def _routing_part(body: bytes) -> Part:
    return Part(name=f"routing/{sha256_hex(body)}.json", kind="routing", body=body)


def _stored(inputs: ReleaseInputs, key: str, sha256: Digest) -> bytes:
    held = steadily(lambda: inputs.store.get(key, limit=_LIMIT), sleep=inputs.sleep)
    if sha256_hex(held.body) != sha256:
        raise ReleaseError(
            "release.evidence_changed",
            "Stored evidence is not what its digest says.",
            place=key,
        )
    return held.body


def _refuse_wrong_routing(inputs: ReleaseInputs, body: bytes) -> None:
    candidate = inputs.candidate
    routing = parse_routing(body, place=candidate.routing_key)
    for fault in routing_faults(routing, version=candidate.version, counts=candidate.families):
        raise ReleaseError(
            "release.routing", "The routing does not fit the candidate.", place=fault
        )


def _refuse_private_text(inputs: ReleaseInputs, facts: Facts) -> None:
    """What people typed ships in the manifest and its documents, so it is scanned first."""
    for place, text in _typed_texts(inputs, facts):
        if inputs.find_private(text):
            raise ReleaseError(
                "release.private_text",
                "A text that would ship with the release holds something private; reword it.",
                place=place,
            )


def _typed_texts(inputs: ReleaseInputs, facts: Facts) -> Iterator[tuple[str, str]]:
    for exclusion in inputs.candidate.exclusions:
        yield "exclusions", exclusion.reason
    for decision in inputs.candidate.decisions:
        if decision.get("action") == "explain":
            yield f"explanation {decision.get('scope', '')}", decision.get("reason", "")
    for family, reason in facts.waived_families.items():
        yield f"waived family {family}", reason
    for waiver in counting_waivers(facts, inputs.policy):
        yield f"waiver {waiver.gate} {waiver.code}", waiver.reason
    # A review's sentence is ours, made of counts; exceptions and dissents are people's words.
    for review in inputs.reviews:
        place = f"review {review.state.claim}"
        for text in (*review.exceptions, *review.state.dissents):
            yield place, text
