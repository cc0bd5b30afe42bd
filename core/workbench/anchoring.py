"""The journal's head is told to the log at every start, where whoever cuts the journal's tail in
the bucket cannot reach it."""

from __future__ import annotations

import re

from core.logs import log_error, log_event
from core.model.errors import DeskError
from core.model.names import Digest
from core.storage.journal import EMPTY_HEAD, Journal

_ANCHOR = re.compile(r"([0-9]{1,12}):([0-9a-f]{64})")


def log_journal_head(journal: Journal) -> None:
    """Log the newest entry's number and digest as `journal.head`; 0 and 64 zeros when empty.

    Raises:
        JournalBroken: the chain does not hold, which is worth its own line.
        StorageError: the bucket cannot be read.
    """
    entries = journal.replay()
    head = entries[-1].digest if entries else EMPTY_HEAD
    log_event("journal.head", seq=len(entries), digest=head)


def tell_journal_head(journal: Journal) -> None:
    """Log the head, or the code of why it cannot be read: whoever starts goes on either way."""
    try:
        log_journal_head(journal)
    except DeskError as error:
        log_error(error)


def read_anchor(text: str) -> tuple[int, Digest]:
    """Return the head that `SEQ:DIGEST` names, as a log line gives them.

    Raises:
        ValueError: the text is no such thing.
    """
    found = _ANCHOR.fullmatch(text)
    if found is None:
        raise ValueError
    return int(found[1]), Digest(found[2])
