"""A receipt kept outside the bucket tells a release from any other that bears its name."""

from __future__ import annotations

from dataclasses import dataclass

from core.canonical import NotCanonical, decode
from core.model.errors import ReleaseError
from core.model.names import Digest, Version

SCHEMA = "release-desk/receipt/1"
RECEIPT_LIMIT = 4 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a receipt vouches for: one manifest, and the journal's newest entry before it."""

    version: Version
    manifest_sha256: Digest
    anchor: tuple[int, Digest]


def read_receipt(body: bytes) -> Receipt:
    """Return what a downloaded receipt vouches for.

    Raises:
        ReleaseError: `release.receipt_unreadable`: it is none, or of a form this desk does not
            know.
    """
    try:
        document = decode(body)
        if document["schema"] != SCHEMA:
            raise ValueError
        anchor = int(document["journal"]["entry"]), Digest(str(document["journal"]["sha256"]))
        return Receipt(
            version=Version(str(document["version"])),
            manifest_sha256=Digest(str(document["manifest_sha256"])),
            anchor=anchor,
        )
    except (NotCanonical, KeyError, TypeError, ValueError):
        raise ReleaseError(
            "release.receipt_unreadable", "This is no receipt that this desk can read."
        ) from None
