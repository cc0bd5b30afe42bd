"""A manifest follows from inputs, evidence, one intent and what the shards' bytes say.

Nothing else enters: no clock, no random number, no name of this machine. The same four give the
same bytes in any process.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from core.model.dataset import SPLITS
from core.model.errors import GateError
from core.model.gate import StoredReport
from core.model.release import ReleaseFile
from core.model.signoff import Signoff
from core.model.waiver import Waiver
from core.release.claim import Intent
from core.release.facts import Facts
from core.release.inputs import Part, ReleaseInputs, ReviewEvidence
from core.release.layout import named_by_digest, shard_name
from core.release.manifest import SCHEMA, decimal
from core.release.proven_gates import finding_totals
from core.release.rows import ShardReading

_SOURCE_FIELDS = (
    "key",
    "sha256",
    "family",
    "container",
    "rows",
    "records",
    "shipped",
    "rejected",
    "lanes",
    "dropped",
    "licence_tag",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The evidence that counts, with the parts that carry its exact bytes."""

    facts: Facts
    gates: tuple[tuple[StoredReport, Part], ...]
    signoffs: tuple[tuple[Signoff, Part], ...]
    waivers: tuple[tuple[Waiver, Part], ...]
    reviews: tuple[tuple[ReviewEvidence, Part], ...]
    routing: Part
    included: tuple[Part, ...]

    @property
    def parts(self) -> tuple[Part, ...]:
        """Every small object apart from the documents, each once, by name."""
        pairs = (*self.gates, *self.signoffs, *self.waivers, *self.reviews)
        found = {part.name: part for _, part in pairs}
        found.update({part.name: part for part in (self.routing, *self.included)})
        return tuple(found[name] for name in sorted(found))


def json_part(folder: str, name: str, kind: str, body: bytes, suffix: str = ".json") -> Part:
    """Return a part named by its digest inside `folder`."""
    bare = Part(name="", kind=kind, body=body)
    return Part(name=named_by_digest(folder, name, bare.sha256, suffix), kind=kind, body=body)


def shard_files(inputs: ReleaseInputs) -> tuple[ReleaseFile, ...]:
    """Return the shards as the manifest lists them."""
    return tuple(
        ReleaseFile(
            key=inputs.prefix + shard_name(shard),
            sha256=shard.sha256,
            size=shard.size,
            kind="shard",
            records=shard.records,
            family=shard.family,
            split=shard.split,
        )
        for shard in inputs.candidate.shards
    )


def draft_document(
    inputs: ReleaseInputs, chosen: Chosen, intent: Intent, readings: Sequence[ShardReading]
) -> dict[str, Any]:
    """Return the manifest as far as it stands before its documents are written."""
    shards = shard_files(inputs)
    files = (*shards, *(part.listed(inputs.prefix) for part in chosen.parts))
    candidate = inputs.candidate
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "version": candidate.version,
        "candidate": {
            "digest": candidate.digest,
            "key": inputs.candidate_key,
            "snapshot": candidate.snapshot,
            "snapshot_at": candidate.snapshot_at,
        },
        "policy": _policy(inputs),
        "desk": intent.desk,
        "created_at": intent.at,
        "published_by": intent.by,
        "journal_head": intent.digest,
        "journal_seq": intent.seq,
        "previous": dict(intent.previous) if intent.previous else None,
        "families": _families(inputs),
        "splits": _split_totals(shards),
        "shards": sorted(shard.sha256 for shard in shards),
        "export": {"format": "chatml-jsonl", "splits": _export(shards)},
        "routing": _reference(inputs, chosen.routing),
        "gates": [_gate(inputs, stored, part) for stored, part in chosen.gates],
        "signoffs": [_signoff(inputs, signoff, part) for signoff, part in chosen.signoffs],
        "reviews": [_review(inputs, review, part) for review, part in chosen.reviews],
        "waivers": [_waiver(inputs, waiver, part) for waiver, part in chosen.waivers],
        "waived_families": [
            {"family": name, "reason": reason}
            for name, reason in sorted(chosen.facts.waived_families.items())
        ],
        "explanations": [
            {name: item.get(name, "") for name in ("gate", "code", "scope", "by", "reason")}
            for item in candidate.decisions
            if item.get("action") == "explain"
        ],
        "exclusions": sorted(
            ({"scope": item.scope, "reason": item.reason} for item in candidate.exclusions),
            key=lambda item: (item["scope"], item["reason"]),
        ),
        "sources": _sources(inputs),
        "provenance": _provenance(inputs, readings),
        "pii": _pii(shards, readings),
    }
    return with_files(document, files)


def with_files(document: dict[str, Any], files: Iterable[ReleaseFile]) -> dict[str, Any]:
    """Return `document` listing `files`, in key order, with the totals that follow."""
    listed = sorted(files, key=lambda file: file.key)
    shards = [file for file in listed if file.kind == "shard"]
    totals = {
        "records": sum(file.records for file in shards),
        "rows": document["provenance"]["rows"],
        "files": len(listed),
        "shards": len(shards),
        "bytes": sum(file.size for file in listed),
        "shard_bytes": sum(file.size for file in shards),
    }
    return {**document, "files": [asdict(file) for file in listed], "totals": totals}


