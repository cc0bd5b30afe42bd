"""Everyone may read what was decided, and check that nothing was taken away."""

from __future__ import annotations

from dataclasses import dataclass

from core.canonical import canonical_bytes, decode
from core.model.errors import JournalBroken
from core.model.names import Digest
from core.storage.journal import Entry
from core.workbench import history
from core.workbench.desk import Desk


@dataclass(frozen=True, slots=True)
class Audit:
    """The journal of one desk, for reading and checking."""

    desk: Desk

    def entries(self) -> tuple[Entry, ...]:
        """Return every entry, oldest first, each link checked."""
        return self.desk.entries()

    def anchors(self) -> tuple[tuple[int, Digest], ...]:
        """Return the journal heads that later entries name: (sequence number, digest)."""
        entries = self.desk.entries()
        by_digest: dict[str, int] = {entry.digest: entry.seq for entry in entries}
        named = [
            str(entry.event["journal_head"])
            for entry in history.of_type(entries, "signoff.given", "publish.intent")
            if "journal_head" in entry.event
        ]
        return tuple((by_digest.get(head, 0), Digest(head)) for head in named)

    def verify(self) -> tuple[bool, str]:
        """Check the chain and its anchors; return whether it holds, and the sentence to show."""
        try:
            entries = self.desk.entries()
            self.desk.journal.verify([(seq, head) for seq, head in self.anchors()])
        except JournalBroken as error:
            return False, f"{error.sentence} ({error.code}, {error.place})"
        return True, f"{len(entries)} entries, every link and every anchored head holds."

    def export(self) -> bytes:
        """Return the journal as JSON lines, each with its own digest."""
        lines = [
            canonical_bytes(
                {
                    "seq": entry.seq,
                    "prev": entry.prev,
                    "at": entry.at,
                    "actor": entry.actor,
                    "event": decode(canonical_bytes(entry.event)),
                    "digest": entry.digest,
                }
            )
            for entry in self.desk.entries()
        ]
        return b"".join(line + b"\n" for line in lines)
