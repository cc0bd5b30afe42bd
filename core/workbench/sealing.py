"""Where this desk's people sign, and the one key it seals what they sign with."""

from __future__ import annotations

import os

from core.model.signoff import Person
from core.review.identity import SigningDesk
from core.review.keys import SigningKey, ensure_key
from core.workbench.desk import Desk

KEY_VARIABLE = "DESK_SIGNING_KEY"


def signing_desk(desk: Desk, by: Person) -> SigningDesk:
    """Return where `by` signs; the key is made and registered on first use, in their name."""
    held = desk.memory.get("signing key")
    if not isinstance(held, SigningKey):
        held = ensure_key(
            desk.workspace, desk.journal, by.id, secret=os.environ.get(KEY_VARIABLE) or None
        )
        desk.memory["signing key"] = held
    return SigningDesk(
        store=desk.store,
        journal=desk.journal,
        prefix=desk.prefix,
        key=held,
        clock=desk.clock,
        embedded=desk.settings.embedded,
    )
