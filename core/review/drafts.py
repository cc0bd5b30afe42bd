"""A half-typed answer survives a reload, a second tab and a killed server.

Drafts are the one thing kept only in the workspace: they are nobody's decision yet.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from core.model.errors import ReviewError
from core.review.local_tables import LocalTables

FILE_NAME = "drafts.sqlite"
_PAYLOAD_LIMIT = 256 << 10
_TABLES = """
CREATE TABLE IF NOT EXISTS drafts (
    candidate TEXT NOT NULL, claim TEXT NOT NULL, record_id TEXT NOT NULL, reviewer TEXT NOT NULL,
    payload TEXT NOT NULL, seq INTEGER NOT NULL, tab TEXT NOT NULL, version INTEGER NOT NULL,
    saved_at TEXT NOT NULL,
    PRIMARY KEY (candidate, claim, record_id, reviewer)
) STRICT;
CREATE TABLE IF NOT EXISTS positions (
    reviewer TEXT NOT NULL, claim TEXT NOT NULL, record_id TEXT NOT NULL,
    PRIMARY KEY (reviewer, claim)
) STRICT;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftPlace:
    """Whose draft of what."""

    candidate: str
    claim: str
    record_id: str
    reviewer: str

    @property
    def columns(self) -> tuple[str, str, str, str]:
        """The place as the table's key."""
        return self.candidate, self.claim, self.record_id, self.reviewer


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A form's whole state as JSON text, as saved.

    `seq` counts the changes of one `tab`; `version` counts what was stored for this place, so
    that a tab can say which state it had before it.
    """

    payload: str
    seq: int
    tab: str
    version: int
    saved_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingDraft:
    """What a tab wants saved; `based_on` is the version it last loaded or saved (0: none)."""

    payload: str
    seq: int
    tab: str
    based_on: int
    at: str


def apply_draft(previous: Draft | None, incoming: IncomingDraft) -> Draft:
    """Return the draft that stands after `incoming`; pure.

    The same change sent again changes nothing. A tab may only follow its own last change, and
    another tab only the version that is stored.

    Raises:
        ReviewError: `review.draft_stale` when this tab has saved something newer,
            `review.draft_other_tab` when another tab has.
    """
    if len(incoming.payload) > _PAYLOAD_LIMIT:
        raise ReviewError("review.draft_size", "The draft is too long to keep.")
    if previous is not None and previous.tab == incoming.tab:
        if (incoming.seq, incoming.payload) == (previous.seq, previous.payload):
            return previous
        if incoming.seq <= previous.seq:
            raise ReviewError("review.draft_stale", "Something newer is saved already.")
    elif previous is not None and incoming.based_on != previous.version:
        raise ReviewError(
            "review.draft_other_tab",
            "This record was changed in another tab; reload this page to see it.",
        )
    return Draft(
        payload=incoming.payload,
        seq=incoming.seq,
        tab=incoming.tab,
        version=(previous.version if previous is not None else 0) + 1,
        saved_at=incoming.at,
    )


class Drafts:
    """The drafts of one workspace. Safe between threads and processes."""

    def __init__(self, workspace: Path) -> None:
        self._tables = LocalTables(workspace / FILE_NAME, _TABLES, durable="FULL")

    def save_draft(self, place: DraftPlace, incoming: IncomingDraft) -> Draft:
        """Save and return what now stands; it is on the disk when this returns.

        Raises:
            ReviewError: as `apply_draft`.
        """
        with self._tables.writing() as connection:
            previous = _load(connection, place)
            draft = apply_draft(previous, incoming)
            if draft is not previous:
                connection.execute(
                    "INSERT OR REPLACE INTO drafts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        *place.columns,
                        draft.payload,
                        draft.seq,
                        draft.tab,
                        draft.version,
                        draft.saved_at,
                    ),
                )
        return draft

    def load_draft(self, place: DraftPlace) -> Draft | None:
        """Return the saved draft of a place, if there is one."""
        with self._tables.reading() as connection:
            return _load(connection, place)

    def drafted(self, candidate: str, claim: str, reviewer: str) -> frozenset[str]:
        """Return the records a reviewer has begun under a claim."""
        with self._tables.reading() as connection:
            rows = connection.execute(
                "SELECT record_id FROM drafts WHERE candidate = ? AND claim = ? AND reviewer = ?",
                (candidate, claim, reviewer),
            ).fetchall()
        return frozenset(str(row[0]) for row in rows)

    def delete_draft(self, place: DraftPlace) -> None:
        """Forget a draft, once its rating is stored."""
        with self._tables.writing() as connection:
            connection.execute(
                "DELETE FROM drafts WHERE candidate = ? AND claim = ? AND record_id = ?"
                " AND reviewer = ?",
                place.columns,
            )

    def remember_position(self, reviewer: str, claim: str, record_id: str) -> None:
        """Keep which record a reviewer is at."""
        with self._tables.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO positions VALUES (?, ?, ?)", (reviewer, claim, record_id)
            )

    def position(self, reviewer: str, claim: str) -> str | None:
        """Return the record a reviewer was last at under a claim."""
        with self._tables.reading() as connection:
            row = connection.execute(
                "SELECT record_id FROM positions WHERE reviewer = ? AND claim = ?",
                (reviewer, claim),
            ).fetchone()
        return None if row is None else str(row[0])


def _load(connection: sqlite3.Connection, place: DraftPlace) -> Draft | None:
    row = connection.execute(
        "SELECT payload, seq, tab, version, saved_at FROM drafts WHERE candidate = ? AND claim = ?"
        " AND record_id = ? AND reviewer = ?",
        place.columns,
    ).fetchone()
    if row is None:
        return None
    payload, seq, tab, version, saved_at = row
    return Draft(payload=payload, seq=seq, tab=tab, version=version, saved_at=saved_at)