def _policy(inputs: ReleaseInputs) -> dict[str, Any]:
    policy = inputs.policy
    return {
        "name": policy.name,
        "version": policy.version,
        "digest": policy.digest,
        "demo": policy.demo,
    }


def _families(inputs: ReleaseInputs) -> list[dict[str, Any]]:
    candidate = inputs.candidate
    return [
        {
            "name": rule.name,
            "title": rule.title,
            "stage": rule.stage,
            "records": {
                split: count
                for split, count in sorted(candidate.families.get(rule.name, {}).items())
                if count
            },
            "exclusions": sorted(
                item.reason
                for item in candidate.exclusions
                if item.scope in (rule.name, f"family:{rule.name}")
            ),
        }
        for rule in inputs.policy.families
    ]


def _split_totals(shards: Sequence[ReleaseFile]) -> dict[str, int]:
    return {split: sum(file.records for file in shards if file.split == split) for split in SPLITS}


def _export(shards: Sequence[ReleaseFile]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for file in sorted(shards, key=lambda file: file.key):
        found.setdefault(file.split, []).append(file.key)
    return found


def _reference(inputs: ReleaseInputs, part: Part) -> dict[str, str]:
    return {"key": inputs.prefix + part.name, "sha256": part.sha256}


def _gate(inputs: ReleaseInputs, stored: StoredReport, part: Part) -> dict[str, Any]:
    report = stored.report
    if report.verdict not in ("pass", "fail"):
        raise GateError("gate.error", "A gate that could not judge cannot ship.", place=report.gate)
    return {
        "gate": report.gate,
        "verdict": report.verdict,
        "examined": report.examined,
        "expected": report.expected,
        "settings": report.settings,
        "findings": finding_totals(report),
        **_reference(inputs, part),
    }


def _signoff(inputs: ReleaseInputs, signoff: Signoff, part: Part) -> dict[str, Any]:
    titles = {rule.id: rule.title for rule in inputs.policy.signoffs}
    return {
        "requirement": signoff.requirement,
        "title": titles[signoff.requirement],
        "role": signoff.role,
        "reviewer": signoff.reviewer,
        "at": signoff.at,
        **_reference(inputs, part),
    }


def _review(inputs: ReleaseInputs, review: ReviewEvidence, part: Part) -> dict[str, Any]:
    state = review.state
    return {
        "claim": state.claim,
        "title": review.title,
        "reviewers": sorted(state.reviewers),
        "frame": state.frame,
        "planned": state.planned,
        "read": state.read,
        "double_rated": state.double_rated,
        "defects": state.defects,
        "cannot_judge": state.cannot_judge,
        "limit": decimal(state.limit),
        "confidence": decimal(state.confidence),
        "upper": None if state.upper is None else decimal(state.upper),
        "sentence": state.sentence,
        "rubric": {
            "id": review.rubric_id,
            "version": review.rubric_version,
            "sha256": review.rubric,
        },
        "plan": {"sha256": review.plan},
        "exceptions": list(review.exceptions),
        "dissents": list(state.dissents),
        **_reference(inputs, part),
    }


def _waiver(inputs: ReleaseInputs, waiver: Waiver, part: Part) -> dict[str, Any]:
    return {
        "gate": waiver.gate,
        "code": waiver.code,
        "reason": waiver.reason,
        "signers": [{"reviewer": who, "role": role} for who, role in sorted(waiver.signers)],
        "expires_at": waiver.expires_at,
        **_reference(inputs, part),
    }


def _sources(inputs: ReleaseInputs) -> list[dict[str, Any]]:
    rows = [
        {name: _plain(getattr(source, name)) for name in _SOURCE_FIELDS}
        for source in inputs.candidate.sources
    ]
    return sorted(rows, key=lambda row: (row["key"], row["family"]))


def _plain(value: object) -> Any:
    return dict(sorted(value.items())) if hasattr(value, "items") else value


def _provenance(inputs: ReleaseInputs, readings: Sequence[ShardReading]) -> dict[str, Any]:
    candidate = inputs.candidate
    licences: Counter[str] = Counter()
    for reading in readings:
        licences.update(reading.licences)
    return {
        "sources": len(candidate.sources),
        "rows": candidate.rows,
        "records": candidate.records,
        "rejected": sum(sum(source.rejected.values()) for source in candidate.sources),
        "lanes": sum(sum(source.lanes.values()) for source in candidate.sources),
        "dropped": dict(sorted(candidate.dropped.items())),
        "rejections": dict(sorted(candidate.rejections.items())),
        "licences": dict(sorted(licences.items())),
        "scan_settings": candidate.scan_settings,
    }


def _pii(
    shards: Sequence[ReleaseFile], readings: Sequence[ShardReading]
) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for file, reading in zip(shards, readings, strict=True):
        cell = found.setdefault(file.split, {"none_detected": 0, "scrubbed": 0})
        for status, count in reading.pii.items():
            cell[status] += count
    return found
