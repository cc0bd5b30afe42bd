"""Every record says where it came from, and what it says is true; one that does not blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Final

from core.gates.books import Seen, audit, losses, rows_lost
from core.gates.gate import finding_at
from core.gates.listed import ReadsListing, listing_faults, no_listing
from core.gates.routing import routing_faults
from core.gates.row import content_hash, record_id, row_faults
from core.model.candidate import Candidate, SourceEntry
from core.model.dataset import ShippedRecord
from core.model.gate import Finding
from core.policy.types import Policy

UNDECIDED = "undecided"
# What a row says whose stage no training phase draws from.
HELD_OUT = "held_out"
_STATUSES = ("none_detected", "scrubbed", "requires_review")


class ProvenanceGate:
    """Recomputes what a row claims and compares the rest with the candidate's own books."""

    name: Final = "provenance"

    def __init__(
        self,
        policy: Policy,
        candidate: Candidate,
        *,
        routing: bytes | None = None,
        listing: ReadsListing = no_listing,
    ) -> None:
        """`routing` is the stored routing document; without it the gate blocks.

        `listing` reads the stored listing that the candidate names; what it raises is an error
        of the gate, which is no pass.
        """
        self._policy = policy
        self._candidate = candidate
        self._routing = routing
        self._listing = listing
        self._sources = {(source.family, source.key): source for source in candidate.sources}
        self._stages = {family.name: family.stage for family in policy.families}
        self._phases = {phase.name: phase.stages for phase in policy.phases}
        self._seen = Seen()
        self._ids: set[str] = set()
        self._licences: Counter[str] = Counter()
        self._statuses: Counter[str] = Counter()
        self._whole = 0

    def settings(self) -> Mapping[str, object]:
        """The tags, families and phases of the policy, and how many rows may go missing."""
        return {
            "licence_tags": sorted(self._policy.licence_tags),
            "families": self._stages,
            "phases": {name: list(stages) for name, stages in self._phases.items()},
            "rejected_share": self._policy.intake.rejected_share,
            "rejected_floor": self._policy.intake.rejected_floor,
        }

    def examine(self, record: ShippedRecord) -> Iterator[Finding]:
        """Check one row: its shape first, and its truth as far as the keys are there."""
        self._seen.add(record)
        faults = row_faults(record.raw, record.metadata)
        found = [("provenance.row_schema", fault) for fault in faults]
        found += self._untruths(record)
        found += self._wrong_sources(record)
        found += self._wrong_licence(record)
        found += self._wrong_place(record)
        self._whole += not found
        for code, detail in found:
            yield finding_at(record, code, detail=detail)

    def _untruths(self, record: ShippedRecord) -> list[tuple[str, str]]:
        row = record.metadata
        found = []
        if row.get("content_hash") != content_hash(record.messages):
            found.append(("provenance.content_hash", ""))
        identity = record_id(record.messages)
        if row.get("record_id") != identity:
            found.append(("provenance.record_id", ""))
        if identity in self._ids:
            found.append(("provenance.record_id_repeated", ""))
        self._ids.add(identity)
        if row.get("turns") != len(record.messages):
            found.append(("provenance.turns", ""))
        status = str(row.get("pii_status", ""))
        self._statuses[status if status in _STATUSES else "other"] += 1
        if status == "requires_review":
            found.append(("provenance.requires_review", ""))
        return found

    def _wrong_sources(self, record: ShippedRecord) -> list[tuple[str, str]]:
        row = record.metadata
        key = str(row.get("source_key", ""))
        source = self._sources.get((str(row.get("source_family", "")), key))
        found = []
        if source is None:
            found.append(("provenance.source_unknown", ""))
        elif row.get("source_sha256") != source.sha256:
            found.append(("provenance.source_digest", ""))
        told = row.get("provenance")
        history = told if isinstance(told, dict) else {}
        if history.get("original_s3_key") != key:
            found.append(("provenance.history", "original_s3_key"))
        if source is not None and history.get("processed_at") != source.listed_at:
            found.append(("provenance.history", "processed_at"))
        if not history.get("processing_pipeline") or not history.get("processing_steps"):
            found.append(("provenance.history", "processing"))
        return found

    def _wrong_licence(self, record: ShippedRecord) -> list[tuple[str, str]]:
        tag = record.metadata.get("license_tag")
        known = isinstance(tag, str) and tag in self._policy.licence_tags
        self._licences[str(tag) if known or tag == UNDECIDED else "other"] += 1
        if tag == UNDECIDED:
            return [("provenance.licence_undecided", "")]
        if not known:
            return [("provenance.licence_unknown", "")]
        source = self._source_of(record)
        if source is not None and source.licence_tag != tag:
            return [("provenance.licence_differs", "")]
        return []

    def _wrong_place(self, record: ShippedRecord) -> list[tuple[str, str]]:
        row, shard = record.metadata, record.shard
        found = []
        if (row.get("source_family"), row.get("split")) != (shard.family, shard.split):
            found.append(("provenance.misplaced", "family or split"))
        stage = self._stages.get(shard.family)
        if stage is None:
            found.append(("provenance.family_unknown", ""))
        elif row.get("stage") != stage:
            found.append(("provenance.misplaced", "stage"))
        phase = str(row.get("phase", ""))
        fits = self._held_out(stage) if phase == HELD_OUT else stage in self._phases.get(phase, ())
        if not fits:
            found.append(("provenance.misplaced", "phase"))
        return found

    def _held_out(self, stage: int | None) -> bool:
        """Whether no training phase draws from the stage."""
        return all(stage not in stages for stages in self._phases.values())

    def _source_of(self, record: ShippedRecord) -> SourceEntry | None:
        row = record.metadata
        return self._sources.get(
            (str(row.get("source_family", "")), str(row.get("source_key", "")))
        )

    def conclude(self) -> Iterator[Finding]:
        """Check the books, the sources by their listing, the rows lost, and the routing."""
        yield from audit(self._candidate, self._seen)
        yield from listing_faults(self._candidate, self._listing())
        yield from rows_lost(self._candidate, self._policy.intake)
        for fault in routing_faults(self._routing, self._candidate, self._policy):
            yield Finding(code="provenance.routing", blocking=True, detail=fault)

    def measures(self) -> Mapping[str, object]:
        """How many records are whole, and what became of every row that was read."""
        sources = self._candidate.sources
        families: dict[str, dict[str, int]] = {}
        for (family, split), count in sorted(self._seen.families.items()):
            families.setdefault(family, {})[split] = count
        return {
            "records": sum(self._seen.families.values()),
            "whole_records": self._whole,
            "families": families,
            "sources": len(sources),
            "rows": sum(source.rows for source in sources),
            "rejected": sum(sum(source.rejected.values()) for source in sources),
            "lanes": sum(sum(source.lanes.values()) for source in sources),
            "dropped": sum(sum(source.dropped.values()) for source in sources),
            "rejected_share_worst": max(
                (sum(s.rejected.values()) / s.rows for s in sources if s.rows), default=0.0
            ),
            "rows_lost": [asdict(loss) for loss in losses(self._candidate, self._policy.intake)],
            "licence_tags": dict(sorted(self._licences.items())),
            "pii_status": dict(sorted(self._statuses.items())),
        }
