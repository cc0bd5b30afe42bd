"""Everyone may read what was decided, and check that nothing was taken away."""

from __future__ import annotations

from dataclasses import dataclass

from core.canonical import canonical_bytes, decode
from core.model.errors import JournalBroken, ReleaseError, ReviewError
from core.model.names import Digest, Version
from core.release.layout import MANIFEST, releases_prefix
from core.release.manifest import Manifest
from core.release.verify import load_manifest
from core.review.envelope import PREDICATE_TYPE as SIGNOFF
from core.review.envelope import open_envelope
from core.review.signoffs import read_signoff
from core.review.waiver_objects import KIND as WAIVER
from core.storage.journal import Entry
from core.workbench.desk import Desk


@dataclass(frozen=True, slots=True)
class Audit:
    """The journal of one desk, for reading and checking."""

    desk: Desk

    def entries(self) -> tuple[Entry, ...]:
        """Return every entry, oldest first, each link checked."""
        return self.desk.entries()

    def anchors(self) -> tuple[tuple[int, Digest], ...]:
        """Return the heads that stand outside the journal: (sequence number, digest).

        Every manifest and every sign-off says which entry stood last when it was made, so a
        journal whose tail was cut contradicts them. A head nobody has comes with number 0.
        """
        entries = self.desk.entries()
        numbers: dict[str, int] = {entry.digest: entry.seq for entry in entries}
        found = [manifest.anchor for manifest in self._manifests()]
        keys = self.desk.signing_keys()
        # One that does not verify is no reason to look away: whoever cut the journal's tail
        # could spoil the sign-offs that name it as well.
        for folder, kind in (("signoffs", SIGNOFF), ("waivers", WAIVER)):
            for listed in self.desk.store.list(f"{self.desk.prefix}{folder}/"):
                statement = open_envelope(
                    read_signoff(self.desk.store, listed.key), keys, kind=kind
                )
                head = str(statement["predicate"].get("journal_head", ""))
                found.append((numbers.get(head, 0), Digest(head)))
        return tuple(found)

    def _manifests(self) -> list[Manifest]:
        """Return every release's manifest, found by listing: the journal is what is on trial."""
        prefix = releases_prefix(self.desk.prefix)
        return [
            load_manifest(
                self.desk.store,
                Version(listed.key.removeprefix(prefix).split("/")[0]),
                exports=self.desk.prefix,
            )
            for listed in self.desk.store.list(prefix)
            if listed.key.removeprefix(prefix).count("/") == 1 and listed.key.endswith(MANIFEST)
        ]

    def verify(self, also: tuple[tuple[int, Digest], ...] = ()) -> tuple[bool, str]:
        """Check the chain and its anchors; return whether it holds, and the sentence to show.

        `also` are heads kept elsewhere, such as those of start-up logs.
        """
        try:
            entries = self.desk.entries()
            anchors = self.anchors()
            self.desk.journal.verify((*anchors, *also))
        except (JournalBroken, ReviewError, ReleaseError) as error:
            return False, f"{error.sentence} ({error.code}, {error.place})"
        return True, (
            f"{len(entries)} entries: every link holds, and so does every one of the "
            f"{len(anchors)} heads that sign-offs and releases name."
            + (f" So do {len(also)} kept elsewhere." if also else "")
        )

    def holds(self) -> bool:
        """Whether the journal holds; asked again only when it has grown."""
        try:
            head = self.desk.journal.head()
        except JournalBroken:
            return False
        if self.desk.memory.get("journal proven") != head:
            if not self.verify()[0]:
                return False
            self.desk.memory["journal proven"] = head
        return True

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
