"""What a build left out, and the text of what it left out, for those who may read records."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from core.intake.dropped import Dropped, load_dropped
from core.model.dataset import Message, SourceObject
from core.model.errors import IntakeError, Missing
from core.model.gate import Finding
from core.model.signoff import Person
from core.workbench.candidates import Candidates
from core.workbench.reviews import READERS

PAIRED = ("duplicates", "leakage")
_KEPT = 4


@dataclass(frozen=True, slots=True)
class Duplicates:
    """The pairs of one desk's candidates: those a build parted with and those the gates found."""

    candidates: Candidates

    def dropped(self, digest: str) -> tuple[Dropped, ...] | None:
        """Return what the build of this candidate left out; None if an older desk built it.

        Raises:
            IntakeError: `candidate.dropped_altered`.
        """
        desk = self.candidates.desk
        kept = desk.memory.setdefault("dropped", {})
        assert isinstance(kept, dict)
        if digest not in kept:
            while len(kept) >= _KEPT:
                kept.pop(next(iter(kept)), None)
            candidate = self.candidates.get(digest)
            kept[digest] = load_dropped(desk.store, desk.prefix, candidate)
        found: tuple[Dropped, ...] | None = kept[digest]
        return found

    def pairs(self, digest: str) -> tuple[tuple[str, Finding], ...]:
        """Return (gate, finding) for every finding that names two records, what blocks first."""
        paired = [
            (gate, finding)
            for gate, finding in self.candidates.findings(digest)
            if gate in PAIRED and finding.other and finding.record_id
        ]
        # A page lists the beginning of many: what has to be decided must not stand behind it.
        return tuple(sorted(paired, key=lambda item: not item[1].blocking))

    def messages_of_dropped(self, digest: str, entry: Dropped, by: Person) -> tuple[Message, ...]:
        """Return the text of a record that does not ship, as it would have been exported.

        Raises:
            NotAllowed: `by` may not read records.
            IntakeError: `candidate.dropped_unread` when what was read of its source is gone.
        """
        self.candidates.desk.require(by, *READERS)
        # Imported here because the readers of features take seconds to load.
        import pyarrow.parquet as pq

        from core.intake.measure import decode_messages
        from core.intake.scan import known_scan, load_features

        desk, candidate = self.candidates.desk, self.candidates.get(digest)
        gone = IntakeError(
            "candidate.dropped_unread",
            "What was read of this source is no longer kept; build again to read it.",
            place=entry.source_key,
        )
        source = next((s for s in candidate.sources if s.key == entry.source_key), None)
        if source is None:
            raise gone
        listed = SourceObject(
            key=source.key,
            size=source.size,
            etag=source.etag,
            modified=datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None),
            version_id=source.version_id,
        )
        scan = known_scan(
            desk.store, listed, settings_digest=candidate.scan_settings, prefix=desk.prefix
        )
        if scan is None:
            raise gone
        try:
            body = load_features(desk.store, scan)
        except (IntakeError, Missing):
            raise gone from None
        with tempfile.TemporaryDirectory(prefix="release-desk-") as folder:
            path = Path(folder) / "features.parquet"
            path.write_bytes(body)
            rows = pq.read_table(
                path,
                columns=["messages"],
                filters=[("record_id", "=", entry.record_id), ("line", "=", entry.line)],
                partitioning=None,
            ).to_pylist()
        if not rows:
            raise gone
        return decode_messages(rows[0]["messages"])


def families_crossed(entries: tuple[Dropped, ...]) -> Mapping[tuple[str, str], int]:
    """Return how many records of a family yielded to a record of another, or of its own."""
    return Counter((entry.family, entry.kept_family) for entry in entries if entry.kept)
